"""Tables of sessions and idempotency keys."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, BigId, CreatedAt


class UserSession(Base):
    """The durable record of a session; Redis holds the working copy. The token itself is stored nowhere."""

    __tablename__ = "user_session"
    __table_args__ = (
        CheckConstraint("client in ('web', 'mobile', 'display')", name="client"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("idle_seconds > 0", name="idle_seconds"),
        CheckConstraint("expires_at > created_at", name="expires_at"),
        Index("ix_user_session_live", "user_id", postgresql_where=text("revoked_at is null")),
    )

    id: Mapped[BigId]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"), index=True)
    client: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_seconds: Mapped[int | None]
    """None: no idle limit (wall displays)."""
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(200))


class IdempotencyKey(Base):
    """The first answer to a POST with `Idempotency-Key`, stored in the write's own transaction."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    method: Mapped[str] = mapped_column(String(10), primary_key=True)
    path: Mapped[str] = mapped_column(String(500), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    stamped: Mapped[str] = mapped_column(Text, server_default="")
    """`5/figures 5/tickets`: the versions that the write made, in the form that core/db/bumps.py reads."""
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)
