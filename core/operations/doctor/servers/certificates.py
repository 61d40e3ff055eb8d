"""When the certificates end that the service and its servers show: of an address with TLS, PostgreSQL's, Redis's."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509

from core.clock import wall_now
from core.hosts import hosts_of
from core.operations.doctor.finding import Finding, failed, ok, skipped, warning

CHECK = "Certificates"
SOON = timedelta(days=21)
LAST = timedelta(days=3)
"""Longer than a weekend."""
WITHIN = 3.0
REQUEST = bytes.fromhex("0000000804d2162f")
"""PostgreSQL's SSLRequest; `S` comes where it speaks TLS."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that may show a certificate."""

    name: str
    host: str
    port: int
    is_postgres: bool = False


def endpoints(*, services: Sequence[str] = (), database: str | None = None, redis: str | None = None) -> list[Endpoint]:
    """Of the addresses; those that lead to a unix socket, or say that TLS is not used, are left out."""
    found = []
    for url in services:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            found.append(Endpoint(parts.netloc, parts.hostname, parts.port or 443))
    if redis is not None and urlsplit(redis).scheme.startswith("rediss"):
        found += [Endpoint("Redis", *where) for host in hosts_of(redis) if (where := _split(host, 6379))]
    if database is not None and "sslmode=disable" not in database:
        found += [Endpoint("PostgreSQL", *where, True) for host in hosts_of(database) if (where := _split(host, 5432))]
    return found


def _split(host: str, port: int) -> tuple[str, int] | None:
    if host.startswith("/"):
        return None
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname, parts.port or port) if parts.hostname else None
    except ValueError:
        return None  # no address, which another check says


async def looked_at(
    *, services: Sequence[str] = (), database: str | None = None, redis: str | None = None
) -> AsyncIterator[Finding]:
    """A finding for each server of `endpoints` that shows a certificate."""
    for endpoint in endpoints(services=services, database=database, redis=redis):
        found = await look(endpoint)
        if found is not None:
            yield found


async def look(endpoint: Endpoint) -> Finding | None:
    """A warning where its certificate ends SOON, failed where it has ended or does so before LAST is over; None where
    it speaks no TLS, or does not answer."""
    try:
        ends = await asyncio.to_thread(ends_at, endpoint)
    except OSError:
        return None  # it does not answer, which another check says
    except ValueError:
        return skipped(CHECK, f"{endpoint.name}'s cannot be read")
    if ends is None:
        return None
    left = ends - wall_now()
    seen = f"{endpoint.name}'s {'ended' if left < timedelta() else 'ends'} on {ends:%Y-%m-%d %H:%M} UTC"
    if left < LAST:
        return failed(CHECK, seen, "renew it now: nobody connects after that")
    return warning(CHECK, seen, "renew it") if left < SOON else ok(CHECK, seen)


def ends_at(endpoint: Endpoint) -> datetime | None:
    """When the certificate ends that is shown; None where PostgreSQL speaks no TLS. Raises OSError and ValueError."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((endpoint.host, endpoint.port), WITHIN) as plain:
        if endpoint.is_postgres:
            plain.sendall(REQUEST)
            if plain.recv(1) != b"S":
                return None
        with context.wrap_socket(plain, server_hostname=endpoint.host) as secured:
            shown = secured.getpeercert(binary_form=True)
    if shown is None:
        raise ValueError("no certificate is shown")
    return x509.load_der_x509_certificate(shown).not_valid_after_utc.astimezone(UTC)
