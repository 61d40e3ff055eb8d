"""Words of a search that have no trigram of their own (`zq`, `q`, `a-`) are found by those that they have with the
letters beside them.

Beside a word may stand a letter, a digit, or what people put between them: few enough to look up each. What is written
with other characters (of another alphabet, brackets) is in an index of its own, which is read whole. Built without
holding up writers. Where it is broken off it begins again.
"""

from alembic import op

from core.db.schema.indexes import build_beside_writers

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# Two for `a-`, whose letters alone may be a document's (search_document_pattern).
PATTERNS = r"""
CREATE OR REPLACE FUNCTION short_word_patterns(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    WITH beside AS (
        SELECT letters, breaks, letters || breaks AS characters FROM (
            SELECT string_to_array('abcdefghijklmnopqrstuvwxyz0123456789', NULL) AS letters,
                string_to_array(E'\x1e\x1f ''.,/-', NULL) AS breaks
        ) AS two
    ), searched AS (
        SELECT DISTINCT w FROM unnest(
            ARRAY[search_text(word), regexp_replace(search_text(word), '[^[:alnum:]]', '', 'g')]
        ) AS w WHERE w <> ''
    )
    SELECT coalesce(array_agg(DISTINCT pattern), '{}') FROM searched CROSS JOIN beside CROSS JOIN LATERAL unnest(CASE
        WHEN w ~ '[^a-z0-9\x1e\x1f ''.,/-]' THEN '{}'
        WHEN w ~ '^[a-z0-9]{2}$' THEN
            (SELECT array_agg('%' || w || after || '%') FROM unnest(characters) AS after) || ('%' || w)
        WHEN w ~ '^[a-z0-9]$' THEN
            (SELECT array_agg('%' || before || w || after || '%')
                FROM unnest(letters) AS before, unnest(characters) AS after)
            || (SELECT array_agg('%' || before || w) FROM unnest(letters) AS before)
            || (SELECT array_agg('%' || before || w || '%') FROM unnest(breaks) AS before) || (w || '%')
        WHEN w ~ '^[a-z0-9][^a-z0-9]+$' THEN
            (SELECT array_agg('%' || before || w || '%') FROM unnest(characters) AS before) || (w || '%')
        ELSE ARRAY['%' || w || '%']
    END) AS pattern;
END
"""
OTHER = r"search ~ '[^a-z0-9\x1e\x1f ''.,/-]'"
INDEXES = {f"ix_{table}_other_letters": f"{table} (clinic_id) WHERE {OTHER}" for table in ("ticket", "patient")}


def upgrade() -> None:
    op.execute(PATTERNS)
    build_beside_writers(INDEXES)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP FUNCTION short_word_patterns(text)")
