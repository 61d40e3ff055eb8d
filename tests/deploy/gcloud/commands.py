"""The commands of gcloud that deploy/ uses, and their flags: what stands here the stub takes, and refuses all else.

Each line is the SYNOPSIS of the command's own page, cut down to what we use, and cites that page by its words:
`redis instances create` is PAGES + redis/instances/create. Words in capitals are positional arguments; a flag without
brackets is required; `=a|b` lists values, `=NUMBER` wants digits, any other word in capitals some text; `+` stands for
one argument or more.

Looked up in November 2026: all of it in the command tree that gcloud 528.0.0 (June 2025) brings, with which
test_gcloud.py compares it where a gcloud is installed. That gcloud's own parser was also given, without an account,
each kind of call that deploy/README.md makes: it takes all but what stands in NEWER, with where that was seen.
Nothing here was run against Google.
"""

PAGES = "https://docs.cloud.google.com/sdk/gcloud/reference/"

SYNOPSES = """
artifacts docker images describe IMAGE
artifacts repositories create REPOSITORY --location=LOCATION --repository-format=FORMAT [--description=TEXT] [--async]
artifacts repositories describe REPOSITORY --location=LOCATION
beta iap web add-iam-policy-binding --member=PRINCIPAL --role=ROLE [--region=REGION] [--service=SERVICE]
    [--resource-type=app-engine|backend-services|cloud-run|forwarding-rule]
beta services identity create --service=SERVICE
builds submit SOURCE [--tag=TAG] [--region=REGION] [--timeout=TIMEOUT] [--async] [--service-account=ACCOUNT]
compute addresses create NAME [--global] [--network=NETWORK] [--prefix-length=NUMBER]
    [--purpose=VPC_PEERING|PRIVATE_SERVICE_CONNECT|GCE_ENDPOINT]
compute addresses describe NAME [--global]
compute networks create NAME [--subnet-mode=auto|custom|legacy]
compute networks describe NAME
compute networks subnets create NAME --network=NETWORK --range=RANGE [--region=REGION]
    [--enable-private-ip-google-access]
compute networks subnets describe NAME [--region=REGION]
iam service-accounts create NAME [--display-name=TEXT]
iam service-accounts describe ACCOUNT
memorystore instances create INSTANCE --location=LOCATION [--async]
    [--authorization-mode=auth-disabled|iam-auth|token-auth] [--deletion-protection-enabled] [--endpoints=ENDPOINTS]
    [--engine-configs=CONFIGS] [--engine-version=VERSION] [--mode=cluster|cluster-disabled|standalone]
    [--replica-count=NUMBER] [--shard-count=NUMBER]
    [--node-type=custom-micro|custom-mini|custom-pico|highmem-medium|highmem-xlarge|shared-core-nano|standard-small]
    [--transit-encryption-mode=server-authentication|transit-encryption-disabled]
memorystore instances describe INSTANCE --location=LOCATION
memorystore instances get-certificate-authority INSTANCE --location=LOCATION
memorystore instances reschedule-maintenance INSTANCE --location=LOCATION --reschedule-type=immediate|specific-time
    [--schedule-time=TIME]
memorystore instances token-auth-users auth-tokens describe TOKEN --token-auth-user=USER --instance=INSTANCE
    --location=LOCATION
memorystore instances token-auth-users auth-tokens list --token-auth-user=USER --instance=INSTANCE --location=LOCATION
    [--limit=NUMBER]
network-connectivity service-connection-policies create POLICY --network=NETWORK --region=REGION --service-class=CLASS
    [--subnets=SUBNETS] [--psc-connection-limit=NUMBER]
network-connectivity service-connection-policies describe POLICY --region=REGION
projects describe PROJECT
redis instances create INSTANCE --region=REGION [--size=NUMBER] [--tier=basic|standard] [--enable-auth]
    [--network=NETWORK] [--redis-version=redis_6_x|redis_7_0|redis_7_2] [--redis-config=CONFIGS] [--async]
    [--connect-mode=direct-peering|private-service-access] [--transit-encryption-mode=disabled|server-authentication]
redis instances describe INSTANCE --region=REGION
redis instances get-auth-string INSTANCE --region=REGION
redis instances reschedule-maintenance INSTANCE --region=REGION
    --reschedule-type=immediate|next-available-window|specific-time [--schedule-time=TIME]
redis instances update INSTANCE --region=REGION [--maintenance-window-hour=NUMBER] [--size=NUMBER]
    [--maintenance-window-day=monday|tuesday|wednesday|thursday|friday|saturday|sunday]
run jobs deploy JOB [--image=IMAGE] [--command=COMMAND] [--args=ARGS] [--region=REGION] [--service-account=ACCOUNT]
    [--network=NETWORK] [--subnet=SUBNET] [--vpc-egress=all|all-traffic|private-ranges-only] [--set-secrets=SECRETS]
    [--max-retries=NUMBER] [--task-timeout=TIMEOUT] [--execute-now] [--wait]
run jobs execute JOB [--args=ARGS] [--region=REGION] [--task-timeout=TIMEOUT] [--wait]
run jobs logs read JOB [--region=REGION] [--limit=NUMBER]
run revisions describe REVISION [--region=REGION]
run revisions list [--service=SERVICE] [--region=REGION] [--sort-by=FIELDS] [--limit=NUMBER]
run services add-iam-policy-binding SERVICE --member=PRINCIPAL --role=ROLE [--region=REGION]
run services describe SERVICE [--region=REGION]
run services get-iam-policy SERVICE [--region=REGION]
run services logs read SERVICE [--region=REGION] [--limit=NUMBER]
run services replace FILE [--region=REGION] [--dry-run] [--async]
run services update-traffic SERVICE [--region=REGION] [--to-latest] [--to-revisions=REVISIONS]
secrets add-iam-policy-binding SECRET --member=PRINCIPAL --role=ROLE
secrets create SECRET [--replication-policy=automatic|user-managed] [--locations=LOCATIONS] [--data-file=FILE]
secrets describe SECRET
secrets get-iam-policy SECRET
secrets versions access VERSION --secret=SECRET [--out-file=FILE]
secrets versions add SECRET --data-file=FILE
secrets versions describe VERSION --secret=SECRET
secrets versions destroy VERSION --secret=SECRET
services enable SERVICE+ [--async]
services list [--enabled] [--available]
services vpc-peerings connect --ranges=RANGES --network=NETWORK [--service=SERVICE] [--async]
services vpc-peerings list --network=NETWORK [--service=SERVICE]
sql backups create --instance=INSTANCE [--description=TEXT]
sql backups list --instance=INSTANCE [--limit=NUMBER] [--sort-by=FIELDS]
sql backups restore ID --restore-instance=INSTANCE [--backup-instance=INSTANCE]
sql databases create DATABASE --instance=INSTANCE
sql databases describe DATABASE --instance=INSTANCE
sql instances clone SOURCE DESTINATION [--point-in-time=TIME]
sql instances create INSTANCE [--assign-ip] [--availability-type=regional|zonal] [--backup-start-time=TIME]
    [--database-flags=FLAGS] [--database-version=POSTGRES_15|POSTGRES_16|POSTGRES_17] [--deletion-protection]
    [--edition=enterprise|enterprise-plus] [--enable-connection-pooling] [--enable-point-in-time-recovery]
    [--network=NETWORK] [--region=REGION] [--retained-backups-count=NUMBER] [--retained-transaction-log-days=NUMBER]
    [--server-ca-mode=CUSTOMER_MANAGED_CAS_CA|GOOGLE_MANAGED_CAS_CA|GOOGLE_MANAGED_INTERNAL_CA]
    [--storage-auto-increase] [--tier=TIER]
    [--ssl-mode=ALLOW_UNENCRYPTED_AND_ENCRYPTED|ENCRYPTED_ONLY|TRUSTED_CLIENT_CERTIFICATE_REQUIRED]
sql instances describe INSTANCE
sql instances patch INSTANCE [--activation-policy=always|never] [--database-flags=FLAGS] [--deletion-protection]
    [--tier=TIER] [--enable-connection-pooling]
sql ssl server-ca-certs list --instance=INSTANCE
sql users create USER --instance=INSTANCE [--password=PASSWORD]
sql users list --instance=INSTANCE
sql users set-password USER --instance=INSTANCE [--password=PASSWORD]
"""

