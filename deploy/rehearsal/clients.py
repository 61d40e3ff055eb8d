"""Clients of a rehearsal: some read all the time, one writes, through nginx; what they saw is counted."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from deploy.rehearsal.site import Site

READS: Final = ("/v1/dashboard", "/v1/doctors", "/v1/nursing-board", "/v1/auth/me", "/v1/tickets")
PAUSE: Final = 0.02
"""Seconds between two requests of one client."""
PATIENT: Final = {"first_name": "Eva", "last_name": "Soto"}
ANSWERED, OLD, LATER, FAILED = "answered", "labelled old", "told to come again", "failed"


class Clients:
    def __init__(self, site: Site, username: str, password: str) -> None:
        self._site = site
        self._login = {"username": username, "password": password, "client": "mobile"}
        self._headers: dict[str, str] = {}
        self.seen: Counter[str] = Counter()
        """Since the last `fresh`."""
        self.failed: list[str] = []
        """What else was seen than answers and well-told refusals; and answers that were wrong."""
        self.written = 0
        """Tickets."""
        self._before = 0
        """Tickets that were there at the sign-in."""
        self._surgery: dict[str, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._writing = asyncio.Lock()
        """Held while a ticket is written and looked for."""

    @property
    def token(self) -> str:
        return self._headers["Authorization"].removeprefix("Bearer ")

    async def sign_in(self) -> None:
        """From now on all are signed in anew."""
        answer = await self._once("POST", "/v1/auth/login", json=self._login)
        assert answer.status_code == 200, answer.text
        self._headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    async def begin(self) -> None:
        """Sign in, and see what is there."""
        await self.sign_in()
        self._before = await self.total()
        found = await self._once("GET", "/v1/surgeries", headers=self._headers)
        self._surgery = {
            "surgery_id": found.json()["items"][0]["id"],
            "surgery_at": f"{datetime.now(UTC):%Y-%m-%d}T08:00",
        }

    async def total(self) -> int:
        """Tickets that the dashboard counts and that were not there before."""
        return counted(await self._once("GET", "/v1/dashboard", headers=self._headers)) - self._before

    async def asked(self, token: str) -> int:
        """The status of one read with that token."""
        return (await self._once("GET", "/v1/auth/me", headers={"Authorization": f"Bearer {token}"})).status_code

    async def _once(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer; who is told to come again comes again."""
        async with self._site.client() as client:
            while True:
                answer = await client.request(method, path, **more)
                if answer.status_code != 503:
                    return answer
                await asyncio.sleep(float(answer.headers["Retry-After"]))

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Within, they go on."""
        self._tasks = [asyncio.create_task(self._read(path)) for path in READS]
        self._tasks.append(asyncio.create_task(self._write()))
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def reading_only(self) -> AsyncIterator[None]:
        """Within, nothing is written."""
        async with self._writing:
            yield

    async def _pause(self) -> None:
        """Raises what one of them ended of."""
        await asyncio.sleep(PAUSE)
        for task in self._tasks:
            if task.done():
                task.result()

    def fresh(self) -> None:
        self.seen.clear()

    async def more(self, seconds: float) -> None:
        """Return after that time, and once they have seen several things each."""
        until = self.seen.total() + 4 * len(READS)
        await asyncio.sleep(seconds)
        while self.seen.total() < until:
            await self._pause()

    async def settled(self) -> float:
        """Seconds until nothing but answers has been seen for a second."""
        clock = asyncio.get_running_loop().time
        began = since = clock()
        before = self._troubles()
        while clock() - since < 1:
            await self._pause()
            if self._troubles() != before:
                before, since = self._troubles(), clock()
            assert clock() - began < 60, self.seen
        return since - began

    def _troubles(self) -> int:
        return self.seen.total() - self.seen[ANSWERED]

    async def _read(self, path: str) -> None:
        async with self._site.client() as client:
            while True:
                await self._ask(client, "GET", path)
                await asyncio.sleep(PAUSE)

    async def _write(self) -> None:
        """A ticket after the other, each with one key until it is there; then the dashboard has to count it."""
        async with self._site.client() as client:
            while True:
                async with self._writing:
                    patient = {"document_type": "passport", "document": f"R{self.written:06}", **PATIENT}
                    made = await self._write_one(client, {"patient": patient, **self._surgery})
                    self.written += 1
                    await self._look(client, made.headers.get("cache-version"))
                await asyncio.sleep(5 * PAUSE)

    async def _look(self, client: httpx.AsyncClient, version: str | None) -> None:
        if version is None:
            return  # the write was done and its answer lost: asked again, it makes no version
        found = await self._ask(client, "GET", "/v1/dashboard", headers={"Cache-Version": version})
        if found is not None and not is_old(found) and counted(found) != self._before + self.written:
            self.failed.append(f"{counted(found)} tickets instead of {self._before} and {self.written}")

    async def _write_one(self, client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        while True:
            made = await self._ask(client, "POST", "/v1/tickets", json=body, headers=key)
            if made is not None:
                return made
            await asyncio.sleep(10 * PAUSE)

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, if it is one; counted."""
        headers = self._headers | more.pop("headers", {})
        try:
            answer = await client.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            self._note(FAILED, f"{method} {path}: {error!r}")
            return None
        if answer.is_success:
            self._note(OLD if is_old(answer) else ANSWERED)
            return answer
        if answer.status_code == 503 and "retry-after" in answer.headers:
            self._note(LATER)
        else:
            self._note(FAILED, f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return None

    def _note(self, what: str, failure: str | None = None) -> None:
        self.seen[what] += 1
        if failure is not None:
            self.failed.append(failure)


def is_old(answer: httpx.Response) -> bool:
    return "fwd=stale" in answer.headers.get("cache-status", "")


def counted(dashboard: httpx.Response) -> int:
    total: int = dashboard.json()["kpis"]["total"]
    return total
