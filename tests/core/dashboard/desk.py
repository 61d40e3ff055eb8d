"""Dashboards at instants that the tests choose: computed, and read through the cache of one process."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.access import ClinicScope
from core.cache.answer import Answer
from core.dashboard.cached import dashboard
from core.dashboard.network import network_of
from core.dashboard.part import part_of
from core.dashboard.stats import Filters, read_stats
from core.db.transaction import ReadSession
from core.runtime import Runtime
from tests.core.dashboard.oracle import Json


def without_when(body: bytes) -> Json:
    """The dashboard but for when it was computed, in which two equal ones differ."""
    found: Json = json.loads(body)
    del found["generated_at"]
    return found


@dataclass(frozen=True)
class Desk:
    runtime: Runtime

    async def computed(self, now: datetime, clinic_id: int | None, **filters: Any) -> Json:
        """Straight from the statement, for an instant; None is the merge of all clinics."""

        async def work(session: ReadSession) -> bytes:
            clinics = [clinic_id] if clinic_id is not None else await every_clinic(session)
            rows = await read_stats(session, clinics, now, Filters(**filters), is_whole=True)
            parts = [part_of(rows[clinic], now) for clinic in clinics]
            return (parts[0].loaded() if clinic_id is not None else network_of(parts, now)).body

        return without_when(await self.runtime.database.snapshot(work, budget=20))

    async def read(self, clinic_id: int | None, **filters: Any) -> Answer:
        """Through the cache, at the moment that its clock shows."""
        return await self.runtime.cache.read(dashboard(ClinicScope(clinic_id), Filters(**filters)))

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.runtime.versions.now(), UTC)

    def go_to(self, moment: datetime) -> None:
        """Let the database's clock, as this process knows it, stand at that very moment, whatever polls tell.

        Going on, it would be set right by a millisecond now and then, and a test of a limit may not be late.
        """
        stands = moment.timestamp()
        self.runtime.versions.clock.at = lambda moment: stands  # type: ignore[method-assign]


async def every_clinic(session: ReadSession) -> list[int]:
    connection = await session.connection()
    rows = await connection.exec_driver_sql("SELECT id FROM clinic ORDER BY id")
    return [row.id for row in rows]
