"""Work beside requests: ended at shutdown within its time, and never failing unseen."""

import asyncio

import pytest
from structlog.testing import capture_logs

from core.background import Background
from core.deadline import Deadline, current_deadline
from tests.support import machine
from tests.support.machine import PATIENCE


async def test_what_ends_by_itself_is_waited_for_and_so_is_what_it_starts() -> None:
    background, done = Background(), []

    async def second() -> None:
        await asyncio.sleep(0)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        background.start(second(), name="second")
        done.append("first")

    background.start(first(), name="first")
    await background.drain(PATIENCE)
    assert done == ["first", "second"]
    assert len(background) == 0


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    background = Background()
    task = background.start(asyncio.Event().wait(), name="too long")
    await background.drain(0.01)
    assert task.cancelled()
    assert len(background) == 0


async def test_a_task_that_never_ends_is_left_behind() -> None:
    background, stop = Background(), False

    async def deaf() -> None:
        while not stop:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    task = background.start(deaf(), name="deaf")
    await asyncio.sleep(0)
    began = machine.now()
    with capture_logs() as lines:
        await background.cancel(0.3)
    assert 0.25 < machine.now() - began < machine.bound(1.0, began)
    assert not task.done()
    assert [line for line in lines if line["event"] == "background work did not end" and line["tasks"] == ["deaf"]]
    stop = True
    await background.cancel(PATIENCE)
    assert task.done()


async def test_what_fails_is_logged_with_its_name_and_stops_nothing_else() -> None:
    background = Background()

    async def fail() -> None:
        raise LookupError("a bug")

    with capture_logs() as lines:
        background.start(fail(), name="the one that fails")
        other = background.start(asyncio.sleep(0), name="the other")
        await background.drain(PATIENCE)
    assert [(line["event"], line["task"], line["error"]) for line in lines] == [
        ("background work failed", "the one that fails", "LookupError")
    ]
    assert other.done()
    assert not other.cancelled()


@pytest.mark.parametrize("has_deadline", [True, False])
async def test_it_has_no_time_limit_of_the_request_that_started_it(*, has_deadline: bool) -> None:
    background = Background()
    found: list[object] = []

    async def look() -> None:
        found.append(current_deadline.get())

    current_deadline.set(Deadline() if has_deadline else None)
    background.start(look(), name="look")
    await background.drain(PATIENCE)
    assert found == [None]
