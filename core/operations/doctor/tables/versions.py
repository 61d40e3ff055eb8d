"""The version rows, and whether changes really bump them: tried out on a clinic in a transaction that is rolled back.

Versions only ever go up, here too. Serving processes take what is repaired as they take every other change.
"""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from core.catalogs.catalogs import CATALOGS, Catalog
from core.catalogs.columns import Column, Flag, Whole, Word
from core.db.bulk_copy import Connection
from core.operations.doctor.finding import REPAIR_FIRST, Check, Finding, failed, listed, ok
from core.operations.doctor.tables.migrations import made
from core.operations.doctor.tables.triggers import LOCK_TIMEOUT, invalidate

ROWS, LIVE = "Versions", "Versions in action"

MISSING = """
WITH wanted AS (
    SELECT 0 AS clinic_id, 'users' AS topic
    UNION ALL SELECT 0, 'clinics' WHERE EXISTS (SELECT FROM clinic)
    UNION ALL SELECT 0, 'catalogs' WHERE EXISTS (SELECT FROM urgency_threshold WHERE clinic_id IS NULL)
    UNION ALL SELECT c.id, topic.name FROM clinic c CROSS JOIN LATERAL (VALUES
        ('users', true),
        ('tickets', EXISTS (SELECT FROM ticket t WHERE t.clinic_id = c.id)
                 OR EXISTS (SELECT FROM patient p WHERE p.clinic_id = c.id)),
        ('figures', EXISTS (SELECT FROM ticket t WHERE t.clinic_id = c.id)),
        ('catalogs', {has_catalogs})
    ) AS topic (name, is_used) WHERE topic.is_used
)
SELECT w.clinic_id, w.topic FROM wanted w LEFT JOIN cache_version v USING (clinic_id, topic)
WHERE v.version IS NULL ORDER BY 1, 2
"""
"""Rows that some change must have made, and that are gone. What never changed has none, and counts as version 0."""

# Above all that the lost row can have been: more than a bump of average size each hour since 1970, and than any other
# row. Still a whole number where clients hold it in a double.
PUT_BACK = """
INSERT INTO cache_version (clinic_id, topic, version)
SELECT $1::integer, $2::text, greatest(max(version), (extract(epoch FROM clock_timestamp()) * 1048576)::bigint)
FROM cache_version
ON CONFLICT DO NOTHING
"""
LEFT_OVER = "SELECT count(*) FROM cache_flush"
"""Of transactions whose versions were not bumped: a flush deletes its own row before anybody can see it."""


async def missing_rows(connection: Connection) -> list[tuple[int, str]]:
    """(clinic's id, topic) of the version rows that some change must have made, and that are not there."""
    has = " OR ".join(
        f"EXISTS (SELECT FROM {table} t WHERE t.clinic_id = c.id)" for table in made().stamped("catalogs")
    )
    return [(row["clinic_id"], row["topic"]) for row in await connection.fetch(MISSING.format(has_catalogs=has))]


async def look_at_rows(connection: Connection) -> Finding:
    """Failed where a version row is missing, or a transaction was committed without bumping its versions."""
    missing = await missing_rows(connection)
    if missing:
        seen = f"no row for {listed([f'{clinic}/{topic}' for clinic, topic in missing])}"
        return failed(ROWS, seen, REPAIR_FIRST)
    lost = await connection.fetchval(LEFT_OVER)
    if lost:
        return failed(ROWS, f"{lost} transactions were committed without bumping theirs", REPAIR_FIRST)
    count = await connection.fetchval("SELECT count(*) FROM cache_version")
    return ok(ROWS, f"{count} rows, none missing")


async def repair_rows(connection: Connection) -> str:
    """Put back missing rows above all that they can have been, and invalidate everything. Says so."""
    missing = await missing_rows(connection)
    async with connection.transaction():
        for clinic, topic in missing:
            await connection.execute(PUT_BACK, clinic, topic)
        # What it stood for is not known any more.
        await connection.execute("DELETE FROM cache_flush")
        await invalidate(connection)
    anew = f"made {listed([f'{clinic}/{topic}' for clinic, topic in missing])}, and " if missing else ""
    return f"{anew}invalidated everything"


class Step(NamedTuple):
    """A change, and the topics that it must bump; `0/` stands before those of the network."""

    what: str
    statement: str
    bumps: Sequence[str]
    made_by: str = ""
    """Makes what is changed, where making it bumps nothing."""


def literal_of(column: Column) -> str:
    """What may stand in a new row's column, in SQL."""
    match column.holds:
        case Word(meanings):
            return f"'{next(iter(meanings.values()))}'"
        case Whole(least):
            return str(least)
        case Flag():
            return "true"
        case _:
            return "$1" if column.refers_by else "'x'"


def new_row(catalog: Catalog) -> Step:
    """A row with what it must have; what it refers to has the same id."""
    required = {column.field: literal_of(column) for column in catalog.columns if column.required}
    values = {"id": "$1", "clinic_id": "$1"} | required
    names, literals = ", ".join(values), ", ".join(values.values())
    return Step(
        f"a new {catalog.name}",
        f"INSERT INTO {catalog.table.__tablename__} ({names}) VALUES ({literals})",  # noqa: S608  of the description
        ("catalogs",),
    )


