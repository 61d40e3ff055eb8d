#!/usr/bin/env bash
# Ticket Home on Google Cloud: what README.md beside this file explains, step by step. It may be stopped and run again.
set -euo pipefail
((BASH_VERSINFO[0] >= 4)) || { echo "gcp.sh: bash 4 or newer is needed, this is $BASH_VERSION" >&2 && exit 1; }

HERE=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# shellcheck source=deploy/gcp/calls.sh
source "$HERE/gcp/calls.sh"
# shellcheck source=deploy/gcp/resources.sh
source "$HERE/gcp/resources.sh"
# shellcheck source=deploy/gcp/addresses.sh
source "$HERE/gcp/addresses.sh"
# shellcheck source=deploy/gcp/secrets.sh
source "$HERE/gcp/secrets.sh"
# shellcheck source=deploy/gcp/release.sh
source "$HERE/gcp/release.sh"

usage() {
    cat <<'END'
deploy/gcp.sh COMMAND --project=PROJECT [options]

  up            networks, Redis, PostgreSQL, secrets, the service's account: what is missing is made
  deploy        an image of this folder, the migrations, then both services
  migrate       the migrations alone, with the image of --release
  rollback      both services back to the revision before the one that serves
  rotate-keys   --step=add, then sign, then drop: a new key of SECRET_KEYS without signing anybody out
  readdress     new versions of the addresses' secrets, for another Redis or PostgreSQL; the password stays

  --dry-run                print every command as for an empty project; nothing is asked or changed
  --region=REGION          southamerica-west1
  --redis=KIND             memorystore-redis, or memorystore-valkey
  --cache=NAME             ticket-home-cache
  --sql-instance=NAME      ticket-home-db
  --sql-tier=TIER          db-perf-optimized-N-2
  --max-connections=N      500, PostgreSQL's
  --max-instances=N        4, of each service
  --workers=N --pool=N     2 processes in an instance, 10 pooled connections in each
  --release=TAG            of the image; this folder's commit
  --superusers=A,B         email addresses that are superusers when they first sign in
END
}

PROJECT='' REGION=southamerica-west1 REDIS=memorystore-redis CACHE=ticket-home-cache
APP=ticket-home SQL=ticket-home-db SQL_TIER=db-perf-optimized-N-2
MAX_CONNECTIONS=500 MAX_INSTANCES=4 WORKERS=2 POOL=10
RELEASE='' IMAGE='' SUPERUSERS='' STEP='' DRY_RUN=''
readonly MIN_INSTANCES=2 CONNECTIONS_PER_INSTANCE=100 SPARE_CONNECTIONS=10

COMMAND=${1:-help}
shift || true
for option in "$@"; do
    case $option in
    --dry-run) DRY_RUN=yes ;;
    --project=?*) PROJECT=${option#*=} ;;
    --region=?*) REGION=${option#*=} ;;
    --redis=memorystore-redis | --redis=memorystore-valkey) REDIS=${option#*=} ;;
    --cache=?*) CACHE=${option#*=} ;;
    --sql-instance=?*) SQL=${option#*=} ;;
    --sql-tier=?*) SQL_TIER=${option#*=} ;;
    --max-connections=?*) MAX_CONNECTIONS=$(number "$option") ;;
    --max-instances=?*) MAX_INSTANCES=$(number "$option") ;;
    --workers=?*) WORKERS=$(number "$option") ;;
    --pool=?*) POOL=$(number "$option") ;;
    --release=?*) RELEASE=${option#*=} ;;
    --superusers=?*) SUPERUSERS=${option#*=} ;;
    --step=add | --step=sign | --step=drop) STEP=${option#*=} ;;
    *) die "$option is not understood; deploy/gcp.sh help lists what is" ;;
    esac
done

# Each process has its pool, a connection that listens and one that tells of writes (docs/scaling.md). Cloud SQL takes a
# hundred from one instance of Cloud Run. While a new revision takes over, the old one's instances are still there.
connections_fit() {
    local each=$((WORKERS * (POOL + 2)))
    local all=$((2 * MAX_INSTANCES * each * 2 + SPARE_CONNECTIONS))
    ((MAX_INSTANCES >= MIN_INSTANCES)) || die "--max-instances: each service always has $MIN_INSTANCES"
    ((each <= CONNECTIONS_PER_INSTANCE)) ||
        die "$WORKERS workers x ($POOL pooled + 2) = $each connections of one instance; Cloud SQL takes $CONNECTIONS_PER_INSTANCE"
    ((all <= MAX_CONNECTIONS)) ||
        die "2 services x $MAX_INSTANCES instances x $each connections, twice while a revision takes over, and" \
            "$SPARE_CONNECTIONS to spare = $all: more than --max-connections=$MAX_CONNECTIONS"
}

case $COMMAND in
help | --help | -h) usage ;;
up | deploy | migrate | rollback | rotate-keys | readdress)
    [[ $PROJECT ]] || die "--project=PROJECT is missing"
    connections_fit
    ACCOUNT=$APP@$PROJECT.iam.gserviceaccount.com
    readonly ACCOUNT
    case $COMMAND in
    up) up ;;
    deploy) deploy ;;
    migrate) migrate ;;
    rollback) rollback ;;
    rotate-keys) rotate_keys ;;
    readdress) readdress ;;
    esac
    ;;
*) die "$COMMAND is no command; deploy/gcp.sh help lists them" ;;
esac
