"""What a look-up of sessions brought: copies, by their digests; or, where only the clinics' rows have changed, which is
so for everybody's session at once, those rows: a handful instead of every session's record anew."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import text

from core import times
from core.cache.single_flight import Flights
from core.clock import DEFAULT_ZONE, boottime
from core.db.transaction import Database, ReadSession
from core.sessions.copies import SessionCopy

# One statement, so one snapshot. Clinic 0 is the superusers', who have none.
CLINICS = text("""
SELECT c.id, c.timezone, coalesce(v.version, 0) AS users_version,
       coalesce((SELECT version FROM cache_version WHERE clinic_id = 0 AND topic = 'clinics'), 0) AS clinics_version,
       CAST(extract(epoch FROM clock_timestamp()) AS float8) AS verified_at
FROM (SELECT id, timezone FROM clinic WHERE is_active UNION ALL SELECT 0, :network) AS c
LEFT JOIN cache_version v ON v.clinic_id = c.id AND v.topic = 'users'
""")


@dataclass(frozen=True, slots=True)
class Look:
    """One look-up of sessions in `tier` (redis or database), begun `at` (boottime)."""

    asked: frozenset[bytes]
    """The digests that it was for."""
    found: frozenset[bytes]
    """Those of them that there are."""
    tier: str
    at: float


@dataclass(frozen=True, slots=True)
class SeenClinics:
    """The clinics in use as one snapshot of PostgreSQL had them, whose read began `at` (boottime)."""

    at: float
    clinics_version: int
    verified_at: float
    """Epoch seconds, the database's clock."""
    of: Mapping[int, tuple[str, int]]
    """Clinic or 0 → (its zone, its version of users)."""

    def renewed(self, copy: SessionCopy) -> SessionCopy | None:
        """The copy as right in this snapshot, too: its clinic is in use and in the same zone, and no version tells of a
        change of its user or session since. None where its record has to be read."""
        if self.of.get(copy.stamp[0]) != (copy.timezone, copy.users_version):
            return None
        return replace(copy, clinics_version=self.clinics_version, verified_at=self.verified_at)


class ClinicLooks:
    """One per process: who asks under the same version of the clinics waits for one read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._flights: Flights[SeenClinics] = Flights()

    async def see(self, version: int) -> SeenClinics:
        """The clinics under that version of them, or a later one. Raises Unavailable."""
        seen, _ = await self._flights.join(f"{version:x}", self._read)
        return seen

    async def _read(self) -> SeenClinics:
        return await self._database.read(partial(_seen, at=boottime()), budget=times.SESSION_READ)

    async def drain(self, within: float) -> None:
        """At shutdown: let reads end, `within` seconds at most."""
        await self._flights.drain(within)


async def _seen(session: ReadSession, at: float) -> SeenClinics:
    rows = (await session.execute(CLINICS, {"network": DEFAULT_ZONE})).all()
    of = {row.id: (row.timezone, row.users_version) for row in rows}
    return SeenClinics(at, rows[0].clinics_version, rows[0].verified_at, of)
