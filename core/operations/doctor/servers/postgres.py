"""The server itself: its version and settings, what our role may, and whether it is as the service needs it."""

from core.db.bulk_copy import Connection
from core.db.models import metadata
from core.operations.doctor.finding import Check, Finding, failed, listed, ok, warning

SERVER, ENCRYPTION, EXTENSIONS, RIGHTS, TEXT = "PostgreSQL", "Encryption", "Extensions", "Rights", "Sort order"
OLDEST = 15
"""UNIQUE NULLS NOT DISTINCT, for the one row of global thresholds."""
NEEDED = ("pg_trgm", "unaccent")
READ_ONLY = frozenset(
    {
        *("cache_version", "rolled_clinic", "rollup_change", "ticket_rollup", "doctor_rollup", "modified_ticket"),
        *("flow_rollup", "delayed_ticket"),
    }
)
"""Written by functions that run with their owner's rights."""
NOT_OURS = frozenset({"cache_flush", "legacy_map", "legacy_ticket"})
"""The same, and what only an import touches."""
APPENDED = frozenset({"login_audit", "action_audit"})

FACTS = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer / 10000 AS major,
       pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') = 'on' AS read_only,
       current_setting('server_encoding') AS encoding, current_setting('max_connections')::integer AS connections,
       current_setting('superuser_reserved_connections')::integer AS reserved
"""
PRIVILEGES = """
SELECT c.relname AS on_table, privilege FROM pg_class c CROSS JOIN unnest($2::text[]) AS privilege
WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY($1)
  AND NOT has_table_privilege(c.oid, privilege) ORDER BY 1, 2
"""
OWNED = """
SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relname = ANY($1)
"""
COLLATION = """
SELECT datcollversion AS made_with, pg_database_collation_actual_version(oid) AS now, datname
FROM pg_database WHERE datname = current_database()
"""
TLS = """
SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS ssl,
       coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS is_here
"""


def server(pool_size: int) -> Check:
    """The check of PostgreSQL's version, encoding, role and room. `pool_size`: connections of each serving process."""

    async def look(connection: Connection) -> Finding:
        facts = await connection.fetchrow(FACTS)
        if facts is None:
            raise AssertionError("unreachable: it selects from nothing")
        if facts["major"] < OLDEST:
            return failed(SERVER, f"version {facts['version']} is too old", f"upgrade it to {OLDEST} or newer")
        if facts["standby"] or facts["read_only"]:
            what = "a standby" if facts["standby"] else "set to read only"
            return failed(SERVER, f"it is {what}, and takes no writes", "let DATABASE_URL name the primary")
        if facts["encoding"] != "UTF8":
            return failed(SERVER, f"the database's encoding is {facts['encoding']}", "make it anew with ENCODING UTF8")
        free = facts["connections"] - facts["reserved"]
        seen = f"{facts['version']}, takes {free} connections"
        if pool_size + 1 > free:
            return warning(
                SERVER, f"{seen}; one serving process takes {pool_size + 1}", "raise max_connections or lower the pool"
            )
        return ok(SERVER, f"{seen}, of which each serving process takes up to {pool_size + 1}")

    return Check(SERVER, look)


async def look_at_encryption(connection: Connection) -> Finding:
    """A warning where the connection leaves the machine without TLS."""
    row = await connection.fetchrow(TLS)
    if row is not None and (row["ssl"] or row["is_here"]):
        return ok(
            ENCRYPTION, "the connection to PostgreSQL is " + ("encrypted" if row["ssl"] else "within the machine")
        )
    return warning(
        ENCRYPTION,
        "patients' data goes to PostgreSQL over the network in the clear",
        "add ?sslmode=verify-full to DATABASE_URL",
    )


async def look_at_extensions(connection: Connection) -> Finding:
    """Failed where an extension of NEEDED is missing."""
    there = {row["extname"] for row in await connection.fetch("SELECT extname FROM pg_extension")}
    missing = [name for name in NEEDED if name not in there]
    if not missing:
        return ok(EXTENSIONS, f"{listed(NEEDED)} are there")
    create = "; ".join(f"CREATE EXTENSION {name} WITH SCHEMA public" for name in missing)
    return failed(EXTENSIONS, f"{listed(missing)} missing", f"as an administrator of the database: {create}")


async def look_at_rights(connection: Connection) -> Finding:
    """Failed where our role lacks a right on a table that serving needs; that it owns the tables is only said."""
    role = await connection.fetchval("SELECT current_user")
    tables = set(metadata.tables) - NOT_OURS
    wanted = {
        "SELECT": tables,
        "INSERT": tables - READ_ONLY,
        "UPDATE": tables - READ_ONLY - APPENDED,
        "DELETE": tables - READ_ONLY - APPENDED,
    }
    lacking: list[str] = []
    for privilege, of in wanted.items():
        rows = await connection.fetch(PRIVILEGES, sorted(of), [privilege])
        lacking += [f"{privilege} on {row['on_table']}" for row in rows]
    if lacking:
        grant = "; ".join(f"GRANT {one} TO {role}" for one in lacking[:3])
        return failed(RIGHTS, f"{role} lacks {listed(lacking)}", f"as the tables' owner: {grant}; and so on")
    if not await connection.fetchval(OWNED, sorted(metadata.tables)):
        return ok(RIGHTS, f"{role} may what serving needs; to migrate and to repair, run as the tables' owner")
    return ok(RIGHTS, f"{role} owns the tables")


async def look_at_sort_order(connection: Connection) -> Finding:
    """A warning where the system's collation is another version than the one that the database's indexes were built
    with."""
    row = await connection.fetchrow(COLLATION)
    if row is None or row["made_with"] in (None, row["now"]):
        return ok(TEXT, "the system's rules are those that the indexes were built with")
    name = row["datname"]
    return warning(
        TEXT,
        f"the indexes were built with rules {row['made_with']}, the system has {row['now']}: texts may not be found",
        f'REINDEX DATABASE "{name}"; ALTER DATABASE "{name}" REFRESH COLLATION VERSION',
    )


CHECKS = (
    Check(EXTENSIONS, look_at_extensions),
    Check(TEXT, look_at_sort_order),
)
