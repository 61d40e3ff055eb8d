"""All checks in their order. A server that is away fails its own, and the others go on."""

from collections.abc import AsyncIterator

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from core.db.copying import Connection
from core.db.engine import SERVER_SETTINGS
from core.doctor import clocks, derived, migrations, postgres, redis, timezones, triggers, versions
from core.doctor.configuration import Addresses
from core.doctor.finding import Check, Finding, Verdict, failed, reason, run, skipped, warning
from core.doctor.push import push

CONNECTING = 3.0
COMMAND = 60.0
"""Seconds; a repair may write for long, statement by statement."""
USERS = "Users"
ONE_ACTIVE = "SELECT count(*) FROM app_user WHERE role = 'superuser' AND is_active"


async def examine(addresses: Addresses, *, repair: bool = False) -> AsyncIterator[Finding]:
    """Each finding as soon as it is there. With `repair`, what can be rebuilt is."""
    readings: dict[str, clocks.Reading] = {}
    connection = await _connected(addresses)
    if isinstance(connection, Finding):
        yield connection
        yield skipped("The database", "not looked at, for it does not answer")
    else:
        try:
            async for finding in _database(addresses, connection, repair):
                yield finding
            if not connection.is_closed():
                readings["PostgreSQL's is"] = await clocks.database(connection)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            yield failed(postgres.SERVER, f"it went away ({reason(error)})", "see its log")
        finally:
            connection.terminate()
    looked = await redis.look(addresses.redis_url, addresses.cache_prefix)
    for finding in looked.findings:
        yield finding
    if looked.clock is not None:
        readings["Redis's is"] = looked.clock
    if readings:
        yield clocks.compared(readings)


async def _connected(addresses: Addresses) -> "Connection | Finding":
    name = postgres.SERVER
    if addresses.database_url is None:
        return failed(name, "no address", "set DATABASE_URL")
    server_settings = SERVER_SETTINGS | {"application_name": "ticket-home-doctor", "statement_timeout": "0"}
    try:
        connection: Connection = await asyncpg.connect(
            addresses.database_url, timeout=CONNECTING, command_timeout=COMMAND, server_settings=server_settings
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        return failed(name, reason(error), "correct the user and the password in DATABASE_URL")
    except asyncpg.InvalidCatalogNameError as error:
        return failed(name, reason(error), "create it, or correct the name in DATABASE_URL")
    except (ValueError, asyncpg.ClientConfigurationError):
        return failed(name, "DATABASE_URL is no address", "such as postgresql://user:password@host:5432/name")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        remedy = "start it, or correct DATABASE_URL; until then only what is cached is answered"
        return failed(name, f"does not answer ({reason(error)})", remedy)
    return connection


async def _database(addresses: Addresses, connection: Connection, repair: bool) -> AsyncIterator[Finding]:
    server = await run(postgres.server(addresses.pool_size), connection, repair=False)
    yield server
    if addresses.is_production:
        yield await run(Check(postgres.ENCRYPTION, postgres.look_at_encryption), connection, repair=False)
    at = await run(Check(migrations.CHECK, migrations.look), connection, repair=False)
    yield at
    if Verdict.FAILED in (server.verdict, at.verdict):
        yield skipped("The tables", "not looked at before that is put right")
        return
    for check in postgres.CHECKS:
        yield await run(check, connection, repair=False)
    yield await _tables(addresses)
    for check in (*triggers.CHECKS, *versions.CHECKS, *derived.CHECKS):
        yield await run(check, connection, repair=repair)
    for check in (push(addresses.listen_url or addresses.database_url or "", wanted=addresses.push), *timezones.CHECKS):
        yield await run(check, connection, repair=False)
    if not await connection.fetchval(ONE_ACTIVE):
        yield warning(USERS, "no superuser is active", "run ticket-home user create")


async def _tables(addresses: Addresses) -> Finding:
    try:
        return await migrations.look_at_tables(addresses.database_url or "")
    except (SQLAlchemyError, asyncpg.PostgresError, OSError, TimeoutError) as error:
        return failed(migrations.SCHEMA, f"could not be looked at ({type(error).__name__})", "see PostgreSQL's log")
