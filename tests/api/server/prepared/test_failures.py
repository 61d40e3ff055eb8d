"""A prepared hit that fails, at whatever line: the request is answered once, and whole."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import pytest

from api.server.prepared.hits import Hits
from api.server.prepared.said import said_by
from tests.api.server.prepared.requests import bearer, plain_heads
from tests.api.server.prepared.side_by_side import STATUS, head
from tests.api.server.prepared.situations import Here

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "recognising": said_by,
    "finding": Hits._find,
    "making": Hits._make,
    "noting": Hits._note,
}


class Broken(Exception):
    """What no code of ours raises."""


@contextmanager
def raising(code: CodeType, line: int) -> Iterator[list[int]]:
    """Raise in that line of the function whenever it is reached; the lines that it was raised in."""
    raised: list[int] = []

    def called(frame: FrameType, event: str, _: object) -> Any:
        return at_line if frame.f_code is code else None

    def at_line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and frame.f_lineno == line:
            raised.append(line)
            raise Broken
        return at_line

    before = sys.gettrace()
    sys.settrace(called)
    try:
        yield raised
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_a_failure_at_any_line_is_nobodys_answer(here: Here, name: str) -> None:
    code = FUNCTIONS[name].__code__
    reached = 0
    for line in sorted({line for _, _, line in code.co_lines() if line is not None} - {code.co_firstlineno}):
        here.side.reconnect()
        with raising(code, line) as raised:
            answer = await here.side.prepared.ask(plain_heads(here)[0])
        reached += bool(raised)
        assert STATUS.findall(answer) == [b"HTTP/1.1 200 OK"], f"line {line}"
        body = answer.partition(b"\r\n\r\n")[2]
        assert (body[:1], body[-1:]) == (b"{", b"}"), f"line {line}"
        here.side.failures.clear()
    assert reached > 5


async def test_what_cannot_be_written_ends_the_connection(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> None:
        raise Broken

    started = here.side.prepared.started
    monkeypatch.setattr(here.side.prepared.transport, "write", fail)
    assert await here.side.prepared.ask(plain_heads(here)[0]) == b""
    assert here.side.prepared.transport.is_closed
    assert here.side.prepared.started == started


async def test_an_answer_that_cannot_be_prepared_is_given(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise Broken

    monkeypatch.setattr(here.side.hits.prepared, "prepare", fail)
    answer = await here.side.prepared.ask(head("/v1/dashboard?", bearer(here, here.seed.sant.admin)))
    assert STATUS.findall(answer) == [b"HTTP/1.1 200 OK"]
