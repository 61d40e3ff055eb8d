"""What became of each row of the old application: so that a second import finds it again, whatever was renamed."""

from uuid import UUID

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


class LegacyTicket(Base):
    """A ticket as it came: whether it changed there since, and whether anybody touched it here.

    No foreign key, for it is written row by row beside tickets; an import joins them.
    """

    __tablename__ = "legacy_ticket"

    id: Mapped[str] = mapped_column(String(30), primary_key=True)
    """Its id here."""
    fingerprint: Mapped[UUID]
    """Of what the source said of it, its last modification included."""
    revision: Mapped[int]
    """Which it had here once it was written. 0: somebody had touched it before that was remembered."""
