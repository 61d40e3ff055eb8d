"""Redis over TLS with a password and a private CA, as clouds serve it: used where it is right, else refused."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from core import times
from core.operations.doctor.finding import Verdict
from core.operations.doctor.servers.certificates import endpoints, look
from core.operations.embedded.account import PR_SET_PDEATHSIG, _prctl
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.faults.certificates import Authority, Signed
from tests.faults.stream import Stream
from tests.support import machine
from tests.support.processes.services import free_port
from tests.support.servers.cluster import Node, formed
from tests.support.servers.debian import program
from tests.support.signing_in import sign_in
from tests.support.unhurried import LONG

pytestmark = pytest.mark.long

PASSWORD = "s/e:c@ret"
QUOTED = "s%2Fe%3Ac%40ret"


@dataclass(frozen=True)
class Secured:
    """A Redis that takes TLS alone; `address` is what follows `rediss://login@`."""

    address: str
    authority: Authority
    unencrypted: str


@pytest.fixture
def unhurried_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handshake takes too long on a busy machine: whether there is trouble is the question."""
    for name in ("REDIS", "REDIS_CONNECT", "REDIS_PROBE"):
        monkeypatch.setattr(times, name, LONG)


def tls_options(signed: Signed, authority: Authority) -> list[str]:
    files = {"cert": signed.certificate, "key": signed.key, "ca-cert": authority.certificate}
    named = [word for name, path in files.items() for word in (f"--tls-{name}-file", str(path))]
    return [*named, "--tls-auth-clients", "no"]


@contextmanager
def redis_with_tls(folder: Path, name: str) -> Iterator[Secured]:
    """Debian's Redis, whose certificate is for `name`; clients are the default user, or `cache`, with PASSWORD."""
    authority = Authority(folder)
    port = free_port()
    options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    login = ["--requirepass", PASSWORD, "--user", "cache", "on", f">{PASSWORD}", "~*", "+@all"]
    server = subprocess.Popen(
        [str(program("redis-server", "redis-server")), *options, *tls_options(authority.sign(name), authority), *login],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )
    try:

        def answers() -> bool:
            assert server.poll() is None
            with socket.socket() as trying:
                return trying.connect_ex(("127.0.0.1", port)) == 0

        machine.wait_until(answers)
        yield Secured(f"127.0.0.1:{port}/0", authority, f"redis://:{QUOTED}@127.0.0.1:{port}/0")
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with redis_with_tls(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1") as served:
        yield served


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(url)})


async def outcomes(settings: Settings, seed: Seed) -> tuple[list[str], int]:
    """How a new process answers three reads after a sign-in, and how often Redis failed it."""
    statuses = []
    async with running(settings) as (app, client):
        await sign_in(client, seed.sant.viewer)
        for _ in range(3):
            answer = await client.get("/v1/doctors")
            assert answer.status_code == 200
            statuses.append(answer.headers["cache-status"])
        await app.state.runtime.cache.drain(5)
        return statuses, app.state.runtime.redis.errors


@pytest.mark.parametrize("login", [f":{QUOTED}", f"cache:{QUOTED}"], ids=["default user", "ACL user"])
@pytest.mark.usefixtures("unhurried_redis")
async def test_with_the_right_ca_and_password_it_is_shared_by_processes(
    settings: Settings, seed: Seed, secured: Secured, login: str
) -> None:
    url = f"rediss://{login}@{secured.address}?ssl_ca_certs={secured.authority.certificate}"
    first, errors = await outcomes(at(settings, url), seed)
    assert "fwd=miss" in first[0]
    assert errors == 0
    second, _ = await outcomes(at(settings, url), seed)
    assert "detail=redis" in second[0]


@pytest.mark.usefixtures("unhurried_redis")
async def test_over_tls_answers_stay_right_under_reads_and_writes(
    settings: Settings, seed: Seed, secured: Secured
) -> None:
    url = f"rediss://:{QUOTED}@{secured.address}?ssl_ca_certs={secured.authority.certificate}"
    async with running(at(settings, url)) as (app, client):
        await sign_in(client, seed.sant.viewer)
        stream = Stream(app.state.runtime, client, seed.sant.id, existing=1)
        async with stream.flowing():
            seen = await stream.flow(0.8)
        assert seen.wrong == []
        assert {"hit", "fwd=miss"} <= seen.outcomes
        assert app.state.runtime.redis.errors == 0


@pytest.mark.parametrize("wrong", ["unknown CA", "another CA", "no TLS", "password", "user"])
async def test_what_is_not_right_is_refused_and_no_client_sees_it(
    settings: Settings, seed: Seed, secured: Secured, wrong: str, tmp_path: Path
) -> None:
    trusted = f"?ssl_ca_certs={secured.authority.certificate}"
    url = {
        "unknown CA": lambda: f"rediss://:{QUOTED}@{secured.address}",
        "another CA": lambda: f"rediss://:{QUOTED}@{secured.address}?ssl_ca_certs={Authority(tmp_path).certificate}",
        "no TLS": lambda: secured.unencrypted,
        "password": lambda: f"rediss://:wrong@{secured.address}{trusted}",
        "user": lambda: f"rediss://nobody:{QUOTED}@{secured.address}{trusted}",
    }[wrong]()
    for _ in range(2):
        statuses, errors = await outcomes(at(settings, url), seed)
        # From the database, then from memory: never from Redis.
        assert [status.split("; ")[1] for status in statuses] == ["fwd=miss", "hit", "hit"]
        assert errors > 0


async def test_the_doctor_tells_when_its_certificate_ends(secured: Secured) -> None:
    [endpoint] = endpoints(redis=f"rediss://:{QUOTED}@{secured.address}")
    found = await look(endpoint)
    assert found is not None
    # In two days.
    assert (found.verdict, found.seen.startswith("Redis's ends on 20")) == (Verdict.FAILED, True)


async def test_a_certificate_for_another_name_is_refused_unless_names_are_not_checked(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    with redis_with_tls(tmp_path, "DNS:redis.internal") as secured:
        url = f"rediss://:{QUOTED}@{secured.address}?ssl_ca_certs={secured.authority.certificate}"
        _, errors = await outcomes(at(settings, url), seed)
        assert errors > 0
        _, errors = await outcomes(at(settings, f"{url}&ssl_check_hostname=false"), seed)
        assert errors == 0


@pytest.mark.usefixtures("unhurried_redis")
async def test_a_cluster_over_tls_with_a_password(settings: Settings, seed: Seed, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    options = tls_options(authority.sign("IP:127.0.0.1"), authority)
    secured = ("--tls-port", str(port), "--tls-cluster", "yes", *options)
    node = Node(tmp_path / "node", program("redis-server", "redis-server"), secured)
    async with formed(node):
        await node.ask("CONFIG", "SET", "requirepass", PASSWORD)
        url = f"rediss+cluster://:{QUOTED}@127.0.0.1:{port}?ssl_ca_certs={authority.certificate}"
        for expected in ("fwd=miss", "detail=redis"):
            statuses, errors = await outcomes(at(settings, url), seed)
            assert expected in statuses[0]
            assert errors == 0