WIDE = frozenset(("--project", "--quiet", "--format", "--flatten", "--flags-file"))
"""Of every command: https://docs.cloud.google.com/sdk/gcloud/reference."""
NEGATED = frozenset(("--assign-ip", "--deletion-protection", "--enable-connection-pooling", "--storage-auto-increase"))
"""Written `--[no-]flag` there."""
NEWER = {
    # Release notes of gcloud 585.0.0, 15 September 2026.
    "memorystore instances token-auth-users auth-tokens describe": ("*",),
    "memorystore instances token-auth-users auth-tokens list": ("*",),
    # 585.0.0, and /memorystore/docs/valkey/instance-node-specification for the node types.
    "memorystore instances create": (
        "--authorization-mode=token-auth",
        "--node-type=custom-micro",
        "--node-type=custom-mini",
        "--node-type=custom-pico",
    ),
    # https://docs.cloud.google.com/sql/docs/postgres/configure-mcp, and the commands' own pages.
    "sql instances create": ("--enable-connection-pooling",),
    "sql instances patch": ("--enable-connection-pooling",),
}


def commands() -> dict[str, list[str]]:
    """By the command's words: positional arguments and flags, as the synopsis has them."""
    found: dict[str, list[str]] = {}
    for line in SYNOPSES.strip().replace("\n    ", " ").splitlines():
        words = line.split()
        first = next(
            (at for at, word in enumerate(words) if not word.replace("-", "").islower() or word[0] in "[-"), len(words)
        )
        found[" ".join(words[:first])] = words[first:]
    return found


