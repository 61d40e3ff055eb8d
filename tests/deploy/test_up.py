"""deploy/gcp.sh up: what it makes, twice in a row, after being stopped, and where something is otherwise."""

import re
from collections.abc import Callable

import pytest

from core.cache.tiers.address import client_of
from core.settings import Settings
from tests.deploy.conftest import SCRIPT, Google
from tests.deploy.gcloud.world import World

REDIS = ("memorystore-redis", pytest.param("memorystore-valkey", marks=pytest.mark.long))
SECRETS = (
    "secret-keys",
    "metrics-token",
    "redis-url",
    "redis-ca",
    "database-url",
    "database-listen-url",
    "database-ca",
)


def settings_of(google: Google) -> Settings:
    """Of a process that is given those secrets: ValueError where production refuses them."""
    names = ("database_url", "database_listen_url", "redis_url", "secret_keys", "metrics_token")
    given = {name.upper(): google.secret(name.replace("_", "-")) for name in names}
    return Settings.model_validate({"TICKET_HOME_ENV": "production", **given})


def shape(world: World) -> object:
    """What was made, without what is made by chance."""
    kinds = {kind: sorted(names) for kind, names in world.kinds.items() if names}
    policies = {name: (len(one["versions"]), one["bindings"]) for name, one in world.of("secret").items()}
    return kinds, policies, [one["users"].keys() for one in world.of("sql").values()]


@pytest.mark.parametrize("redis", REDIS)
def test_a_second_run_changes_nothing_and_production_takes_what_the_first_made(google: Google, redis: str) -> None:
    first = google.run("up", f"--redis={redis}")
    assert google.changes_of("up", f"--redis={redis}") == []
    settings = settings_of(google)
    assert settings.require_database_url().startswith("postgresql://ticket_home:")
    assert ":6432/ticket_home?" in settings.require_database_url()
    assert settings.require_direct_url() == settings.require_database_url().replace(":6432/", ":5432/")
    kind, password = ("redis", "authString") if redis == "memorystore-redis" else ("valkey", "token")
    pool = client_of(settings.require_redis_url(), timeout=1, connections=1).connection_pool.connection_kwargs
    assert pool["password"] == google.stub.world.one(kind, "ticket-home-cache")[password]
    assert (pool["ssl_ca_certs"], pool["ssl_check_hostname"]) == ("/secrets/redis/ca.pem", False)
    assert set(google.stub.world.of("secret")) == set(SECRETS)
    member = "serviceAccount:ticket-home@demo.iam.gserviceaccount.com"
    for one in google.stub.world.of("secret").values():
        assert one["bindings"] == [{"role": "roles/secretmanager.secretAccessor", "members": [member]}]
    # --dry-run names the same commands, asks nothing and changes nothing.
    calls = len(google.stub.calls)
    assert google.run("up", f"--redis={redis}", "--dry-run").stdout == first.stdout
    assert len(google.stub.calls) == calls


def test_the_guides_names_and_region_are_the_defaults(google: Google) -> None:
    create = google.run("up", "--dry-run").stdout.split("redis instances create ")[1].split("\n")[0].split()
    guide = ["ticket-home-cache", "--size=1", "--region=southamerica-west1", "--redis-version=redis_7_0"]
    assert create[:5] == [*guide, "--connect-mode=private-service-access"]


def test_no_secret_is_an_argument_of_any_command_or_in_what_is_printed(google: Google) -> None:
    seen = google.programs / "arguments"
    for name in ("od", "git", "sleep", "cat"):
        program = google.programs / name
        real = program.resolve()
        program.unlink()
        program.write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >>{seen}\nexec {real} "$@"\n')
        program.chmod(0o755)
    printed = ""
    for words in (("up",), ("deploy",), ("rotate-keys", "--step=add"), ("rotate-keys", "--step=sign"), ("readdress",)):
        ended = google.run(*words)
        printed += ended.stdout + ended.stderr
    world = google.stub.world
    hidden = {key for value in world.of("secret")["secret-keys"]["versions"] for key in value.split(",")}
    hidden |= {google.secret(name) for name in ("metrics-token", "redis-url", "database-url", "database-listen-url")}
    hidden |= {
        world.one("redis", "ticket-home-cache")["authString"],
        *world.one("sql", "ticket-home-db")["users"].values(),
    }
    assert len(hidden) == 8
    told = printed + seen.read_text() + "\n".join(word for call in google.stub.calls for word in call)
    assert not [secret for secret in hidden if secret in told]


