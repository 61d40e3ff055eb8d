"""The bench's load against a server of a few lines: what it counts, and what it takes for an error."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from bench.load.closed import closed_loop, is_whole
from bench.load.heads import Asked, in_turns, repeated, request, through_a_proxy
from bench.load.one import exchanges
from bench.load.open import open_loop

ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\netag: "1"\r\n\r\nyes'
ASKED = [Asked("/right", {}), Asked("/wrong", {})]


@pytest.fixture
def port() -> Iterator[int]:
    """Answers everything with 200, but /wrong with 503; a head in two pieces."""

    def answer(connection: socket.socket) -> None:
        # The load leaves in the middle of an answer.
        with closing(connection), suppress(ConnectionError):
            while head := connection.recv(65536):
                text = ANSWER.replace(b"200 OK", b"503 No") if b"/wrong" in head else ANSWER
                connection.sendall(text[:20])
                connection.sendall(text[20:])

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def is_meant(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200")


def test_a_closed_loop_counts_each_answer_and_each_that_was_not_meant(port: int) -> None:
    right = closed_loop(port, repeated(ASKED[:1], 4), is_meant, seconds=0.05, warm=0.02)
    assert right.answers > 0
    assert right.warmed > 0
    assert right.errors == 0
    both = closed_loop(port, in_turns(ASKED, 4), is_meant, seconds=0.05, warm=0.02)
    assert abs(both.errors - both.answers / 2) <= 4
    assert both.unexpected.startswith(b"HTTP/1.1 503")


def test_an_open_loop_asks_at_its_own_rate(port: int) -> None:
    measured = open_loop(port, repeated(ASKED[:1], 8), is_meant, rate=500, seconds=0.2)
    assert 50 < measured.answers < 200
    assert measured.errors == 0


def test_a_server_that_leaves_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=lambda: listening.accept()[0].close(), daemon=True).start()
        with pytest.raises(ConnectionError):
            closed_loop(listening.getsockname()[1], repeated(ASKED[:1], 1), is_meant, seconds=5, warm=0)


def test_answers_one_by_one_have_their_headers_and_bodies(port: int) -> None:
    answers = list(exchanges(port, [request(each, {}) for each in ASKED]))
    assert [answer.status for answer in answers] == [200, 503]
    assert [answer.body for answer in answers] == [b"yes", b"yes"]
    assert answers[0].header(b"ETag") == '"1"'


def test_an_answer_is_whole_with_all_of_its_body_or_without_any() -> None:
    assert is_whole(ANSWER)
    assert is_whole(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    assert not is_whole(ANSWER[:-1])
    assert not is_whole(ANSWER[:20])


def test_no_two_of_a_browsers_heads_are_alike_and_a_connection_of_its_own_repeats_itself() -> None:
    browser = through_a_proxy(ASKED, 2)
    assert browser[0] is browser[1]
    heads = [next(browser[0]) for _ in range(100)]
    assert len(set(heads)) == 100
    assert all(head.count(b"\r\n") == 18 for head in heads), "the request line, 15 headers, traceparent, and the end"
    own = repeated(ASKED, 2)
    assert next(own[0]) == next(own[0]) != next(own[1])
