"""A deadline is one request's: what several share outlives it, and a client's own slowness is not held against it."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.middleware.added_headers import AddedHeaders
from api.middleware.envelope import Envelope
from api.middleware.request_stats import RequestStats
from api.middleware.sharing import Sharing
from core import times
from core.cache.single_flight import Flights
from core.cache.versions.header import VersionHeader
from core.deadline import Deadline, current_deadline, in_time, left
from core.errors import Unavailable

SHORT = 0.1
"""Seconds that a request has here. What takes as long, or twice as long, is late because of that alone."""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(times, "REQUEST", SHORT)
    yield
    current_deadline.set(None)


async def test_outside_of_a_request_there_is_none() -> None:
    assert left(7.0) == 7.0
    assert await in_time(asyncio.sleep(2 * SHORT, "done")) == "done"


async def test_a_wait_ends_with_the_request_s_time_and_the_next_does_not_begin() -> None:
    current_deadline.set(Deadline())
    assert left(7.0) <= SHORT
    with pytest.raises(Unavailable):
        await in_time(asyncio.Event().wait())
    with pytest.raises(Unavailable):
        left(7.0)


async def test_a_time_out_of_the_work_s_own_is_told_as_such() -> None:
    async def work() -> None:
        raise TimeoutError("its own")

    current_deadline.set(Deadline())
    with pytest.raises(TimeoutError, match="its own"):
        await in_time(work())


async def test_a_flight_outlives_the_request_that_began_it() -> None:
    flights: Flights[str] = Flights()
    begun = asyncio.Event()

    async def compute() -> str:
        begun.set()
        await asyncio.sleep(2 * SHORT)
        assert left(7.0) == 7.0
        return "computed"

    async def first() -> None:
        current_deadline.set(Deadline())
        with pytest.raises(Unavailable):
            await flights.join("key", compute)

    beginning = asyncio.create_task(first())
    await begun.wait()
    assert await flights.join("key", compute) == ("computed", True)
    await beginning


async def answer(receive: Receive, *, thinks: float, streams: float) -> list[str]:
    """What an application behind the middleware finds that has read its body, then `thinks`, then streams."""
    found: list[str] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await in_time(asyncio.sleep(thinks))
            found.append("decided")
        except Unavailable:
            found.append("unavailable")
        await send({"type": "http.response.start", "status": 200})
        await in_time(asyncio.sleep(streams))
        found.append("streamed")

    async def send(_: Message) -> None:
        pass

    added = AddedHeaders(VersionHeader(["a secret"]), Sharing([]), production=False)
    asked = {"type": "http", "method": "GET", "headers": []}
    await Envelope(app, stats=RequestStats(), added=added)(asked, receive, send)
    return found


async def test_a_body_that_comes_slowly_is_the_client_s_own_time() -> None:
    async def slow() -> Message:
        await asyncio.sleep(2 * SHORT)
        return {"type": "http.request"}

    assert await answer(slow, thinks=SHORT / 2, streams=2 * SHORT) == ["decided", "streamed"]
    assert await answer(slow, thinks=2 * SHORT, streams=0) == ["unavailable", "streamed"]
    assert current_deadline.get() is None
