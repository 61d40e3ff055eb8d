"""Whether what stamps versions, and keeps audits, is in the database as the migrations made it; and making it so again.

A missing or disabled trigger is the one fault that lets a stale answer pass as a fresh one, so what is put back is
followed by an invalidation of everything.
"""

from core.db.bulk_copy import Connection
from core.operations.doctor.finding import REPAIR_FIRST, Check, Finding, failed, listed, ok
from core.operations.doctor.tables.migrations import made, normal

FUNCTIONS, TRIGGERS, SUBSCRIPTIONS_CHECK = "Functions", "Triggers", "Subscriptions"
LOCK_TIMEOUT = "3s"
"""A repair waits no longer for a table, and nobody waits longer behind it."""

UNCHECKED = "SET LOCAL check_function_bodies = off"
"""One calls the other, which may be what is missing."""

PRINTED = """
SELECT p.proname AS name, pg_get_functiondef(p.oid) AS printed
FROM pg_proc p WHERE p.pronamespace = {schema} AND p.proname = ANY($1)
"""
THEIRS = PRINTED.format(schema="'public'::regnamespace")
OURS = PRINTED.format(schema="pg_my_temp_schema()")
FOUND = """
SELECT c.relname AS on_table, t.tgname AS name, pg_get_triggerdef(t.oid) AS printed, t.tgenabled::text AS enabled
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""


SUBSCRIPTIONS = """
SELECT s.subname AS name, r.srrelid::regclass::text AS on_table
FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid
JOIN pg_trigger t ON t.tgrelid = r.srrelid AND t.tgname = 'cache_stamp_insert'
"""


class _Undo(Exception):
    """Ends a transaction that was only there to look."""


async def wrong_functions(connection: Connection) -> dict[str, str]:
    """Name → "missing" or "changed".

    Each is made once more as a temporary one, in a transaction that is rolled back, and PostgreSQL prints both: how it
    prints a body is its own, and changes between its releases.
    """
    wanted = made().functions
    ours: dict[str, str] = {}
    try:
        async with connection.transaction():
            await connection.execute(UNCHECKED)
            for name, statement in wanted.items():
                await connection.execute(statement.replace(f"FUNCTION {name}(", f"FUNCTION pg_temp.{name}(", 1))
            ours = {row["name"]: _bare(row["printed"]) for row in await connection.fetch(OURS, list(wanted))}
            raise _Undo
    except _Undo:
        pass
    theirs = {row["name"]: _bare(row["printed"]) for row in await connection.fetch(THEIRS, list(wanted))}
    missing = {name: "missing" for name in wanted if name not in theirs}
    return missing | {name: "changed" for name, printed in theirs.items() if printed != ours[name]}


def _bare(printed: str) -> str:
    """Without the schema in its first line."""
    head, _, rest = printed.partition("(")
    return head.rpartition(".")[2] + "(" + rest


async def look_at_functions(connection: Connection) -> Finding:
    """Failed where a function of the migrations is missing or has another body."""
    wrong = await wrong_functions(connection)
    if not wrong:
        return ok(FUNCTIONS, f"{len(made().functions)}, as the migrations made them")
    seen = listed([f"{name} is {what}" for name, what in sorted(wrong.items())])
    return failed(FUNCTIONS, seen, REPAIR_FIRST)


async def repair_functions(connection: Connection) -> str:
    """Make those anew, and invalidate everything. Says which. Raises asyncpg's errors."""
    wrong = await wrong_functions(connection)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; {UNCHECKED}")
        for name, statement in made().functions.items():
            if name in wrong:
                await connection.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    await invalidate(connection)
    return f"made {listed(sorted(wrong))} anew, and invalidated everything"


async def wrong_triggers(connection: Connection) -> dict[tuple[str, str], str]:
    """(table, trigger) → "missing", "disabled" or "changed"."""
    found = {(row["on_table"], row["name"]): row for row in await connection.fetch(FOUND)}
    wrong: dict[tuple[str, str], str] = {}
    for key, statement in made().triggers.items():
        row = found.get(key)
        if row is None:
            wrong[key] = "missing"
        elif normal(row["printed"]) != normal(statement):
            wrong[key] = "changed"
        elif row["enabled"] != ("A" if key in made().always else "O"):
            wrong[key] = "disabled" if row["enabled"] == "D" else "not always on"
    return wrong


async def look_at_triggers(connection: Connection) -> Finding:
    """Failed where a trigger of the migrations is missing, changed, disabled, or not always on."""
    wrong = await wrong_triggers(connection)
    tables = {table for table, _ in made().triggers}
    if not wrong:
        return ok(TRIGGERS, f"{len(made().triggers)} on {len(tables)} tables, all there and always on")
    seen = listed([f"{name} on {table} is {what}" for (table, name), what in sorted(wrong.items())])
    return failed(TRIGGERS, seen, REPAIR_FIRST)


async def repair_triggers(connection: Connection) -> str:
    """Put those back, and invalidate everything. Says which. Raises LockNotAvailableError where somebody holds a table
    for longer than LOCK_TIMEOUT."""
    wrong = await wrong_triggers(connection)
    # One table at a time: requests lock several, in their own order.
    for table in sorted({table for table, _ in wrong}):
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            for key, what in wrong.items():
                if key[0] == table:
                    await _put_back(connection, key, what)
    # After the last trigger is on: what was written without it is older than this.
    await invalidate(connection)
    seen = listed([f"{name} on {table}" for table, name in sorted(wrong)])
    return f"put back {seen}, and invalidated everything"


async def _put_back(connection: Connection, key: tuple[str, str], what: str) -> None:
    table, name = key
    if what == "changed":
        await connection.execute(f"DROP TRIGGER {name} ON public.{table}")
    if what in ("changed", "missing"):
        await connection.execute(made().triggers[key])
    if key in made().always:
        await connection.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER {name}")
    else:
        await connection.execute(f"ALTER TABLE public.{table} ENABLE TRIGGER {name}")


async def invalidate(connection: Connection) -> None:
    """Bump every version there is or could be."""
    await connection.execute("SELECT cache_invalidate()")


async def look_at_subscriptions(connection: Connection) -> Finding:
    """Failed where logical replication writes into tables that stamp versions: none of its rows leaves a stamp."""
    rows = await connection.fetch(SUBSCRIPTIONS)
    if not rows:
        return ok(SUBSCRIPTIONS_CHECK, "none writes into tables that stamp versions")
    tables, names = (sorted({row[column] for row in rows}) for column in ("on_table", "name"))
    seen = f"{listed(names)} writes into {listed(tables)}, and stamps no versions: nothing is cached"
    return failed(SUBSCRIPTIONS_CHECK, seen, "once all is there: drop it, and run ticket-home cache forget")


CHECKS = (
    Check(SUBSCRIPTIONS_CHECK, look_at_subscriptions),
    Check(FUNCTIONS, look_at_functions, repair_functions),
    Check(TRIGGERS, look_at_triggers, repair_triggers),
)