CLINIC_ID = 2147483600
"""Ids near the end of their range, so that no sequence moves. The statements' $1."""
STEPS = (
    Step(
        "a new clinic",
        "INSERT INTO clinic (id, name, prefix) VALUES ($1, 'ticket-home doctor', '{prefix}')",
        ("users", "0/clinics"),
    ),
    *map(new_row, CATALOGS),
    Step(
        "a clinic's thresholds",
        "INSERT INTO urgency_threshold (id, clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, $1, 1, 2, 3)",
        ("catalogs",),
    ),
    Step(
        "a new patient",
        "INSERT INTO patient (id, clinic_id, document_type, document, first_name, last_name)"
        " VALUES ($1, $1, 'other', 'x', 'x', 'x')",
        ("tickets",),
    ),
    Step(
        "a new ticket",
        "INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours,"
        " surgery_at, admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays,"
        " created_by) VALUES ('ticket-home doctor', $1, 1, 1, $1, $1, 'x', 1, now(), now(), now(), now(), now(), 0, 0,"
        " 'x')",
        ("tickets", "figures"),
    ),
    Step(
        "a modified FPA",
        "INSERT INTO fpa_modification (id, clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)"
        " VALUES ($1, $1, 'ticket-home doctor', now(), now(), 'x', 'x')",
        ("tickets", "figures"),
    ),
    Step(
        "a delay",
        "INSERT INTO delay (id, clinic_id, ticket_id, reason_id, reason, set_by)"
        " VALUES ($1, $1, 'ticket-home doctor', $1, 'x', 'x')",
        ("tickets", "figures"),
    ),
    Step(
        "a patient who is ready",
        "UPDATE ticket SET ready_at = now(), ready_by = 'x' WHERE clinic_id = $1",
        ("tickets", "figures"),
    ),
    Step("a bed", "UPDATE ticket SET bed_number = '1' WHERE clinic_id = $1", ("tickets",)),
    Step("a deleted modification", "DELETE FROM fpa_modification WHERE clinic_id = $1", ("tickets", "figures")),
    Step("a deleted delay", "DELETE FROM delay WHERE clinic_id = $1", ("tickets", "figures")),
    Step("a deleted ticket", "DELETE FROM ticket WHERE clinic_id = $1", ("tickets", "figures")),
    Step(
        "a user's new role",
        "UPDATE app_user SET role = 'admin' WHERE clinic_id = $1",
        ("users",),
        "INSERT INTO app_user (id, username, email, password_hash, role, clinic_id)"
        " VALUES ($1, 'ticket-home doctor', 'ticket-home doctor', '', 'viewer', $1)",
    ),
    Step(
        "an ended session",
        "UPDATE user_session SET revoked_at = now() WHERE clinic_id = $1",
        ("users",),
        "INSERT INTO user_session (id, token_hash, user_id, clinic_id, client, idle_seconds, expires_at)"
        " VALUES ($1::integer, sha256('ticket-home doctor'), $1, $1, 'web', 1, now() + interval '1 hour')",
    ),
)


class _Undo(Exception):
    """Nothing of it is ever committed, and nobody is notified."""


async def look_in_action(connection: Connection) -> Finding:
    """Failed where one of STEPS bumps no version. All is done in one transaction on a clinic of its own, and rolled
    back."""
    silent: list[str] = []
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            # The flush comes with COMMIT; here it comes with each statement.
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            prefix = await _free_prefix(connection)
            for step in STEPS:
                if step.made_by:
                    await connection.execute(step.made_by, CLINIC_ID)
                before = await _versions(connection)
                await connection.execute(step.statement.format(prefix=prefix), CLINIC_ID)
                after = await _versions(connection)
                silent += [
                    f"{step.what} ({topic})" for topic in step.bumps if after.get(topic, 0) <= before.get(topic, 0)
                ]
            raise _Undo
    except _Undo:
        pass
    if silent:
        return failed(LIVE, f"nothing was bumped by {listed(silent)}", REPAIR_FIRST)
    return ok(LIVE, f"{len(STEPS)} changes, rolled back again, bumped each what it should")


async def _versions(connection: Connection) -> dict[str, int]:
    """Of the tried-out clinic by topic, of the network as `0/clinics`."""
    rows: list[Any] = await connection.fetch(
        "SELECT clinic_id, topic, version FROM cache_version WHERE clinic_id IN (0, $1)", CLINIC_ID
    )
    return {("0/" if row["clinic_id"] == 0 else "") + row["topic"]: row["version"] for row in rows}


async def _free_prefix(connection: Connection) -> str:
    taken = {row["prefix"] for row in await connection.fetch("SELECT prefix FROM clinic")}
    letters = ascii_uppercase[::-1]
    return next(p for a in letters for b in letters for c in letters if (p := f"Z{a}{b}{c}") not in taken)


CHECKS = (Check(ROWS, look_at_rows, repair_rows), Check(LIVE, look_in_action))
