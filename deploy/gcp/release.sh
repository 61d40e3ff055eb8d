# shellcheck shell=bash
# The image, the migrations and the two services. Sourced by ../gcp.sh.

readonly IAP_AGENT_DOMAIN=gcp-sa-iap.iam.gserviceaccount.com

deploy() {
    image
    migrate
    services "$IMAGE"
}

# Sets IMAGE, by digest; it is built where the registry has none of this release.
image() {
    local at digest now
    : "${RELEASE:=$(git -C "$HERE" describe --always --dirty)}"
    # What is not committed is another image each time.
    printf -v now '%(%Y%m%dT%H%M%S)T' -1
    RELEASE=${RELEASE/%-dirty/-dirty-$now}
    at=$REGION-docker.pkg.dev/$PROJECT/$APP/$APP
    exists artifacts docker images describe "$at:$RELEASE" ||
        run builds submit "$HERE/.." "--tag=$at:$RELEASE" "--region=$REGION"
    digest=$(ask DIGEST artifacts docker images describe "$at:$RELEASE" '--format=value(image_summary.digest)')
    IMAGE=$at@$digest
}

# Expand first: the release that serves goes on working on the new schema (docs/design/style.md). An advisory lock makes
# a second run harmless.
migrate() {
    [[ $IMAGE ]] || image
    job --execute-now --wait
}

# Migrates, and is what an operator runs doctor and the like in: with the keys and addresses of the services.
job() {
    local mounted
    mounted=$(mounted)
    run run jobs deploy "$APP-migrate" "--image=$IMAGE" --command=ticket-home --args=migrate "--region=$REGION" \
        "--service-account=$ACCOUNT" "--network=$APP" "--subnet=$APP" --vpc-egress=private-ranges-only \
        "--set-secrets=$mounted" --max-retries=0 --task-timeout=3600 "$@"
}

# What the job is given of Secret Manager, as service.yaml does it for the services.
mounted() {
    local pair version list=''
    for pair in DATABASE_URL=database-url DATABASE_LISTEN_URL=database-listen-url REDIS_URL=redis-url \
        SECRET_KEYS=secret-keys /secrets/database/ca.pem=database-ca /secrets/redis/ca.pem=redis-ca; do
        version=$(version_of "${pair#*=}")
        list+=,$pair:$version
    done
    printf %s "${list#,}"
}

# services IMAGE: one behind IAP for browsers, one without it for bearer tokens, which IAP would not let through.
services() {
    local number
    number=$(ask NUMBER projects describe "$PROJECT" '--format=value(projectNumber)')
    versions
    service "$APP" "$1" true "/projects/$number/locations/$REGION/services/$APP"
    let_iap_in "service-$number@$IAP_AGENT_DOMAIN"
    service "$APP-mobile" "$1" false ''
}

# Asked once, and the same for both services.
versions() {
    SECRET_KEYS=$(version_of secret-keys) METRICS_TOKEN=$(version_of metrics-token)
    REDIS_URL=$(version_of redis-url) REDIS_CA=$(version_of redis-ca)
    DATABASE_URL=$(version_of database-url) DATABASE_LISTEN_URL=$(version_of database-listen-url)
    DATABASE_CA=$(version_of database-ca)
}

# service NAME IMAGE IAP AUDIENCE. Without IAP everybody may call it, and signs in to the service itself.
service() {
    local -A filled=(
        [SERVICE]=$1 [IMAGE]=$2 [IAP]=$3 [AUDIENCE]=$4 [PUBLIC]=false [ACCOUNT]=$ACCOUNT [NETWORK]=$APP
        [MIN_INSTANCES]=$MIN_INSTANCES [MAX_INSTANCES]=$MAX_INSTANCES [WORKERS]=$WORKERS [POOL]=$POOL
        [SUPERUSERS]=$SUPERUSERS [SECRET_KEYS]=$SECRET_KEYS [METRICS_TOKEN]=$METRICS_TOKEN [REDIS_URL]=$REDIS_URL
        [REDIS_CA]=$REDIS_CA [DATABASE_URL]=$DATABASE_URL [DATABASE_LISTEN_URL]=$DATABASE_LISTEN_URL
        [DATABASE_CA]=$DATABASE_CA
    )
    local name text digest=${2##*:}
    filled[BUILD]=${digest:0:12}
    [[ $3 == true ]] || filled[PUBLIC]=true
    text=$(<"$HERE/service.yaml")
    for name in "${!filled[@]}"; do text=${text//"\${$name}"/"${filled[$name]}"}; done
    [[ ! $text =~ \$\{[A-Z_]+\} ]] || die "deploy/service.yaml has a name that is not filled in"
    [[ -z $DRY_RUN ]] || printf '%s\n' "$text"
    run run services replace - "--region=$REGION" <<<"$text"
}

# IAP calls the service as its own account, once it has asked who somebody is.
let_iap_in() {
    ! has "roles/run.invoker,serviceAccount:$1" run services get-iam-policy "$APP" "--region=$REGION" \
        '--flatten=bindings[].members[]' '--format=csv[no-heading](bindings.role,bindings.members)' || return 0
    run beta services identity create --service=iap.googleapis.com
    run run services add-iam-policy-binding "$APP" "--region=$REGION" "--member=serviceAccount:$1" --role=roles/run.invoker
}

serving_revision() {
    ask REVISION run services describe "$1" "--region=$REGION" '--format=value(status.traffic[0].revisionName)'
}

# The image that serves now: after a rollback not that of the newest revision.
serving_image() {
    local revision
    revision=$(serving_revision "$1")
    ask IMAGE run revisions describe "$revision" "--region=$REGION" '--format=value(spec.containers[0].image)'
}

# Where both serve the same image, each goes to its revision before. Where they do not, a deployment or a rollback was
# stopped between the two: the one with the newer image goes to the other's.
rollback() {
    local name image other target targets=()
    image=$(serving_image "$APP")
    other=$(serving_image "$APP-mobile")
    if [[ $image == "$other" ]]; then
        for name in "$APP" "$APP-mobile"; do
            target=$(older "$name" '*')
            [[ $target ]] || die "$name has no revision before the one that serves"
            targets+=("$name" "$target")
        done
    else
        target=$(older "$APP" "$other")
        name=$APP
        [[ $target ]] || { name=$APP-mobile && target=$(older "$name" "$image"); }
        [[ $target ]] || die "$APP and $APP-mobile serve images that have no revision in common"
        targets=("$name" "$target")
    fi
    set -- "${targets[@]}"
    for (( ; $#; )); do
        run run services update-traffic "$1" "--region=$REGION" "--to-revisions=$2=100"
        shift 2
    done
}

# older SERVICE IMAGE: its newest revision before the serving one that has the image (* for any); nothing where none has.
older() {
    local serving revisions line passed=''
    if [[ $DRY_RUN ]]; then
        printf '<REVISION>'
        return
    fi
    serving=$(serving_revision "$1")
    revisions=$(gcp run revisions list "--service=$1" "--region=$REGION" '--sort-by=~metadata.creationTimestamp' \
        '--format=csv[no-heading](metadata.name,spec.containers[0].image)' </dev/null)
    while read -r line; do
        # shellcheck disable=SC2053  # the image may be a pattern
        if [[ $passed && ${line#*,} == $2 ]]; then
            printf %s "${line%%,*}"
            return
        fi
        [[ ${line%%,*} != "$serving" ]] || passed=yes
    done <<<"$revisions"
}
