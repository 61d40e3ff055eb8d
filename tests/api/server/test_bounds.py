"""What nobody has signed in for is bounded: in bytes, in time, in connections."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from api.server.bounds import AT_LEAST, most_connections
from tests.api.server.applications import body_of, constant, echo, echoed, respond
from tests.api.server.wire import Served, Wire, serving
from tests.support.machine import wait_until

LIMIT = 32768
MEBIBYTE = 1024 * 1024
HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SOON = 0.3
"""Seconds; all others are long, so that what ends has met this one."""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(echo) as one:
        yield one


def head_of(size: int) -> bytes:
    """A whole head of so many bytes."""
    start = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [LIMIT // 4, 8191, 8192, 8193, LIMIT - 1, LIMIT])
@pytest.mark.parametrize("segment", [1000, 8192, 100_000])
def test_a_head_up_to_the_limit_is_read(served: Served, size: int, segment: int) -> None:
    head = head_of(size)
    wire = served.ask(*(head[at : at + segment] for at in range(0, size, segment)))
    assert echoed(wire.all())[0]["path"] == "/x"


HUGE = {
    "one byte too many": head_of(LIMIT + 1),
    "one header": head_of(2 * LIMIT),
    "one header without an end": head_of(2 * LIMIT)[:-4],
    "a header's name": HEAD + b"x" * LIMIT,
    "many tiny headers": HEAD + b"a:\r\n" * LIMIT,
    "many headers": HEAD + b"".join(b"x-%d: %d\r\n" % (n, n) for n in range(LIMIT)),
    "blanks before a value": HEAD + b"x:" + b" " * LIMIT + b"y\r\n\r\n",
    "the target": b"GET /" + b"x" * LIMIT + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "the query": b"GET /?" + b"x" * LIMIT,
    "a cookie": HEAD + b"Cookie: " + b"a=b; " * LIMIT,
    "line ends before it": b"\r\n" * LIMIT,
    "one chunk's extension": CHUNKED + b"1;" + b"x" * 2 * LIMIT,
    "many chunks' extensions": CHUNKED + (b"1;" + b"x" * 100 + b"\r\ny\r\n") * 1000,
    "a trailer": CHUNKED + b"1\r\nx\r\n0\r\nX: " + b"x" * 2 * LIMIT,
    "many trailers": CHUNKED + b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * LIMIT,
    "an upgrade's": HEAD + b"Connection: upgrade\r\nUpgrade: " + b"h2c, " * LIMIT,
}


@pytest.mark.parametrize("segment", [700, 9000, 10 * MEBIBYTE])
@pytest.mark.parametrize("kind", HUGE)
def test_a_larger_one_is_refused(served: Served, kind: str, segment: int) -> None:
    wire, huge = served.connect(), HUGE[kind]
    for at in range(0, len(huge), segment):
        try:
            wire.send(huge[at : at + segment])
        except ConnectionError:
            break
    assert wire.status() == 431
    assert b"connection: close" in wire.came
    assert b'"code":"headers_too_large"' in wire.came


@pytest.mark.parametrize("begins", [b"x", b"GET /", HEAD, HEAD + b"x: ", CHUNKED + b"1;", CHUNKED + b"0\r\nx: "])
def test_what_has_no_end_is_not_read_on(served: Served, begins: bytes) -> None:
    """The server takes what the kernel's buffers hold, and closes: it does not wait until the client tires."""
    wire, sent = served.ask(begins), 0
    with suppress(ConnectionError):
        while sent < 500 * MEBIBYTE:
            wire.send(b"y" * MEBIBYTE)
            sent += MEBIBYTE
    assert sent < 500 * MEBIBYTE


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_body_in_tiny_chunks_is_read(served: Served, size: int) -> None:
    body = b"x" * 70_000
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, body[at : at + size]) for at in range(0, len(body), size))
    assert echoed(served.ask(CHUNKED + chunks + b"0\r\n\r\n").half_close().all())[0]["body"] == body.decode()


def test_trailers_are_no_headers(served: Served) -> None:
    wire = served.ask(CHUNKED + b"1\r\nx\r\n0\r\nAuthorization: Bearer a\r\nX: y\r\n\r\n").half_close()
    assert [name for name, _ in echoed(wire.all())[0]["headers"]] == ["host", "transfer-encoding"]  # type: ignore[attr-defined]


def test_half_a_head_is_answered_408_in_time() -> None:
    with serving(echo, head=SOON) as served:
        begun = (b"G", b"GET /x HT", HEAD, HEAD[:-1], HEAD + b"X-Half", b"GET /x HTTP/1.1\r\n")
        for wire in [served.ask(one) for one in begun]:
            assert wire.status() == 408
            assert b"connection: close" in wire.came


def test_a_client_that_says_nothing_is_left_without_a_word() -> None:
    with serving(echo, head=SOON) as served:
        assert served.connect().is_closed()
        assert served.ask(b"\r\n").is_closed()


HALF_BODIES = [
    HEAD + b"Content-Length: 5\r\n\r\n",
    HEAD + b"Content-Length: 5\r\n\r\nabcd",
    CHUNKED,
    CHUNKED + b"5\r\nabcde\r\n",
]


