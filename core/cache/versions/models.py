"""Versions of what the cache holds. Triggers alone write them (alembic/versions, docs/design/cache.md "Versions")."""

from sqlalchemy import BigInteger, CheckConstraint, String, Text, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from core.db.base import Base, BigId


class Xid8(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # so that `alembic check` recognises the column


class CacheVersion(Base):
    """`clinic_id` 0 is the network and global rows; hence no foreign key."""

    __tablename__ = "cache_version"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}  # noqa: RUF012  room for HOT updates of hot rows

    clinic_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(String(80), primary_key=True)
    """One of core.cache.policy.TOPICS, or `ns:<namespace>` of a plain fastapi-cache2 route."""
    version: Mapped[int] = mapped_column(BigInteger)
    changed_in: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    """The newest transaction that bumped it; a poll asks for those its last snapshot could not see."""


class CacheTimeline(Base):
    """One row: the fingerprint of the tables and triggers that the versions were last stamped with
    (core/cache/versions/timeline.py). None before a process has served for the first time."""

    __tablename__ = "cache_timeline"
    __table_args__ = (CheckConstraint("is_only", name="is_only"),)

    is_only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    fingerprint: Mapped[str] = mapped_column(Text)
    id: Mapped[str] = mapped_column(Text, server_default=text("(gen_random_uuid())::text"))
    """Another one for each timeline."""


class CacheFlush(Base):
    """Never holds a committed row: inserting one arms the deferred trigger that bumps just before commit."""

    __tablename__ = "cache_flush"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012

    id: Mapped[BigId]
