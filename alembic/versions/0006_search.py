"""Search without accents, case and punctuation; the nursing board's window.

Search text is a generated column of the row whose words it holds: right whoever writes, and nothing to keep in step.
Adding one writes the table anew under its lock: a matter of seconds per million tickets.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None

EXTENSIONS = ("unaccent", "pg_trgm")

FUNCTIONS = (
    # unaccent() is STABLE, for somebody could change its dictionary; ours is the one that comes with the extension.
    # The bodies are parsed here and now: no search_path changes what they mean, a restore's empty one neither.
    """
    CREATE FUNCTION search_text(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN lower(public.unaccent('public.unaccent'::regdictionary, written))
    """,
    # One word of a search, as a pattern that finds it anywhere; after unaccent, which makes a `%` of a full-width one.
    r"""
    CREATE FUNCTION search_pattern(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '%' || regexp_replace(search_text(word), '([\\%_])', '\\\1', 'g') || '%'
    """,
    # The same for what may be a document: its letters and digits, where documents stand without punctuation.
    """
    CREATE FUNCTION search_document_pattern(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN E'%\\x1e%' || nullif(regexp_replace(search_text(word), '[^[:alnum:]]', '', 'g'), '') || '%'
    """,
    """
    CREATE FUNCTION ticket_search(id varchar, bed varchar, location varchar, episode varchar) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_text(
        id || E'\\x1f' || coalesce(bed, '') || E'\\x1f' || coalesce(location, '') || E'\\x1f' || coalesce(episode, '')
    )
    """,
    # Surnames first: it is the order of patients too. \x1f sorts before every letter and stands in no word.
    """
    CREATE FUNCTION patient_search(
        first_name varchar, middle_name varchar, last_name varchar, second_last_name varchar, document varchar
    ) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN search_text(
        last_name || E'\\x1f' || coalesce(second_last_name, '') || E'\\x1f' || first_name || E'\\x1f'
        || coalesce(middle_name, '') || E'\\x1f' || document || E'\\x1e'
        || regexp_replace(search_text(document), '[^[:alnum:]]', '', 'g')
    )
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA public")
    for function in FUNCTIONS:
        op.execute(function)
    op.add_column(
        "ticket",
        sa.Column(
            "search",
            sa.Text(),
            sa.Computed("ticket_search(id, bed_number, location, episode_id)", persisted=True),
            nullable=False,
        ),
    )
    op.add_column(
        "ticket",
        sa.Column(
            "surgery_key",
            sa.Text(collation="C"),
            sa.Computed("search_text(surgery_name)", persisted=True),
            nullable=False,
        ),
    )
    op.add_column(
        "patient",
        sa.Column(
            "search",
            sa.Text(collation="C"),
            sa.Computed(
                "patient_search(first_name, middle_name, last_name, second_last_name, document)", persisted=True
            ),
            nullable=False,
        ),
    )
    for table in ("ticket", "patient"):
        op.create_index(
            f"ix_{table}_search", table, ["search"], postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}
        )
    op.create_index(
        "ix_ticket_board",
        "ticket",
        ["clinic_id", sa.literal_column("coalesce(annulled_at, discharged_at, current_fpa)")],
    )
    # Of every ticket, no longer of the active ones alone: a patient found by name leads to all of them.
    op.drop_index("ix_ticket_patient_id", "ticket")
    op.create_index("ix_ticket_patient_id", "ticket", ["patient_id"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_index("ix_ticket_patient_id", "ticket")
    op.create_index("ix_ticket_patient_id", "ticket", ["patient_id"], postgresql_where=sa.text("status = 'active'"))
    op.drop_index("ix_ticket_board", "ticket")
    op.drop_column("patient", "search")
    op.drop_column("ticket", "surgery_key")
    op.drop_column("ticket", "search")
    op.execute(
        "DROP FUNCTION patient_search(varchar, varchar, varchar, varchar, varchar),"
        " ticket_search(varchar, varchar, varchar, varchar), search_document_pattern(text), search_pattern(text),"
        " search_text(text)"
    )
    # The extensions stay: somebody else may use them.
