"""What was made in the pretended project, by kind and name, and what each command does to it.

Fields are those of Google's APIs as the describing commands print them: redis/v1, memorystore/v1, sqladmin/v1beta4,
run/v1, secretmanager/v1. Values that Google makes up (addresses, passwords) are made up here."""

import json
import secrets
from typing import Any

Flags = dict[str, str | bool]
CREATED = {
    "artifacts repositories": "repository",
    "compute addresses": "address",
    "compute networks": "network",
    "compute networks subnets": "subnet",
    "iam service-accounts": "account",
    "memorystore instances": "valkey",
    "network-connectivity service-connection-policies": "policy",
    "redis instances": "redis",
    "secrets": "secret",
    "sql databases": "database",
    "sql instances": "sql",
}
"""What `create` makes, and `describe` finds: a kind by the command's group."""
SLOW = {"redis": ("CREATING", "READY"), "valkey": ("CREATING", "ACTIVE"), "sql": ("PENDING_CREATE", "RUNNABLE")}
"""Their states while they are made, and then; a `state` of their own stands over that."""
READS = frozenset(
    ("describe", "list", "access", "read", "get-iam-policy", "get-auth-string", "get-certificate-authority")
)


class Missing(Exception):
    """There is none."""


class Taken(Exception):
    """There is one already."""


def is_change(command: str) -> bool:
    return command.split()[-1] not in READS


