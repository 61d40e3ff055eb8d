"""Patients are found by names without their apostrophes, hyphens and spaces: `dangelo`, `perezcotapos`, O´Higgins.

Each name stands once more after the document, by its letters and digits alone, with a separator that no word has: so a
word never runs from one into the next. A word with punctuation in it is looked for among them as it always was among
documents (`search_document_pattern`), also by the release before this one, which finds more by it.

The column is made anew under its table's lock: a matter of seconds per million patients.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JOINED = """
CREATE FUNCTION joined_text(written text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(search_text(folded_text(coalesce(written, ''))), '[^[:alnum:]]', '', 'g')
"""
# Surnames first: it is the order of patients too. \x1f sorts before every letter and stands in no word.
PATIENT = """
CREATE OR REPLACE FUNCTION patient_search(
    first_name varchar, middle_name varchar, last_name varchar, second_last_name varchar, document varchar
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_text(
    last_name || E'\\x1f' || coalesce(second_last_name, '') || E'\\x1f' || first_name || E'\\x1f'
    || coalesce(middle_name, '') || E'\\x1f' || document || E'\\x1e'
    || regexp_replace(search_text(document), '[^[:alnum:]]', '', 'g')
) || E'\\x1f' || joined_text(last_name) || E'\\x1f' || joined_text(second_last_name) || E'\\x1f'
  || joined_text(first_name) || E'\\x1f' || joined_text(middle_name)
"""
PATIENT_BEFORE = """
CREATE OR REPLACE FUNCTION patient_search(
    first_name varchar, middle_name varchar, last_name varchar, second_last_name varchar, document varchar
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_text(
    last_name || E'\\x1f' || coalesce(second_last_name, '') || E'\\x1f' || first_name || E'\\x1f'
    || coalesce(middle_name, '') || E'\\x1f' || document || E'\\x1e'
    || regexp_replace(search_text(document), '[^[:alnum:]]', '', 'g')
)
"""
SEARCH = "patient_search(first_name, middle_name, last_name, second_last_name, coalesce(document_typed, document))"
SEARCH_BEFORE = "patient_search(first_name, middle_name, last_name, second_last_name, document)"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("patient", "search")
    op.execute(JOINED)
    op.execute(PATIENT)
    _add(SEARCH)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("patient", "search")
    op.execute(PATIENT_BEFORE)
    op.execute("DROP FUNCTION joined_text(text)")
    _add(SEARCH_BEFORE)


def _add(expression: str) -> None:
    made = sa.Column("search", sa.Text(collation="C"), sa.Computed(expression, persisted=True), nullable=False)
    op.add_column("patient", made)
    op.create_index(
        "ix_patient_search",
        "patient",
        ["search"],
        postgresql_using="gin",
        postgresql_ops={"search": "gin_trgm_ops"},
    )
