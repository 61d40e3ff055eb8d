"""All checks in their order. A server that is away fails its own, and the others go on."""

from collections.abc import AsyncIterator

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.finding import Check, Finding, Verdict, failed, reason, run, skipped, warning
from core.operations.doctor.servers import certificates, clocks, postgres, redis, timezones
from core.operations.doctor.servers.key_set import look_at_keys
from core.operations.doctor.servers.push import push
from core.operations.doctor.servers.reaching import Ways, reach
from core.operations.doctor.tables import derived, migrations, rollups, triggers, twins, versions
from core.users.accounts import ACTIVE_DEMO_ACCOUNTS

USERS = "Users"
ONE_ACTIVE = "SELECT count(*) FROM app_user WHERE role = 'superuser' AND is_active"

DEACTIVATE = (
    "their password is refused, and published: deactivate them (ticket-home user deactivate), or leave the data"
)


async def examine(addresses: Addresses, *, repair: bool = False) -> AsyncIterator[Finding]:
    """Each finding as soon as it is there. With `repair`, what can be rebuilt is."""
    readings: dict[str, clocks.ClockReading] = {}
    ways = await reach(addresses)
    if isinstance(ways, Finding):
        yield ways
        yield skipped("The database", "not looked at before that is put right")
    else:
        try:
            async for finding in _database(addresses, ways, repair):
                yield finding
            if not ways.direct.is_closed():
                readings["PostgreSQL's is"] = await clocks.database(ways.direct)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            yield failed(postgres.SERVER, f"it went away ({reason(error)})", "see its log")
        finally:
            ways.close()
    async for finding in certificates.looked_at(database=addresses.database_url, redis=addresses.redis_url):
        yield finding
    looked = await redis.look(addresses.redis_url, addresses.cache_prefix)
    for finding in looked.findings:
        yield finding
    if looked.clock is not None:
        readings["Redis's is"] = looked.clock
    if addresses.keys_url is not None:
        yield await look_at_keys(addresses.keys_url)
    if readings:
        yield clocks.compared(readings)


async def _database(addresses: Addresses, ways: Ways, repair: bool) -> AsyncIterator[Finding]:
    connection = ways.direct
    # A pooler's own connections are its configuration's.
    pool_size = 0 if ways.served.is_pooled else addresses.pool_size
    server = await run(postgres.server(pool_size), connection, repair=False)
    yield server
    if ways.finding is not None:
        yield ways.finding
    if addresses.is_production:
        yield await _served(ways, Check(postgres.ENCRYPTION, postgres.look_at_encryption))
    at = await run(Check(migrations.CHECK, migrations.look), connection, repair=False)
    yield at
    if server.verdict is Verdict.FAILED or at.verdict is not Verdict.OK:
        yield skipped("The tables", "not looked at before that is put right")
        return
    yield await _served(ways, Check(postgres.RIGHTS, postgres.look_at_rights))
    for check in postgres.CHECKS:
        yield await run(check, connection, repair=False)
    yield await _tables(ways.direct_url)
    for check in (*triggers.CHECKS, *versions.CHECKS, *derived.CHECKS, *rollups.CHECKS):
        yield await run(check, connection, repair=repair)
    heard_by = push(addresses.listen_url or ways.direct_url, wanted=addresses.push)
    yield await run(heard_by, ways.served, repair=False)
    for check in (*timezones.CHECKS, *twins.CHECKS):
        yield await run(check, connection, repair=False)
    if addresses.is_production and (demo := await connection.fetchval(ACTIVE_DEMO_ACCOUNTS)):
        yield failed(USERS, f"{demo} of the demo's accounts are active in production", DEACTIVATE)
    if not await connection.fetchval(ONE_ACTIVE):
        yield warning(USERS, "no superuser is active", "run ticket-home user create")


async def _served(ways: Ways, check: Check) -> Finding:
    """Of the connection and the role that requests have."""
    async with ways.served.transaction(readonly=True):
        return await run(check, ways.served, repair=False)


async def _tables(url: str) -> Finding:
    try:
        return await migrations.look_at_tables(url)
    except (SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        return failed(migrations.SCHEMA, f"could not be looked at ({type(error).__name__})", "see PostgreSQL's log")
