"""asyncpg's connection, made to work where a transaction pooler (PgBouncer, an AlloyDB's or Cloud SQL's own) stands
between: there each transaction may meet another server connection, and other clients come in between.

So nothing of ours stays at the server from one transaction to the next: its settings are told with each BEGIN,
statements have no name there (core/db/engine.py), and outside of a transaction nothing takes more than one message.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from core.db.failures import CannotConnect
from core.hosts import hosts_of

APPLICATION = "ticket-home"
WITHIN = 60.0
"""Seconds."""
STATEMENTS = 100
"""That a direct connection keeps prepared."""
ONLY_IF_DIRECT = """
SELECT set_config(name, value, false) FROM (VALUES {values}) AS wanted (name, value) WHERE pg_backend_pid() = {pid}
"""
NONE_SET = "SELECT 0"
"""The command's tag."""
ONLY_THE_PRIMARY = "SELECT pg_current_wal_lsn();"
"""Which a standby refuses. How far behind its primary it is nobody knows, so its rows would be told as current. A
primary that is read-only still tells the truth. A server becomes a standby by a restart only, which ends direct
connections; a pooler's clients outlive it, and what a pooler says of its server (`in_hot_standby`) was true of the
first one."""


class LeadsToPooler(ConnectionError):
    """With a message for people."""


class ServiceConnection(asyncpg.Connection):
    """Of `connect` alone."""

    is_pooled = False
    """Whether a pooler lends it a server connection for each transaction."""
    _with_begin = ""
    _server_caps: Any
    """asyncpg's own."""

    async def settle(self, settings: Mapping[str, str], *, only_primary: bool) -> None:
        """Have PostgreSQL's `settings` (one at least) hold in every transaction; have a standby refused.

        One message tells whether a pooler stands between: the process id that it told us is not the server's.
        """
        check = ONLY_THE_PRIMARY if only_primary else ""
        values = ", ".join(f"('{name}', '{value}')" for name, value in settings.items())
        told = await self._alone(check + ONLY_IF_DIRECT.format(values=values, pid=self.get_server_pid()))
        self.is_pooled = told == NONE_SET
        if self.is_pooled:
            self._with_begin = check + "".join(f"SET LOCAL {name} = '{value}';" for name, value in settings.items())
            # Or asyncpg sets it for the session where it asks for a type, and leaves it there: it reads our SET LOCAL.
            self._server_caps = self._server_caps._replace(jit=False)

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if not self._with_begin or not query.startswith("BEGIN"):
            return await super().execute(query, *args, **options)
        try:
            return await self._alone(query + self._with_begin)
        except BaseException:
            # BEGIN itself may have been done: the transaction would be open, and nobody would know.
            self.terminate()
            raise

    async def _alone(self, statements: str) -> str:
        """In one message. Raises CannotConnectNowError where ONLY_THE_PRIMARY is among them, on a standby."""
        try:
            told: str = await super().execute(statements)
        except asyncpg.ObjectNotInPrerequisiteStateError as error:
            raise asyncpg.CannotConnectNowError("the address leads to a standby") from error
        return told


async def connect(
    url: str,
    *,
    name: str,
    settings: Mapping[str, str],
    within: float = WITHIN,
    only_primary: bool = True,
    statements: int = 0,
    **more: Any,
) -> ServiceConnection:
    """`within` seconds. `name`: the application's, as `pg_stat_activity` shows it. `settings`: of every transaction.

    `statements`: how many of those that it is not asked to prepare it prepares by name all the same. `more`: what else
    asyncpg's own takes. Raises what that raises, and CannotConnectNowError for a standby.
    """
    made: ServiceConnection | None = None
    is_settled = False
    # Of one host the server itself is asked; of several asyncpg chooses, by what each says at first.
    chosen = SessionAttribute.primary if only_primary and len(hosts_of(url)) != 1 else SessionAttribute.any
    try:
        async with asyncio.timeout(within):
            made = await asyncpg.connect(
                url,
                connection_class=ServiceConnection,
                statement_cache_size=statements,
                server_settings={"application_name": name},  # what a pooler does not know it refuses
                target_session_attrs=chosen,
                timeout=within,
                **more,
            )
            await made.settle(settings, only_primary=only_primary)
            is_settled = True
    finally:
        if made is not None and not is_settled:
            made.terminate()
    return made


async def connect_directly(url: str, **options: Any) -> ServiceConnection:
    """As `connect`, for what no pooler can carry. Raises LeadsToPooler."""
    made = await connect(url, statements=STATEMENTS, **options)
    if made.is_pooled:
        made.terminate()
        raise LeadsToPooler("A pooler cannot do this: let DATABASE_LISTEN_URL name the database server itself.")
    return made


async def connect_to_primary(url: str, **options: Any) -> ServiceConnection:
    """As `connect`. Raises CannotConnect whatever refuses it: a standby, a wrong password, a certificate."""
    try:
        return await connect(url, **options)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise CannotConnect("the primary cannot be reached") from error
