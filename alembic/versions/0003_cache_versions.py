"""Cache versions: triggers stamp every change, in the writing transaction (docs/design/cache.md, "Versions").

Statement triggers only *remember* what changed, in a transaction-local setting; one deferred trigger bumps it all just
before commit, in (clinic, topic) order. Bumping at once deadlocks as soon as two writers touch two clinics in
opposite order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REMEMBER = """
CREATE FUNCTION cache_remember(keys text[]) RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- Marked with the transaction: what somebody SET for a session, or another one left, is no memory of this one.
    mark text := pg_current_xact_id() || '|';
    pending text := coalesce(current_setting('ticket_home.pending', true), '');
    added text := '';
    key text;
BEGIN
    IF NOT starts_with(pending, mark) THEN
        pending := '';
    END IF;
    FOREACH key IN ARRAY keys LOOP
        IF position(' ' || key || ' ' IN pending || added) = 0 THEN
            added := added || ' ' || key || ' ';
        END IF;
    END LOOP;
    IF added = '' THEN
        RETURN;
    END IF;
    -- Remember first, arm second: under SET CONSTRAINTS ... IMMEDIATE the insert below flushes at once.
    PERFORM set_config('ticket_home.pending', CASE pending WHEN '' THEN mark ELSE pending END || added, true);
    IF pending = '' THEN
        INSERT INTO cache_flush DEFAULT VALUES;
    END IF;
END $$
"""

FLUSH = """
CREATE FUNCTION cache_flush_remembered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mark text := pg_current_xact_id() || '|';
    pending text := coalesce(current_setting('ticket_home.pending', true), '');
    payload text;
BEGIN
    DELETE FROM cache_flush WHERE id = NEW.id;
    PERFORM set_config('ticket_home.pending', '', true);
    IF starts_with(pending, mark) THEN
        pending := substr(pending, length(mark) + 1);
    ELSE
        -- Somebody lost the memory (RESET ALL, DISCARD): too many misses are better than one stale answer.
        pending := '*/*';
    END IF;
    WITH named AS (
        SELECT split_part(key, '/', 1) AS clinic, split_part(key, '/', 2) AS topic
        FROM unnest(string_to_array(pending, ' ')) AS key WHERE key <> ''
    ), clinics AS (
        -- One without a row counts as version 0, and has entries under it all the same.
        SELECT clinic_id::text AS id FROM cache_version UNION SELECT id::text FROM clinic
    ), topics AS (
        SELECT unnest(ARRAY['tickets', 'figures', 'catalogs', 'clinics', 'users']) AS topic
    ), wanted AS (
        SELECT c.id::integer AS clinic_id, t.topic
        FROM named n
        JOIN LATERAL (SELECT id FROM clinics WHERE n.clinic = '*' UNION SELECT n.clinic WHERE n.clinic <> '*') c ON true
        JOIN LATERAL (SELECT topic FROM topics WHERE n.topic = '*' UNION SELECT n.topic WHERE n.topic <> '*') t ON true
        UNION
        SELECT v.clinic_id, v.topic FROM cache_version v JOIN named n
            ON n.topic = '*' AND n.clinic IN ('*', v.clinic_id::text)
    ), bumped AS (
        INSERT INTO cache_version AS v (clinic_id, topic, version)
        SELECT clinic_id, topic, 1 + floor(random() * 4294967296)::bigint FROM wanted ORDER BY clinic_id, topic
        ON CONFLICT (clinic_id, topic) DO UPDATE SET
            -- A random step: after a restore of an older backup no version comes again with other data.
            version = v.version + 1 + floor(random() * 4294967296)::bigint,
            changed_in = greatest(v.changed_in, pg_current_xact_id())
        RETURNING v.clinic_id, v.topic, v.version
    )
    SELECT string_agg(clinic_id || '/' || topic || '=' || version, ' ') INTO payload FROM bumped;
    IF payload IS NOT NULL AND current_setting('ticket_home.push', true) IS DISTINCT FROM 'off' THEN
        -- NOTIFY takes 8,000 bytes at most.
        PERFORM pg_notify('ticket_home', CASE WHEN octet_length(payload) < 7900 THEN payload ELSE 'poll' END);
    END IF;
    RETURN NULL;
