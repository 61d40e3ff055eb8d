"""How patients leave, rule by rule; test_figures.py has all of it at random, and through the clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.dashboard.at_random import NAMES, TICK, MadeClinic, made_clinic
from tests.core.dashboard.desk import Desk
from tests.core.dashboard.oracle import DAY, HOUR, MINUTE, Json
from tests.factories import rows

NOW = datetime(2026, 9, 6, 15, 50, tzinfo=UTC)
"""12:50 in Santiago, of a day that began at 01:00."""


class Ward:
    """A clinic whose tickets are put there with the times that matter."""

    def __init__(self, desk: Desk, connection: rows.Connection, clinic: MadeClinic) -> None:
        self.desk, self.connection, self.clinic = desk, connection, clinic

    async def ticket(self, **values: Any) -> str:
        if "ready_at" in values:
            values["ready_by"] = "nurse"
        given = {"fpa": NOW, "imported": True, "created_at": NOW - DAY} | values
        return await rows.ticket(self.connection, self.clinic.id, None, self.clinic.surgeries[0], **given)  # type: ignore[arg-type]

    async def left(self, discharged_at: datetime, **values: Any) -> str:
        return await self.ticket(status="discharged", discharged_at=discharged_at, **values)

    async def delay(self, ticket: str, reason: int, set_at: datetime, ended_at: datetime | None = None) -> None:
        ended = {} if ended_at is None else {"ended_at": ended_at, "ended_by": "nurse"}
        await rows.delay(self.connection, self.clinic.id, ticket, reason, set_at=set_at, **ended)

    async def flow(self, now: datetime = NOW) -> Json:
        found, network = [(await self.desk.computed(now, one))["flow"] for one in (self.clinic.id, None)]
        assert found == network, "of one clinic the network's is that clinic's"
        return dict(found)


@pytest.fixture
async def ward(desk: Desk, connection: rows.Connection) -> Ward:
    return Ward(desk, connection, await made_clinic(connection, "America/Santiago"))


async def test_an_early_discharge_is_one_before_noon_of_the_clinics_clock(ward: Ward) -> None:
    """15:00 UTC is noon on the day that the clock of Santiago springs forward, and 16:00 on the day before."""
    noon = datetime(2026, 9, 6, 15, tzinfo=UTC)
    for moment, rate in ((noon, 0.0), (noon - TICK, 0.5), (noon - DAY, 0.6667), (noon - DAY + HOUR, 0.5)):
        await ward.left(moment)
        assert (await ward.flow())["early_discharge_rate"] == rate


async def test_windows_are_today_and_the_29_local_days_before_by_the_date_of_discharge(ward: Ward) -> None:
    first = datetime(2026, 8, 8, 4, tzinfo=UTC)
    await ward.left(first - TICK, admission_at=first - TICK - DAY)
    assert (await ward.flow())["stay_ratio"] is None
    await ward.left(first, admission_at=first - DAY)
    assert (await ward.flow())["stay_ratio"] == 1
    tomorrow = datetime(2026, 9, 7, 3, tzinfo=UTC)
    assert (await ward.flow(tomorrow - TICK))["stay_ratio"] == 1
    assert (await ward.flow(tomorrow))["stay_ratio"] is None
    # Of tomorrow, which a clock of another machine was ahead by.
    await ward.left(tomorrow, admission_at=tomorrow - 3 * DAY)
    assert (await ward.flow())["stay_ratio"] == 1


async def test_ready_waiting_are_the_ready_who_are_here_and_the_wait_is_that_of_those_who_left(ward: Ward) -> None:
    await ward.ticket(ready_at=NOW - HOUR)
    await ward.ticket()
    await ward.ticket(status="annulled", annulled_at=NOW, ready_at=NOW)
    await ward.left(NOW)
    found = await ward.flow()
    assert (found["ready_waiting"], found["mean_ready_wait_minutes"]) == (1, None)
    await ward.left(NOW - HOUR, ready_at=NOW - 2 * HOUR)
    await ward.left(NOW, ready_at=NOW - 31 * MINUTE - 12 * timedelta(seconds=1))
    found = await ward.flow()
    assert (found["ready_waiting"], found["mean_ready_wait_minutes"]) == (1, 45.6)


async def test_a_long_stay_begins_twice_the_base_hours_after_admission(ward: Ward) -> None:
    begins = NOW + 5 * MINUTE
    await ward.ticket(surgery_base_hours=7, admission_at=begins - 14 * HOUR, fpa=NOW - DAY)
    for now, number in ((NOW, 0), (begins - TICK, 0), (begins, 1), (NOW + 400 * DAY, 1)):
        assert (await ward.flow(now))["long_stay"] == number
    assert (await ward.desk.computed(NOW, ward.clinic.id))["valid_until"] == "2026-09-06T12:55:00-03:00"
    await ward.connection.execute("UPDATE ticket SET status = 'annulled', annulled_at = $1", NOW)
    assert (await ward.flow(begins))["long_stay"] == 0


async def test_the_stay_ratio_is_the_mean_of_each_stay_in_whole_thousandths(ward: Ward) -> None:
    await ward.left(NOW, admission_at=NOW - 7 * HOUR + TICK, surgery_base_hours=7)
    assert (await ward.flow())["stay_ratio"] == 1.0
    for _ in range(4):
        # 10.9 thousandths of its base hours are 10: the mean is 207.8 thousandths.
        await ward.left(NOW, admission_at=NOW - 10.9 * HOUR, surgery_base_hours=1000)
    assert (await ward.flow())["stay_ratio"] == 0.21


async def test_delays_are_tickets_now_and_whole_minutes_of_those_who_left_lately(ward: Ward) -> None:
    laboratory, imaging, papers = ward.clinic.reasons[:3]
    here, gone, long_gone = await ward.ticket(), await ward.left(NOW - HOUR), await ward.left(NOW - 40 * DAY)
    annulled = await ward.ticket(status="annulled", annulled_at=NOW)
    await ward.delay(here, laboratory, NOW - 9 * HOUR)
    await ward.delay(here, imaging, NOW - 9 * HOUR, NOW - HOUR)
    for over in (annulled, long_gone):
        await ward.delay(over, papers, NOW - 90 * DAY)
    # Until it was ended, 59 seconds less; until the discharge; none, for it was set after that.
    await ward.delay(gone, imaging, NOW - 5 * HOUR, NOW - 4 * HOUR - timedelta(seconds=1))
    await ward.delay(gone, imaging, NOW - 2 * HOUR - 20 * MINUTE)
    await ward.delay(gone, papers, NOW - MINUTE)
    assert [tuple(one.values()) for one in (await ward.flow())["delays"]] == [
        (ward.clinic.id, imaging, f"{NAMES[1]} a", 0, 2.3),
        (ward.clinic.id, laboratory, f"{NAMES[0]} a", 1, 0.0),
    ]


async def test_a_delay_costs_nothing_before_the_admission_or_after_the_discharge(ward: Ward) -> None:
    """The surgery was moved after it was set; or the discharge was written later than it happened."""
    laboratory, imaging, papers = ward.clinic.reasons[:3]
    gone = await ward.left(NOW - HOUR, admission_at=NOW - 5 * HOUR)
    await ward.delay(gone, laboratory, NOW - 9 * HOUR)
    await ward.delay(gone, imaging, NOW - 2 * HOUR, NOW + 7 * HOUR)
    await ward.delay(gone, papers, NOW - 9 * HOUR, NOW - 6 * HOUR)
    found = (await ward.flow())["delays"]
    assert [(one["reason_id"], one["hours_lost"]) for one in found] == [(laboratory, 4.0), (imaging, 1.0)]


async def test_assumed_discharges_are_left_out_of_all_of_it(ward: Ward) -> None:
    await ward.left(NOW, discharge_assumed=True, ready_at=NOW - HOUR)
    ticket = await ward.left(NOW - 3 * HOUR, discharge_assumed=True)
    await rows.delay(ward.connection, ward.clinic.id, ticket, ward.clinic.reasons[0], set_at=NOW - DAY)
    nothing = {"ready_waiting": 0, "long_stay": 0, "delays": []}
    rates = ("early_discharge_rate", "mean_ready_wait_minutes", "stay_ratio")
    assert await ward.flow() == {**nothing, **dict.fromkeys(rates)}
    await ward.connection.execute("UPDATE ticket SET discharge_assumed = false")
    found = await ward.flow()
    assert all(found[name] is not None for name in rates)
    assert [one["hours_lost"] for one in found["delays"]] == [21.0]
