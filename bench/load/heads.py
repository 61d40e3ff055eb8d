"""Requests as bytes, made before anything is measured."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, repeat
from random import Random

HOST = {"Host": "127.0.0.1"}
# What Chrome sends with a page's fetch, as it comes out of a proxy. Without gzip: ours would be the smaller answer.
BROWSER = {
    "Host": "tickets.example",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.7",
    "sec-ch-ua-platform": '"Windows"',
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0",
    "Accept": "application/json",
    "sec-ch-ua": '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Referer": "https://tickets.example/",
    "Accept-Encoding": "identity",
    "Accept-Language": "es-CL,es;q=0.9",
}
HEADS = 4000
"""Of a browser's, made for one row: so many requests until a `traceparent` comes again."""


@dataclass(frozen=True)
class Asked:
    """What is asked for, and by whom: the headers that say so."""

    target: str
    headers: Mapping[str, str]
    body: object = None
    """JSON, sent with POST; None: a GET."""


def request(asked: Asked, headers: Mapping[str, str]) -> bytes:
    """The request's bytes, with `headers` before its own."""
    sent = dict(headers) | dict(asked.headers)
    body = b""
    if asked.body is not None:
        body = json.dumps(asked.body).encode()
        sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{'GET' if asked.body is None else 'POST'} {asked.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in sent.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def repeated(asked: Sequence[Asked], connections: int) -> list[Iterator[bytes]]:
    """Each connection sends one request again and again, as an application's connection of its own does."""
    return [repeat(request(asked[number % len(asked)], HOST)) for number in range(connections)]


def in_turns(asked: Sequence[Asked], connections: int) -> list[Iterator[bytes]]:
    """All connections send all requests in turns, taken from one row."""
    return [cycle([request(each, HOST) for each in asked])] * connections


def through_a_proxy(asked: Sequence[Asked], connections: int) -> list[Iterator[bytes]]:
    """Browsers' requests by way of a proxy, which sends each on the connection that is free: targets in any order, each
    head with a `traceparent` of its own."""
    rng = Random(1)
    made = []
    for _ in range(HEADS):
        trace = f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01"
        made.append(request(rng.choice(asked), BROWSER | {"traceparent": trace}))
    return [cycle(made)] * connections
