"""Every way of sending one request with a body."""

from collections.abc import Callable, Sequence

Lines = Sequence[str]
Way = Callable[[str, Lines, bytes], list[bytes]]
"""The request line's first two words, header lines, a body → the segments to send."""

WISHES: dict[str, Lines] = {
    "no upgrade": (),
    "h2c, as Java's HttpClient": (
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
    ),
    "websocket": ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    "odd case": ("cOnNeCtIoN: keep-alive, uPgRaDe", "uPgRaDe: H2C"),
    "several": ("Upgrade: TLS/1.0, h2c", "Connection: upgrade", "Upgrade: websocket"),
    "unheard of": ("Connection: upgrade,upgrade", "Upgrade: x/1"),
    "an empty one": ("Connection: Upgrade", "Upgrade:"),
    "closing": ("Connection: close, upgrade", "Upgrade: h2c"),
    "not in Connection": ("Upgrade: h2c",),
}
"""What a client may say of another protocol that it would like."""


def head(asked: str, lines: Lines) -> bytes:
    return "\r\n".join([f"{asked} HTTP/1.1", *lines, "", ""]).encode()


def sized(asked: str, lines: Lines, body: bytes) -> tuple[bytes, bytes]:
    return head(asked, [*lines, f"Content-Length: {len(body)}"]), body


def chunked(size: int, extension: str = "", trailers: str = "") -> Way:
    """In chunks of `size` bytes, each a segment, as the head and the end are."""

    def way(asked: str, lines: Lines, body: bytes) -> list[bytes]:
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        chunks = [f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n" for piece in pieces]
        return [head(asked, [*lines, "Transfer-Encoding: chunked"]), *chunks, f"0\r\n{trailers}\r\n".encode()]

    return way


def in_pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


WAYS: dict[str, Way] = {
    "one segment": lambda *request: [b"".join(sized(*request))],
    "head and body": lambda *request: list(sized(*request)),
    "byte by byte": lambda *request: in_pieces(b"".join(sized(*request)), 1),
    "in sevens": lambda *request: in_pieces(b"".join(sized(*request)), 7),
    "half of the head": lambda *request: in_pieces(b"".join(sized(*request)), len(sized(*request)[0]) // 2),
    "chunked": lambda *request: [b"".join(chunked(size=10)(*request))],
    "a chunk a segment": chunked(size=4),
    "chunked byte by byte": lambda *request: in_pieces(b"".join(chunked(size=3)(*request)), 1),
    "with extensions": lambda *request: [b"".join(chunked(size=9, extension=';a="b"')(*request))],
    "with trailers": lambda *request: [
        b"".join(chunked(size=9, trailers="Authorization: Bearer another\r\nHost: another\r\n")(*request))
    ],
    "Expect": lambda asked, lines, body: list(sized(asked, [*lines, "Expect: 100-continue"], body)),
}
