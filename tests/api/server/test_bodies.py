"""A body is read as it was sent, however it was sent, and whatever else its head wishes."""

from collections.abc import Iterator

import pytest

from tests.api.server.applications import echo, echoed
from tests.api.server.sending import WAYS, WISHES, in_pieces
from tests.api.server.wire import Served, serving

HOST = "Host: clinic.example"
BODY = b'{"discharged_at": "2026-11-28T10:00:00Z", "like a head": "GET /another HTTP/1.1\\r\\n\\r\\n"}'
NEXT = b"GET /next HTTP/1.1\r\nHost: clinic.example\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(echo) as one:
        yield one


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wish", WISHES)
def test_a_body_is_read_whatever_protocol_the_client_would_like(
    served: Served, wish: str, way: str, method: str
) -> None:
    segments = WAYS[way](f"{method} /tickets?a=b", [HOST, "X-Before: 1", *WISHES[wish], "X-After: 2"], BODY)
    answers = echoed(served.ask(*segments, NEXT).all())
    first = answers[0]
    assert (first["method"], first["path"], first["query"]) == (method, "/tickets", "a=b")
    assert first["body"] == BODY.decode()
    names = [(name, value) for name, value in first["headers"] if name in ("host", "x-before", "x-after")]  # type: ignore[attr-defined]
    assert names == [("host", "clinic.example"), ("x-before", "1"), ("x-after", "2")]
    assert [one["path"] for one in answers[1:]] == ([] if wish == "closing" else ["/next"])


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize("wish", WISHES)
def test_requests_that_follow_at_once_are_read_each_for_itself(served: Served, wish: str, size: int) -> None:
    if wish == "closing":
        pytest.skip("none follows")
    bodies = [BODY, b"", b"x" * 20_000, BODY]
    one_after_another = b"".join(
        b"".join(WAYS[way](f"POST /{number}", [HOST, *WISHES[wish]], body))
        for number, (way, body) in enumerate(
            zip(("one segment", "chunked", "chunked", "one segment"), bodies, strict=True)
        )
    )
    answers = echoed(served.ask(*in_pieces(one_after_another + NEXT, size)).all())
    assert [(one["path"], one["body"]) for one in answers] == [
        *((f"/{number}", body.decode()) for number, body in enumerate(bodies)),
        ("/next", ""),
    ]


def test_a_thousand_requests_in_one_segment_are_answered_in_turn(served: Served) -> None:
    asked = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(1000))
    answers = echoed(served.ask(asked + NEXT).all())
    assert [one["path"] for one in answers] == [*(f"/{number}" for number in range(1000)), "/next"]


@pytest.mark.parametrize("target", ["a.example:443", "127.0.0.1:80", "/", "http://a.example/"])
def test_connect_is_refused_and_what_follows_it_is_no_request(served: Served, target: str) -> None:
    came = served.ask(f"CONNECT {target} HTTP/1.1\r\n{HOST}\r\n\r\n".encode() + NEXT).all()
    assert came.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nallow: GET, HEAD" in came
    assert echoed(came) == []


def test_who_expects_it_is_told_to_go_on_and_who_is_answered_before_is_told_that_it_ends(served: Served) -> None:
    head, body = WAYS["Expect"]("POST /", [HOST], BODY)
    wire = served.ask(head)
    wire.until(b"100 Continue\r\n\r\n")
    wire.send(body, NEXT)
    assert [one["body"] for one in echoed(wire.all())] == [BODY.decode(), ""]
