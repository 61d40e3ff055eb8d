# shellcheck shell=bash
# Where Redis and PostgreSQL are, with what password, and by whose certificates they are known: asked of Google, except for
# PostgreSQL's password, which is made here and kept in the secret database-url alone. Sourced by ../gcp.sh.

readonly DATABASE_USER=ticket_home
readonly READDRESS="(deploy/gcp.sh readdress, then deploy, where it should)"

# Prints "host port".
redis_host() {
    local seen line at=endpoints.connections.pscAutoConnection
    if [[ $REDIS == memorystore-redis ]]; then
        seen=$(gcp redis instances describe "$CACHE" "--region=$REGION" '--format=value(host,port)')
        printf %s "${seen/$'\t'/ }"
    else
        seen=$(gcp memorystore instances describe "$CACHE" "--location=$REGION" '--flatten=endpoints[].connections[]' \
            "--format=csv[no-heading]($at.connectionType,$at.ipAddress,$at.port)")
        while read -r line; do
            [[ $line != CONNECTION_TYPE_PRIMARY,* ]] || { line=${line#*,} && printf %s "${line/,/ }"; }
        done <<<"$seen"
    fi
}

# The CA signs this one instance's certificate, which names no host that Python would compare.
redis_url() {
    local host port user='' password
    read -r host port <<<"$(redis_host)"
    [[ $host && $port ]] || die "$CACHE has no address yet"
    if [[ $REDIS == memorystore-redis ]]; then
        password=$(gcp redis instances get-auth-string "$CACHE" "--region=$REGION" '--format=value(authString)')
    else
        user=default
        password=$(valkey_token)
    fi
    [[ $password ]] || die "$CACHE has no password"
    printf 'rediss://%s:%s@%s:%s/0?ssl_ca_certs=/secrets/redis/ca.pem&ssl_check_hostname=false' \
        "$user" "$(quoted "$password")" "$host" "$port"
}

valkey_token() {
    local token at=("--token-auth-user=default" "--instance=$CACHE" "--location=$REGION")
    token=$(gcp memorystore instances token-auth-users auth-tokens list "${at[@]}" --limit=1 '--format=value(name)')
    gcp memorystore instances token-auth-users auth-tokens describe "${token##*/}" "${at[@]}" '--format=value(token)'
}

# What a URL takes for that text.
quoted() {
    local text=$1 i
    for ((i = 0; i < ${#text}; i++)); do
        case ${text:i:1} in
        [A-Za-z0-9._~-]) printf %s "${text:i:1}" ;;
        *) printf '%%%02X' "'${text:i:1}" ;;
        esac
    done
}

redis_certificates() {
    if [[ $REDIS == memorystore-redis ]]; then
        gcp redis instances describe "$CACHE" "--region=$REGION" \
            '--flatten=serverCaCerts[]' '--format=value(serverCaCerts.cert)'
    else
        gcp memorystore instances get-certificate-authority "$CACHE" "--location=$REGION" \
            '--flatten=managedServerCa.caCerts[].certificates[]' '--format=value(managedServerCa.caCerts.certificates)'
    fi
}

database_certificates() { gcp sql ssl server-ca-certs list "--instance=$SQL" '--format=value(cert)'; }

database_host() {
    local seen line
    seen=$(gcp sql instances describe "$SQL" '--flatten=ipAddresses[]' \
        '--format=csv[no-heading](ipAddresses.type,ipAddresses.ipAddress)')
    while read -r line; do
        case $line in PRIVATE,*) printf %s "${line#*,}" ;; esac
    done <<<"$seen"
}

database_url() {
    local password
    ! database_user_exists || die "$SQL has the user $DATABASE_USER, and database-url, with its password, is gone:" \
        "delete the user, and a new one is made"
    password=$(random_key)
    database_url_with "$password"
}

# By the pooler. database-listen-url is the same past it, for what no pooler carries: LISTEN, exports, migrations.
database_url_with() {
    local host
    host=$(database_host)
    [[ $host ]] || die "$SQL has no private address yet"
    printf 'postgresql://%s:%s@%s:6432/%s?sslmode=verify-ca&sslrootcert=/secrets/database/ca.pem' \
        "$DATABASE_USER" "$1" "$host" "$DATABASE"
}

listen_url() {
    local url
    url=$(value_of database-url)
    printf %s "${url/:6432\//:5432\/}"
}

database_password() {
    local url
    url=$(value_of database-url)
    url=${url#*"://$DATABASE_USER:"}
    printf %s "${url%%@*}"
}

database_user_exists() { has "$DATABASE_USER" sql users list "--instance=$SQL" '--format=value(name)'; }

# After the secret that has its password: a run that is stopped between the two goes on from there.
database_user() {
    local password
    ! database_user_exists || return 0
    password=$(database_password)
    run sql users create "$DATABASE_USER" "--instance=$SQL" --flags-file=- < <(printf -- '--password: "%s"\n' "$password")
}

addresses_are_current() {
    [[ -z $DRY_RUN ]] || return 0
    [[ $(value_of redis-url) == "$(redis_url)" ]] || say "redis-url is not what $CACHE has today" "$READDRESS"
    [[ $(value_of database-url) == *"@$(database_host):6432/"* ]] || say "database-url does not name $SQL" "$READDRESS"
}

# Redis or PostgreSQL is another one, has another address or certificate: new versions of the secrets that differ.
readdress() {
    renew redis-ca redis_certificates
    renew redis-url redis_url
    renew database-ca database_certificates
    renew database-url database_url_again
    renew database-listen-url listen_url
}

database_url_again() {
    local password
    password=$(database_password)
    database_url_with "$password"
}

renew() {
    local value
    value=$(value_by "$2")
    if [[ $DRY_RUN || $(value_of "$1") != "$value" ]]; then add_version "$1" "$value"; fi
}
