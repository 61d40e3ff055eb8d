"""Append-only (a trigger refuses UPDATE, DELETE and TRUNCATE). No foreign key to the user: a row outlives it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, BigId


class LoginAudit(Base):
    """Every attempt to sign in. `clinic_id` and `user_id` are null for a name that nobody has."""

    __tablename__ = "login_audit"
    __table_args__ = (
        Index("ix_login_audit_at", "at"),
        Index("ix_login_audit_clinic_id_at", "clinic_id", "at"),
        Index("ix_login_audit_user_id_at", "user_id", "at"),
        Index("ix_login_audit_outcome_at", "outcome", "at"),
    )

    id: Mapped[BigId]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    user_id: Mapped[int | None]
    username: Mapped[str] = mapped_column(String(254))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    succeeded: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(40))
    client: Mapped[str] = mapped_column(String(10))
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(200))
    request_id: Mapped[str | None] = mapped_column(String(128))


class ActionAudit(Base):
    """Every write: who, from where, what, on which target, before and after, in which clinic, when."""

    __tablename__ = "action_audit"
    __table_args__ = (
        Index("ix_action_audit_at", "at"),
        Index("ix_action_audit_clinic_id_at", "clinic_id", "at"),
        Index("ix_action_audit_user_id_at", "user_id", "at"),
        Index("ix_action_audit_action_at", "action", "at"),
        Index("ix_action_audit_target_id_at", "target_id", "at"),
        Index("ix_action_audit_target", "target_type", "target_id", "at"),
    )

    id: Mapped[BigId]
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    user_id: Mapped[int | None]
    username: Mapped[str] = mapped_column(String(80))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"))
    action: Mapped[str] = mapped_column(String(60))
    target_type: Mapped[str] = mapped_column(String(40))
    target_id: Mapped[str] = mapped_column(String(60))
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """{"field": [before, after]}"""
    ip: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(128))


Index("ix_login_audit_lower_username_at", func.lower(LoginAudit.username), LoginAudit.at)
Index("ix_action_audit_lower_username_at", func.lower(ActionAudit.username), ActionAudit.at)
