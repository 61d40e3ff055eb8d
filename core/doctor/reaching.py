"""The two ways to the database: the one that requests take, and the one past a pooler that may stand in it."""

from dataclasses import dataclass

import asyncpg

from core.db.connection import APPLICATION, ServiceConnection, connect
from core.db.engine import SERVER_SETTINGS
from core.doctor.configuration import Addresses
from core.doctor.finding import Finding, failed, reason
from core.doctor.postgres import SERVER

POOLER = "Pooler"
REMEDY = "let DATABASE_LISTEN_URL name the server itself: notifications, migrations, imports and exports need it"
CONNECTING = 3.0
COMMAND = 60.0
"""Seconds; a repair may write for long, statement by statement."""
SETTINGS = SERVER_SETTINGS | {"statement_timeout": "0"}
WHERE = "SELECT format('%s of %s', oid, pg_postmaster_start_time()) FROM pg_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Ways:
    served: ServiceConnection
    """By DATABASE_URL."""
    direct: ServiceConnection
    """The same, where no pooler stands between."""
    direct_url: str

    def close(self) -> None:
        self.served.terminate()
        self.direct.terminate()


async def reach(addresses: Addresses) -> Ways | Finding:
    """Or what is wrong with them."""
    served = await _connected(addresses.database_url, "DATABASE_URL")
    if isinstance(served, Finding):
        return served
    if not served.is_pooled:
        return Ways(served, served, addresses.database_url or "")
    if addresses.listen_url is None:
        served.terminate()
        return failed(POOLER, "DATABASE_URL leads to one, and nothing past it", REMEDY)
    direct = await _connected(addresses.listen_url, "DATABASE_LISTEN_URL")
    if isinstance(direct, Finding):
        served.terminate()
        return direct
    ways = Ways(served, direct, addresses.listen_url)
    wrong = await _different(ways)
    if wrong is not None:
        ways.close()
        return wrong
    return ways


async def _different(ways: Ways) -> Finding | None:
    if ways.direct.is_pooled:
        return failed(POOLER, "DATABASE_LISTEN_URL leads to one, too", REMEDY)
    try:
        if await _where(ways.direct) != await _where(ways.served):
            return failed(POOLER, "DATABASE_URL and DATABASE_LISTEN_URL lead to two databases", REMEDY)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return failed(POOLER, f"nothing comes through it ({reason(error)})", "see its log")
    return None


async def _where(connection: ServiceConnection) -> str:
    async with connection.transaction(readonly=True):
        where: str = await connection.fetchval(WHERE)
    return where


async def _connected(url: str | None, variable: str) -> ServiceConnection | Finding:
    if url is None:
        return failed(SERVER, "no address", f"set {variable}")
    try:
        return await connect(
            url,
            name=f"{APPLICATION}-doctor",
            settings=SETTINGS,
            within=CONNECTING,
            only_primary=False,  # what it is is told
            command_timeout=COMMAND,
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        return failed(SERVER, reason(error), f"correct the user and the password in {variable}")
    except asyncpg.InvalidCatalogNameError as error:
        return failed(SERVER, reason(error), f"create it, or correct the name in {variable}")
    except (ValueError, asyncpg.ClientConfigurationError):
        return failed(SERVER, f"{variable} is no address", "such as postgresql://user:password@host:5432/name")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        remedy = f"start it, or correct {variable}; until then only what is cached is answered"
        return failed(SERVER, f"does not answer ({reason(error)})", remedy)