class World:
    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, Any]] = {}
        self.changes: list[str] = []
        """Each command that changed something, with its positional arguments."""

    def settle(self) -> None:
        """What takes minutes is made: gcloud waits for it."""
        for kind in SLOW:
            for one in self.of(kind).values():
                one["looks"] = 0

    def described(self, kind: str, name: str) -> dict[str, Any]:
        """What nobody waited for is made when it was looked at three times."""
        one = self.one(kind, name)
        if kind in SLOW and "state" not in one:
            one["looks"] -= 1
            return {**one, "state": SLOW[kind][one["looks"] < 0]}
        return dict(one)

    def of(self, kind: str) -> dict[str, Any]:
        return self.kinds.setdefault(kind, {})

    def one(self, kind: str, name: str) -> Any:
        if name not in self.of(kind):
            raise Missing(f"{kind} {name}")
        return self.of(kind)[name]

    def call(self, command: str, plain: list[str], flags: Flags, given: str) -> list[dict[str, Any]] | str:
        """What it prints: resources, or text. Raises Missing and Taken."""
        group, _, verb = command.rpartition(" ")
        if is_change(command):
            self.changes.append(" ".join([command, *plain]))
        method = getattr(self, "_" + command.replace(" ", "_").replace("-", "_"), None)
        if method is not None:
            answer: list[dict[str, Any]] | str = method(plain, flags, given)
            return answer
        if group in CREATED and verb in ("create", "describe"):
            kind = CREATED[group]
            return self._create(kind, plain[0], flags) if verb == "create" else [self.described(kind, plain[0])]
        return []

    def _create(self, kind: str, name: str, flags: Flags) -> list[dict[str, Any]]:
        if name in self.of(kind):
            raise Taken(f"{kind} {name}")
        made = {"name": name, **getattr(self, f"_new_{kind}", lambda _: {})(flags)}
        if kind in SLOW:
            made["looks"] = 3
        key = f"{name}@{flags['--project']}.iam.gserviceaccount.com" if kind == "account" else name
        self.of(kind)[key] = made
        return []

    # --- Redis and Valkey

    def _new_redis(self, flags: Flags) -> dict[str, Any]:
        tls = flags.get("--transit-encryption-mode") == "server-authentication"
        return {
            "host": "10.30.0.4",
            "port": 6378 if tls else 6379,
            "connectMode": enum(flags.get("--connect-mode", "direct-peering")),
            "transitEncryptionMode": enum(flags.get("--transit-encryption-mode", "disabled")),
            "authEnabled": bool(flags.get("--enable-auth")),
            "authString": secrets.token_hex(16),
            "authorizedNetwork": flags.get("--network", "default"),
            "redisConfigs": pairs(flags.get("--redis-config", "")),
            "serverCaCerts": [{"cert": certificate("redis")}] if tls else [],
        }

    def _redis_instances_get_auth_string(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        return [{"authString": self.one("redis", plain[0])["authString"]}]

    def _new_valkey(self, flags: Flags) -> dict[str, Any]:
        if not any(policy for policy in self.of("policy")):
            raise Missing("a service connection policy for gcp-memorystore")
        made = json.loads(str(flags["--endpoints"]))[0]["connections"][0]["pscAutoConnection"]
        ends = [("CONNECTION_TYPE_READER", "10.20.0.6"), ("CONNECTION_TYPE_PRIMARY", "10.20.0.5")]
        connections = [
            {"pscAutoConnection": {**made, "connectionType": kind, "ipAddress": address, "port": 6379}}
            for kind, address in ends
        ]
        return {
            "mode": enum(flags["--mode"]),
            "transitEncryptionMode": enum(flags["--transit-encryption-mode"]),
            "authorizationMode": enum(flags["--authorization-mode"]),
            "engineConfigs": pairs(flags["--engine-configs"]),
            "endpoints": [{"connections": connections}],
            "token": "t/+" + secrets.token_hex(16),
        }

    def _memorystore_instances_get_certificate_authority(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        self.one("valkey", plain[0])
        return [{"managedServerCa": {"caCerts": [{"certificates": [certificate("valkey"), certificate("root")]}]}}]

    def _memorystore_instances_token_auth_users_auth_tokens_list(self, _: Any, flags: Flags, *__: Any) -> Any:
        user = f"instances/{flags['--instance']}/tokenAuthUsers/{flags['--token-auth-user']}"
        return [{"name": f"{user}/authTokens/first"}]

    def _memorystore_instances_token_auth_users_auth_tokens_describe(self, _: Any, flags: Flags, *__: Any) -> Any:
        return [{"token": self.one("valkey", str(flags["--instance"]))["token"]}]

    # --- PostgreSQL

    def _new_sql(self, flags: Flags) -> dict[str, Any]:
        assert not flags.get("--enable-connection-pooling") or flags.get("--edition") == "enterprise-plus"
        return {
            "ipAddresses": [{"type": "PRIVATE", "ipAddress": f"10.30.1.{3 + len(self.of('sql'))}"}],
            "settings": {
                "ipConfiguration": {
                    "privateNetwork": flags.get("--network"),
                    "sslMode": flags.get("--ssl-mode"),
                    "serverCaMode": flags.get("--server-ca-mode"),
                },
                "connectionPoolConfig": {"connectionPoolingEnabled": bool(flags.get("--enable-connection-pooling"))},
                "backupConfiguration": {
                    "pointInTimeRecoveryEnabled": bool(flags.get("--enable-point-in-time-recovery"))
                },
                "databaseFlags": [{"name": k, "value": v} for k, v in pairs(flags.get("--database-flags", "")).items()],
            },
            "users": {},
        }

    def _sql_instances_clone(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        source = self.one("sql", plain[0])
        if plain[1] in self.of("sql"):
            raise Taken(plain[1])
        address = {"type": "PRIVATE", "ipAddress": f"10.30.1.{3 + len(self.of('sql'))}"}
        self.of("sql")[plain[1]] = {**source, "name": plain[1], "ipAddresses": [address]}
        return []

    def _sql_instances_patch(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        self.one("sql", plain[0])
        return []

    def _sql_users_create(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        users = self.one("sql", str(flags["--instance"]))["users"]
        if plain[0] in users:
            raise Taken(plain[0])
        users[plain[0]] = flags["--password"]
        return []

    def _sql_users_list(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        return [{"name": name} for name in ("postgres", *self.one("sql", str(flags["--instance"]))["users"])]

    def _sql_ssl_server_ca_certs_list(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        return [{"cert": certificate(self.one("sql", str(flags["--instance"]))["name"])}]

    def _sql_backups_list(self, *_: Any) -> list[dict[str, Any]]:
        return [{"id": "1733", "status": "SUCCESSFUL"}]

    # --- Secret Manager

    def _new_secret(self, _: Flags) -> dict[str, Any]:
        return {"versions": [], "bindings": []}

    def _secrets_versions_add(self, plain: list[str], flags: Flags, given: str) -> list[dict[str, Any]]:
        assert flags["--data-file"] == "-", "a secret is in no file"
        assert given.strip() == given != "", "a value, and nothing around it"
        self.one("secret", plain[0])["versions"].append(given)
        return []

    def _version(self, plain: list[str], flags: Flags) -> tuple[str, int]:
        versions = self.one("secret", str(flags["--secret"]))["versions"]
        number = len(versions) if plain[0] == "latest" else int(plain[0])
        if not 1 <= number <= len(versions):
            raise Missing(f"version {plain[0]} of {flags['--secret']}")
        return versions[number - 1], number

    def _secrets_versions_describe(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        return [{"name": f"projects/7/secrets/{flags['--secret']}/versions/{self._version(plain, flags)[1]}"}]

    def _secrets_versions_access(self, plain: list[str], flags: Flags, _: str) -> str:
        return self._version(plain, flags)[0]

    def _secrets_get_iam_policy(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        return [{"bindings": self.one("secret", plain[0])["bindings"]}]

    def _secrets_add_iam_policy_binding(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        self.one("secret", plain[0])["bindings"].append({"role": flags["--role"], "members": [flags["--member"]]})
        return []

    # --- the project's services, network and images

    def _services_enable(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        self.of("api").update({name: {} for name in plain})
        return []

    def _services_list(self, *_: Any) -> list[dict[str, Any]]:
        return [{"config": {"name": name}} for name in self.of("api")]

    def _services_vpc_peerings_connect(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        self.one("address", str(flags["--ranges"]))
        self.of("peering")[str(flags["--network"])] = {"reservedPeeringRanges": [flags["--ranges"]]}
        return []

    def _services_vpc_peerings_list(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        return [one for network, one in self.of("peering").items() if network == flags["--network"]]

    def _projects_describe(self, *_: Any) -> list[dict[str, Any]]:
        return [{"projectNumber": "7"}]

    def _builds_submit(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        self.one("repository", str(flags["--tag"]).split("/")[2])
        self.of("image")[str(flags["--tag"])] = {"image_summary": {"digest": f"sha256:{len(self.of('image')):064x}"}}
        return []

    def _artifacts_docker_images_describe(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        return [self.one("image", plain[0])]

    # --- Cloud Run

    def _run_jobs_deploy(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        self.of("job")[plain[0]] = {name: value for name, value in flags.items() if name != "--quiet"}
        return []

    def _run_jobs_execute(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        self.one("job", plain[0])
        return []

    def _run_services_replace(self, _: Any, __: Flags, given: str) -> list[dict[str, Any]]:
        name = given.partition("\n  name: ")[2].partition("\n")[0]
        image = given.partition("- image: ")[2].partition("\n")[0]
        made = self.of("service").setdefault(name, {"revisions": [], "bindings": [], "yaml": ""})
        if made["yaml"] != given:
            made["yaml"] = given
            made["revisions"].append({"name": f"{name}-{len(made['revisions']) + 1:05}", "image": image})
        made["serving"] = made["revisions"][-1]["name"]
        return []

    def _run_services_describe(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        made = self.one("service", plain[0])
        return [{"status": {"traffic": [{"revisionName": made["serving"]}], "url": f"https://{plain[0]}.example"}}]

    def _run_services_update_traffic(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        made = self.one("service", plain[0])
        wanted, _, percent = str(flags["--to-revisions"]).partition("=")
        assert percent == "100"
        assert wanted in [revision["name"] for revision in made["revisions"]]
        made["serving"] = wanted
        return []

    def _run_services_get_iam_policy(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        return [{"bindings": self.one("service", plain[0])["bindings"]}]

    def _run_services_add_iam_policy_binding(self, plain: list[str], flags: Flags, _: str) -> list[dict[str, Any]]:
        self.one("service", plain[0])["bindings"].append({"role": flags["--role"], "members": [flags["--member"]]})
        return []

    def _run_revisions_list(self, _: Any, flags: Flags, *__: Any) -> list[dict[str, Any]]:
        assert flags["--sort-by"] == "~metadata.creationTimestamp"
        revisions = self.one("service", str(flags["--service"]))["revisions"]
        return [
            {"metadata": {"name": one["name"]}, "spec": {"containers": [{"image": one["image"]}]}}
            for one in reversed(revisions)
        ]

    def _run_revisions_describe(self, plain: list[str], *_: Any) -> list[dict[str, Any]]:
        for service in self.of("service").values():
            for one in service["revisions"]:
                if one["name"] == plain[0]:
                    return [{"spec": {"containers": [{"image": one["image"]}]}}]
        raise Missing(plain[0])


def enum(choice: str | bool) -> str:
    return str(choice).upper().replace("-", "_")


def pairs(text: str | bool) -> dict[str, str]:
    return dict(part.split("=", 1) for part in str(text).split(",") if part)


def certificate(of: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{of}\n-----END CERTIFICATE-----"
