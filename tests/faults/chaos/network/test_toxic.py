"""The network of the tests' own: it is late, silent, slow or cut as it is told to be, and loses nothing otherwise."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.chaos.network.toxic import ADDRESS, DOWN, MOVED_TO, UP, Toxic
from tests.support import machine

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
opened: list[asyncio.StreamWriter] = []


@pytest.fixture
async def between(tmp_path: Path) -> AsyncIterator[Toxic]:
    """A server behind it says what it hears in capitals, and ends when its client does."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()

    place = tmp_path / "s"
    server = await asyncio.start_unix_server(answer, str(place))
    async with Toxic(place) as made:
        yield made
        for writer in opened:
            writer.close()
        opened.clear()
    server.close()


async def connected(between: Toxic, address: str = ADDRESS) -> Ends:
    ends = await asyncio.open_connection(address, between.port)
    opened.append(ends[1])
    return ends


async def ask(ends: Ends, word: str) -> str:
    ends[1].write(f"{word}\n".encode())
    return (await ends[0].readline()).decode().strip()


@pytest.mark.parametrize("address", [ADDRESS, MOVED_TO])
async def test_what_is_said_arrives_and_so_does_the_end(between: Toxic, address: str) -> None:
    ends = await connected(between, address)
    assert [await ask(ends, word) for word in ("one", "two")] == ["ONE", "TWO"]
    ends[1].write_eof()
    assert await ends[0].read() == b""


@pytest.mark.parametrize("way", [UP, DOWN])
async def test_what_is_held_comes_in_order_once_it_is_mended(between: Toxic, way: str) -> None:
    ends = await connected(between)
    between.ways[way].hold()
    ends[1].write(b"one\ntwo\n")
    asking = asyncio.create_task(ends[0].readexactly(8))
    # Nothing should come.
    await asyncio.sleep(0.2)
    assert not asking.done()
    between.mend()
    assert await asking == b"ONE\nTWO\n"


@pytest.mark.parametrize("way", [UP, DOWN])
async def test_what_is_late_is_late_each_time_and_does_not_add_up(between: Toxic, way: str) -> None:
    ends = await connected(between)
    between.ways[way].delay = 0.3
    began = machine.now()
    for word in (b"one\n", b"two\n", b"three\n"):
        ends[1].write(word)
        await asyncio.sleep(0.02)  # each is late by itself
    assert await ends[0].readexactly(14) == b"ONE\nTWO\nTHREE\n"
    assert 0.3 <= machine.now() - began < machine.bound(0.6, began)


async def test_what_trickles_arrives_whole(between: Toxic) -> None:
    ends = await connected(between)
    between.ways[DOWN].trickles = True
    assert await ask(ends, "twenty-six bytes, and more") == "TWENTY-SIX BYTES, AND MORE"


async def test_a_cut_and_a_half_close_are_told_to_the_client(between: Toxic) -> None:
    for act in (between.cut, between.half_close):
        ends = await connected(between)
        await ask(ends, "one")
        act()
        try:
            assert await ends[0].read() == b""
        except ConnectionResetError:
            assert act == between.cut


async def test_an_address_that_is_abandoned_says_nothing_and_the_other_answers(between: Toxic) -> None:
    ends = await connected(between)
    await ask(ends, "one")
    between.abandon(ADDRESS)
    silent = [asyncio.create_task(ask(each, "two")) for each in (ends, await connected(between))]
    assert await ask(await connected(between, MOVED_TO), "three") == "THREE"
    assert not any(one.done() for one in silent)
    between.mend()
    assert [await one for one in silent] == ["TWO", "TWO"]
