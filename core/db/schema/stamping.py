"""For migrations: having every change of a table stamp versions (docs/design/cache.md, "Versions").

A migration that makes a catalog's table makes its triggers in one call, and its `downgrade` takes them back:

    stamp_table("ward", CATALOG, beside=STAMPED_BY_0025)
    unstamp_table("ward", beside=STAMPED_BY_0025)

What is here is part of every released migration that calls it. A change of what a trigger does is a migration of its
own; migrations 0003 and 0015, which made the first tables' triggers, have their text themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import op

STAMPED_BY_0015 = (
    *("ticket", "fpa_modification", "patient", "specialty", "surgery", "doctor", "standardized_reason"),
    *("urgency_threshold", "clinic", "app_user", "user_session"),
)
"""The tables that stamp versions since migration 0015."""
STAMPED_BY_0021 = (*STAMPED_BY_0015, "canary")
"""Since migration 0021."""
STAMPED_BY_0025 = (*STAMPED_BY_0021, "delay")
"""Since migration 0025. Those of later ones follow it in their `beside`."""


@dataclass(frozen=True)
class Rule:
    """`topic` of the clinic that `clinic` (an SQL expression over a row) names, bumped when `columns` change."""

    topic: str
    columns: str = "*"
    clinic: str = "clinic_id"
    on_insert: bool = True
    on_delete: bool = True
    deleted: str = "true"
    """SQL condition: which deleted rows matter."""


CATALOG = (Rule("catalogs"),)
"""Of a table of one clinic's rows, of which cached answers may show every column."""


def stamp_table(table: str, rules: Sequence[Rule], *, beside: Sequence[str]) -> None:
    """Have every INSERT, UPDATE, DELETE and TRUNCATE of `table` remember what to bump, by `rules`.

    `beside`: all tables that stamp already. The fingerprint then has the new one's triggers too: a process that finds
    one of them missing trusts nothing that is cached. It is another fingerprint, so all that was cached before this
    migration is read anew.
    """
    for statement in (trigger_function(table, rules), *triggers(table), fingerprint((*beside, table))):
        op.execute(statement)


def unstamp_table(table: str, *, beside: Sequence[str]) -> None:
    """Undo `stamp_table`, while the table is still there."""
    op.execute(fingerprint(beside))
    op.execute(f"DROP FUNCTION cache_stamp_{table}() CASCADE")


def trigger_function(table: str, rules: Sequence[Rule]) -> str:
    """SQL that makes `cache_stamp_<table>`, for all four triggers."""
    inserted = [(r.topic, f"SELECT DISTINCT {r.clinic} AS c FROM new_rows") for r in rules if r.on_insert]
    updated = [(r.topic, _changed(r)) for r in rules]
    deleted = [
        (r.topic, f"SELECT DISTINCT {r.clinic} AS c FROM old_rows WHERE {r.deleted}") for r in rules if r.on_delete
    ]
    truncated = ", ".join(f"'{'0' if r.clinic == '0' else '*'}/{r.topic}'" for r in rules)
    return f"""
    CREATE FUNCTION cache_stamp_{table}() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            {_remember(inserted)}
        ELSIF TG_OP = 'UPDATE' THEN
            {_remember(updated)}
        ELSIF TG_OP = 'DELETE' THEN
            {_remember(deleted)}
        ELSE
            PERFORM cache_remember(ARRAY[{truncated}]);
        END IF;
        RETURN NULL;
    END $$
    """


def _remember(keys: Sequence[tuple[str, str]]) -> str:
    """SQL that remembers each (topic, query giving its clinics as `c`)."""
    union = " UNION ALL ".join(f"SELECT c || '/{topic}' AS key FROM ({query}) AS q" for topic, query in keys)
    return f"PERFORM cache_remember(array_agg(key)) FROM ({union}) AS keys;" if keys else "NULL;"


def _changed(rule: Rule) -> str:
    """SQL: clinics, old and new, of rows that differ. A row moved between clinics differs in both."""
    new, old = (f"SELECT {rule.clinic} AS c, {rule.columns} FROM {rows}" for rows in ("new_rows", "old_rows"))
    return f"SELECT DISTINCT c FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new})) AS d"


def triggers(table: str) -> list[str]:
    """SQL that makes the four triggers: with transition tables each event needs its own."""
    rows = {
        "INSERT": "REFERENCING NEW TABLE AS new_rows",
        "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "DELETE": "REFERENCING OLD TABLE AS old_rows",
        "TRUNCATE": "",
    }
    statements: list[str] = []
    for event, tables in rows.items():
        name = f"cache_stamp_{event.lower()}"
        statements += [
            f"CREATE TRIGGER {name} AFTER {event} ON {table} {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION cache_stamp_{table}()",
            # Also under session_replication_role = replica: whatever writes, stamps.
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def fingerprint(stamped: Sequence[str]) -> str:
    """SQL that makes `cache_fingerprint`: of these tables, their triggers and functions, as migration 0015 explains."""
    tables = ", ".join(f"'{table}'" for table in (*stamped, "cache_flush", "cache_version"))
    count = 4 * len(stamped) + 2
    return f"""
CREATE OR REPLACE FUNCTION cache_fingerprint() RETURNS text LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH triggers AS (
        SELECT t.oid, t.xmin, t.tgrelid, t.tgfoid, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ({tables})
            AND t.tgname ~ '^cache_(stamp_(insert|update|delete|truncate)|flush|changed_in)$'
    ), tables AS (
        SELECT oid, relfilenode, xmin FROM pg_class WHERE oid = ANY (ARRAY(SELECT tgrelid FROM triggers))
    ), parts (what) AS (
        SELECT concat_ws('.', 't', oid, xmin, tgrelid) FROM triggers
        UNION ALL SELECT concat_ws('.', 'c', oid, relfilenode, xmin) FROM tables
        UNION ALL SELECT concat_ws('.', 'i', inhparent, inhrelid) FROM pg_inherits
            WHERE inhparent = ANY (ARRAY(SELECT oid FROM tables))
        UNION ALL SELECT concat_ws('.', 'f', oid, xmin) FROM pg_proc
            WHERE oid = ANY (ARRAY(SELECT tgfoid FROM triggers) || to_regproc('public.cache_remember')::oid)
        -- A copy of a database keeps all of these.
        UNION ALL SELECT concat_ws('.', 'd', oid) FROM pg_database WHERE datname = current_database()
        -- Recovery to a point in time and a fail-over, too. They may lose what moves no version: users and logins.
        UNION ALL SELECT 'w.' || left(pg_walfile_name(pg_current_wal_lsn()), 8) WHERE NOT pg_is_in_recovery()
    )
    SELECT CASE WHEN (SELECT count(*) FROM triggers WHERE tgenabled = 'A') = {count}
        THEN (SELECT md5(string_agg(what, ' ' ORDER BY what)) FROM parts) END
$$
"""
