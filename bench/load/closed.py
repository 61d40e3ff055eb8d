"""A closed loop over plain sockets: each connection asks, waits for the answer, asks again.

One thread around epoll, and no asyncio: what is measured may be nginx, and the load must be quicker than that.
Requests are bytes made beforehand; of an answer the head is looked at and the body's length counted.
"""

import gc
import select
import socket
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter

RECEIVED = 1 << 16
"""Bytes of one recv: more than any answer here has, so that one call gets it."""
SILENCE = 20.0
"""Seconds without any answer, after which the server is taken for hung."""


@dataclass
class Measured:
    """Of one row in one round."""

    seconds: float = 0.0
    times: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds that each answer took, whatever it was."""
    errors: int = 0
    """Answers that were not what was asked for."""
    unexpected: bytes = b""
    """The head of the first of them."""
    warmed: int = 0
    """Answers before, that were not measured."""

    @property
    def answers(self) -> int:
        return len(self.times)

    def note(self, took: float, answer: bytes, is_meant: Callable[[bytes], bool]) -> None:
        self.times.append(took)
        if not is_meant(answer):
            self.errors += 1
            self.unexpected = self.unexpected or answer[: answer.find(b"\r\n\r\n")]


class Asker:
    """One connection and the requests that it sends in turn."""

    __slots__ = ("asked", "held", "receive", "requests", "send")

    def __init__(self, connection: socket.socket, requests: Iterator[bytes]) -> None:
        self.receive, self.send = connection.recv, connection.send
        self.requests = requests
        self.held = b""
        self.asked = 0.0

    def ask(self, now: float) -> None:
        self.asked = now
        # Sent whole: a request is far below a socket's buffer, and the last one was answered.
        self.send(next(self.requests))

    def answer(self) -> bytes:
        """The answer, once it is whole; b"" before. Raises ConnectionError where the server closed."""
        data = self.receive(RECEIVED)
        if not data:
            raise ConnectionError("the server closed a connection")
        if self.held:
            data = self.held + data
        if is_whole(data):
            self.held = b""
            return data
        self.held = data
        return b""


def is_whole(data: bytes) -> bool:
    """Whether an answer has all of its Content-Length. One that names none (204, 304) ends with its head."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return False
    at = data.find(b"content-length: ", 0, end)
    if at < 0:
        at = data.find(b"Content-Length: ", 0, end)
        if at < 0:
            return True
    return len(data) >= end + int(data[at + 16 : data.index(b"\r", at)])


def closed_loop(
    port: int, requests: Sequence[Iterator[bytes]], is_meant: Callable[[bytes], bool], *, seconds: float, warm: float
) -> Measured:
    """As many connections as there are iterators of requests; measured for `seconds` after `warm` of the same.

    Raises ConnectionError where the server closes a connection or is silent.
    """
    with connected(port, requests) as (poll, askers), without_collections():
        now = perf_counter()
        for asker in askers.values():
            asker.ask(now)
        before = _exchange(poll, askers, is_meant, warm)
        measured = _exchange(poll, askers, is_meant, seconds)
    measured.warmed = before.answers
    return measured


@contextmanager
def connected(
    port: int, requests: Sequence[Iterator[bytes]]
) -> Iterator[tuple[Callable[[float], list[tuple[int, int]]], dict[int, Asker]]]:
    """epoll's poll over all connections, and who asks on each, by file descriptor."""
    with ExitStack() as stack:
        askers = {}
        for each in requests:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=SILENCE))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            askers[connection.fileno()] = Asker(connection, each)
        if not hasattr(select, "epoll"):  # macOS: slower with many connections, and what waits counts milliseconds
            poll = select.poll()
            for descriptor in askers:
                poll.register(descriptor, select.POLLIN)
            yield lambda seconds: poll.poll(seconds * 1000), askers
            return
        epoll = stack.enter_context(select.epoll())
        for descriptor in askers:
            epoll.register(descriptor, select.EPOLLIN)
        yield epoll.poll, askers


@contextmanager
def without_collections() -> Iterator[None]:
    """A collection here would show in the server's p99."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _exchange(
    poll: Callable[[float], list[tuple[int, int]]],
    askers: dict[int, Asker],
    is_meant: Callable[[bytes], bool],
    seconds: float,
) -> Measured:
    measured = Measured()
    note = measured.note
    now = started = perf_counter()
    until = started + seconds
    while now < until:
        ready = poll(SILENCE)
        if not ready:
            raise ConnectionError(f"the server answered nothing for {SILENCE:g} s")
        for descriptor, _ in ready:
            asker = askers[descriptor]
            data = asker.answer()
            if not data:
                continue
            now = perf_counter()
            note(now - asker.asked, data, is_meant)
            asker.ask(now)
    measured.seconds = now - started
    return measured
