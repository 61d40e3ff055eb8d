"""Requests that read the version rows themselves share one read, and each gets one that serves it.

No servers: what a read of the database would do is done by the test, at the very moment that matters. A loop that goes
round without a real wait would hang a test, too; so each look at the map is counted, and too many are an error.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import VersionSnapshot
from core.clock import boottime
from core.db.transaction import Database
from core.errors import Unavailable

LOOKS = 50
"""More than any request here needs, by far."""
ROW = (5, "figures")


class CountingMap(VersionMap):
    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def is_fresh(self) -> bool:
        self.looks += 1
        assert self.looks < LOOKS, "the loop goes round without a wait"
        return super().is_fresh()


class Rows:
    """In place of the database: gives `versions`, one after the other, each after `during` was called."""

    def __init__(self, *versions: int, during: Callable[[int], None] = lambda _: None) -> None:
        self.versions = versions
        self.reads = 0
        self.during = during

    async def read(self, _work: object, *, budget: float) -> VersionSnapshot:
        self.reads += 1
        number = self.reads
        await asyncio.sleep(budget / 100)  # as a database that answers in time
        self.during(number)
        version = self.versions[min(number, len(self.versions)) - 1]
        return VersionSnapshot([(*ROW, version)], "1", 1_700_000_000.0, full=True)


def direct_reads(rows: Rows) -> tuple[DirectReads, CountingMap]:
    versions = CountingMap()
    return DirectReads(cast("Database", rows), versions), versions


async def test_a_read_that_distrusts_the_map_while_it_runs_is_followed_by_another() -> None:
    def during(number: int) -> None:
        if number <= 3:
            versions.distrust()

    rows = Rows(1, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    assert rows.reads == 4


async def test_a_request_in_the_turn_in_which_a_distrusted_read_ends_reads_for_itself() -> None:
    late: list[asyncio.Task[None]] = []

    def during(number: int) -> None:
        if number == 1:
            versions.distrust()
            late.append(asyncio.create_task(direct.ensure_fresh()))

    rows = Rows(1, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert rows.reads == 2


async def test_a_pause_of_the_process_after_a_read_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between the read's answer and those who wait for it: the lease is over when they go on."""
    late: list[asyncio.Task[None]] = []
    jump = 0.0
    for module in ("core.cache.versions.map", "core.cache.versions.direct_reads"):
        monkeypatch.setattr(f"{module}.boottime", lambda: boottime() + jump)

    class Pausing(CountingMap):
        def read_ended(self, *snapshot: Any) -> None:
            nonlocal jump
            super().read_ended(*snapshot)
            if rows.reads == 1:
                jump = 10.0
                late.append(asyncio.create_task(direct.ensure_fresh()))

    rows = Rows(1)
    versions = Pausing()
    direct = DirectReads(cast("Database", rows), versions)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert rows.reads == 2


@pytest.mark.parametrize("distrusted", [False, True])
async def test_what_is_required_is_read_after_it_was_required(distrusted: bool) -> None:
    """In the turn in which a read ends that began before: its version is not the one that is asked for."""
    late: list[asyncio.Task[None]] = []

    def during(number: int) -> None:
        if number == 1:
            late.append(asyncio.create_task(direct.require({ROW: 2})))
            if distrusted:
                versions.distrust()

    rows = Rows(1, 2, during=during)
    direct, versions = direct_reads(rows)
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    await asyncio.wait_for(late[0], 5)
    assert not direct.behind({ROW: 2})
    assert rows.reads == 2


async def test_what_is_required_during_a_read_is_read_again_unless_that_one_brings_it() -> None:
    for brings, reads in (((1, 2), 2), ((2, 2), 1)):
        rows = Rows(*brings)
        direct, _ = direct_reads(rows)
        under_way = asyncio.create_task(direct.ensure_fresh())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert rows.reads == 1
        await asyncio.wait_for(direct.require({ROW: 2}), 5)
        await under_way
        assert not direct.behind({ROW: 2})
        assert rows.reads == reads


async def test_a_read_that_fails_is_told_to_all_who_wait_and_the_next_request_reads_again() -> None:
    outcomes: list[Exception | None] = [Unavailable(), None]

    def during(number: int) -> None:
        outcome = outcomes[number - 1]
        if outcome is not None:
            raise outcome

    rows = Rows(1, during=during)
    direct, _ = direct_reads(rows)
    errors = await asyncio.gather(*(direct.ensure_fresh() for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in errors] == [Unavailable] * 3
    await asyncio.wait_for(direct.ensure_fresh(), 5)
    assert rows.reads == 2
