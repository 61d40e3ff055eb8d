"""`ticket_home.push` takes a third word: `service`, of a transaction whose versions its process tells after the commit.

One notifying transaction commits at a time in the whole database. Who sets nothing notifies in the transaction, as
before; `off` is told by nobody.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BEFORE = "current_setting('ticket_home.push', true) IS DISTINCT FROM 'off'"
NOW = "coalesce(current_setting('ticket_home.push', true), '') NOT IN ('off', 'service')"


def flush(notifies: str) -> str:
    """As migration 0003 made it, but for the condition under which it notifies."""
    return f"""
CREATE OR REPLACE FUNCTION cache_flush_remembered() RETURNS trigger
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
    IF payload IS NOT NULL AND {notifies} THEN
        -- NOTIFY takes 8,000 bytes at most.
        PERFORM pg_notify('ticket_home', CASE WHEN octet_length(payload) < 7900 THEN payload ELSE 'poll' END);
    END IF;
    RETURN NULL;
END $$
"""


def new_timeline(notifies: str) -> str:
    """As migration 0015 made it, but for the condition under which it notifies."""
    return f"""
CREATE OR REPLACE FUNCTION cache_new_timeline(in_any_case boolean DEFAULT false) RETURNS boolean
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
    IF {notifies} THEN
        -- Versions alone, perhaps lower ones than those that were lost, tell nobody that there is another timeline.
        PERFORM pg_notify('ticket_home', 'poll');
    END IF;
    RETURN true;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(flush(NOW))
    op.execute(new_timeline(NOW))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(flush(BEFORE))
    op.execute(new_timeline(BEFORE))
