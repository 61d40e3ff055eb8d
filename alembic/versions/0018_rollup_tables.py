"""Tables of the rollups (docs/design/rollups.md); what writes them is the next migration's.

None refers to others, so that a restore may bring tables in any order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

AMOUNTS = (
    *("total", "active", "discharged", "annulled", "timed", "on_time", "delay_microseconds"),
    *("modifications", "modified_tickets"),
)
TABLES = ("rolled_clinic", "modified_ticket", "doctor_rollup", "ticket_rollup", "rollup_change")


def amounts() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False) for name in AMOUNTS]


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "rollup_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("surgery_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), server_default=sa.text("0"), nullable=False),
        *amounts(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_change")),
    )
    op.create_index(op.f("ix_rollup_change_clinic_id"), "rollup_change", ["clinic_id"])
    op.create_table(
        "ticket_rollup",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span", sa.String(length=5), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("surgery_id", sa.Integer(), autoincrement=False, nullable=False),
        *amounts(),
        sa.PrimaryKeyConstraint("clinic_id", "span", "starts", "surgery_id", name=op.f("pk_ticket_rollup")),
    )
    op.create_table(
        "doctor_rollup",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("span", sa.String(length=5), nullable=False),
        sa.Column("surgery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("modifications", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "clinic_id", "span", "surgery_id", "starts", "doctor_id", name=op.f("pk_doctor_rollup")
        ),
    )
    op.create_table(
        "modified_ticket",
        sa.Column("ticket_id", sa.String(length=30), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("surgery_id", sa.Integer(), nullable=False),
        sa.Column("doctor_id", sa.Integer(), nullable=False),
        sa.Column("modifications", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_modified_ticket")),
    )
    op.create_index(op.f("ix_modified_ticket_clinic_id_day"), "modified_ticket", ["clinic_id", "day"])
    op.create_table(
        "rolled_clinic",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timeline", sa.Text(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("marks", sa.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("locals", sa.ARRAY(sa.DateTime()), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_rolled_clinic")),
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER kept BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER kept")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TABLES:
        op.drop_table(table)
