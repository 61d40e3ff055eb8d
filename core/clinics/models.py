"""The table of clinics."""

from sqlalchemy import CheckConstraint, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base, CreatedAt, Id


class Clinic(Base):
    __tablename__ = "clinic"
    __table_args__ = (
        CheckConstraint("prefix ~ '^[A-Z]{4}$'", name="prefix"),
        CheckConstraint("length(btrim(name)) > 0", name="name"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(4), unique=True)
    timezone: Mapped[str] = mapped_column(String(64), server_default=text("'America/Santiago'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[CreatedAt]


Index("uq_clinic_lower_name", func.lower(Clinic.name), unique=True)