END $$
"""

INVALIDATE = """
CREATE FUNCTION cache_invalidate(clinic integer DEFAULT NULL, named_topic text DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT cache_remember(ARRAY[coalesce(clinic::text, '*') || '/' || coalesce(named_topic, '*')])
$$
"""

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are kept', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


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
RULES: dict[str, Sequence[Rule]] = {
    "ticket": (
        Rule("tickets"),
        Rule(
            "figures",
            "id, clinic_id, status, current_fpa, discharged_at, discharge_assumed, surgery_id, surgery_name, doctor_id,"
            " created_at, created_by",
        ),
    ),
    "fpa_modification": (Rule("tickets"), Rule("figures")),
    "patient": (Rule("tickets"),),
    "specialty": CATALOG,
    "surgery": CATALOG,
    "doctor": CATALOG,
    "standardized_reason": CATALOG,
    "urgency_threshold": (Rule("catalogs", clinic="coalesce(clinic_id, 0)"),),
    # A clinic comes with its row of `users`: no user or login makes one, and a TRUNCATE bumps the rows there are.
    "clinic": (Rule("clinics", clinic="0"), Rule("users", "id, is_active", clinic="id")),
    "app_user": (
        Rule(
            "users", "id, username, email, role, clinic_id, password_hash, is_active",
            clinic="coalesce(clinic_id, 0)", on_insert=False,
        ),
    ),
    # A login inserts and last seen updates: neither may bump, or every sign-in would have all sessions verified.
    "user_session": (
        Rule(
            "users", "id, token_hash, user_id, clinic_id, expires_at, revoked_at", clinic="coalesce(clinic_id, 0)",
            on_insert=False, deleted="revoked_at IS NULL AND expires_at > now()",
        ),
    ),
}  # fmt: skip


def remember(keys: Sequence[tuple[str, str]]) -> str:
    """SQL that remembers each (topic, query giving its clinics as `c`)."""
    union = " UNION ALL ".join(f"SELECT c || '/{topic}' AS key FROM ({query}) AS q" for topic, query in keys)
    return f"PERFORM cache_remember(array_agg(key)) FROM ({union}) AS keys;" if keys else "NULL;"


def changed(rule: Rule) -> str:
    """Clinics, old and new, of rows that differ. A row moved between clinics differs in both."""
    new, old = (f"SELECT {rule.clinic} AS c, {rule.columns} FROM {rows}" for rows in ("new_rows", "old_rows"))
    return f"SELECT DISTINCT c FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new})) AS d"


def stamp(table: str, rules: Sequence[Rule]) -> list[str]:
    """The trigger function of one table and its four triggers."""
    inserted = [(r.topic, f"SELECT DISTINCT {r.clinic} AS c FROM new_rows") for r in rules if r.on_insert]
    deleted = [
        (r.topic, f"SELECT DISTINCT {r.clinic} AS c FROM old_rows WHERE {r.deleted}") for r in rules if r.on_delete
    ]
    truncated = ", ".join(f"'{'0' if r.clinic == '0' else '*'}/{r.topic}'" for r in rules)
    body = f"""
    CREATE FUNCTION cache_stamp_{table}() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            {remember(inserted)}
        ELSIF TG_OP = 'UPDATE' THEN
            {remember([(r.topic, changed(r)) for r in rules])}
        ELSIF TG_OP = 'DELETE' THEN
            {remember(deleted)}
        ELSE
            PERFORM cache_remember(ARRAY[{truncated}]);
        END IF;
        RETURN NULL;
    END $$
    """
    referencing = {
        "INSERT": "REFERENCING NEW TABLE AS new_rows",
        "UPDATE": "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
        "DELETE": "REFERENCING OLD TABLE AS old_rows",
        "TRUNCATE": "",
    }
    statements = [body]
    for event, tables in referencing.items():
        name = f"cache_stamp_{event.lower()}"
        statements += [
            f"CREATE TRIGGER {name} AFTER {event} ON {table} {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION cache_stamp_{table}()",
            # Also under session_replication_role = replica: whatever writes, stamps.
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def kept(table: str, events: str) -> list[str]:
    return [
        f"CREATE TRIGGER kept BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER kept",
    ]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for statement in (REMEMBER, FLUSH, INVALIDATE, REFUSE):
        op.execute(statement)
    op.execute(
        "CREATE CONSTRAINT TRIGGER cache_flush AFTER INSERT ON cache_flush DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION cache_flush_remembered()"
    )
    op.execute("ALTER TABLE cache_flush ENABLE ALWAYS TRIGGER cache_flush")
    for table, rules in RULES.items():
        for statement in stamp(table, rules):
            op.execute(statement)
    for statement in kept("cache_version", "DELETE OR TRUNCATE"):
        op.execute(statement)
    for table in ("login_audit", "action_audit"):
        for statement in kept(table, "UPDATE OR DELETE OR TRUNCATE"):
            op.execute(statement)
    op.execute("INSERT INTO cache_version (clinic_id, topic, version) VALUES (0, 'users', 1) ON CONFLICT DO NOTHING")
    op.execute("INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES (NULL, 2, 4, 8)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DELETE FROM urgency_threshold WHERE clinic_id IS NULL")
    for table in ("login_audit", "action_audit", "cache_version"):
        op.execute(f"DROP TRIGGER kept ON {table}")
    for table in RULES:
        op.execute(f"DROP FUNCTION cache_stamp_{table}() CASCADE")
    op.execute("DROP FUNCTION cache_invalidate(integer, text), cache_remember(text[]), refuse_change()")
    op.execute("DROP FUNCTION cache_flush_remembered() CASCADE")
