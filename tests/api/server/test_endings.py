"""How an exchange ends where the application fails, the client goes, or the server does: real sockets throughout."""

import asyncio
import logging
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.api.server.applications import body_of, constant, respond
from tests.api.server.wire import GET, LAST, serving
from tests.support.machine import wait_until


async def raising(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError


async def returning(scope: Scope, receive: Receive, send: Send) -> None:
    return


async def telling(scope: Scope, receive: Receive, send: Send) -> Any:
    return 1


async def starting_with_the_body(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.body", "body": b"x"})


@pytest.mark.parametrize("app", [raising, returning, starting_with_the_body])
def test_an_application_that_fails_before_its_answer_is_500(app: ASGIApp, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL), serving(app) as served:
        wire = served.ask(GET)
        assert wire.status() == 500
        assert b"connection: close" in wire.came


async def raising_later(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    raise RuntimeError


async def returning_early(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})


async def starting_twice(scope: Scope, receive: Receive, send: Send) -> None:
    for _ in range(2):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})


@pytest.mark.parametrize(
    "app",
    [
        raising_later,
        returning_early,
        starting_twice,
        telling,
        constant(b"xxx", 200, [(b"content-length", b"5")]),
        constant(b"xxxxxx", 200, [(b"content-length", b"5")]),
        constant(b"xxxxx", 200, [(b"content-length", b"5"), (b"x", b"a\r\nb")]),
    ],
)
def test_an_answer_that_cannot_be_finished_ends_with_the_connection(app: ASGIApp) -> None:
    with serving(app) as served:
        came = served.ask(GET + GET).all()
        assert came.count(b"HTTP/1.1") <= 1
        assert not came.endswith(b"\r\n\r\nxxxxx")


def test_an_answer_is_given_once() -> None:
    raised: list[BaseException] = []

    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"Hello")
        try:
            await send({"type": "http.response.body", "body": b"again"})
        except RuntimeError as error:
            raised.append(error)

    with serving(twice) as served:
        assert b"again" not in served.ask(LAST).all()
    assert len(raised) == 1


@pytest.mark.parametrize("value", [b"plain", b"tab\tand blank", "ñandú".encode(), b"a,b;c=d"])
def test_values_of_an_answer_are_sent_as_they_are(value: bytes) -> None:
    with serving(constant(b"Hello", 200, [(b"content-length", b"5"), (b"X-Value", value)])) as served:
        assert b"\r\nx-value: " + value + b"\r\n" in served.ask(LAST).all()


def test_the_application_hears_that_the_client_is_gone() -> None:
    heard: list[str] = []

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        heard.append((await receive())["type"])
        await respond(send, b"nobody")  # is dropped without an error

    with serving(waiting) as served:
        wire = served.ask(GET)
        wait_until(lambda: served.state.tasks)
        wire.socket.setsockopt(1, 13, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # SO_LINGER: a reset
        wire.socket.close()
        wait_until(lambda: heard)
    assert heard == ["http.disconnect"]


def test_an_application_that_asks_after_its_answer_hears_the_end() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"Hello")
        heard.append((await receive())["type"])

    with serving(app) as served:
        served.ask(LAST).all()
    assert heard == ["http.disconnect"]


def test_draining_leaves_time_for_a_first_byte_and_answers_what_is_under_way() -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await goes_on.wait()
        await respond(send, b"Hello")

    with serving(app) as served:
        silent, between, at_work, asking = (served.connect() for _ in range(4))
        between.send(GET).until(b"Hello")
        asking.send(GET).until(b"Hello")
        at_work.send(GET.replace(b" / ", b" /slow "))
        wait_until(lambda: served.state.tasks)
        served.shutdown()
        assert b"connection: close" in asking.send(GET).all()
        assert b"connection: close" not in between.all()
        assert silent.is_closed()
        assert at_work.came == b""
        served.loop.call_soon_threadsafe(goes_on.set)
        assert b"connection: close" in at_work.all()
        assert at_work.came.endswith(b"Hello")


def test_draining_lets_a_stream_end_and_its_connection_with_it() -> None:
    goes_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"two"})

    with serving(app) as served:
        wire = served.ask(GET)
        wire.until(b"one")
        served.shutdown()
        served.loop.call_soon_threadsafe(goes_on.set)
        assert wire.all().endswith(b"two\r\n0\r\n\r\n")
