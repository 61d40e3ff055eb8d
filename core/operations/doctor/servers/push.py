"""Whether notifications come through to where the service listens: a pooler that lends connections by transaction
swallows them, and says nothing."""

import asyncio
import secrets

import asyncpg

from core.db.bulk_copy import Connection
from core.operations.doctor.finding import Check, Finding, ok, reason, warning

CHECK = "Notifications"
WITHIN = 2.0
REMEDY = "let DATABASE_LISTEN_URL name the server itself and not a pooler, or set CACHE_PUSH=false"


def push(listen_url: str, *, wanted: bool) -> Check:
    """The check that sends a notification on the serving connection and waits WITHIN seconds for it at `listen_url`. A
    warning where it does not come: changes are then seen by the polls. Nothing is tried where it is not `wanted`."""

    async def look(connection: Connection) -> Finding:
        if not wanted:
            return ok(CHECK, "not wanted (CACHE_PUSH=false): changes are polled each second")
        channel = f"ticket_home_doctor_{secrets.token_hex(4)}"
        heard = asyncio.Event()
        try:
            listening = await asyncpg.connect(listen_url, timeout=WITHIN)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
            seen = f"where they should be heard nobody answers ({reason(error)}): changes are seen a second late"
            return warning(CHECK, seen, REMEDY)
        try:
            await listening.add_listener(channel, lambda *_: heard.set())
            await connection.execute(f"NOTIFY {channel}")
            async with asyncio.timeout(WITHIN):
                await heard.wait()
        except TimeoutError:
            return warning(CHECK, "they do not come through: changes are seen a second late", REMEDY)
        finally:
            listening.terminate()
        return ok(CHECK, "they come through")

    return Check(CHECK, look)
