# shellcheck shell=bash
# What the service runs on: made where it is missing, compared where it is there. Sourced by ../gcp.sh.

readonly DATABASE=ticket_home RANGE=10.20.0.0/24
readonly SERVICES=(
    artifactregistry cloudbuild compute iap memorystore networkconnectivity redis run secretmanager servicenetworking sqladmin
)

up() {
    apis
    account
    network
    private_services
    if [[ $REDIS == memorystore-redis ]]; then redis; else valkey; fi
    postgres
    repository
    secrets
    database_user
    [[ $DRY_RUN ]] || say "up: all of it is there; next: deploy/gcp.sh deploy"
}

apis() {
    local name missing=() enabled
    enabled=" $(ask APIS services list --enabled '--format=value(config.name)') "
    enabled=${enabled//$'\n'/ }
    for name in "${SERVICES[@]}"; do
        [[ $enabled == *" $name.googleapis.com "* ]] || missing+=("$name.googleapis.com")
    done
    ((${#missing[@]} == 0)) || run services enable "${missing[@]}"
}

account() {
    exists iam service-accounts describe "$ACCOUNT" ||
        run iam service-accounts create "$APP" "--display-name=Ticket Home"
}

network() {
    exists compute networks describe "$APP" || run compute networks create "$APP" --subnet-mode=custom
    exists compute networks subnets describe "$APP" "--region=$REGION" ||
        run compute networks subnets create "$APP" "--network=$APP" "--region=$REGION" "--range=$RANGE" \
            --enable-private-ip-google-access
}

# Cloud SQL and Memorystore for Redis live in a network of Google's, which is peered with ours.
private_services() {
    local range=$APP-services
    exists compute addresses describe "$range" --global ||
        run compute addresses create "$range" --global --purpose=VPC_PEERING --prefix-length=16 "--network=$APP"
    has "$range" services vpc-peerings list "--network=$APP" --service=servicenetworking.googleapis.com \
        '--flatten=reservedPeeringRanges[]' '--format=value(reservedPeeringRanges)' ||
        run services vpc-peerings connect --service=servicenetworking.googleapis.com "--ranges=$range" "--network=$APP"
}

# TLS and the password are set here: production refuses redis:// to another machine. The basic tier is emptied by
# maintenance, which costs misses and signs nobody out.
redis() {
    local describe=(redis instances describe "$CACHE" "--region=$REGION")
    exists "${describe[@]}" ||
        run redis instances create "$CACHE" --size=1 "--region=$REGION" --redis-version=redis_7_0 \
            --connect-mode=private-service-access "--network=projects/$PROJECT/global/networks/$APP" \
            --transit-encryption-mode=server-authentication --enable-auth --redis-config=maxmemory-policy=allkeys-lru
    ready "Redis ($CACHE)" READY "${describe[@]}" '--format=value(state)'
    fits "Redis ($CACHE)" \
        "PRIVATE_SERVICE_ACCESS SERVER_AUTHENTICATION True projects/$PROJECT/global/networks/$APP allkeys-lru" \
        "${describe[@]}" \
        '--format=value(connectMode,transitEncryptionMode,authEnabled,authorizedNetwork,redisConfigs.maxmemory-policy)'
}

valkey() {
    local describe=(memorystore instances describe "$CACHE" "--location=$REGION") where
    where="{\"network\":\"projects/$PROJECT/global/networks/$APP\",\"projectId\":\"$PROJECT\"}"
    exists network-connectivity service-connection-policies describe "$CACHE" "--region=$REGION" ||
        run network-connectivity service-connection-policies create "$CACHE" "--network=$APP" "--region=$REGION" \
            --service-class=gcp-memorystore \
            "--subnets=https://www.googleapis.com/compute/v1/projects/$PROJECT/regions/$REGION/subnetworks/$APP"
    exists "${describe[@]}" ||
        run memorystore instances create "$CACHE" "--location=$REGION" --engine-version=VALKEY_9_0 --mode=cluster-disabled \
            --node-type=custom-micro --shard-count=1 --engine-configs=maxmemory-policy=allkeys-lru \
            --authorization-mode=token-auth --transit-encryption-mode=server-authentication \
            "--endpoints=[{\"connections\":[{\"pscAutoConnection\":$where}]}]"
    ready "Valkey ($CACHE)" ACTIVE "${describe[@]}" '--format=value(state)'
    fits "Valkey ($CACHE)" "CLUSTER_DISABLED SERVER_AUTHENTICATION TOKEN_AUTH allkeys-lru" "${describe[@]}" \
        '--format=value(mode,transitEncryptionMode,authorizationMode,engineConfigs.maxmemory-policy)'
}

# Managed pooling asks for Enterprise Plus. The internal CA signs this instance's certificate alone, so that verify-ca
# knows the server by it.
postgres() {
    local describe=(sql instances describe "$SQL") ip=settings.ipConfiguration fields
    fields=$ip.privateNetwork,$ip.sslMode,$ip.serverCaMode,settings.connectionPoolConfig.connectionPoolingEnabled
    fields+=,settings.backupConfiguration.pointInTimeRecoveryEnabled
    exists "${describe[@]}" ||
        run sql instances create "$SQL" --database-version=POSTGRES_17 --edition=enterprise-plus "--tier=$SQL_TIER" \
            "--region=$REGION" --availability-type=regional "--network=projects/$PROJECT/global/networks/$APP" --no-assign-ip \
            --ssl-mode=ENCRYPTED_ONLY --server-ca-mode=GOOGLE_MANAGED_INTERNAL_CA --enable-connection-pooling \
            "--database-flags=max_connections=$MAX_CONNECTIONS" --backup-start-time=06:00 --enable-point-in-time-recovery \
            --retained-backups-count=14 --retained-transaction-log-days=7 --storage-auto-increase --deletion-protection
    ready "PostgreSQL ($SQL)" RUNNABLE "${describe[@]}" '--format=value(state)'
    fits "PostgreSQL ($SQL)" "projects/$PROJECT/global/networks/$APP ENCRYPTED_ONLY GOOGLE_MANAGED_INTERNAL_CA True True" \
        "${describe[@]}" "--format=value($fields)"
    [[ $DRY_RUN ]] || has "max_connections,$MAX_CONNECTIONS" "${describe[@]}" '--flatten=settings.databaseFlags[]' \
        '--format=csv[no-heading](settings.databaseFlags.name,settings.databaseFlags.value)' ||
        die "PostgreSQL ($SQL) has another max_connections than --max-connections=$MAX_CONNECTIONS"
    exists sql databases describe "$DATABASE" "--instance=$SQL" ||
        run sql databases create "$DATABASE" "--instance=$SQL"
}

repository() {
    exists artifacts repositories describe "$APP" "--location=$REGION" ||
        run artifacts repositories create "$APP" "--location=$REGION" --repository-format=docker
}
