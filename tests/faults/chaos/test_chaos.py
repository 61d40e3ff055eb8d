"""The consistency check, in its short form, and its checker. Whether it would notice: test_broken_caches.py."""

import asyncio
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.faults.chaos import progress
from tests.faults.chaos.faults import KINDS, LATE, Breaking, stop
from tests.faults.chaos.history.checker import BOUND, check, table_of
from tests.faults.chaos.history.history import Event, History, Read, Restore, Silence, Untold, Write
from tests.faults.chaos.load import World
from tests.faults.chaos.network.faults import TOXICS
from tests.faults.chaos.registers import ABSENT, SIGNED_OUT
from tests.faults.chaos.run import Chaos
from tests.faults.chaos.site import Site, site
from tests.support.machine import until
from tests.support.processes.services import free_port

SEED = 20261124
SECONDS = 30.0
"""Of all faults; of those of one kind half as long again: two minutes with all three."""
SLOWEST_FILL = 0.02
QUICK = [name for name in KINDS if "stopped" not in name and ": " not in name]
"""The longest of them, and the many kinds of networks, are for `make chaos`."""
RESTORES = [name for name in KINDS if name.startswith("PostgreSQL: ") and ("restore" in name or "rows" in name)]
NETWORKS = [f"{server}: {how}" for server in ("PostgreSQL", "Redis", "the listening connection") for how in TOXICS]


@pytest.mark.long
@pytest.mark.alone
async def test_no_read_contradicts_the_database_whatever_fails(tmp_path: Path) -> None:
    async with site(tmp_path, processes=2, clinics=3, slowest_fill=SLOWEST_FILL) as made:
        verdict = await Chaos(made, SEED, QUICK).run(SECONDS)
    assert not verdict.violations, table_of(verdict)
    assert verdict.reads > 1000
    for fault, errors in verdict.errors.items():
        # Trouble with Redis alone reaches nobody.
        assert not fault.startswith("Redis") or set(errors) <= {"connection"}, table_of(verdict)


@pytest.mark.long
@pytest.mark.alone
async def test_no_read_contradicts_the_database_however_it_is_restored(tmp_path: Path) -> None:
    async with site(tmp_path, processes=2, clinics=3, slowest_fill=SLOWEST_FILL) as made:
        verdict = await Chaos(made, SEED, RESTORES).run(1.5 * SECONDS)
    assert not verdict.violations, table_of(verdict)
    assert {fault for fault in verdict.answers if fault in RESTORES}, table_of(verdict)


@pytest.mark.long
@pytest.mark.alone
async def test_no_read_contradicts_the_database_whatever_the_network_does(tmp_path: Path) -> None:
    async with site(tmp_path, processes=2, clinics=3, slowest_fill=SLOWEST_FILL) as made:
        verdict = await Chaos(made, SEED, NETWORKS).run(1.5 * SECONDS)
    assert not verdict.violations, table_of(verdict)
    assert verdict.reads > 1000


def test_what_has_begun_is_known_before_its_end() -> None:
    history = History()
    with history.begun(Write("r", "a", 10.0, math.inf, "unknown", "")):
        history.add(read("a", 10.05, 10.06))
        history.add(read("first", 10.07, 10.08))
        assert check(history.events, {"r": "first"}).violations == []
        history.add(Write("r", "a", 10.0, 10.1, "done", ""))
    history.add(read("first", 20.0, 20.1))
    assert len(check(history.events, {"r": "first"}).violations) == 1
    with history.begun(Restore(30.0, math.inf)):
        history.add(read("first", 33.0, 33.1))
        history.add(read("a", 33.0, 33.1))
        assert len(check(history.events, {"r": "first"}).violations) == 1


def test_a_write_whose_end_nobody_saw_stays_in_the_history() -> None:
    history = History()
    with pytest.raises(ConnectionError), history.begun(Write("r", "a", 10.0, math.inf, "unknown", "")):
        raise ConnectionError
    assert check([*history.events, read("a", 60.0, 60.1)], {"r": "first"}).violations == []


def read(
    word: str | None, sent: float, ended: float, kind: str = "plain", outcome: str = "hit", age: float = 0
) -> Read:
    return Read("r", word, sent, ended, kind, 0, outcome, age)


HISTORY: list[Event] = [
    Write("r", "a", 10.0, 10.1, "done", ""),
    Write("r", "b", 20.0, 20.1, "done", ""),
    Write("r", "lost", 25.0, 25.1, "unknown", ""),
    Write("r", "never", 26.0, 26.1, "rolled back", ""),
    Write("r", "c", 30.0, 30.1, "done", ""),
    Restore(40.0, 41.0),
    Write("r", "d", 50.0, 50.1, "done", ""),
]


@pytest.mark.parametrize(
    "right",
    [
        read("first", 1.0, 1.1),
        read("first", 10.05, 10.06),  # the write is under way: either is right
        read("a", 10.05, 10.06),
        read("a", 20.1 + BOUND, 23.0),
        read("a", 20.1, 23.0, "own"),
        read("b", 26.0, 26.1),
        read("lost", 26.0, 26.1),
        read("first", 40.5, 40.6),
        read("c", 40.5, 40.6),
        read("a", 24.0, 24.1, outcome="stale", age=4),
        read(None, 24.0, 24.1, outcome="503"),
    ],
)
def test_what_can_be_is_right(right: Read) -> None:
    assert check([*HISTORY, right], {"r": "first"}).violations == []


