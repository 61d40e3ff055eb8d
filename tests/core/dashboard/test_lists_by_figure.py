"""A list by a figure has as many tickets as the dashboard counts in it, at one moment and with the same filters."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Select, func, literal, select

from core.access import ClinicScope
from core.dashboard.flow import TOP_DELAYS
from core.dashboard.views import Flow, Kpis
from core.db.transaction import ReadSession
from core.tickets.reads.figures import OF_REASONS, Asked, Figure
from core.tickets.reads.filters import TicketFilter, filtered
from core.tickets.reads.listing import list_tickets
from core.tickets.reads.pages import Position, Turn, clinics_of
from tests.core.dashboard.at_random import TICK, fill, made_clinic, network
from tests.core.dashboard.desk import Desk
from tests.core.dashboard.moments import MOMENTS, filters_around
from tests.core.dashboard.oracle import HOUR, Json
from tests.factories import rows

COUNTS = (
    *(Figure.TOTAL, Figure.ACTIVE, Figure.OVERDUE, Figure.DISCHARGED, Figure.ANNULLED, Figure.CREATED_TODAY),
    *(Figure.CREATED_THIS_WEEK, Figure.CREATED_THIS_MONTH, Figure.NEAR_DEADLINE, Figure.DISCHARGED_TODAY),
)


async def lengths(
    desk: Desk, now: datetime, clinic_id: int | None, hours: list[datetime], filters: Json, reasons: Sequence[int] = ()
) -> Json:
    """How many tickets the list has by each figure, by each of `hours`, and of each of the delays' `reasons`."""
    scope, moment = ClinicScope(clinic_id), literal(now, DateTime(timezone=True))
    clinics = clinics_of(scope)

    def number(*asked: Any) -> Any:
        found: Select[Any] = filtered(scope, TicketFilter(counted_in=Asked(*asked), **filters), moment, clinics)
        return select(func.count()).select_from(found.subquery()).scalar_subquery()

    asked = {figure.value: number(figure) for figure in Figure if figure is not Figure.HOUR}
    asked |= {hour.isoformat(): number(Figure.HOUR, hour) for hour in hours}
    asked |= {f"{figure} {reason}": number(figure, None, reason) for figure in OF_REASONS for reason in reasons}

    async def work(session: ReadSession) -> Json:
        found = (await session.execute(select(*(one.label(name) for name, one in asked.items())))).one()
        return dict(found._mapping)

    return await desk.runtime.database.read(work, budget=20)


async def test_a_list_by_a_figure_is_as_long_as_the_figure(desk: Desk, connection: rows.Connection) -> None:
    clinics = [*await network(connection), await made_clinic(connection, "Asia/Kolkata")]
    for turn, (moment, now) in enumerate(list(MOMENTS.items())[::4]):
        await connection.execute("DELETE FROM fpa_modification; DELETE FROM ticket")
        await fill(connection, random.Random(moment), clinics, now)
        for filters in [{}, filters_around(now, clinics[0])[1 + turn % 7]]:
            for clinic_id in (None, clinics[turn % 4].id):
                shown = await desk.computed(now, clinic_id, **filters)
                by_hour = {one["hour"]: one["discharges"] for one in shown["by_hour"][:: 5 + turn]}
                hours = [datetime.fromisoformat(hour) for hour in by_hour]
                delays = {one["reason_id"]: one for one in shown["flow"]["delays"]}
                of = await lengths(desk, now, clinic_id, hours, filters, list(delays))
                assert {name: of[name] for name in COUNTS} == {name: shown["kpis"][name] for name in COUNTS}, moment
                assert {hour: of[hour] for hour in by_hour} == by_hour, moment
                assert of[Figure.MODIFIED] == shown["modifications"]["tickets"]
                rate = round(of["on_time"] / of["on_time_rate"], 4) if of["on_time_rate"] else None
                assert rate == shown["kpis"]["on_time_rate"]
                flow = shown["flow"]
                assert (of["ready_waiting"], of["long_stay"]) == (flow["ready_waiting"], flow["long_stay"])
                lately = of["early_discharge_rate"]
                assert flow["early_discharge_rate"] == (round(of["early_discharges"] / lately, 4) if lately else None)
                assert of["stay_ratio"] == lately
                assert bool(lately) == (flow["stay_ratio"] is not None)
                assert bool(of["mean_ready_wait_minutes"]) == (flow["mean_ready_wait_minutes"] is not None)
                for reason, delay in delays.items():
                    assert of[f"delays {reason}"] == delay["tickets"]
                    assert bool(of[f"hours_lost {reason}"]) or not delay["hours_lost"]
                    assert of[f"hours_lost {reason}"] <= of["hours_lost"]
                if len(delays) < TOP_DELAYS:
                    assert bool(of["delays"]) == any(delay["tickets"] for delay in delays.values())
                    assert bool(of["hours_lost"]) == any(of[f"hours_lost {reason}"] for reason in delays)
                assert bool(of["mean_delay_minutes"]) == (shown["kpis"]["mean_delay_minutes"] is not None)


