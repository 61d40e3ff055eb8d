"""What a busy service writes: lines for machines, each with who asked and which process answered, and no patient."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from core.rut import verifier_of
from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.processes import commands
from tests.support.processes.services import serving
from tests.support.servers.breakable import Breakable
from tests.support.signing_in import bearer

pytestmark = pytest.mark.long

PATIENTS: Final = [(f"Zunilda{n}", f"Quilapán{n}", 21_345_678 + 7919 * n) for n in range(4)]
"""(first name, last name, number of the RUT)"""
NOTE: Final = "duerme mal desde el martes"
PROCESS: Final = {"release", "replica", "worker", "timestamp", "level", "event"}
"""What every line says."""
REQUEST: Final = {"request_id", "user_id", "clinic_id", "session_id", "method", "route", "status", "ms"}


def rut_of(number: int) -> str:
    return f"{number}-{verifier_of(number)}"


def ways_to_write(number: int) -> set[str]:
    """In which a line could name a RUT."""
    dotted = f"{number:,}".replace(",", ".")
    return {str(number), dotted}


class Ward:
    """One nurse and one admin at work."""

    def __init__(self, client: httpx.AsyncClient, nurse: dict[str, str], admin: dict[str, str], seed: Seed) -> None:
        self._client = client
        self._nurse = nurse
        self._admin = admin
        self._seed = seed
        self.statuses: set[int] = set()

    async def works(self) -> None:
        """Tickets made, refused and failing, searched, shown and exported, for all patients."""
        for first, last, number in PATIENTS:
            patient = {"document_type": "rut", "document": rut_of(number), "first_name": first, "last_name": last}
            at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            body: dict[str, Any] = {"patient": patient, "surgery_id": self._seed.sant.surgery_id, "surgery_at": at}
            for sent in (body, body | {"surgery_at": f"{last} at noon"}, body | {"surgery_id": 987654321}):
                await self._ask("POST", "/v1/tickets", json=sent)
            mistaken = body | {"patient": patient | {"document": f"{number}-X", "birth_date": NOTE}}
            await self._ask("POST", "/v1/tickets", json=mistaken)
            await self._ask("POST", "/v1/tickets", content=f'{{"patient": {{"first_name": "{first}"'.encode())
            for query in (first, last, rut_of(number), f"{first} {last}"):
                await self._ask("GET", "/v1/tickets", params={"q": query})
                await self._ask("GET", "/v1/nursing-board", params={"q": query, "limit": query})
            await self._ask("GET", f"/v1/tickets/{last}")
            await self._ask("GET", f"/{first}/{rut_of(number)}")
            await self._ask("GET", "/v1/auth/me", headers={"X-Request-ID": f"{first} {last}".encode()})
        for path in ("/v1/dashboard", "/v1/dashboard", "/v1/doctors", "/v1/audit"):
            await self._ask("GET", path)
        for path in ("/v1/exports/tickets.csv", "/v1/exports/tickets.xlsx"):
            await self._ask("GET", path, params={"q": PATIENTS[0][0]})
            await self._ask("GET", path)

    async def _ask(self, method: str, path: str, **options: Any) -> None:
        who = self._nurse if path.startswith("/v1/tickets") else self._admin
        options["headers"] = options.get("headers", {}) | who
        # A file that cannot be ended breaks off, which is how its client knows.
        with suppress(httpx.RemoteProtocolError):
            self.statuses.add((await self._client.request(method, path, **options)).status_code)


async def test_a_busy_run_under_faults_names_no_patient(
    on_own_postgres: Settings,
    own_seed: Seed,
    postgres_server: Breakable,
    redis_server: Breakable,
    tmp_path: Path,
) -> None:
    settings = on_own_postgres.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    given = commands.environment(settings, REPLICA="ward-7", TICKET_HOME_BUILD="b1a2", EXPORT_LIMIT="1000/hour")
    log = tmp_path / "log"
    with serving(commands.TICKET_HOME, "serve", "--workers", "2", environment=given, log=log) as served:
        nurse, admin = (bearer(served.url, name) for name in (own_seed.sant.clinical, own_seed.sant.admin))
        async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
            ward = Ward(client, nurse, admin, own_seed)
            await ward.works()
            assert {200, 201, 404, 422} <= ward.statuses
            async with redis_server.hung():
                await ward.works()
            async with postgres_server.killed():
                await ward.works()
            assert 503 in ward.statuses
            # A table that is not there is an error that nobody expects.
            await _rename("ticket", settings)
            await ward.works()
            await _rename("ticket", settings, back=True)
            assert 500 in ward.statuses or 503 in ward.statuses
        served.process.terminate()
        await asyncio.to_thread(served.process.wait)
    written = log.read_text()
    lines = [json.loads(line) for line in written.splitlines()]  # and no banner in between
    for line in lines:
        assert line.keys() >= PROCESS, line
        assert (line["replica"], line["release"].partition("+")[2]) == ("ward-7", "b1a2")
    assert len({line["worker"] for line in lines}) == 3
    requests = [line for line in lines if line["event"] == "request"]
    assert all(line.keys() >= REQUEST for line in requests)
    # Each session by its id, and nowhere by its token.
    assert len({line["session_id"] for line in requests} - {None}) == 2
    secret = [words["Authorization"].removeprefix("Bearer ") for words in (nurse, admin)]
    patients = {word for first, last, number in PATIENTS for word in (first, last, *ways_to_write(number))}
    assert [word for word in (*patients, NOTE, *secret) if word.lower() in written.lower()] == []


async def _rename(table: str, settings: Settings, *, back: bool = False) -> None:
    connection = await asyncpg.connect(settings.require_database_url())
    try:
        before, after = (f"{table}_away", table) if back else (table, f"{table}_away")
        await connection.execute(f"ALTER TABLE {before} RENAME TO {after}")
    finally:
        await connection.close()
