"""A signed-in client of one application, and what it may expect of it while a server is in trouble."""

from dataclasses import dataclass

import httpx

from core.runtime import Runtime
from tests.support import machine

DECIDED = 2.5
"""Seconds until every request is answered, one way or another: two, and room for what comes before and after."""
RECOVERED = 5.0
"""Seconds after which all is well again, once the server is."""


@dataclass
class Reader:
    runtime: Runtime
    client: httpx.AsyncClient

    async def decided(
        self, path: str, within: float = DECIDED, *, method: str = "GET", json: object = None
    ) -> httpx.Response:
        """The answer; fails where it takes longer than every answer may."""
        began = machine.now()
        answer = await self.client.request(method, path, json=json)
        assert machine.now() - began < machine.bound(within, began)
        return answer

    async def recovered(self, path: str) -> None:
        """Return once the answer is whole again; fails where that takes longer than it may."""

        async def is_whole() -> bool:
            answer = await self.client.get(path)
            assert answer.status_code in (200, 503), answer.text
            return answer.status_code == 200 and "stale" not in answer.headers["cache-status"]

        await machine.until(is_whole, within=RECOVERED)

    async def doctors(self) -> int:
        """How many the clinic has, by the list."""
        return len((await self.client.get("/v1/doctors")).json()["items"])

    async def within_two_seconds(self, doctors: int) -> float:
        """Seconds until the list has that many; fails after the bound of the promise."""
        return await machine.until_equal(self.doctors, doctors, within=2.0)
