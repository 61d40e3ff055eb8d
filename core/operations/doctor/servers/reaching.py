"""The two ways to the database: the one that requests take, and the one past a pooler that may stand in it."""

from dataclasses import dataclass, replace

import asyncpg

from core.db.connections.connection import APPLICATION, ServiceConnection, connect
from core.db.connections.engine import SERVER_SETTINGS
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.finding import Finding, failed, ok, reason
from core.operations.doctor.servers.postgres import SERVER

ADDRESSES = "Addresses"
REMEDY = "let DATABASE_LISTEN_URL name the server itself: notifications, migrations, imports and exports need it"
CONNECTING = 3.0
COMMAND = 60.0
"""Seconds; a repair may write for long, statement by statement."""
SETTINGS = SERVER_SETTINGS | {"statement_timeout": "0"}
WHERE = "SELECT format('%s of %s', oid, pg_postmaster_start_time()) FROM pg_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Ways:
    """The two ways by which the service reaches its database."""

    served: ServiceConnection
    """By DATABASE_URL."""
    direct: ServiceConnection
    """By DATABASE_LISTEN_URL, where there is one; no pooler stands between."""
    direct_url: str
    finding: Finding | None = None
    """What is to be said of the two."""

    def close(self) -> None:
        """Cut both connections, whatever they do."""
        self.served.terminate()
        self.direct.terminate()


async def reach(addresses: Addresses) -> Ways | Finding:
    """The two ways to the database, opened; or the finding that says why there is none."""
    served = await _connected(addresses.database_url, "DATABASE_URL")
    if isinstance(served, Finding):
        return served
    beside = None if addresses.listen_url is None else await _beside(served, addresses.listen_url)
    if isinstance(beside, ServiceConnection):
        leads = "a pooler, and DATABASE_LISTEN_URL past it" if served.is_pooled else "where DATABASE_LISTEN_URL does"
        return Ways(served, beside, addresses.listen_url or "", ok(ADDRESSES, f"DATABASE_URL leads to {leads}"))
    if not served.is_pooled:
        return Ways(served, served, addresses.database_url or "", beside)
    served.terminate()
    return beside or failed(ADDRESSES, "DATABASE_URL leads to a pooler, and nothing past it", REMEDY)


async def _beside(served: ServiceConnection, listen_url: str) -> ServiceConnection | Finding:
    direct = await _connected(listen_url, "DATABASE_LISTEN_URL")
    if isinstance(direct, Finding):
        return replace(direct, check=ADDRESSES)
    wrong = await _different(served, direct)
    if wrong is None:
        return direct
    direct.terminate()
    return wrong


async def _different(served: ServiceConnection, direct: ServiceConnection) -> Finding | None:
    if direct.is_pooled:
        return failed(ADDRESSES, "DATABASE_LISTEN_URL leads to a pooler", REMEDY)
    try:
        if await _where(direct) != await _where(served):
            return failed(ADDRESSES, "DATABASE_URL and DATABASE_LISTEN_URL lead to two databases", REMEDY)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return failed(ADDRESSES, f"nothing comes through ({reason(error)})", "see the pooler's log and PostgreSQL's")
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
            only_primary=False,  # a standby answers, too: the check says what it is
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