def test_half_a_body_is_answered_408_in_time_and_the_application_has_none() -> None:
    bodies: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append(await body_of(receive))
        await respond(send, b"done")

    with serving(app, body=SOON) as served:
        wires = [served.ask(begun) for begun in HALF_BODIES]
        assert [wire.status() for wire in wires] == [408] * len(wires)
    assert bodies == [None] * len(wires)


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_byte_now_and_then_buys_no_time(part: str) -> None:
    with serving(echo, head=5 * SOON if part == "head" else 30, body=5 * SOON if part == "body" else 30) as served:
        wire = served.ask(HEAD if part == "head" else HEAD + b"Content-Length: 100000\r\n\r\n")
        sent = 0
        with suppress(ConnectionError):
            while sent < 1000:
                wire.send(b"x")
                sent += 1
                # The client sends slowly: a byte at a time.
                time.sleep(SOON / 10)
        assert 10 < sent < 1000
        assert wire.status() == 408


def test_an_idle_connection_is_closed_after_keep_alive_and_not_before() -> None:
    """`head` is over long before."""
    asked = (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED + b"0\r\n\r\n")
    with serving(constant(), keep_alive=2.0, head=SOON) as served:
        wires = [served.ask(one) for one in asked]
        for wire in wires:
            wire.until(b"Hello")
        began = time.monotonic()
        # Idle for longer than a head may take, and shorter than a connection is kept.
        time.sleep(3 * SOON)
        for wire, one in zip(wires, asked, strict=True):
            wire.send(one)
        for wire in wires:
            wire.until(b"Hello", times=2)
        assert [wire.all().count(b"HTTP/1.1") for wire in wires] == [2, 2]
        assert time.monotonic() - began > 2.0


def test_time_stands_still_while_the_application_works() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        # Longer than any of the bounds below.
        await asyncio.sleep(3 * SOON)
        await respond(send, str(len(await body_of(receive) or b"")).encode())

    body = b"x" * MEBIBYTE
    with serving(slow, keep_alive=SOON, head=SOON, body=SOON) as served:
        for part in (b"", body):
            assert (
                served.ask(HEAD + b"Content-Length: %d\r\n\r\n" % len(part), part)
                .all()
                .endswith(str(len(part)).encode())
            )


@pytest.mark.parametrize("is_last", [True, False])
def test_an_answer_that_nobody_takes_ends(is_last: bool) -> None:
    over: list[bool] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % (64 * MEBIBYTE))]}
        )
        for number in range(64):
            await send({"type": "http.response.body", "body": b"x" * MEBIBYTE, "more_body": number < 63})
        over.append(True)

    line = b"Connection: close\r\n" if is_last else b""
    with serving(endless, body=SOON) as served:
        wire = served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n")
        wait_until(lambda: over and not served.state.connections)
        assert len(wire.all()) < 64 * MEBIBYTE


def test_whoever_takes_an_answer_slowly_but_takes_it_gets_it_all() -> None:
    async def long(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"x" * 64 * MEBIBYTE)

    with serving(long, body=1.0) as served:
        wire, size, began = served.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 0, time.monotonic()
        while part := wire.socket.recv(MEBIBYTE):
            size += len(part)
            # The client takes it slowly.
            time.sleep(0.03)
        assert size > 64 * MEBIBYTE
        assert time.monotonic() - began > 1.0


def by_the_loops_clock() -> None:
    """What comes next is later: the loop's clock counts milliseconds."""
    time.sleep(0.01)


def used(wire: Wire) -> Wire:
    wire.until(b"done")
    wire.came = b""
    by_the_loops_clock()
    return wire


def test_the_oldest_idle_connection_makes_room_and_those_at_work_stay() -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await goes_on.wait()
        await respond(send, b"done")

    asked = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    with serving(app, connections=4) as served:
        at_work = [served.ask(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(2)]
        first, second = served.connect(), served.connect()
        for wire in (first, second, first):
            used(wire.send(asked))
        third = used(served.ask(asked))
        assert second.is_closed()  # `first` was used after it
        fourth = used(served.connect().send(asked)).send(HEAD)  # half a head is idle, too
        by_the_loops_clock()
        assert first.is_closed()
        used(served.ask(asked))
        assert third.is_closed()
        used(served.ask(asked))
        assert fourth.is_closed()
        assert [wire.came for wire in at_work] == [b"", b""]
        served.loop.call_soon_threadsafe(goes_on.set)
        for wire in at_work:
            assert wire.until(b"done").startswith(b"HTTP/1.1 200")


def test_where_all_are_at_work_the_newcomer_is_told_to_come_again() -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    with serving(never, connections=2) as served:
        asked = [served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(2)]
        wait_until(lambda: len(served.state.tasks) == 2)
        newcomer = served.connect()
        assert newcomer.status() == 503
        assert b"retry-after" in newcomer.came
        assert len(asked) == 2


@pytest.mark.parametrize(
    ("descriptors", "most"), [(1024, 1024 - 148), (524288, 524288 - 148), (256, 128), (20, AT_LEAST)]
)
def test_clients_get_the_descriptors_that_nothing_else_needs(descriptors: int, most: int) -> None:
    assert most_connections(descriptors, 148) == most
