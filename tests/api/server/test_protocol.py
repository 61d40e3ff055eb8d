"""HTTP/1.1 as the protocol has to speak it: the cases of uvicorn's own tests of its protocols, over real sockets."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from tests.api.server.applications import Lines, body_of, constant, echo, echoed, respond, streaming
from tests.api.server.wire import GET, LAST, POST, Served, serving
from tests.support.machine import wait_until


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(echo) as one:
        yield one


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
def test_methods_are_the_applications_business(served: Served, method: str) -> None:
    assert echoed(served.ask(LAST.replace(b"GET", method.encode())).all())[0]["method"] == method


def test_a_head_is_answered_without_a_body(served: Served) -> None:
    head, _, body = served.ask(LAST.replace(b"GET", b"HEAD")).all().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"content-length: " in head
    assert body == b""


@pytest.mark.parametrize(
    ("target", "path", "raw_path", "query"),
    [
        ("/", "/", "/", ""),
        ("/one%2Ftwo", "/one/two", "/one%2Ftwo", ""),
        ("/ni%C3%B1o?a=%C3%B1&b", "/niño", "/ni%C3%B1o", "a=%C3%B1&b"),
        ("/?", "/", "/", ""),
        ("//a/b", "//a/b", "//a/b", ""),
    ],
)
def test_path_and_query_are_told_as_sent(served: Served, target: str, path: str, raw_path: str, query: str) -> None:
    one = echoed(served.ask(LAST.replace(b" / ", f" {target} ".encode())).all())[0]
    assert (one["path"], one["raw_path"], one["query"]) == (path, raw_path, query)


def test_the_application_hears_where_it_is_mounted_and_who_asks() -> None:
    with serving(echo, root_path="/app") as served:
        one = echoed(served.ask(LAST.replace(b" / ", b" /x ")).all())[0]
    assert (one["root_path"], one["path"], one["raw_path"], one["client"]) == ("/app", "/app/x", "/app/x", "127.0.0.1")


def test_names_are_lower_case_and_repetitions_stay(served: Served) -> None:
    one = echoed(served.ask(LAST.replace(b"\r\n\r\n", b"\r\nX-A: 1\r\nx-a:  2 \r\nX-B:\r\n\r\n")).all())[0]
    assert one["headers"] == [["host", "a"], ["connection", "close"], ["x-a", "1"], ["x-a", "2"], ["x-b", ""]]


@pytest.mark.parametrize(
    "asked",
    [
        b"nonsense\r\n\r\n",
        b"GET /\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: a\r\n\r\n",
        b"GET / FTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xc3\xb1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\x00z\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_ends(served: Served, asked: bytes) -> None:
    wire = served.ask(asked)
    assert wire.status() in (400, 505)
    assert b"connection: close" in wire.came
    assert b"application/problem+json" in wire.came
    assert echoed(wire.came) == []


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: 3, 3",
        b"Content-Length: +3",
        b"Content-Length: -3",
        b"Content-Length: 0x3",
        b"Content-Length: 3 3",
        b"Content-Length:",
        b"Content-Length: 99999999999999999999999",
        b"Content-Length : 3",
        b"Transfer-Encoding: chunked, gzip",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, chunked",
        b"Transfer-Encoding:\x0bchunked",
        b'Transfer-Encoding: "chunked"',
        b"Transfer-Encoding:",
        b"Transfer-Encoding: chunked\r\n Content-Length: 3",
    ],
)
@pytest.mark.parametrize("upgrade", [b"", b"Connection: upgrade\r\nUpgrade: h2c\r\n"])
def test_a_body_whose_end_others_could_see_elsewhere_is_refused(served: Served, lines: bytes, upgrade: bytes) -> None:
    wire = served.ask(POST + upgrade + lines + b"\r\n\r\n0\r\n\r\n" + SMUGGLED)
    assert wire.status() == 400
    assert echoed(wire.came) == []
    assert wire.came.count(b"HTTP/1.1 400") == 1
    assert b"HTTP/1.1 200" not in wire.came


@pytest.mark.parametrize(
    "chunks",
    [
        *(
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"+3\r\nabc\r\n0\r\n\r\n",
            b"-3\r\nabc\r\n0\r\n\r\n",
            b"\r\n0\r\n\r\n",
            b"g\r\nabc\r\n",
        ),
        *(b"3\nabc\r\n0\r\n\r\n", b"3\r\nabc\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"3 \r\nabc\r\n0\r\n\r\n"),
        *(
            b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
            b"3;a\nb\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabc\r\n0\r\nno colon\r\n\r\n",
        ),
    ],
)
def test_chunks_that_are_none_are_refused_and_the_application_gets_no_body(chunks: bytes) -> None:
    bodies: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append(await body_of(receive))
        await respond(send, b"committed")

    with serving(app) as served:
        wire = served.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        wait_until(lambda: served.state.tasks)
        wire.send(chunks + SMUGGLED)
        assert wire.status() == 400
        assert b"committed" not in wire.came
    assert bodies == [None]


@pytest.mark.parametrize(
    "wrong", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", POST + b"Content-Length: 3\r\n\r\na"]
)
def test_a_refusal_comes_after_the_answers_to_what_was_asked_before(wrong: bytes) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        # What is refused has come by now.
        await asyncio.sleep(0.05)
        await respond(send, b"done" if body is not None else b"nobody reads this")

    with serving(slow) as served:
        came = served.ask(GET, GET + wrong).half_close().all()
    assert [part[:3] for part in came.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]
    assert came.count(b"done") == 2


def test_a_connection_is_kept_and_requests_in_a_row_are_answered_in_turn(served: Served) -> None:
    wire = served.connect()
    for number in range(3):
        wire.send(GET.replace(b" / ", b" /%d " % number)).until(b"}\n", times=number + 1)
    asked = b"".join(GET.replace(b" / ", b" /%d " % number) for number in range(3, 6))
    assert [one["path"] for one in echoed(wire.send(asked + LAST).all())] == [*(f"/{n}" for n in range(6)), "/"]


def test_pipelined_requests_wait_while_one_is_answered() -> None:
    at_work: list[str] = []

    async def one_at_a_time(scope: Scope, receive: Receive, send: Send) -> None:
        at_work.append(scope["path"])
        assert len(at_work) == 1
        # Those behind it have come by now.
        await asyncio.sleep(0.02)
        at_work.clear()
        await respond(send, scope["path"].encode())

    with serving(one_at_a_time) as served:
        came = served.ask(b"".join(GET.replace(b" / ", b" /%d " % n) for n in range(5)) + LAST).all()
        assert [came.index(b"\r\n\r\n/%d" % n) for n in range(5)] == sorted(
            came.index(b"\r\n\r\n/%d" % n) for n in range(5)
        )


def test_nothing_is_read_after_a_request_that_says_close(served: Served) -> None:
    assert [one["path"] for one in echoed(served.ask(LAST + SMUGGLED).all())] == ["/"]


@pytest.mark.parametrize("value", [b"close", b"Close", b"x, close"])
def test_an_application_may_end_the_connection(value: bytes) -> None:
    with serving(constant(b"Hello", 200, [(b"content-length", b"5"), (b"connection", value)])) as served:
        assert served.ask(GET + GET).all().count(b"Hello") == 1


@pytest.mark.parametrize("headers", [[], [(b"transfer-encoding", b"chunked")]])
def test_an_answer_of_unknown_length_is_chunked(headers: Lines) -> None:
    with serving(constant(b"Hello", 200, headers)) as served:
        came = served.ask(GET + LAST).all()
    assert came.count(b"transfer-encoding: chunked") == 2
    assert came.count(b"\r\n\r\n5\r\nHello\r\n0\r\n\r\n") == 2


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_not_chunked(status: int) -> None:
    with serving(constant(b"", status, [])) as served:
        came = served.ask(GET + LAST).all()
    assert came.count(b"HTTP/1.1 %d" % status) == 2
    assert b"chunked" not in came


def test_a_head_of_an_answer_of_unknown_length_has_no_body() -> None:
    with serving(streaming(b"one", b"two")) as served:
        head, _, body = served.ask(LAST.replace(b"GET", b"HEAD")).all().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_a_large_answer_is_sent_whole() -> None:
    with serving(streaming(*[b"x" * 200_000] * 25)) as served:
        wire = served.ask(LAST)
        time.sleep(0.1)  # the buffers are full meanwhile
        assert wire.all().count(b"x") == 5_000_000


def test_a_large_body_is_read_as_the_application_takes_it() -> None:
    largest: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
            largest.append(len(message["body"]))
            await asyncio.sleep(0.001)  # more slowly than it comes
        await respond(send, str(size).encode())

    body = b"x" * 10_000_000
    with serving(app) as served:
        wire = served.ask(POST + b"Content-Length: %d\r\n\r\n" % len(body), body, LAST)
        assert b"\r\n\r\n10000000" in wire.all()
    assert max(largest) < 1_000_000


@pytest.mark.parametrize("expects", [b"", b"Expect: 100-continue\r\n"])
def test_whoever_is_answered_before_the_body_has_come_is_told_that_it_ends(expects: bytes) -> None:
    """The client may send the body or not: nobody could say where the next head begins."""
    with serving(constant()) as served:
        wire = served.ask(POST + expects + b"Content-Length: 1000\r\n\r\n")
        assert b"connection: close" in wire.until(b"Hello")
        wire.send(SMUGGLED)
        assert wire.all().count(b"HTTP/1.1") == 1


def test_an_answer_reaches_whoever_still_sends() -> None:
    """Closing at once would reset the connection, and take the answer along."""
    with serving(constant()) as served:
        wire = served.ask(POST + b"Content-Length: 3000000\r\n\r\n")
        wire.send(*[b"x" * 100_000] * 30)
        assert wire.all().endswith(b"Hello")


def test_nobody_reads_on_for_ever_after_the_answer() -> None:
    with serving(constant()) as served:
        wire, sent = served.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n"), 0
        try:
            while sent < 500_000_000:
                wire.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        except ConnectionError:
            pass
        assert sent < 500_000_000