def test_a_part_put_back_is_that_parts_alone() -> None:
    history: list[Event] = [Write("r", "a", 10.0, 10.1, "done", ""), Write("s", "b", 10.0, 10.1, "done", "")]
    history.append(Restore(20.0, 21.0, ["r"]))
    first = {"r": "first", "s": "first"}
    right = [read("first", 24.0, 24.1), replace(read("b", 24.0, 24.1), register="s")]
    wrong = [read("a", 24.0, 24.1), replace(read("first", 24.0, 24.1), register="s")]
    assert check([*history, *right], first).violations == []
    assert [violation.read for violation in check([*history, *wrong], first).violations] == wrong


def test_in_the_middle_of_a_restore_rows_may_be_away_and_not_for_longer() -> None:
    errors = [read(None, 40.5, 40.6, outcome=outcome) for outcome in ("401", "404", "500")]
    unknown = read(SIGNED_OUT, 40.5, 40.6, outcome="401")
    assert check([*HISTORY, read(ABSENT, 40.5, 40.6), unknown, *errors], {"r": "first"}).violations == []
    late = [
        read(ABSENT, 41.1 + BOUND, 43.2),
        replace(unknown, sent=43.1, ended=43.2),
        *(replace(error, sent=43.1, ended=43.2) for error in errors),
    ]
    assert len(check([*HISTORY, *late], {"r": "first"}).violations) == len(late)


def test_a_session_is_out_and_in_again() -> None:
    history = [
        Write("r", SIGNED_OUT, 10.0, 10.1, "done", ""),
        Write("r", "a", 20.0, 20.1, "done", ""),
        Write("r", SIGNED_OUT, 30.0, 30.1, "done", ""),
    ]
    right = [read(SIGNED_OUT, at, at + 0.1, outcome="401") for at in (11.0, 21.0, 40.0)] + [read("a", 31.0, 31.1)]
    wrong = [read(SIGNED_OUT, 25.0, 25.1, outcome="401"), read("a", 33.0, 33.1), read("first", 13.0, 13.1)]
    assert check([*history, *right], {"r": "first"}).violations == []
    assert [violation.read for violation in check([*history, *wrong], {"r": "first"}).violations] == wrong


def test_a_process_that_says_nothing_is_told() -> None:
    [violation] = check([*HISTORY, Silence(1, 50.0, 55.2)], {"r": "first"}).violations
    assert str(violation) == "process 1, at 50.0000: it did not answer /livez for 5.2 s"


def test_a_change_that_followers_are_not_told_of_is_told_here() -> None:
    event = Untold(1, "r", 50.0, 57.5, "became 'b', and who follows it holds 'a': told late")
    [violation] = check([*HISTORY, event], {"r": "first"}).violations
    wanted = "r, events of process 1, at 50.0000: it became 'b', and who follows it holds 'a': told late, 7.5 s"
    assert str(violation) == wanted
    told = read("a", 20.2 + BOUND, 22.5, "told")
    assert [one.read for one in check([*HISTORY, told], {"r": "first"}).violations] == [told]


@pytest.mark.alone
@pytest.mark.parametrize("state", ["silent", "ended", "stopped", "well"])
async def test_who_does_not_answer_is_silent_unless_it_was_stopped(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    for name, seconds in (("ANSWERS", 0.1), ("EVERY", 0.05), ("LOOK", 0.02)):
        monkeypatch.setattr(progress, name, seconds)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if state == "well":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    if state == "ended":
        server.close()
    history = History()
    port = server.sockets[0].getsockname()[1] if state != "ended" else free_port()
    world = World([port], [], "", "", history, random.Random(7))
    if state == "stopped":
        world.stopped.add(0)
    watching = asyncio.create_task(progress.Watcher(world, 0).run())
    if state in ("silent", "ended"):
        await until(lambda: history.events)
    else:
        # Nothing should be written, for longer than a watcher takes to see a silence.
        await asyncio.sleep(0.3)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    server.close()
    assert {type(event) for event in history.events} == ({Silence} if state in ("silent", "ended") else set())


async def test_a_run_that_ends_while_a_process_is_stopped_closes_its_connections() -> None:
    stopped, ended = asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        await reader.read()
        ended += 1
        writer.close()

    class Stops:
        async def stop(self, _: int) -> None:
            stopped.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    world = World([server.sockets[0].getsockname()[1]], [], "", "", History(), random.Random(7))
    stopping = asyncio.create_task(stop(Breaking(cast("Site", Stops()), world, world.chance), 0))
    await stopped.wait()
    stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    await until(lambda: ended == LATE)
    server.close()


@pytest.mark.parametrize(
    "wrong",
    [
        read("first", 10.2 + BOUND, 12.3),
        read("a", 9.0, 9.9),  # from the future
        read("a", 20.11, 20.2, "own"),
        read("a", 20.11, 20.2, "required"),
        read("never", 26.2, 26.3),
        read("nobody wrote it", 26.2, 26.3),
        read("lost", 60.0, 60.1),
        read("c", 41.1 + BOUND, 43.2),  # of the lost timeline
        read("first", 50.2, 50.3, "own"),
        read("a", 34.0, 34.1, outcome="stale", age=2),
        read(None, 24.0, 24.1, outcome="500"),
        read(None, 24.0, 39.1, outcome="timeout"),
    ],
)
def test_what_cannot_be_is_told(wrong: Read) -> None:
    assert len(check([*HISTORY, wrong], {"r": "first"}).violations) == 1
