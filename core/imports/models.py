"""What became of each row of the old application: so that a second import finds it again, whatever was renamed."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db.base import Base


class LegacyRow(Base):
    """`key` is what the row was called there: with another source, the same id means another row, and has another key.

    No foreign key, for the ids are of several tables; whoever reads it joins the table that `kind` names.
    """

    __tablename__ = "legacy_map"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """The table, as it is called here."""
    legacy_id: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text)
    """The row's id here, as text."""
