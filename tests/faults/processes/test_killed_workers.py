"""A worker killed in the middle of a write: nothing is half-written, and the retry with the same key is answered."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.days import lately
from tests.support.processes.services import Serving, worker_pids, workers
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import bearer

PATIENT = {
    "document_type": "passport",
    "document": "P1234567",
    "first_name": "Ana",
    "last_name": "Rojas",
    "age": 40,
    "sex": "F",
}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Client:
    """Sends one write again and again, as a mobile does that lost its answer."""

    def __init__(self, url: str, headers: dict[str, str], seed: Seed) -> None:
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers | {"Idempotency-Key": "nurses-tablet-1"}, timeout=20
        )
        self._body = {"patient": PATIENT, "surgery_id": seed.sant.surgery_id, "surgery_at": lately()}

    async def send(self) -> httpx.Response:
        return await self._http.post("/v1/tickets", json=self._body)

    async def until_answered(self) -> httpx.Response:
        """The first answer that is not 503, the write sent again as often as it takes: the master starts the worker
        again."""

        async def answered() -> httpx.Response | None:
            with suppress(httpx.TransportError):
                answer = await self.send()
                return None if answer.status_code == 503 else answer
            return None

        return await machine.first(answered)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()


def kill_workers(served: Serving) -> None:
    pids = worker_pids(served)
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


async def tickets(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    return [row["id"] for row in await connection.fetch("SELECT id FROM ticket")]


@pytest.mark.long
async def test_killed_before_the_commit_nothing_is_written_and_the_retry_writes_it(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path
) -> None:
    with workers(settings, 2, tmp_path / "log") as served:
        headers = bearer(served.url, seed.sant.clinical)
        async with Client(served.url, headers, seed) as client:
            await connection.execute("BEGIN; LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE")
            first = asyncio.create_task(client.send())
            await machine.until(lambda: connection.fetchval(WAITING))
            kill_workers(served)
            with pytest.raises(httpx.TransportError):
                await first
            await connection.execute("COMMIT")
            answer = await client.until_answered()
            assert answer.status_code == 201, answer.text
            assert "idempotency-replayed" not in answer.headers
            assert await tickets(connection) == [answer.json()["id"]]
            again = await client.send()
            assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
            assert again.content == answer.content
            assert again.headers["location"] == answer.headers["location"]


async def test_killed_between_commit_and_answer_the_retry_answers_the_first_result(
    settings: Settings, seed: Seed, connection: rows.Connection, database_url: str, tmp_path: Path
) -> None:
    async with WireProxy(database_url) as proxy:
        behind = settings.model_copy(
            update={"database_url": SecretStr(proxy.url), "database_listen_url": SecretStr(database_url)}
        )
        # In a thread: the proxy lives on this loop, and the server migrates through it.
        serving = workers(behind, 2, tmp_path / "log")
        served = await asyncio.to_thread(serving.__enter__)
        try:
            headers = await asyncio.to_thread(bearer, served.url, seed.sant.clinical)
            async with Client(served.url, headers, seed) as client:
                proxy.holds_commit_of = b"INSERT INTO ticket "
                first = asyncio.create_task(client.send())
                await machine.until(proxy.held.is_set)
                await machine.until(lambda: tickets(connection))
                written = await tickets(connection)
                kill_workers(served)
                with pytest.raises(httpx.TransportError):
                    await first
                proxy.holds_commit_of = None
                answer = await client.until_answered()
                assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
                assert answer.json()["id"] == written[0]
                assert answer.headers["location"].endswith(written[0])
                assert await tickets(connection) == written
        finally:
            await asyncio.to_thread(serving.__exit__, None, None, None)
