"""Tickets and their modifications."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(length=30), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("surgery_id", sa.Integer(), nullable=True),
        sa.Column("doctor_id", sa.Integer(), nullable=True),
        sa.Column("surgery_name", sa.String(length=200), nullable=False),
        sa.Column("surgery_base_hours", sa.Integer(), nullable=False),
        sa.Column("surgery_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("admission_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("system_fpa", sa.DateTime(timezone=True), nullable=False),
        sa.Column("initial_fpa", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current_fpa", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overnight_stays", sa.Integer(), nullable=False),
        sa.Column("initial_overnight_stays", sa.Integer(), nullable=False),
        sa.Column("bed_number", sa.String(length=10), nullable=True),
        sa.Column("location", sa.String(length=50), nullable=True),
        sa.Column("episode_id", sa.String(length=50), nullable=True),
        sa.Column("status", sa.String(length=10), server_default=sa.text("'active'"), nullable=False),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discharge_assumed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("annulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("annulled_by", sa.String(length=80), nullable=True),
        sa.Column("annulment_reason", sa.String(length=500), nullable=True),
        sa.Column("imported", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("(status = 'annulled') = (annulled_at is not null)", name=op.f("ck_ticket_annulled")),
        sa.CheckConstraint("(status = 'discharged') = (discharged_at is not null)", name=op.f("ck_ticket_discharged")),
        sa.CheckConstraint("status in ('active', 'discharged', 'annulled')", name=op.f("ck_ticket_status")),
        sa.CheckConstraint(
            "imported or (admission_at <= surgery_at and current_fpa >= admission_at and initial_fpa >= admission_at)",
            name=op.f("ck_ticket_times"),
        ),
        sa.CheckConstraint(
            "imported or (patient_id is not null and surgery_id is not null)", name=op.f("ck_ticket_imported")
        ),
        sa.CheckConstraint(
            "imported or discharged_at >= admission_at", name=op.f("ck_ticket_discharge_after_admission")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_ticket_number")),
        sa.CheckConstraint(
            "overnight_stays >= 0 and initial_overnight_stays >= 0", name=op.f("ck_ticket_overnight_stays")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_ticket_revision")),
        sa.CheckConstraint("surgery_base_hours between 1 and 2160", name=op.f("ck_ticket_surgery_base_hours")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "doctor_id"], ["doctor.clinic_id", "doctor.id"], name=op.f("fk_ticket_clinic_id_doctor_id")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patient.clinic_id", "patient.id"],
            name=op.f("fk_ticket_clinic_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "surgery_id"],
            ["surgery.clinic_id", "surgery.id"],
            name=op.f("fk_ticket_clinic_id_surgery_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_ticket_clinic_id")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["app_user.id"], name=op.f("fk_ticket_created_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_ticket_clinic_id_id")),
        sa.UniqueConstraint("clinic_id", "year", "number", name=op.f("uq_ticket_clinic_id_year_number")),
    )
    op.create_index(
        "ix_ticket_active",
        "ticket",
        ["clinic_id", "current_fpa"],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index("ix_ticket_clinic_id_created_at", "ticket", ["clinic_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_ticket_figures",
        "ticket",
        ["clinic_id", "status", "current_fpa"],
        unique=False,
        postgresql_include=["created_at", "discharged_at", "discharge_assumed", "surgery_id", "doctor_id"],
    )
    op.create_index(
        "ix_ticket_patient_id", "ticket", ["patient_id"], unique=False, postgresql_where=sa.text("status = 'active'")
    )
    op.create_table(
        "fpa_modification",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.String(length=30), nullable=False),
        sa.Column("previous_fpa", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_fpa", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("justification", sa.String(length=1000), nullable=True),
        sa.Column("modified_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("modified_by_id", sa.Integer(), nullable=True),
        sa.Column("modified_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "reason_id"],
            ["standardized_reason.clinic_id", "standardized_reason.id"],
            name=op.f("fk_fpa_modification_clinic_id_reason_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "ticket_id"],
            ["ticket.clinic_id", "ticket.id"],
            name=op.f("fk_fpa_modification_clinic_id_ticket_id"),
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_fpa_modification_clinic_id")),
        sa.ForeignKeyConstraint(
            ["modified_by_id"], ["app_user.id"], name=op.f("fk_fpa_modification_modified_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fpa_modification")),
    )
    op.create_index("ix_fpa_modification_ticket", "fpa_modification", ["clinic_id", "ticket_id", "id"], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("fpa_modification")
    op.drop_table("ticket")
