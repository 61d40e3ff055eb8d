"""Requests of cached reads, plain ones and all that a client or a proxy could make of them."""

import random
import re
from collections.abc import Sequence

from tests.api.server.prepared.side_by_side import HOST, head
from tests.api.server.prepared.situations import Here

GZIP = "Accept-Encoding: gzip, br"
ETAG = re.compile(rb"etag: (\S+)")
BROWSER = (
    "Connection: keep-alive",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "Accept: application/json",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Accept-Language: es-CL,es;q=0.9",
    f"X-Goog-IAP-JWT-Assertion: eyJhbGciOiJFUzI1NiJ9.{'e' * 600}.{'x' * 86}",
)


def bearer(here: Here, name: str) -> str:
    return f"Authorization: Bearer {here.side.tokens[name]}"


def cookie(here: Here, name: str) -> str:
    return f"Cookie: {here.side.runtime.settings.session_cookie}={here.side.tokens[name]}"


def targets(here: Here) -> list[tuple[str, str]]:
    """(target, who may ask for it)"""
    sant, maga = here.seed.sant, here.seed.maga
    return [
        ("/v1/dashboard", sant.admin),
        (f"/v1/dashboard?clinic_id={sant.id}&date_from=2026-01-01", here.seed.superuser),
        ("/v1/dashboard", here.seed.superuser),
        ("/v1/dashboard", maga.admin),
        ("/v1/specialties", sant.viewer),
        ("/v1/doctors?include_inactive=true", sant.admin),
        ("/v1/clinics", here.seed.superuser),
    ]


def plain_heads(here: Here) -> list[bytes]:
    """One of each target and credential, with and without compression."""
    return [
        head(target, who, *more)
        for target, name in targets(here)
        for who in (bearer(here, name), cookie(here, name))
        for more in ((), (GZIP, *BROWSER))
    ]


def parameters(here: Here, etag: str) -> list[str]:
    future = here.side.runtime.version_header.format([(here.seed.sant.id, "users", 1)])
    return [
        f"If-None-Match: {etag}",
        f"If-None-Match: {etag.removeprefix('W/')}",
        f'If-None-Match: "x", {etag}',
        "If-None-Match: *",
        'If-None-Match: W/"000000000000000000000000"',
        f"Cache-Version: {here.sent_back or future}",
        "Cache-Version: 1/figures=999999.0000000000000000",
        "X-Request-ID: of-a-proxy.7",
        "X-Request-ID: not well formed",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ]


def odd(here: Here, etag: str) -> list[str]:
    """Lines that must leave the request to the routes, or are refused."""
    sant = here.seed.sant
    return [
        "Content-Length: 0",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Upgrade: websocket",
        "Connection: close",
        "Connection: Upgrade",
        "Connection: keep-alive, x",
        "Proxy-Connection: close",
        "Range: bytes=0-1",
        "Sec-Fetch-Site: cross-site",
        "Origin: https://elsewhere.example",
        "Accept-Encoding: identity",
        "Accept-Encoding: gzip;q=0",
        bearer(here, sant.viewer),
        bearer(here, here.seed.maga.admin),
        cookie(here, here.seed.maga.admin),
        "Authorization: Basic Zm9vOmJhcg==",
        "Authorization: Bearer of-nobody",
        "Host: other.example",
        "Host: not a host",
        "X-Request-ID: twice",
        f"If-None-Match: {etag}",
        "Content-Type: application/json",
        "Idempotency-Key: a",
        "X-Odd: caf\xe9",
        "X-Odd:\tx",
        "X Odd: x",
        "X-Odd : x",
        "X-Empty:",
        " folded: x",
    ]


def at_random(here: Here, dice: random.Random, etag: str) -> Sequence[bytes]:
    """Segments of one request or several."""
    target, name = dice.choice(targets(here))
    target = dice.choice([*[target] * 4, target.replace("dashboard", "d%61shboard"), target + "#x", target + "&"])
    who = dice.choice([bearer, bearer, cookie])(here, dice.choice([name, name, name, *here.side.tokens]))
    lines = [who, *dice.choice([(), (GZIP,), (GZIP, *BROWSER)])]
    lines += dice.sample(parameters(here, etag), dice.choice([0, 0, 1, 2]))
    if dice.random() < 0.4:
        lines += dice.sample(odd(here, etag), dice.choice([1, 1, 2]))
    if dice.random() < 0.3:
        dice.shuffle(lines)
    if dice.random() < 0.2:
        lines = [dice.choice([str.lower, str.upper])(name) + rest for name, rest in map(parted, lines)]
    method = "GET" if dice.random() < 0.9 else dice.choice(["HEAD", "OPTIONS", "get", "POST", "DELETE"])
    version = "1.1" if dice.random() < 0.95 else dice.choice(["1.0", "2.0", "0.9"])
    host = HOST if dice.random() < 0.95 else dice.choice(["", "Host: a b", "host:clinic.example", "HOST: [::1]:80"])
    return cut(dice, head(target, *lines, method=method, version=version, host=host))


def parted(line: str) -> tuple[str, str]:
    """A header's name, and what follows it."""
    at = line.find(":")
    return line[:at], line[at:]


def cut(dice: random.Random, one: bytes) -> Sequence[bytes]:
    how = dice.random()
    if how < 0.75:
        return [one]
    if how < 0.85:
        at = dice.randrange(1, len(one))
        return [one[:at], one[at:]]
    if how < 0.9:
        return [one + one]
    if how < 0.93:
        return [one + b"\r\n", one]
    if how < 0.96:
        return [one.replace(b"\r\n", b"\n")]
    # A body that is, byte for byte, a head that is prepared.
    line = f"Content-Length: {len(one)}"
    return [head("/v1/auth/logout", line, method="POST"), one, one]
