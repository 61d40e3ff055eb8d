"""A deploy: the old server gets SIGTERM under load, clients go on to the new one, and no request fails."""

import asyncio
import signal
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD
from tests.support import machine
from tests.support.processes.services import Serving, workers
from tests.support.signing_in import bearer

CLIENTS = 16
SIGN_INS = 8
ENDED_WITHIN = 10.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""One for all clients: making one takes longer than a hundred requests."""
PATHS = ("/v1/doctors", "/v1/dashboard", "/v1/auth/me", "/v1/nursing-board")


class Load:
    """Clients that keep their connections, and turn to the new server once the old one takes none any more."""

    def __init__(self, old: Serving, new: Serving, headers: Mapping[str, str]) -> None:
        self._servers = (old.url, new.url)
        self._headers = dict(headers)
        self.answers = [0, 0]
        self.failed: list[str] = []

    async def client(self, number: int) -> None:
        for place, url in enumerate(self._servers):
            async with httpx.AsyncClient(base_url=url, headers=self._headers, timeout=20, verify=NO_TLS) as client:
                while await self._ask(client, place, PATHS[number % len(PATHS)]):
                    self.answers[place] += 1

    async def _ask(self, client: httpx.AsyncClient, place: int, path: str) -> bool:
        """False where this server is gone: it was never asked."""
        try:
            answer = await client.get(path)
        except httpx.ConnectError:
            if place == len(self._servers) - 1:
                self.failed.append("the new server is gone")
            return False
        except httpx.TransportError as error:
            self.failed.append(f"{path}: {error!r}")
            return True
        if answer.status_code != 200:
            self.failed.append(f"{path}: {answer.status_code} {answer.text}")
        return True


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.long)])
async def test_sigterm_under_load_fails_no_request_and_is_done_in_ten_seconds(
    settings: Settings, seed: Seed, tmp_path: Path, count: int
) -> None:
    with workers(settings, count, tmp_path / "old") as old, workers(settings, 1, tmp_path / "new") as new:
        load = Load(old, new, bearer(old.url, seed.sant.admin))
        clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
        await machine.until(lambda: load.answers[0] >= 10 * CLIENTS)
        before = load.answers[0]
        began = machine.now()
        old.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(old.process.wait, machine.PATIENCE)
        took, most = machine.now() - began, machine.bound(ENDED_WITHIN, began)
        await machine.until(lambda: load.answers[1] > CLIENTS or load.failed)
        for client in clients:
            client.cancel()
        ended = await asyncio.gather(*clients, return_exceptions=True)
        assert load.failed == []
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
        assert load.answers[0] > before
        assert load.answers[1] > CLIENTS
        assert (code, took < most) == (0, True), f"{took:.1f} s"


async def test_requests_under_way_are_answered_after_sigterm(settings: Settings, seed: Seed, tmp_path: Path) -> None:
    """Sign-ins queue for a thread that hashes: when the signal comes, most have not begun."""
    with workers(settings, 2, tmp_path / "log") as served:
        login = {"username": seed.sant.viewer, "password": PASSWORD, "client": "mobile"}
        async with httpx.AsyncClient(base_url=served.url, timeout=30, verify=NO_TLS) as client:
            signing_in = [asyncio.create_task(client.post("/v1/auth/login", json=login)) for _ in range(SIGN_INS)]
            await asyncio.wait(signing_in, return_when=asyncio.FIRST_COMPLETED)
            served.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*signing_in)
        # One that has waited for its two seconds on a busy machine is told so: that is an answer, too.
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert 200 in {answer.status_code for answer in answers}
        assert "close" in {answer.headers.get("connection") for answer in answers}
        assert await asyncio.to_thread(served.process.wait, machine.PATIENCE) == 0
