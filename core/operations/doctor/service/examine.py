"""All checks of a running service in their order; what can be compared with the database and the settings is."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import asyncpg

from core.db.connections.connection import APPLICATION, connect
from core.operations.doctor.finding import Finding, failed, skipped
from core.operations.doctor.servers import certificates, clocks
from core.operations.doctor.service import balancer, replicas, ways_in
from core.operations.doctor.service.asking import Service, ServiceAnswer, ServiceRequest, Silence
from core.settings import Settings

SERVICE = "Service"
WITHIN = 3.0
ROWS = "SELECT count(*) FROM cache_version"
BELIEVED = "SELECT ip FROM login_audit WHERE username = $1"
REST = "the rest is not looked at before that is put right"
HALF = 0.5
"""Seconds by which a `Date`, whole seconds, is off on average, and at most."""


async def examine(urls: Sequence[str], settings: Settings) -> AsyncIterator[Finding]:
    """Each finding as soon as it is there. `urls`: of replicas, or of what stands before them."""
    for url in urls:
        try:
            service = Service(url)
        except ValueError as error:
            yield failed(SERVICE, f"{url}: {error}", "give the address of a replica, or of its balancer")
            continue
        async for finding in _one(service, settings):
            yield finding
    async for finding in certificates.looked_at(services=urls):
        yield finding
    if "secret_keys" in settings.model_fields_set:
        yield ways_in.look_at_keys([key.get_secret_value() for key in settings.secret_keys])


async def _one(service: Service, settings: Settings) -> AsyncIterator[Finding]:
    ready = await replicas.many(service, ServiceRequest("/readyz"))
    yield replicas.look_at_readiness(service.url, ready)
    answer = next((one for one in ready if isinstance(one, ServiceAnswer) and one.is_ours), None)
    if answer is None:
        yield skipped(SERVICE, REST)
        return
    token = settings.metrics_token
    bearer = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
    measured = await replicas.many(service, ServiceRequest("/metrics", headers=bearer))
    release = settings.served["release"]
    rows = await _asked(settings, ROWS)
    for finding in replicas.look_at_metrics(service.url, measured, release, rows):
        yield finding
    if any(isinstance(one, Silence) for one in (*ready, *measured)):
        # What hangs would be taken for a balancer that refuses.
        yield skipped(SERVICE, REST)
        return
    yield await balancer.look_at_limits(service)
    yield await balancer.look_at_streams(service)
    yield balancer.look_at_keep_alive(answer, settings.keep_alive_seconds)
    probed = await balancer.probe(service)
    believed = await _asked(settings, BELIEVED, probed.username)
    yield balancer.look_at_addresses(probed, believed, trusts_somebody=bool(settings.trusted_proxies))
    yield await ways_in.look_at_demo(service)
    if (reading := _clock(answer)) is not None:
        yield clocks.compared({f"{service.url}'s is": reading})


def _clock(answer: ServiceAnswer) -> clocks.ClockReading | None:
    try:
        date = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    half = answer.seconds / 2
    return clocks.ClockReading(date.timestamp() + HALF - (answer.began + half), half + HALF)


async def _asked(settings: Settings, query: str, *values: str) -> Any:
    """One value of the database; None where none is configured, or it does not answer."""
    if settings.database_url is None:
        return None
    try:
        connection = await connect(
            settings.require_direct_url(), name=f"{APPLICATION}-doctor", settings={"timezone": "UTC"}, within=WITHIN
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return None
    try:
        return await connection.fetchval(query, *values, timeout=WITHIN)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return None
    finally:
        connection.terminate()
