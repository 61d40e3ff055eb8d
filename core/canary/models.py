"""The canary's row, which nothing refers to."""

from datetime import datetime

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base


class CanaryRow(Base):
    """One row, made by the first who writes it. Stamped: each write is a version of (0, canary)."""

    __tablename__ = "canary"
    __table_args__ = (
        CheckConstraint("is_only", name="is_only"),
        {"postgresql_with": {"fillfactor": "50"}},  # room for HOT updates
    )

    is_only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    written_at: Mapped[datetime]
    """By the database's clock, a moment before its transaction's COMMIT."""
