"""What is derived from other rows: ticket counters, search texts, indexes; and the row that everybody falls back on."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from core.db.bulk_copy import Connection
from core.db.models import metadata
from core.operations.doctor.finding import REPAIR_FIRST, Check, Finding, failed, listed, ok

COUNTERS, SEARCH, INDEXES, THRESHOLDS = "Ticket numbers", "Search texts", "Indexes", "Thresholds"
AT_ONCE = 2000
"""Rows that a repair writes in one transaction."""
LOOKED_AT = 100_000
"""Rows whose texts are looked at, the oldest: what made them old happened after they were written."""

BEHIND = """
SELECT c.prefix || ' ' || t.year AS of_which, coalesce(k.last_number, 0) AS at, t.last AS highest
FROM (SELECT clinic_id, year, max(number) AS last FROM ticket GROUP BY clinic_id, year) t
JOIN clinic c ON c.id = t.clinic_id
LEFT JOIN ticket_counter k ON k.clinic_id = t.clinic_id AND k.year = t.year
WHERE coalesce(k.last_number, 0) < t.last ORDER BY 1
"""
# One ahead of its tickets stays: a number that was given once is given to nobody else.
CATCH_UP = """
INSERT INTO ticket_counter AS k (clinic_id, year, last_number)
SELECT clinic_id, year, max(number) FROM ticket GROUP BY clinic_id, year ORDER BY clinic_id, year
ON CONFLICT (clinic_id, year) DO UPDATE SET last_number = excluded.last_number
    WHERE k.last_number < excluded.last_number
"""


async def look_at_counters(connection: Connection) -> Finding:
    """Failed where a clinic's counter of ticket numbers is below its last ticket."""
    behind = await connection.fetch(BEHIND)
    if not behind:
        return ok(COUNTERS, "every clinic's counter is at or past its last ticket")
    seen = listed([f"{row['of_which']} is at {row['at']}, its last ticket is {row['highest']}" for row in behind])
    return failed(COUNTERS, f"{seen}: creating tickets there is refused", REPAIR_FIRST)


async def repair_counters(connection: Connection) -> str:
    """Raise each counter to its last ticket. Says which."""
    # Creates under way hold their counter's row: this waits for each, and then sees its number.
    behind = await connection.fetch(BEHIND)
    await connection.execute(CATCH_UP)
    return f"set {listed([row['of_which'] for row in behind])} to the last ticket"


class Derived(NamedTuple):
    """A generated column, its expression, and a column that it is made from: PostgreSQL makes it anew with that."""

    table: str
    column: str
    expression: str
    source: str


def _derived() -> Iterator[Derived]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.computed is not None:
                expression = str(column.computed.sqltext)
                source = next(word for word in re.findall(r"\w+", expression) if word in table.columns)
                yield Derived(table.name, column.name, expression, source)


COLUMNS = tuple(_derived())
"""PostgreSQL makes them whenever it writes the row, and cannot know that what their functions mean has changed since:
with another dictionary of accents, for example, after an upgrade."""


def _old(one: Derived) -> str:
    return f"{one.column} IS DISTINCT FROM {one.expression}"


async def look_at_search(connection: Connection) -> Finding:
    """Failed where a stored search text is not what its row would give now, among the LOOKED_AT oldest rows."""
    wrong: list[str] = []
    for one in COLUMNS:
        oldest = f"SELECT * FROM {one.table} ORDER BY id LIMIT {LOOKED_AT}"  # noqa: S608  ours
        count = await connection.fetchval(f"SELECT count(*) FROM ({oldest}) AS t WHERE {_old(one)}")  # noqa: S608  ours
        if count:
            wrong.append(f"{count} of {one.table}.{one.column}")
    if not wrong:
        return ok(SEARCH, "what tickets and patients are found by is what they say")
    return failed(SEARCH, f"{listed(wrong)} are old: searches miss them, lists have them elsewhere", REPAIR_FIRST)


async def repair_search(connection: Connection) -> str:
    """A row that is written gets its texts anew; a few at a time, for requests wait for their rows."""
    written = 0
    for one in COLUMNS:
        after = await connection.fetchval(f"SELECT min(id) FROM {one.table}")  # noqa: S608  ours
        beyond = ">="
        while after is not None:
            [(after, done)] = await connection.fetch(_batch(one, beyond), after)
            written += done
            beyond = ">"
    return f"wrote {written} texts anew"


def _batch(one: Derived, beyond: str) -> str:
    return f"""
    WITH batch AS (SELECT id AS batch_id FROM {one.table} WHERE id {beyond} $1 ORDER BY id LIMIT {AT_ONCE}),
    done AS (
        UPDATE {one.table} SET {one.source} = {one.source} FROM batch WHERE id = batch_id AND {_old(one)} RETURNING 1
    )
    SELECT max(batch_id), (SELECT count(*) FROM done) FROM batch
    """  # noqa: S608  ours


INVALID = """
SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = 'public'::regnamespace AND NOT (i.indisvalid AND i.indisready) ORDER BY 1
"""


async def look_at_indexes(connection: Connection) -> Finding:
    """Failed where PostgreSQL does not use an index, because building it was broken off."""
    invalid = [row["name"] for row in await connection.fetch(INVALID)]
    if not invalid:
        return ok(INDEXES, "all of them are valid")
    return failed(INDEXES, f"not usable, left by a build that was broken off: {listed(invalid)}", REPAIR_FIRST)


async def repair_indexes(connection: Connection) -> str:
    """Build them anew beside reads and writes. Says which. Raises asyncpg's errors."""
    invalid = [row["name"] for row in await connection.fetch(INVALID)]
    for name in invalid:
        quoted = await connection.fetchval("SELECT quote_ident($1)", name)
        await connection.execute(f"REINDEX INDEX CONCURRENTLY public.{quoted}")
    return f"built {listed(invalid)} anew"


async def look_at_thresholds(connection: Connection) -> Finding:
    """Failed where the row of thresholds is gone that clinics without their own fall back on."""
    row = await connection.fetchrow("SELECT * FROM urgency_threshold WHERE clinic_id IS NULL")
    if row is None:
        seen = "the global ones are gone, and clinics without their own have none"
        return failed(THRESHOLDS, seen, REPAIR_FIRST)
    return ok(THRESHOLDS, f"the global ones are {row['red_hours']}, {row['yellow_hours']} and {row['green_hours']} h")


async def repair_thresholds(connection: Connection) -> str:
    """Put back the row, with 2, 4 and 8 hours. Says so."""
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES (NULL, 2, 4, 8)"
        " ON CONFLICT DO NOTHING"
    )
    return "made them 2, 4 and 8 hours"


CHECKS = (
    Check(COUNTERS, look_at_counters, repair_counters),
    Check(SEARCH, look_at_search, repair_search),
    Check(INDEXES, look_at_indexes, repair_indexes),
    Check(THRESHOLDS, look_at_thresholds, repair_thresholds),
)
