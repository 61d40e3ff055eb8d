# shellcheck shell=bash
# Addresses, keys and certificates in Secret Manager. A value is held in a variable of the shell, and goes to gcloud by
# standard input: neither an argument of a command nor a file. Sourced by ../gcp.sh.

readonly DATABASE_USER=ticket_home
readonly READDRESS="(deploy/gcp.sh readdress, then deploy, where it should)"

secrets() {
    secret secret-keys random_key
    secret metrics-token random_key
    secret redis-ca redis_certificates
    secret redis-url redis_url
    secret database-ca database_certificates
    secret database-url database_url
    secret database-listen-url listen_url
    addresses_are_current
}

# secret NAME FUNCTION: with what the function prints as its first value, unless it has one; for our account alone.
secret() {
    local name=$1 value
    exists secrets describe "$name" ||
        run secrets create "$name" --replication-policy=user-managed "--locations=$REGION"
    if ! exists secrets versions describe latest "--secret=$name"; then
        value=$("$2")
        add_version "$name" "$value"
    fi
    ours_alone "$name"
}

add_version() {
    [[ $2 ]] || die "there is no value for the secret $1"
    run secrets versions add "$1" --data-file=- < <(printf %s "$2")
}

ours_alone() {
    local name=$1 role=roles/secretmanager.secretAccessor line seen found=''
    seen=$(ask READERS secrets get-iam-policy "$name" '--flatten=bindings[].members[]' \
        '--format=csv[no-heading](bindings.role,bindings.members)')
    while read -r line; do
        case $line in
        "$role,serviceAccount:$ACCOUNT") found=yes ;;
        "$role,"*) die "the secret $name can be read by ${line#*,}, too: take that away" ;;
        esac
    done <<<"$seen"
    [[ $found ]] || run secrets add-iam-policy-binding "$name" "--member=serviceAccount:$ACCOUNT" "--role=$role"
}

value_of() { ask "$1" secrets versions access latest "--secret=$1"; }

# The number of the newest version. Revisions name it, so that all instances of one have the same keys, also later.
version_of() {
    local name
    name=$(ask "VERSION OF $1" secrets versions describe latest "--secret=$1" '--format=value(name)')
    printf %s "${name##*/}"
}

random_key() {
    local key
    if [[ $DRY_RUN ]]; then
        printf '<KEY>'
        return
    fi
    key=$(od -An -N32 -tx1 /dev/urandom)
    key=${key//[[:space:]]/}
    ((${#key} == 64)) || die "/dev/urandom gave no key"
    printf %s "$key"
}

# Prints "host port".
redis_host() {
    local seen line at=endpoints.connections.pscAutoConnection
    if [[ $DRY_RUN ]]; then
        printf '<HOST> <PORT>'
    elif [[ $REDIS == memorystore-redis ]]; then
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
        password=$(ask PASSWORD redis instances get-auth-string "$CACHE" "--region=$REGION" '--format=value(authString)')
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
    token=$(ask TOKEN memorystore instances token-auth-users auth-tokens list "${at[@]}" --limit=1 '--format=value(name)')
    ask TOKEN memorystore instances token-auth-users auth-tokens describe "${token##*/}" "${at[@]}" '--format=value(token)'
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
        ask CERTIFICATES redis instances describe "$CACHE" "--region=$REGION" \
            '--flatten=serverCaCerts[]' '--format=value(serverCaCerts.cert)'
    else
        ask CERTIFICATES memorystore instances get-certificate-authority "$CACHE" "--location=$REGION" \
            '--flatten=managedServerCa.caCerts[].certificates[]' '--format=value(managedServerCa.caCerts.certificates)'
    fi
}

database_certificates() { ask CERTIFICATES sql ssl server-ca-certs list "--instance=$SQL" '--format=value(cert)'; }

database_host() {
    local seen line
    seen=$(ask PRIVATE,HOST sql instances describe "$SQL" '--flatten=ipAddresses[]' \
        '--format=csv[no-heading](ipAddresses.type,ipAddresses.ipAddress)')
    while read -r line; do
        case $line in *PRIVATE,*) printf %s "${line#*,}" ;; esac
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
    value=$("$2")
    if [[ $DRY_RUN || $(value_of "$1") != "$value" ]]; then add_version "$1" "$value"; fi
}

# The first key signs, all verify. A new one is known to every process before the first signs with it, and the old one is
# taken away when nothing lives that it signed; each step ends with new revisions of both services. A step that was taken
# is not taken again, so one that was stopped half-way is simply repeated.
rotate_keys() {
    local keys before new
    [[ $STEP ]] || die "--step=add, a minute later sign, a day later drop"
    keys=$(value_of secret-keys)
    before=$(key_before)
    case $STEP-$(keys_now "$keys" "$before") in
    add-one | *-dry)
        new=$(random_key)
        add_version secret-keys "$keys,$new"
        ;;
    sign-added) add_version secret-keys "${keys#*,},${keys%%,*}" ;;
    drop-signing) add_version secret-keys "${keys%%,*}" ;;
    add-added | sign-signing | drop-one) say "secret-keys is as this step makes it" ;;
    add-signing) die "there are two keys already: --step=drop comes first" ;;
    sign-one) die "there is one key only: --step=add comes first" ;;
    drop-added) die "the old key still signs: --step=sign comes first" ;;
    esac
    IMAGE=$(serving_image "$APP")
    services "$IMAGE"
}

# What was done last: one key, a second one added, or signing with it.
keys_now() {
    if [[ $DRY_RUN ]]; then
        printf dry
    elif [[ $1 != *,* ]]; then
        printf one
    elif [[ ${1%%,*} == "${2%%,*}" ]]; then
        printf added
    else
        printf signing
    fi
}

# The keys of the version before the newest.
key_before() {
    local newest=1
    [[ $DRY_RUN ]] || newest=$(version_of secret-keys)
    ask KEYS secrets versions access "$((newest > 1 ? newest - 1 : 1))" --secret=secret-keys
}
