"""Clinics, users, catalogs, patients, audits, sessions, and the cache's versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import UserDefinedType

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TABLES = (
    "user_session",
    "surgery",
    "idempotency_key",
    "doctor",
    "urgency_threshold",
    "ticket_counter",
    "standardized_reason",
    "specialty",
    "patient",
    "login_audit",
    "app_user",
    "action_audit",
    "clinic",
    "cache_version",
    "cache_flush",
)


class Xid8(UserDefinedType[str]):
    def get_col_spec(self, **_: object) -> str:
        return "xid8"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "cache_flush",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cache_flush")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "cache_version",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_in", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", "topic", name=op.f("pk_cache_version")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("prefix", sa.String(length=4), nullable=False),
        sa.Column("timezone", sa.String(length=64), server_default=sa.text("'America/Santiago'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("prefix ~ '^[A-Z]{4}$'", name=op.f("ck_clinic_prefix")),
        sa.CheckConstraint("length(btrim(name)) > 0", name=op.f("ck_clinic_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
        sa.UniqueConstraint("prefix", name=op.f("uq_clinic_prefix")),
    )
    op.create_index("uq_clinic_lower_name", "clinic", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "action_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("target_type", sa.String(length=40), nullable=False),
        sa.Column("target_id", sa.String(length=60), nullable=False),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_action_audit_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_audit")),
    )
    op.create_index("ix_action_audit_clinic_id_at", "action_audit", ["clinic_id", "at"], unique=False)
    op.create_index("ix_action_audit_target", "action_audit", ["target_type", "target_id", "at"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(role = 'superuser') = (clinic_id is null)", name=op.f("ck_app_user_superuser_has_no_clinic")
        ),
        sa.CheckConstraint("role in ('viewer', 'clinical', 'admin', 'superuser')", name=op.f("ck_app_user_role")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_app_user_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
    )
    op.create_index(op.f("ix_app_user_clinic_id"), "app_user", ["clinic_id"], unique=False)
    op.create_index("uq_app_user_lower_email", "app_user", [sa.literal_column("lower(email)")], unique=True)
    op.create_index("uq_app_user_lower_username", "app_user", [sa.literal_column("lower(username)")], unique=True)
    op.create_table(
        "login_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("username", sa.String(length=254), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=True),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=10), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_login_audit_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_audit")),
    )
    op.create_index("ix_login_audit_clinic_id_at", "login_audit", ["clinic_id", "at"], unique=False)
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("document_type", sa.String(length=8), nullable=False),
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("verified", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("middle_name", sa.String(length=80), nullable=True),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("second_last_name", sa.String(length=80), nullable=True),
        sa.Column("age", sa.SmallInteger(), nullable=True),
        sa.Column("sex", sa.String(length=1), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("document_type in ('rut', 'passport', 'other')", name=op.f("ck_patient_document_type")),
        sa.CheckConstraint("sex in ('F', 'M', 'X')", name=op.f("ck_patient_sex")),
        sa.CheckConstraint("age between 0 and 150", name=op.f("ck_patient_age")),
        sa.CheckConstraint("length(btrim(document)) > 0", name=op.f("ck_patient_document")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_patient_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint(
            "clinic_id", "document_type", "document", name=op.f("uq_patient_clinic_id_document_type_document")
        ),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_patient_clinic_id_id")),
    )
    op.create_table(
        "specialty",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("length(btrim(name)) > 0", name=op.f("ck_specialty_name")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_specialty_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specialty")),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_specialty_clinic_id_id")),
    )
    op.create_index(
        "uq_specialty_clinic_id_lower_name", "specialty", ["clinic_id", sa.literal_column("lower(name)")], unique=True
    )
    op.create_table(
        "standardized_reason",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "category in ('modification', 'annulment', 'initial')", name=op.f("ck_standardized_reason_category")
        ),
        sa.CheckConstraint("length(btrim(reason)) > 0", name=op.f("ck_standardized_reason_reason")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_standardized_reason_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standardized_reason")),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_standardized_reason_clinic_id_id")),
    )
    op.create_index(
        "uq_standardized_reason_clinic_id_category_lower_reason",
        "standardized_reason",
        ["clinic_id", "category", sa.literal_column("lower(reason)")],
        unique=True,
    )
    op.create_table(
        "ticket_counter",
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_ticket_counter_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "year", name=op.f("pk_ticket_counter")),
    )
    op.create_table(
        "urgency_threshold",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=True),
        sa.Column("red_hours", sa.SmallInteger(), nullable=False),
        sa.Column("yellow_hours", sa.SmallInteger(), nullable=False),
        sa.Column("green_hours", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "1 <= red_hours and red_hours < yellow_hours and yellow_hours < green_hours and green_hours <= 72",
            name=op.f("ck_urgency_threshold_order"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_urgency_threshold_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgency_threshold")),
        sa.UniqueConstraint(
            "clinic_id", name=op.f("uq_urgency_threshold_clinic_id"), postgresql_nulls_not_distinct=True
        ),
    )
    op.create_table(
        "doctor",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("specialty_id", sa.Integer(), nullable=True),
        sa.Column("rut", sa.String(length=12), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("length(btrim(name)) > 0", name=op.f("ck_doctor_name")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "specialty_id"],
            ["specialty.clinic_id", "specialty.id"],
            name=op.f("fk_doctor_clinic_id_specialty_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_doctor_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doctor")),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_doctor_clinic_id_id")),
    )
    op.create_index("ix_doctor_clinic_id_name", "doctor", ["clinic_id", "name"], unique=False)
    op.create_index(op.f("ix_doctor_specialty_id"), "doctor", ["specialty_id"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_idempotency_key_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "method", "path", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_expires_at"), "idempotency_key", ["expires_at"], unique=False)
    op.create_table(
        "surgery",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("specialty_id", sa.Integer(), nullable=False),
        sa.Column("base_stay_hours", sa.Integer(), nullable=False),
        sa.Column("applies_ticket_home", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_ambulatory", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ambulatory_cutoff_hour", sa.SmallInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint("ambulatory_cutoff_hour between 0 and 23", name=op.f("ck_surgery_ambulatory_cutoff_hour")),
        sa.CheckConstraint("base_stay_hours between 1 and 2160", name=op.f("ck_surgery_base_stay_hours")),
        sa.CheckConstraint("length(btrim(name)) > 0", name=op.f("ck_surgery_name")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "specialty_id"],
            ["specialty.clinic_id", "specialty.id"],
            name=op.f("fk_surgery_clinic_id_specialty_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_surgery_clinic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surgery")),
        sa.UniqueConstraint("clinic_id", "id", name=op.f("uq_surgery_clinic_id_id")),
    )
    op.create_index(op.f("ix_surgery_specialty_id"), "surgery", ["specialty_id"], unique=False)
    op.create_index(
        "uq_surgery_clinic_id_lower_name", "surgery", ["clinic_id", sa.literal_column("lower(name)")], unique=True
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=True),
        sa.Column("client", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.CheckConstraint("client in ('web', 'mobile', 'display')", name=op.f("ck_user_session_client")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_user_session_expires_at")),
        sa.CheckConstraint("idle_seconds > 0", name=op.f("ck_user_session_idle_seconds")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_user_session_token_hash")),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinic.id"], name=op.f("fk_user_session_clinic_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_clinic_id"), "user_session", ["clinic_id"], unique=False)
    op.create_index(op.f("ix_user_session_expires_at"), "user_session", ["expires_at"], unique=False)
    op.create_index(
        "ix_user_session_live",
        "user_session",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at is null"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TABLES:
        op.drop_table(table)