def test_every_kpi_and_every_figure_of_the_flow_has_a_list() -> None:
    lists = {figure.value for figure in Figure}
    assert {*Kpis.model_fields, *Flow.model_fields} <= lists
    # A rate's numerator beside its denominator, which its own name has, and what stands elsewhere on the dashboard.
    assert lists - {*Kpis.model_fields, *Flow.model_fields} == {
        *("on_time", "early_discharges", "modified", "hour", "hours_lost")
    }


async def test_an_hour_that_is_over_has_no_ticket_and_any_moment_of_an_hour_names_it(
    desk: Desk, connection: rows.Connection
) -> None:
    """Also where the clinic's hours begin at half past those of the network."""
    now = MOMENTS["an ordinary moment"]
    clinic = await made_clinic(connection, "Asia/Kolkata")
    for minutes in (1, 10, 40, 80):
        fpa = now + timedelta(minutes=minutes)
        await rows.ticket(connection, clinic.id, None, clinic.surgeries[0], fpa=fpa, imported=True)  # type: ignore[arg-type]
    shown = await desk.computed(now, None)
    first = datetime.fromisoformat(shown["by_hour"][0]["hour"])
    hours = [first - HOUR, first, first + HOUR - TICK, first + HOUR]
    of = await lengths(desk, now, None, hours, {})
    # Its hours begin at 18:30 and 19:30; the one that has begun counts as the network's 18:00, with the next one.
    assert [one["discharges"] for one in shown["by_hour"][:2]] == [3, 1]
    assert [of[hour.isoformat()] for hour in hours] == [0, 3, 3, 1]


async def test_pages_of_a_list_by_a_figure_keep_to_the_moment_of_the_first(
    desk: Desk, connection: rows.Connection
) -> None:
    now = MOMENTS["an ordinary moment"]
    clinics = await network(connection)
    await fill(connection, random.Random(1), clinics, now)
    shown = await desk.computed(now, None)
    for figure, sort in (
        (Figure.OVERDUE, "-created_at"),
        (Figure.NEAR_DEADLINE, "patient"),
        (Figure.MODIFIED, "surgery"),
    ):
        counted = shown["modifications"]["tickets"] if figure is Figure.MODIFIED else shown["kpis"][figure]
        turn, seen = Turn(sort, 7, Position(now, ())), list[str]()
        while turn.position is not None:

            async def work(session: ReadSession, turn: Turn = turn, figure: Figure = figure) -> Any:
                return await list_tickets(session, ClinicScope(None), TicketFilter(counted_in=Asked(figure)), turn)

            page = await desk.runtime.database.read(work, budget=20)
            assert page.total == (None if seen else counted), "as the dashboard counts it, on the first page"
            seen += [one.id for one in page.items]
            turn = Turn(sort, 7, page.next)
        assert len(set(seen)) == len(seen) == counted > 7
