"""The timeline: what the tables and their stamping triggers are, so that a restore in place is seen.

A version tells nothing where the rows under it were put back by a restore: `pg_restore --clean`, a schema dropped and
made anew, a table's rows replaced while its triggers were off. All of these leave other tables or other triggers behind
than those that the versions were stamped with.

A session's copy carries its idle limit and its client: a change of either stamps `users`, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

STAMPED_TABLES = (
    *("ticket", "fpa_modification", "patient", "specialty", "surgery", "doctor", "standardized_reason"),
    *("urgency_threshold", "clinic", "app_user", "user_session"),
)
"""With four triggers `cache_stamp_…` each (migration 0003); beside them one that flushes and one on cache_version."""
TRIGGERS = 4 * len(STAMPED_TABLES) + 2
TABLES = ", ".join(f"'{table}'" for table in (*STAMPED_TABLES, "cache_flush", "cache_version"))

CHANGED_IN = """
CREATE FUNCTION cache_changed_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Also for rows that a restore brings: polls ask for what changed since, and theirs were changed in another life.
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END $$
"""

# Null where a trigger is missing or not always on: then a change may leave no stamp. An xmin is that of a row in the
# catalog: disabling and enabling a trigger, a column with another default, another body of a function make another one.
# Tables are looked for by name: one that was renamed keeps its triggers, and another without may stand where it stood.
FINGERPRINT = f"""
CREATE FUNCTION cache_fingerprint() RETURNS text LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH triggers AS (
        SELECT t.oid, t.xmin, t.tgrelid, t.tgfoid, t.tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ({TABLES})
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
    SELECT CASE WHEN (SELECT count(*) FROM triggers WHERE tgenabled = 'A') = {TRIGGERS}
        THEN (SELECT md5(string_agg(what, ' ' ORDER BY what)) FROM parts) END
$$
"""

# Whoever finds that the tables are others than those last stamped calls this; of several one does it.
NEW_TIMELINE = """
CREATE FUNCTION cache_new_timeline(in_any_case boolean DEFAULT false) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found text;
BEGIN
    LOCK TABLE cache_timeline IN SHARE ROW EXCLUSIVE MODE;
    found := cache_fingerprint();
    IF found IS NULL OR (NOT in_any_case AND EXISTS (SELECT FROM cache_timeline WHERE fingerprint = found)) THEN
        RETURN false;
    END IF;
    INSERT INTO cache_timeline (fingerprint) VALUES (found)
        ON CONFLICT (is_only) DO UPDATE SET fingerprint = excluded.fingerprint, id = excluded.id;
    PERFORM cache_remember(ARRAY['*/*']);
    IF current_setting('ticket_home.push', true) IS DISTINCT FROM 'off' THEN
        -- Versions alone, perhaps lower ones than those that were lost, tell nobody that there is another timeline.
        PERFORM pg_notify('ticket_home', 'poll');
    END IF;
    RETURN true;
END $$
"""

USERS_COLUMNS = "id, token_hash, user_id, clinic_id, client, idle_seconds, expires_at, revoked_at"
USERS_COLUMNS_BEFORE = "id, token_hash, user_id, clinic_id, expires_at, revoked_at"


def stamp_user_session(columns: str) -> str:
    """As migration 0003 made it, over `columns`."""
    new, old = (f"SELECT coalesce(clinic_id, 0) AS c, {columns} FROM {rows}" for rows in ("new_rows", "old_rows"))
    return f"""
    CREATE OR REPLACE FUNCTION cache_stamp_user_session() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NULL;
        ELSIF TG_OP = 'UPDATE' THEN
            PERFORM cache_remember(array_agg(c || '/users')) FROM
                (SELECT DISTINCT c FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new})) AS d) AS changed;
        ELSIF TG_OP = 'DELETE' THEN
            PERFORM cache_remember(array_agg(c || '/users')) FROM
                (SELECT DISTINCT coalesce(clinic_id, 0) AS c FROM old_rows
                 WHERE revoked_at IS NULL AND expires_at > now()) AS deleted;
        ELSE
            PERFORM cache_remember(ARRAY['*/users']);
        END IF;
        RETURN NULL;
    END $$
    """


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "cache_timeline",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.CheckConstraint("is_only", name=op.f("ck_cache_timeline_is_only")),
        sa.PrimaryKeyConstraint("is_only", name=op.f("pk_cache_timeline")),
    )
    for statement in (CHANGED_IN, FINGERPRINT, NEW_TIMELINE, stamp_user_session(USERS_COLUMNS)):
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER cache_changed_in BEFORE INSERT OR UPDATE ON cache_version "
        "FOR EACH ROW EXECUTE FUNCTION cache_changed_in()"
    )
    op.execute("ALTER TABLE cache_version ENABLE ALWAYS TRIGGER cache_changed_in")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TRIGGER cache_changed_in ON cache_version")
    op.execute("DROP FUNCTION cache_changed_in(), cache_fingerprint(), cache_new_timeline(boolean)")
    op.execute(stamp_user_session(USERS_COLUMNS_BEFORE))
    op.drop_table("cache_timeline")
