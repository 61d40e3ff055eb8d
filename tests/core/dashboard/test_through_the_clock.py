"""A cached dashboard equals a fresh one at every instant: when the clock passes an FPA, 24 hours before one, a full
hour and midnight, in three time zones, also on the days that it changes: at the last microsecond before, and at it."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.dashboard.cached import CLINIC, NETWORK
from tests.core.dashboard.at_random import TICK, MadeClinic, network
from tests.core.dashboard.desk import Desk, without_when
from tests.core.dashboard.oracle import DAY, HOUR, MINUTE, Ward
from tests.factories import rows
from tests.support.cache.statements import traced

EVENINGS = {
    "before a Monday that is a first": datetime(2026, 6, 1, 2, 40, tzinfo=UTC),
    "before 23:00 comes twice": datetime(2026, 4, 5, 1, 40, tzinfo=UTC),
    "before 00:00 is skipped": datetime(2026, 9, 6, 2, 40, tzinfo=UTC),
}
"""22:40 in Santiago."""


async def fill(connection: rows.Connection, clinics: list[MadeClinic], now: datetime) -> None:
    """FPAs in this night and in the next one, never within minutes of each other or of a full hour."""
    dice = random.Random(f"{now}")
    for clinic in clinics:
        for day in (0 * DAY, DAY):
            for quarter in dice.sample(range(1, 16, 2), 4):
                fpa = now + day + quarter * 15 * MINUTE + clinic.id % 3 * 2 * MINUTE + 7 * MINUTE
                given = {"created_at": now - dice.choice((1, 3, 30, 200)) * HOUR, "imported": True}
                surgery = dice.choice(clinic.surgeries)
                await rows.ticket(connection, clinic.id, None, surgery, fpa=fpa, **given)  # type: ignore[arg-type]
        left = {"status": "discharged", "discharged_at": now - HOUR, "created_at": now - DAY, "imported": True}
        await rows.ticket(connection, clinic.id, None, clinic.surgeries[0], fpa=now - 2 * HOUR, **left)  # type: ignore[arg-type]


@pytest.mark.parametrize("evening", EVENINGS)
@pytest.mark.parametrize("filtered", [False, True], ids=["all tickets", "of two days"])
async def test_a_cached_dashboard_equals_a_fresh_one(
    desk: Desk, connection: rows.Connection, evening: str, filtered: bool
) -> None:
    now = EVENINGS[evening]
    end = now + 4 * HOUR
    clinics = await network(connection)
    await fill(connection, clinics, now)
    ward = await Ward.read(connection)
    day = now.astimezone(clinics[0].zone).date()
    filters: dict[str, Any] = {"date_from": day - timedelta(days=1), "date_to": day} if filtered else {}
    scopes = (None, *(clinic.id for clinic in clinics))

    async def right_now() -> str:
        """How they came about, once all are what plain Python counts at this moment."""
        outcomes = set()
        for clinic_id in scopes:
            answer = await desk.read(clinic_id, **filters)
            for _ in range(5):
                if answer.stale:
                    # A machine under load took two seconds for the figures, and says so: ask again.
                    answer = await desk.read(clinic_id, **filters)
            assert not answer.stale
            assert without_when(answer.entry.body) == ward.dashboard(desk.now, clinic_id, **filters)
            outcomes.add(answer.outcome)
        return "+".join(sorted(outcomes))

    passed = 0
    desk.go_to(now)
    while now < end:
        await right_now()
        now = datetime.fromisoformat(ward.dashboard(now, None, **filters)["valid_until"])
        desk.go_to(now - TICK)
        with traced(desk.runtime.versions) as trace:
            assert await right_now() == "hit"
        assert trace.db_queries == 0
        desk.go_to(now)
        assert "miss" in await right_now()
        passed += 1
    assert passed > 10


async def test_a_dashboard_computed_ahead_equals_a_fresh_one(
    refreshing_desk: Desk, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each moment that ends an entry, what follows is computed as of that moment; then nobody computes."""
    desk, now = refreshing_desk, EVENINGS["before a Monday that is a first"]
    assert desk.runtime.cache.ahead is not None
    for policy in (CLINIC, NETWORK):  # hours go by in no time, in which entries would be thrown away
        monkeypatch.setitem(desk.runtime.cache.tiers._ttls, policy.name, DAY.total_seconds())
    clinics = await network(connection)
    await fill(connection, clinics, now)
    ward = await Ward.read(connection)
    scopes = (*(clinic.id for clinic in clinics), None)
    desk.go_to(now)
    for clinic_id in scopes:
        await desk.read(clinic_id)
    passed = 0
    while passed < 8:
        now = datetime.fromtimestamp(min([(await desk.read(one)).entry.valid_until or 0.0 for one in scopes]), UTC)
        desk.go_to(now - TICK)
        for place in desk.runtime.cache.ahead.places:
            await desk.runtime.cache.ahead._look(place)
        for moment in (now - TICK, now):
            desk.go_to(moment)
            answers = {clinic_id: await desk.read(clinic_id) for clinic_id in scopes}
            for clinic_id, answer in answers.items():
                assert without_when(answer.entry.body) == ward.dashboard(desk.now, clinic_id)
            assert {answer.outcome for answer in answers.values()} == {"hit"}
        passed += 1
