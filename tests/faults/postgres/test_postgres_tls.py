"""PostgreSQL over TLS with a private CA and a password, as clouds serve it: the embedded one has no TLS."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from core.db.schema.migrate import upgrade
from core.operations.doctor.finding import Verdict
from core.operations.doctor.servers.certificates import endpoints, look
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import seed_clinic
from tests.faults.certificates import Authority
from tests.support import machine
from tests.support.processes.services import free_port
from tests.support.servers.debian import program

pytestmark = pytest.mark.long

PASSWORD = "s/e:c@ret"
QUOTED = "s%2Fe%3Ac%40ret"
RULES = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
"""pg_hba.conf: nobody without TLS."""


@dataclass(frozen=True)
class Secured:
    address: str
    authority: Authority

    def url(self, parameters: str, password: str = QUOTED) -> str:
        return f"postgresql://ticket_home:{password}@{self.address}/postgres?{parameters}"

    @property
    def trusted(self) -> str:
        return f"sslmode=verify-full&sslrootcert={self.authority.certificate}"


def binaries() -> Path:
    program("pg_ctlcluster", "postgresql")
    return max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin"


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    # Not in pytest's folder, which is root's alone.
    with tempfile.TemporaryDirectory(prefix="ticket-home-tls-") as folder, served(Path(folder)) as made:
        yield made


@contextmanager
def served(folder: Path) -> Iterator[Secured]:
    authority = Authority(folder)
    signed = authority.sign("IP:127.0.0.1")
    port = free_port()
    data = folder / "data"
    (folder / "password").write_text(PASSWORD)
    # PostgreSQL refuses to run as root.
    account = "postgres" if os.geteuid() == 0 else None
    if account is not None:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, account)
    options = ("-A", "scram-sha-256", "-U", "ticket_home", "--pwfile", str(folder / "password"), "-N")
    subprocess.run(
        [binaries() / "initdb", "-D", data, *options], check=True, stdout=subprocess.DEVNULL, user=account, cwd="/"
    )
    (data / "pg_hba.conf").write_text(RULES)
    given = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": signed.certificate,
        "ssl_key_file": signed.key,
    }
    words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [binaries() / "postgres", "-D", data, *words], stderr=subprocess.DEVNULL, user=account, cwd="/"
    )
    try:
        asking = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]

        def is_ready() -> bool:
            assert server.poll() is None
            return subprocess.run(asking, check=False).returncode == 0

        machine.wait_until(is_ready)
        yield Secured(f"127.0.0.1:{port}", authority)
    finally:
        server.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is connected
        server.wait(20)


def at(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url)})


async def test_everything_goes_over_tls_and_the_server_is_verified(settings: Settings, secured: Secured) -> None:
    url = secured.url(secured.trusted)
    await asyncio.to_thread(upgrade, url)
    direct = await asyncpg.connect(url)
    await seed_clinic(direct, "SANT", "America/Santiago")
    async with running(at(settings, url)) as (_, client):

        async def listens() -> bool:
            return bool((await client.get("/readyz")).json()["push"])

        await machine.until(listens)
        login = {"username": "viewer_sant", "password": "ticket-home-demo", "client": "mobile"}
        token = (await client.post("/v1/auth/login", json=login)).json()["token"]
        answer = await client.get("/v1/doctors", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        plain = await direct.fetchval(
            "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)"
            " WHERE application_name LIKE 'ticket-home%' AND NOT ssl"
        )
        encrypted = await direct.fetchval(
            "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)"
            " WHERE application_name LIKE 'ticket-home%' AND ssl"
        )
        assert (plain, encrypted >= 2) == (0, True)
    await direct.close()


@pytest.mark.parametrize("wrong", ["another CA", "no TLS", "password"])
async def test_what_is_not_right_is_never_used(
    settings: Settings, secured: Secured, wrong: str, tmp_path: Path
) -> None:
    url = {
        "another CA": lambda: secured.url(f"sslmode=verify-full&sslrootcert={Authority(tmp_path).certificate}"),
        "no TLS": lambda: secured.url("sslmode=disable"),
        "password": lambda: secured.url(secured.trusted, "wrong"),
    }[wrong]()
    async with running(at(settings, url)) as (_, client):
        assert (await client.get("/readyz")).status_code == 503


async def test_the_doctor_tells_when_its_certificate_ends(secured: Secured) -> None:
    [endpoint] = endpoints(database=secured.url(secured.trusted))
    found = await look(endpoint)
    assert found is not None
    # In two days.
    assert (found.verdict, found.seen.startswith("PostgreSQL's ends on 20")) == (Verdict.FAILED, True)
    assert endpoints(database=secured.url("sslmode=disable")) == []
