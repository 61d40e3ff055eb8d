# shellcheck shell=bash
# What lies in Secret Manager, and the rotation of keys. A value is held in a variable of the shell, and goes to gcloud by
# standard input: neither an argument of a command nor a file. Sourced by ../gcp.sh.

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
        value=$(value_by "$2")
        add_version "$name" "$value"
    fi
    ours_alone "$name"
}

# What the function prints; with --dry-run it is not called, for it asks Google.
value_by() { if [[ $DRY_RUN ]]; then printf '<value>'; else "$1"; fi; }

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
    key=$(od -An -N32 -tx1 /dev/urandom)
    key=${key//[[:space:]]/}
    ((${#key} == 64)) || die "/dev/urandom gave no key"
    printf %s "$key"
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
        new=$(value_by random_key)
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
    job
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