@pytest.mark.long
@pytest.mark.parametrize("after", [8, 12, 27])
def test_stopped_half_way_a_second_run_goes_on(google: Google, made_shape: object, after: int) -> None:
    """While PostgreSQL is being made; with a secret that has no value yet; before the database's user is made."""
    google.stub.stop_after = after
    assert google.run("up", check=False).returncode < 0
    waited = "PostgreSQL (ticket-home-db) is PENDING_CREATE; waiting" in google.run("up").stderr
    assert waited == (after == 8)
    assert shape(google.stub.world) == made_shape


@pytest.mark.long
@pytest.mark.parametrize("redis", REDIS)
def test_stopped_after_each_single_change_it_ends_in_the_same_state(google: Google, redis: str) -> None:
    google.run("up", f"--redis={redis}")
    wanted, changes = shape(google.stub.world), google.stub.world.changes
    google.stub.world = World()
    for after in range(1, len(changes) + 1):
        google.stub.stop_after = after
        assert google.run("up", f"--redis={redis}", check=False).returncode < 0
        assert len(google.stub.world.changes) == after, "it went on from where it was stopped, and did nothing twice"
    assert google.changes_of("up", f"--redis={redis}") == []
    assert shape(google.stub.world) == wanted
    settings_of(google)


@pytest.fixture
def made_shape(made: Google) -> object:
    found = shape(made.stub.world)
    made.stub.world = World()
    return found


OTHERWISE: dict[str, tuple[Callable[[World], object], str]] = {
    "plain Redis": (
        lambda world: world.one("redis", "ticket-home-cache").update(transitEncryptionMode="DISABLED"),
        "Redis (ticket-home-cache) exists with other settings than it should: [PRIVATE_SERVICE_ACCESS DISABLED True",
    ),
    "no pooling": (
        lambda world: world.one("sql", "ticket-home-db")["settings"]["connectionPoolConfig"].clear(),
        "PostgreSQL (ticket-home-db) exists with other settings",
    ),
    "fewer connections": (
        lambda world: world.one("sql", "ticket-home-db")["settings"]["databaseFlags"][0].update(value="100"),
        "PostgreSQL (ticket-home-db) has another max_connections",
    ),
    "failed": (
        lambda world: world.one("sql", "ticket-home-db").update(state="FAILED"),
        "PostgreSQL (ticket-home-db) is FAILED",
    ),
    "read by others": (
        lambda world: world.one("secret", "secret-keys")["bindings"][0]["members"].append("group:all@example.com"),
        "the secret secret-keys can be read by group:all@example.com, too",
    ),
    "a lost password": (
        lambda world: world.one("secret", "database-url")["versions"].clear(),
        "ticket-home-db has the user ticket_home, and database-url, with its password, is gone",
    ),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_exists_with_other_settings_is_told_and_left_alone(made: Google, case: str) -> None:
    change, message = OTHERWISE[case]
    change(made.stub.world)
    assert message in made.refusal_of("up")


def test_a_secret_is_never_overwritten_and_another_address_is_told(made: Google) -> None:
    before = {name: made.secret(name) for name in SECRETS}
    made.stub.world.one("redis", "ticket-home-cache")["host"] = "10.30.0.9"
    assert "redis-url is not what ticket-home-cache has today" in made.run("up").stderr
    assert {name: made.secret(name) for name in SECRETS} == before


def test_what_may_not_be_looked_at_is_not_taken_for_missing(made: Google) -> None:
    made.stub.denied = "redis instances describe"
    assert "PERMISSION_DENIED" in made.refusal_of("up")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--workers=5", "--pool=20"),
            "5 workers x (20 pooled + 2) = 110 connections of one instance; Cloud SQL takes 100",
        ),
        (("--max-instances=6",), "to spare = 586: more than --max-connections=500"),
        (("--max-instances=1",), "--max-instances: each service always has 2"),
        (("--pool=many",), "--pool=many is no number"),
        (("--redis=other",), "--redis=other is not understood"),
    ],
)
def test_connections_have_to_fit_and_options_are_understood(
    google: Google, options: tuple[str, ...], message: str
) -> None:
    assert message in google.refusal_of("up", *options)
    assert google.stub.calls == []


def test_the_help_lists_every_command_and_option(google: Google) -> None:
    told = google.shell([str(SCRIPT), "help"]).stdout
    taken = re.findall(r"^    (--[a-z-]+)", SCRIPT.read_text(), re.MULTILINE)
    commands = re.findall(r"^    ([a-z-]+)\) [a-z_]+ ;;", SCRIPT.read_text(), re.MULTILINE)
    assert len(taken) > 12
    assert len(commands) == 6
    assert not [word for word in (*taken, *commands) if word not in told]
    ended = google.shell([str(SCRIPT), "up"], check=False)
    assert (ended.returncode, ended.stderr) == (1, "gcp.sh: --project=PROJECT is missing\n")
