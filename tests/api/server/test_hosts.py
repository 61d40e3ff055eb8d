"""Whom a request asks: one Host, and one that could be one."""

from collections.abc import Iterator

import pytest

from tests.api.server.applications import echo, echoed
from tests.api.server.wire import Served, serving

GOOD = [
    *("a", "clinic.example", "clinic.example.", "clinic.example:8000", "clinic.example:", "127.0.0.1", "127.0.0.1:80"),
    *(
        "[::1]",
        "[::1]:8000",
        "[2001:db8::1]",
        "[::ffff:127.0.0.1]:1",
        "[v1.fe:d]",
        "xn--clnica-5va.example",
        "a_b",
        "a,b",
        "A%41",
    ),
]
BAD = [
    *(
        "",
        "a b",
        "a, b",
        "a/b",
        "a@b",
        "user:pw@b",
        "a:b",
        "a:80:80",
        "::1",
        "[::1",
        "[::1]x",
        "[:::1]",
        "[]",
        "[a]",
        "[1.2.3.4]",
    ),
    *("a%4", "a%zz", "a?b", "a#b", "a\\b", "<a>", "a|b", '"a"', "a:-1", "a:+1", "a:999999", "http://a", "ñ", "a\x7f"),
]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(echo) as one:
        yield one


def ask(served: Served, *lines: str, target: str = "/x", version: str = "1.1", method: str = "GET") -> bytes:
    head = "\r\n".join([f"{method} {target} HTTP/{version}", "Connection: close", *lines, "", ""])
    return served.ask(head.encode()).all()


def is_refused(came: bytes) -> bool:
    return came.startswith(b"HTTP/1.1 400 ") and b"application/problem+json" in came and echoed(came) == []


@pytest.mark.parametrize("name", ["Host", "host", "hOST"])
@pytest.mark.parametrize("host", GOOD)
def test_a_host_is_taken(served: Served, host: str, name: str) -> None:
    assert ["host", host] in echoed(ask(served, f"{name}: {host}"))[0]["headers"]  # type: ignore[operator]


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("host", BAD)
def test_what_is_no_host_is_refused(served: Served, host: str, version: str) -> None:
    assert is_refused(ask(served, f"Host: {host}", version=version))


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("second", ["a", "b", ""])
def test_two_hosts_are_refused_even_where_they_are_one(served: Served, second: str, version: str) -> None:
    assert is_refused(ask(served, "Host: a", f"host: {second}", version=version))
    assert is_refused(ask(served, "Host: a", "X: y", f"HOST: {second}", version=version))


def test_no_host_is_refused_but_in_http_1_0(served: Served) -> None:
    assert is_refused(ask(served))
    assert echoed(ask(served, version="1.0"))[0]["path"] == "/x"


@pytest.mark.parametrize("upgrade", [(), ("Connection: upgrade", "Upgrade: h2c")])
def test_a_wish_for_another_protocol_spares_nobody_the_host(served: Served, upgrade: tuple[str, ...]) -> None:
    assert is_refused(ask(served, *upgrade))
    assert is_refused(ask(served, "Host: a", *upgrade, "Host: a"))


@pytest.mark.parametrize(
    ("target", "host", "path", "query"),
    [
        ("http://b.example/y?z", "b.example", "/y", "z"),
        ("HTTPS://b.example:1/y", "b.example:1", "/y", ""),
        ("http://b.example", "b.example", "/", ""),
        ("http://b.example?z", "b.example", "/", "z"),
        ("http://[::1]:80/%20y", "[::1]:80", "/ y", ""),
    ],
)
def test_a_whole_address_names_the_host_itself(served: Served, target: str, host: str, path: str, query: str) -> None:
    one = echoed(ask(served, "Host: a", target=target))[0]
    assert [value for name, value in one["headers"] if name == "host"] == [host]  # type: ignore[attr-defined]
    assert (one["path"], one["query"]) == (path, query)
    assert is_refused(ask(served, target=target))  # Host is needed all the same


@pytest.mark.parametrize(
    "target", ["http:///x", "http://u@b/x", "http://a b/x", "http://b:x/", "ftp://b/x", "*", "b/x", "http://[::1/x"]
)
def test_a_target_that_is_no_address_of_ours_is_refused(served: Served, target: str) -> None:
    assert is_refused(ask(served, "Host: a", target=target))


def test_the_server_itself_may_be_asked_for_its_options(served: Served) -> None:
    assert echoed(ask(served, "Host: a", target="*", method="OPTIONS"))[0]["path"] == "*"
