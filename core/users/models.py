"""The table of users."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, CreatedAt, Id


class User(Base):
    """`user` is a reserved word in SQL, hence the table's name."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("role in ('viewer', 'clinical', 'admin', 'superuser')", name="role"),
        CheckConstraint("(role = 'superuser') = (clinic_id is null)", name="superuser_has_no_clinic"),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(10))
    clinic_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.id"), index=True)
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[CreatedAt]


Index("uq_app_user_lower_username", func.lower(User.username), unique=True)
Index("uq_app_user_lower_email", func.lower(User.email), unique=True)
