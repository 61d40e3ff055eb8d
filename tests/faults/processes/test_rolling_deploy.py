"""A release beside the one before it, on the new schema: while it is rolled out, and after it was rolled back.

The code before is the history's own: as it was before the newest migration came. Where there is no history (a clone of
depth one, an unpacked archive) that is said, and not tested.
"""

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.days import lately
from tests.support.migrations import downgrade
from tests.support.processes.commands import ROOT, environment, run_beside
from tests.support.processes.services import Serving, serving
from tests.support.signing_in import NEW_PASSWORD, bearer

pytestmark = pytest.mark.long

VERSIONS = "alembic/versions"
COMMAND = (sys.executable, "-c", "from api.cli.main import main; main()")
READ = ("/v1/doctors", "/v1/dashboard", "/v1/nursing-board", "/v1/auth/me", "/v1/tickets")
PATIENT = {"document_type": "passport", "first_name": "Eva", "last_name": "Soto"}
EACH = 6
"""Rounds of writes and reads that are waited for in each phase."""


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


@dataclass(frozen=True)
class Before:
    """The code before the newest migration."""

    folder: Path
    revision: str
    """At which its migrations end."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    try:
        added = git("log", "--format=%H", "--diff-filter=A", "-1", "--", VERSIONS).decode().strip()
        archive = git("archive", f"{added}^")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("NOT TESTED: this clone lacks the code before the newest migration (git fetch --unshallow)")
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return Before(folder, max(path.name.partition("_")[0] for path in (folder / VERSIONS).glob("[0-9]*.py")))


@dataclass
class Load:
    """One nurse, who writes by one server and reads by another, in turns, and never sees less than she has written."""

    servers: list[str]
    headers: dict[str, str]
    body: dict[str, Any]
    written: set[str] = field(default_factory=set)
    rounds: int = 0

    async def go_on(self) -> None:
        async with httpx.AsyncClient(headers=self.headers, timeout=20) as client:
            while True:
                by, at = (self.servers[turn % len(self.servers)] for turn in (self.rounds, self.rounds + 1))
                patient = PATIENT | {"document": f"X{self.rounds:07}"}
                made = await client.post(f"{by}/v1/tickets", json=self.body | {"patient": patient})
                assert made.status_code == 201, made.text
                self.written.add(made.json()["id"])
                seen = {"Cache-Version": made.headers["cache-version"]}
                answers = {path: await client.get(at + path, headers=seen) for path in READ}
                assert {answer.status_code for answer in answers.values()} == {200}, answers
                counted = answers["/v1/dashboard"].json()["kpis"]["total"]
                assert counted == len(self.written), f"by {by}, read at {at}"
                self.rounds += 1

    async def more(self) -> None:
        """Return once EACH more rounds were answered."""
        until = self.rounds + EACH
        await machine.until(lambda: self.rounds >= until or self._task.done())

    async def __aenter__(self) -> "Load":
        self._task = asyncio.create_task(self.go_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._task.cancelled():
            self._task.result()


@asynccontextmanager
async def on(load: Load, server: Serving) -> AsyncIterator[None]:
    """Within, the load goes to that server, too."""
    load.servers = [*load.servers, server.url]
    yield
    load.servers = [url for url in load.servers if url != server.url]
    await load.more()


async def test_the_release_before_serves_on_before_beside_and_after_the_new_one(
    before: Before,
    settings: Settings,
    database_url: str,
    connection: rows.Connection,
    seed: Seed,
    tmp_path: Path,
) -> None:
    # Production: where `serve` migrates, the code before could not serve; and the seed's password is the demo's.
    await rows.user(connection, "nurse", "admin", seed.sant.id, password_hash=rows.QUICK.hash(NEW_PASSWORD))
    await downgrade(database_url, before.revision)
    new_code = environment(settings) | {"TICKET_HOME_ENV": "production", "SECRET_KEYS": secrets.token_hex(32)}
    old_code = new_code | {"PYTHONPATH": str(before.folder)}
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    with serving(*COMMAND, "serve", environment=old_code, log=tmp_path / "old") as old:
        async with Load([old.url], bearer(old.url, "nurse", NEW_PASSWORD), body) as load:
            await load.more()
            migrated = await run_beside(new_code, "migrate")
            assert migrated.returncode == 0, migrated.stderr
            await load.more()
            with serving(*COMMAND, "serve", environment=new_code, log=tmp_path / "new") as new:
                async with on(load, new):
                    await load.more()
                load.servers = [new.url]
                await load.more()
                old.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(old.process.wait, machine.PATIENCE)
                with serving(*COMMAND, "serve", environment=old_code, log=tmp_path / "rolled back") as again:
                    load.servers = [again.url]
                    await load.more()
