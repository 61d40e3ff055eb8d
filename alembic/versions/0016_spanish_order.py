r"""Names stand in Spanish order: ñ is a letter of its own after n, other accents and case do not matter.

`spanish_order` is what names are ordered by, under collation "C", for PostgreSQL need not have ICU. It is folded text,
in which ñ is `n~`: a tilde comes after every letter and digit, so Nuñez stands after Nunez and Nuzo, and before Oro.

Tickets and patients have it in columns of their own. Adding them writes both tables and their indexes anew under their
locks: a matter of seconds per 100,000 tickets. The release before this one goes on ordering by `ticket.surgery_key` and
`patient.search`; the former goes with a later release.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Any n, also a full-width one, with a tilde among the marks that stand on it.
ENYE = r"[n\uff4e][\u0300-\u0302\u0304-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]*\u0303"

SPANISH = rf"""
CREATE FUNCTION spanish_order(written text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN search_text(folded_text(normalize(regexp_replace(normalize(written, NFD), '{ENYE}', 'n~', 'gi'), NFC)))
"""
# Surnames first. \x1f sorts before every letter and stands in no name.
PATIENT = """
CREATE FUNCTION patient_order(
    first_name varchar, middle_name varchar, last_name varchar, second_last_name varchar, document varchar
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN spanish_order(last_name) || E'\\x1f' || spanish_order(coalesce(second_last_name, '')) || E'\\x1f'
    || spanish_order(first_name) || E'\\x1f' || spanish_order(coalesce(middle_name, '')) || E'\\x1f'
    || spanish_order(document)
"""
COLUMNS = (
    (
        "patient",
        "name_order",
        "patient_order(first_name, middle_name, last_name, second_last_name, coalesce(document_typed, document))",
    ),
    ("ticket", "surgery_order", "spanish_order(surgery_name)"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(SPANISH)
    op.execute(PATIENT)
    for table, name, expression in COLUMNS:
        made = sa.Column(name, sa.Text(collation="C"), sa.Computed(expression, persisted=True), nullable=False)
        op.add_column(table, made)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table, name, _ in COLUMNS:
        op.drop_column(table, name)
    op.execute("DROP FUNCTION patient_order(varchar, varchar, varchar, varchar, varchar), spanish_order(text)")
