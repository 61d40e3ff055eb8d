"""One look at the table `cache_version`: its rows, the timeline and the database's clock, all from one snapshot."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import text

from core.cache.versions.timeline import ID, STAMPED, Timeline
from core.cache.versions.vector import Vector
from core.db.transaction import FINGERPRINT
from core.telemetry.trace import VersionRow

ALL_ROWS = "0"
"""In place of a transaction's id: rows changed in any."""
READ = f"""
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, extract(epoch FROM clock_timestamp())::float8 AS now,
       pg_is_in_recovery() AS standby, {FINGERPRINT} AS fingerprint, {STAMPED} AS stamped, {ID} AS id,
       count(*) AS number, coalesce(sum(version), 0)::text AS total,
       coalesce(array_agg(clinic_id) FILTER (WHERE is_asked), '{{}}') AS clinics,
       coalesce(array_agg(topic::text) FILTER (WHERE is_asked), '{{}}') AS topics,
       coalesce(array_agg(version) FILTER (WHERE is_asked), '{{}}') AS versions
FROM (SELECT clinic_id, topic, version, changed_in >= ($1::text)::xid8
             OR (cardinality($2::text[]) > 0 AND clinic_id || '/' || topic = ANY ($2::text[])) AS is_asked
      FROM cache_version) AS v
"""  # noqa: S608
"""For asyncpg; its parameters are the id of a transaction, or ALL_ROWS, and rows asked for by name: `5/figures`."""
READ_ALL = text(READ.replace("$1", f"'{ALL_ROWS}'").replace("$2", "'{}'").replace("::", "\\:\\:"))
"""For SQLAlchemy."""


RowName = tuple[int, str]
"""A row's clinic and topic."""


class NotPrimary(ConnectionError):
    """A standby answered, a demoted primary perhaps: nobody knows how far behind it is."""


class VersionSnapshot(NamedTuple):
    """What one read of the version rows found, in one snapshot of the database."""

    rows: list[VersionRow]
    xmin: str
    """The snapshot's xmin: the next look asks for rows changed in this transaction or later."""
    now: float
    """The database's clock, epoch seconds."""
    full: bool
    """Whether `rows` are all rows, or only those changed since the last look."""
    timeline: Timeline = Timeline("", "")
    number: int = 0
    """Rows in the table, whether in `rows` or not."""
    total: int = 0
    """Sum of their versions."""
    gone: Collection[RowName] = ()
    """Asked for by name, and not in the table."""


def snapshot_of(row: Any, *, full: bool, named: Collection[RowName] = ()) -> VersionSnapshot:
    """What the one row of READ says, asked for the rows `named`, too. Raises NotPrimary where it is a standby's."""
    if row["standby"]:
        raise NotPrimary("the database is a standby")
    rows: list[VersionRow] = list(zip(row["clinics"], row["topics"], row["versions"], strict=True))
    timeline = Timeline(row["fingerprint"], row["stamped"], row["id"])
    gone = set(named) - {(clinic_id, topic) for clinic_id, topic, _ in rows}
    return VersionSnapshot(rows, row["xmin"], row["now"], full, timeline, row["number"], int(row["total"]), gone)


class Ledger:
    """The rows that one connection's looks have brought, to notice changes that no look brought: a row deleted, or put
    back as it once was. The version map cannot tell: it learns from notifications too, and may be ahead."""

    def __init__(self) -> None:
        self._rows: Vector = {}
        self._total = 0

    def agrees(self, snapshot: VersionSnapshot) -> bool:
        """Take a snapshot's rows. False where the table has others than those brought so far."""
        if snapshot.full:
            self._rows, self._total = {}, 0
        for clinic_id, topic, version in snapshot.rows:
            key = (clinic_id, topic)
            self._total += version - self._rows.get(key, 0)
            self._rows[key] = version
        return (len(self._rows), self._total) == (snapshot.number, snapshot.total)

    def unseen(self, heard: Vector) -> list[RowName]:
        """Those of versions heard of that no look has brought."""
        return [name for name, version in heard.items() if version > self._rows.get(name, 0)]
