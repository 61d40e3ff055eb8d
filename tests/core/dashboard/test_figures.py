"""Every figure and filter against the oracle, at moments where figures change; then the definitions one by one."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.dashboard.at_random import TICK, fill, made_clinic, network
from tests.core.dashboard.desk import Desk
from tests.core.dashboard.moments import MOMENTS, filters_around
from tests.core.dashboard.oracle import DAY, HOUR, MINUTE, Ward
from tests.factories import rows
from tests.factories.fixtures import Seed

NOW = datetime(2026, 6, 17, 18, 24, 30, tzinfo=UTC)
"""A Wednesday afternoon, 14:24:30 in Santiago."""


async def test_every_figure_is_what_plain_python_counts(desk: Desk, connection: rows.Connection) -> None:
    clinics = await network(connection)
    for moment, now in MOMENTS.items():
        await connection.execute("DELETE FROM fpa_modification; DELETE FROM ticket")
        await fill(connection, random.Random(moment), clinics, now)
        ward = await Ward.read(connection)
        for filters in filters_around(now, clinics[0]):
            for clinic_id in (None, *(clinic.id for clinic in clinics)):
                found = await desk.computed(now, clinic_id, **filters)
                assert found == ward.dashboard(now, clinic_id, **filters), moment


async def test_nothing_changes_until_valid_until_and_something_does_then(
    desk: Desk, connection: rows.Connection
) -> None:
    """Ten times over; by then an hour has begun, so all kinds of limits are passed."""
    clinics = await network(connection)
    for moment, now in MOMENTS.items():
        await connection.execute("DELETE FROM fpa_modification; DELETE FROM ticket")
        await fill(connection, random.Random(moment), clinics, now, number=12)
        ward = await Ward.read(connection)
        for clinic in clinics:
            at = now
            active = [row for row in ward.tickets if row["clinic_id"] == clinic.id and row["status"] == "active"]
            for _ in range(10):
                ends = ward.valid_until(at, {clinic.id: clinic.zone}, active)
                before = await desk.computed(at, clinic.id)
                assert before["valid_until"] == ends.astimezone(clinic.zone).isoformat(timespec="seconds"), moment
                assert await desk.computed(ends - TICK, clinic.id) == before, moment
                then = await desk.computed(ends, clinic.id)
                assert {**then, "valid_until": ""} != {**before, "valid_until": ""}, moment
                at = ends


@pytest.mark.parametrize("clinic_id", ["a clinic", "the network"])
async def test_without_tickets_everything_is_zero_or_null(desk: Desk, seed: Seed, clinic_id: str) -> None:
    asked = seed.sant.id if clinic_id == "a clinic" else None
    found = await desk.computed(NOW, asked)
    rates = {"on_time_rate", "mean_delay_minutes"}
    assert {name: found["kpis"][name] for name in rates} == dict.fromkeys(rates)
    assert not any(found["kpis"].values())
    assert found["modifications"] == {"total": 0, "tickets": 0, "per_ticket": 0.0}
    assert found["top_surgeries"] == found["doctors_by_modifications"] == found["recent_tickets"] == []
    assert found["valid_until"] == "2026-06-17T15:00:00-04:00"
    assert [one["discharges"] for one in found["by_hour"]] == [0] * 48
    assert found["by_hour"][0]["hour"] == "2026-06-17T14:00:00-04:00"
    assert found["by_hour"][-1]["hour"] == "2026-06-19T13:00:00-04:00"


async def test_without_clinics_the_network_is_empty(desk: Desk) -> None:
    found = await desk.computed(NOW, None)
    assert found["kpis"]["total"] == 0
    assert len(found["by_hour"]) == 48


class One:
    """One ticket of Santiago, put there with the times that matter; then the KPIs."""

    def __init__(self, desk: Desk, connection: rows.Connection, seed: Seed) -> None:
        self.desk, self.connection, self.clinic = desk, connection, seed.sant

    async def kpis(self, now: datetime = NOW, **values: Any) -> dict[str, Any]:
        await self.connection.execute("TRUNCATE ticket CASCADE")
        clinic = self.clinic
        await rows.ticket(
            self.connection, clinic.id, clinic.patient_id, clinic.surgery_id, **({"imported": True} | values)
        )
        found: dict[str, Any] = (await self.desk.computed(now, clinic.id))["kpis"]
        return found


@pytest.fixture
def one(desk: Desk, connection: rows.Connection, seed: Seed) -> One:
    return One(desk, connection, seed)


@pytest.mark.parametrize(
    ("left", "active", "overdue", "near"),
    [
        (-TICK, 0, 1, 0),
        (0 * TICK, 0, 1, 0),
        (TICK, 1, 0, 1),
        (DAY - TICK, 1, 0, 1),
        (DAY, 1, 0, 1),
        (DAY + TICK, 1, 0, 0),
    ],
)
async def test_overdue_from_its_fpa_on_and_near_from_a_day_before(
    one: One, left: timedelta, active: int, overdue: int, near: int
) -> None:
    found = await one.kpis(fpa=NOW + left)
    assert (found["active"], found["overdue"], found["near_deadline"]) == (active, overdue, near)


@pytest.mark.parametrize(
    ("fpa", "discharged_at", "rate"),
    [
        ("14:00", "14:00", 1),
        ("14:00", "14:00:00.000001", 0),
        ("14:29:59", "14:00", 1),
        ("14:29:59", "14:10", 0),  # before the FPA, and after its block
        ("14:30", "15:00", 1),
        ("14:30", "15:00:01", 0),
        ("14:59:59", "15:00", 1),
        ("23:40", "23:59:59", 1),
    ],
)
async def test_on_time_is_by_the_end_of_the_fpas_block(one: One, fpa: str, discharged_at: str, rate: int) -> None:
    times = [datetime.fromisoformat(f"2026-06-16T{time}-04:00") for time in (fpa, discharged_at)]
    found = await one.kpis(fpa=times[0], status="discharged", discharged_at=times[1])
    assert found["on_time_rate"] == rate


async def test_a_block_may_end_in_the_hour_that_comes_twice(one: One) -> None:
    """The first 23:40 of 4 April is nearest to the second 23:00."""
    fpa = datetime(2026, 4, 5, 2, 40, tzinfo=UTC)
    for late, rate in ((0 * TICK, 1), (TICK, 0)):
        found = await one.kpis(fpa=fpa, status="discharged", discharged_at=fpa + 20 * MINUTE + late)
        assert found["on_time_rate"] == rate


async def test_an_assumed_discharge_counts_but_tells_nothing_of_punctuality(one: One) -> None:
    found = await one.kpis(fpa=NOW, status="discharged", discharged_at=NOW, discharge_assumed=True)
    assert (found["discharged"], found["discharged_today"]) == (1, 1)
    assert (found["on_time_rate"], found["mean_delay_minutes"]) == (None, None)


@pytest.mark.parametrize(
    ("delay", "minutes"),
    [(-90 * MINUTE, -90.0), (3 * MINUTE + timedelta(seconds=14), 3.2), (400 * DAY, 576000.0), (0 * TICK, 0.0)],
)
async def test_the_delay_is_in_minutes_and_negative_for_the_early(one: One, delay: timedelta, minutes: float) -> None:
    found = await one.kpis(fpa=NOW - 500 * DAY, status="discharged", discharged_at=NOW - 500 * DAY + delay)
    assert found["mean_delay_minutes"] == minutes


async def test_equal_counts_are_ordered_by_name_then_id(desk: Desk, connection: rows.Connection) -> None:
    clinic = await made_clinic(connection, "America/Santiago")
    for surgery, doctor in zip(reversed(clinic.surgeries), reversed(clinic.doctors[:8]), strict=True):
        ticket = await rows.ticket(connection, clinic.id, None, surgery, doctor_id=doctor, imported=True)  # type: ignore[arg-type]
        await rows.modification(connection, clinic.id, ticket)
    found = await desk.computed(NOW, clinic.id)
    assert [row["name"] for row in found["top_surgeries"]] == ["Zeta", "alfa", "alfa 2", "Ábaco", "Álamo"]
    assert [row["name"] for row in found["doctors_by_modifications"]] == [
        *("Zeta", "alfa", "alfa", "alfa 2", "Ábaco", "ñandú", "ＡＢ", "😀"),
    ]
    first, second = (row["doctor_id"] for row in found["doctors_by_modifications"] if row["name"] == "alfa")
    assert first < second


async def test_a_surgerys_new_name_is_on_its_list_and_the_snapshot_stays_on_the_ticket(
    desk: Desk, connection: rows.Connection, seed: Seed
) -> None:
    await seed.sant.ticket(connection, surgery_name="As it was")
    await connection.execute("UPDATE surgery SET name = 'As it is' WHERE id = $1", seed.sant.surgery_id)
    found = await desk.computed(NOW, seed.sant.id)
    assert [row["name"] for row in found["top_surgeries"]] == ["As it is"]
    assert [row["surgery_name"] for row in found["recent_tickets"]] == ["As it was"]


async def test_the_newest_of_one_moment_are_ordered_by_id(desk: Desk, connection: rows.Connection, seed: Seed) -> None:
    ids = [f"TH-SANT-2026-{letter}" for letter in ("a1", "B1", "b1", "A1", "10", "9", "z", "Z", "0")]
    for id_ in ids:
        await seed.sant.ticket(connection, id=id_, created_at=NOW - HOUR)
    for clinic_id in (seed.sant.id, None):
        found = await desk.computed(NOW, clinic_id)
        assert [row["id"] for row in found["recent_tickets"]] == sorted(ids, reverse=True)[:8]


async def test_recent_tickets_tell_nothing_of_the_patient(desk: Desk, connection: rows.Connection, seed: Seed) -> None:
    await seed.sant.ticket(connection)
    found = await desk.computed(NOW, seed.sant.id)
    assert set(found["recent_tickets"][0]) == {
        *("id", "clinic_id", "surgery_name", "status", "current_fpa", "created_at", "created_by"),
    }
