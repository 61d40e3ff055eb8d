"""A client that has closed its half of the connection is answered on the other; one that closed it too early is not."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from tests.api.server.applications import body_of, constant, echo, echoed, respond, streaming
from tests.api.server.sending import WAYS, WISHES
from tests.api.server.wire import serving

LINES = ["Host: a", "X-One: 1"]
BODY = b'{"reason": "because"}'


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    body = await body_of(receive)
    # The client has closed its half by now.
    await asyncio.sleep(0.1)
    await respond(send, body or b"")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wish", ["no upgrade", "h2c, as Java's HttpClient"])
def test_whoever_has_sent_everything_is_answered_and_then_the_connection_ends(wish: str, way: str) -> None:
    with serving(slow) as served:
        wire = served.ask(*WAYS[way]("POST /", [*LINES, *WISHES[wish]], BODY)).half_close()
        assert wire.all().endswith(BODY)
        assert b"HTTP/1.1 200 OK" in wire.came


@pytest.mark.parametrize("way", WAYS)
def test_half_a_body_is_no_body(way: str) -> None:
    bodies: list[bytes | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        bodies.append(await body_of(receive))
        await respond(send, b"committed")

    whole = b"".join(WAYS[way]("POST /", LINES, BODY))
    begin = whole.index(b"\r\n\r\n") + 4
    # After the head, in the middle, and where only the end of the body is missing.
    for size in (begin, (begin + len(whole)) // 2, len(whole) - 1):
        with serving(app) as served:
            came = served.ask(whole[:size]).half_close().all()
        assert b"committed" not in came
        assert b"HTTP/1.1 400 " in came
    assert bodies == [None] * 3


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX"])
def test_whoever_has_asked_nothing_is_not_answered(begun: bytes) -> None:
    with serving(echo) as served:
        assert served.ask(begun).half_close().is_closed()


def test_all_that_was_asked_is_answered_in_turn() -> None:
    with serving(slow) as served:
        asked = b"".join(b"".join(WAYS["one segment"]("POST /", LINES, b"body %d" % n)) for n in range(5))
        came = served.ask(asked).half_close().all()
        assert [came.count(b"body %d" % n) for n in range(5)] == [1] * 5
        assert came.endswith(b"body 4")


def test_between_two_requests_it_ends_the_connection() -> None:
    with serving(constant()) as served:
        wire = served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.until(b"Hello")
        assert wire.half_close().all().count(b"HTTP/1.1") == 1


def test_a_stream_is_sent_to_its_end() -> None:
    with serving(streaming(*[b"x" * 100_000] * 50)) as served:
        came = served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").half_close().all()
        assert came.endswith(b"0\r\n\r\n")
        assert came.count(b"x") == 5_000_000


def test_one_that_is_gone_ends_the_work_for_it() -> None:
    left: list[str] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(receive_until_gone(receive))
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)
        left.append(leaving.result())

    async def receive_until_gone(receive: Receive) -> str:
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return str(message["type"])

    with serving(endless) as served:
        wire = served.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.until(b"x")
        wire.socket.close()
        while served.state.connections or not left:
            pass
    assert left == ["http.disconnect"]


async def streamed(scope: Scope, receive: Receive, send: Send) -> None:
    await streaming(b"one", b"two")(scope, receive, send)


@pytest.mark.parametrize("line", ["", "Connection: keep-alive\r\n", "Connection: close\r\n"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection_is_the_end_of_the_body(method: str, line: str) -> None:
    asked = f"{method} / HTTP/1.0\r\n{line}\r\n".encode()
    with serving(streamed) as served:
        head, _, body = served.ask(asked).all().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == (b"onetwo" if method == "GET" else b"")


@pytest.mark.parametrize(("status", "body"), [(200, b"Hello"), (204, b""), (304, b"")])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_http_1_0_is_told_the_length_where_it_is_known(method: str, status: int, body: bytes) -> None:
    headers = [] if status in (204, 304) else [(b"content-length", b"5")]
    with serving(constant(body, status, headers)) as served:
        head, _, came = served.ask(f"{method} / HTTP/1.0\r\n\r\n".encode()).all().partition(b"\r\n\r\n")
    assert (b"content-length: 5" in head) == (status == 200)
    assert b"connection: close" in head
    assert came == (body if method == "GET" else b"")


def test_http_1_0_is_not_told_to_go_on_and_sends_no_chunks() -> None:
    with serving(echo) as served:
        came = served.ask(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab").all()
        assert came.startswith(b"HTTP/1.1 200 OK")
        assert echoed(came)[0]["body"] == "ab"
        assert served.ask(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n").status() == 400


def test_an_application_that_says_chunked_itself_is_not_believed_in_http_1_0() -> None:
    with serving(constant(b"Hello", 200, [(b"Transfer-Encoding", b"chunked")])) as served:
        head, _, body = served.ask(b"GET / HTTP/1.0\r\n\r\n").all().partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"Hello"
