"""What the full export reads: every table, but not what would let somebody in."""

from typing import Any

from sqlalchemy import BigInteger, Integer, SmallInteger, String, Table, Text, cast, select
from sqlalchemy.types import UserDefinedType

from core.db.models import metadata
from core.exports import jobs
from core.exports.statement import one_batch, prepared

LEFT_OUT = ("user_session", "idempotency_key")
"""Who is signed in, and kept answers, which repeat what was written."""
SECRET = frozenset({("app_user", "password_hash")})


def tables() -> tuple[jobs.Table, ...]:
    """Those first that refer to others: rows that are referred to are never deleted, and so are found when it is their
    turn, also if they were made meanwhile."""
    told = [table for table in reversed(metadata.sorted_tables) if table.name not in LEFT_OUT]
    # The audits have no foreign keys to what they name.
    told.sort(key=lambda table: not table.name.endswith("_audit"))
    return tuple(_asked(table) for table in told)


def _asked(table: Table) -> jobs.Table:
    keys = list(table.primary_key.columns)
    columns: list[Any] = [
        column for column in table.columns if column.computed is None and (table.name, column.name) not in SECRET
    ]
    names = [column.name for column in columns]
    told = [cast(one, Text).label(one.name) if isinstance(one.type, UserDefinedType) else one for one in columns]
    batches = prepared(
        one_batch(select(*told), keys),
        start=[_before_all(key.type) for key in keys],
        places=[names.index(key.name) for key in keys],
    )
    return jobs.Table(table.name, tuple(names), batches)


def _before_all(kind: Any) -> object:
    if isinstance(kind, SmallInteger):
        return -(2**15)
    if isinstance(kind, BigInteger):
        return -(2**63)
    if isinstance(kind, Integer):
        return -(2**31)
    if isinstance(kind, String):
        return ""
    raise TypeError(f"no key of type {kind}")
