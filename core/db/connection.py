"""asyncpg's connection, made to work where a transaction pooler (PgBouncer, an AlloyDB's or Cloud SQL's own) stands
between: there each transaction may meet another server connection, and other clients come in between.

So nothing of ours stays at the server from one transaction to the next: its settings are told with each BEGIN,
statements have no name there (core/db/engine.py), and outside of a transaction nothing takes more than one message.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg

ONLY_IF_DIRECT = """
SELECT set_config(name, value, false) FROM (VALUES {values}) AS wanted (name, value) WHERE pg_backend_pid() = {pid}
"""
NONE_SET = "SELECT 0"
"""The command's tag."""
ONLY_THE_PRIMARY = """
DO $$ BEGIN
    IF pg_is_in_recovery() THEN RAISE 'the pooler leads to a standby' USING ERRCODE = 'cannot_connect_now'; END IF;
END $$
"""
"""A pooler's clients outlive its server's fail-over: what the connection met when it was made says nothing later."""


class ServiceConnection(asyncpg.Connection):
    """Of `connect` alone."""

    is_pooled = False
    """Whether a pooler lends it a server connection for each transaction."""
    _with_begin = ""

    async def settle(self, settings: Mapping[str, str]) -> None:
        """Have PostgreSQL's `settings` hold in every transaction.

        One message tells whether a pooler stands between: the process id that it told us is not the server's.
        """
        values = ", ".join(f"('{name}', '{value}')" for name, value in settings.items())
        asked = ONLY_IF_DIRECT.format(values=values, pid=self.get_server_pid())
        self.is_pooled = await super().execute(asked) == NONE_SET
        if self.is_pooled:
            local = [f"SET LOCAL {name} = '{value}'" for name, value in settings.items()]
            self._with_begin = ";".join([*local, ONLY_THE_PRIMARY])

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if not self._with_begin or not query.startswith("BEGIN"):
            return await super().execute(query, *args, **options)
        try:
            return await super().execute(query + self._with_begin, **options)
        except BaseException:
            # BEGIN itself may have been done: the transaction would be open, and nobody would know.
            self.terminate()
            raise

    async def set_type_codec(self, *args: Any, **options: Any) -> None:
        """It asks the server for the type, by a statement that is prepared first."""
        async with self.transaction():
            await super().set_type_codec(*args, **options)


async def connect(
    url: str,
    *,
    name: str,
    settings: Mapping[str, str],
    within: float,
    command_timeout: float | None = None,
    **more: Any,
) -> ServiceConnection:
    """`within` seconds. `name`: the application's, as `pg_stat_activity` shows it. `settings`: of every transaction.

    `more`: what else asyncpg's own takes. Raises what that raises.
    """
    made: ServiceConnection | None = None
    is_settled = False
    try:
        async with asyncio.timeout(within):
            made = await asyncpg.connect(
                url,
                connection_class=ServiceConnection,
                statement_cache_size=0,  # the cache's statements have names; SQLAlchemy keeps its own
                server_settings={"application_name": name},  # what a pooler does not know it refuses
                timeout=within,
                **more,
            )
            await made.settle(settings)
            is_settled = True
    finally:
        if made is not None and not is_settled:
            made.terminate()
    return made
