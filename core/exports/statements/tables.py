"""What the full export reads: every table, but not what would let somebody in."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, SmallInteger, String, Table, Text, cast, or_, select, true
from sqlalchemy.types import UserDefinedType

from core.access import ClinicScope
from core.db.models import metadata
from core.exports import job
from core.exports.statements.keyset import one_batch, prepared

LEFT_OUT = (
    *("user_session", "idempotency_key", "cache_timeline", "canary"),
    *("rolled_clinic", "rollup_change", "ticket_rollup", "doctor_rollup", "modified_ticket", "flow_rollup"),
    "delayed_ticket",
)
"""Who is signed in, and kept answers, which repeat what was written; of which objects of this very database the
versions were stamped; when somebody looked last; and counts of the tickets."""
OF_NO_CLINIC = ("legacy_map", "legacy_ticket")
"""Ids of every clinic's rows, and not whose: with the network's only."""
SECRET = frozenset({("app_user", "password_hash")})


def left_out(scope: ClinicScope) -> tuple[str, ...]:
    """Names of the tables that the scope's full export does not have."""
    return LEFT_OUT if scope.clinic_id is None else LEFT_OUT + OF_NO_CLINIC


def tables(scope: ClinicScope) -> tuple[job.Table, ...]:
    """The tables of the scope's full export, those first that refer to others: what a row refers to is never deleted,
    so it is still there when its own table is read later, also if it was made meanwhile."""
    ordered = [table for table in reversed(metadata.sorted_tables) if table.name not in left_out(scope)]
    # The audits have no foreign keys to what they name.
    ordered.sort(key=lambda table: not table.name.endswith("_audit"))
    return tuple(_asked(table, scope) for table in ordered)


def _asked(table: Table, scope: ClinicScope) -> job.Table:
    keys = list(table.primary_key.columns)
    columns: list[Any] = [
        column for column in table.columns if column.computed is None and (table.name, column.name) not in SECRET
    ]
    names = [column.name for column in columns]
    read = [cast(one, Text).label(one.name) if isinstance(one.type, UserDefinedType) else one for one in columns]
    batches = prepared(
        one_batch(select(*read).where(_within(table, scope)), keys),
        start=[_before_all(key.type) for key in keys],
        key_positions=[names.index(key.name) for key in keys],
    )
    return job.Table(table.name, tuple(names), batches)


def _within(table: Table, scope: ClinicScope) -> ColumnElement[bool]:
    """The clinic's rows, and the global ones: those of no clinic, and the network's versions."""
    if scope.clinic_id is None:
        return true()
    if table.name == "clinic":
        return scope.rows(table.c.id)
    if "clinic_id" not in table.c:
        return true()
    return or_(scope.rows(table.c.clinic_id), table.c.clinic_id.is_(None), table.c.clinic_id == 0)


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
