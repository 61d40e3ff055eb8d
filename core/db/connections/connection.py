"""asyncpg's connection, made to work where a transaction pooler (PgBouncer, an AlloyDB's or Cloud SQL's own) stands
between: there each transaction may meet another server connection, and other clients come in between.

So nothing of ours stays at the server from one transaction to the next: settings are sent with each BEGIN,
statements have no name there (engine.py, beside this file), and outside of a transaction nothing takes more than one
message.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from core.hosts import hosts_of

APPLICATION = "ticket-home"
WITHIN = 60.0
"""Seconds to connect, where the caller names none."""
STATEMENTS = 50
"""That a direct connection keeps prepared: a board's takes 20 KB here and almost a megabyte at the server."""
ONLY_IF_DIRECT = """
SELECT set_config(name, value, false) FROM (VALUES {values}) AS wanted (name, value) WHERE pg_backend_pid() = {pid}
"""
NONE_SET = "SELECT 0"
"""The tag of ONLY_IF_DIRECT behind a pooler: it has selected, and so set, nothing."""
ONLY_THE_PRIMARY = "SELECT pg_current_wal_lsn();"
"""Which a standby refuses. How far behind its primary it is nobody knows, so its rows would pass as current. A
primary that is read-only still has the newest rows. A server becomes a standby by a restart only, which ends direct
connections; a pooler's clients outlive it, and what a pooler says of its server (`in_hot_standby`) was true of the
first one."""


class CannotConnect(ConnectionError):
    """No connection was made. A class of its own, because the FileNotFoundError of a missing unix socket could as well
    be that of a file that a loader reads."""


class LeadsToPooler(ConnectionError):
    """The address leads to a transaction pooler, which cannot do what is asked. Its message is for people."""


class ServiceConnection(asyncpg.Connection):
    """asyncpg's connection with settings that hold in every transaction, behind a pooler too. `connect` makes it."""

    is_pooled = False
    """Whether a pooler lends it a server connection for each transaction."""
    _with_begin = ""
    _server_caps: Any
    """asyncpg's own."""

    async def settle(self, settings: Mapping[str, str], *, only_primary: bool) -> None:
        """Have PostgreSQL's `settings` (one at least) hold in every transaction; have a standby refused.

        Whether a pooler stands between is found out in one message: the process id that it gave us at first is not the
        server's.
        """
        check = ONLY_THE_PRIMARY if only_primary else ""
        values = ", ".join(f"('{name}', '{value}')" for name, value in settings.items())
        tag = await self._alone(check + ONLY_IF_DIRECT.format(values=values, pid=self.get_server_pid()))
        self.is_pooled = tag == NONE_SET
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
        """The last command's tag. All go in one message. Raises CannotConnectNowError where ONLY_THE_PRIMARY is among
        them, on a standby."""
        try:
            tag: str = await super().execute(statements)
        except asyncpg.ObjectNotInPrerequisiteStateError as error:
            raise asyncpg.CannotConnectNowError("the address leads to a standby") from error
        return tag


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
    """A connection, made within `within` seconds.

    `name`: the application's, as `pg_stat_activity` shows it. `settings`: PostgreSQL's, of every transaction.
    `statements`: how many of those that are executed without having been prepared asyncpg keeps prepared by name.
    `more`: what else `asyncpg.connect` takes. Raises what that raises, TimeoutError, and CannotConnectNowError for a
    standby.
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
    """A connection (`connect`) for what no pooler can carry. Raises LeadsToPooler, and what `connect` raises."""
    made = await connect(url, statements=STATEMENTS, **options)
    if made.is_pooled:
        made.terminate()
        raise LeadsToPooler("A pooler cannot do this: let DATABASE_LISTEN_URL name the database server itself.")
    return made


async def connect_to_primary(url: str, **options: Any) -> ServiceConnection:
    """A connection (`connect`) to the primary. Raises CannotConnect, whatever refuses it: a standby, a wrong password,
    a certificate."""
    try:
        return await connect(url, **options)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise CannotConnect("the primary cannot be reached") from error