class Refused(Exception):
    """gcloud's own parser would refuse it, with status 2."""


def parsed(arguments: list[str], given: str) -> tuple[str, list[str], dict[str, str | bool]]:
    """The command, its positional arguments and flags. `given` is what --flags-file=- reads.

    Raises Refused for an unknown command, flag or value, and where something required is missing."""
    known = commands()
    for length in range(len(arguments), 0, -1):
        command = " ".join(arguments[:length])
        if command in known:
            return _checked(command, known[command], arguments[length:], given)
    raise Refused(f"Invalid choice: {' '.join(arguments[:3])!r}")


def _checked(
    command: str, synopsis: list[str], arguments: list[str], given: str
) -> tuple[str, list[str], dict[str, str | bool]]:
    flags = {word.strip("[]").partition("=")[0]: word for word in synopsis if "--" in word}
    positional = [word for word in synopsis if "--" not in word]
    values: dict[str, str | bool] = {}
    plain: list[str] = []
    for argument in arguments:
        if not argument.startswith("--"):
            plain.append(argument)
            continue
        name, equals, value = argument.partition("=")
        if name == "--flags-file":
            if value != "-":
                raise Refused("--flags-file: a secret is in no file")
            name, _, value = given.strip().partition(": ")
            equals, value = "=", value.strip('"')
        values.update(_flag(command, flags, name, equals, value))
    missing = [name for name, word in flags.items() if not word.startswith("[") and name not in values]
    if missing:
        raise Refused(f"argument {missing[0]}: Must be specified ({PAGES}{command.replace(' ', '/')})")
    many = bool(positional) and positional[-1].endswith("+")
    if len(plain) < len(positional) or (len(plain) > len(positional) and not many) or "" in plain:
        raise Refused(f"{command}: {plain} for {positional}")
    return command, plain, values


def _flag(command: str, flags: dict[str, str], name: str, equals: str, value: str) -> dict[str, str | bool]:
    if name in WIDE:
        return {name: value if equals else True}
    positive = "--" + name.removeprefix("--no-")
    if name.startswith("--no-") and positive in flags and positive in NEGATED:
        return {positive: False}
    if name not in flags:
        raise Refused(f"unrecognized arguments: {name} ({PAGES}{command.replace(' ', '/')})")
    kind = flags[name].strip("[]").partition("=")[2]
    if bool(kind) != bool(equals):
        raise Refused(f"argument {name}: {'expected one argument' if kind else 'ignored explicit argument'}")
    wanted = kind.split("|")
    if kind == "NUMBER" and not value.isdigit():
        raise Refused(f"argument {name}: invalid int value: {value!r}")
    if (len(wanted) > 1 and value not in wanted) or (kind and not value):
        raise Refused(f"argument {name}: Invalid choice: {value!r} of {wanted}")
    return {name: value if kind else True}
