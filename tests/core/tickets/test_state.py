"""A ticket's state: the rule of docs/design/domain.md case by case, and the same from Python and SQL for any ticket."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, Integer, String, column, select, values
from sqlalchemy.dialects import postgresql

from core.tickets.state import (
    State,
    StateNow,
    Thresholds,
    sql_seconds_left,
    sql_state,
    sql_warning_level,
    state_at,
    thresholds_for,
)
from tests.factories.fixtures import Seed

NOW = datetime(2026, 4, 5, 3, 0, tzinfo=UTC)
"""While the clock changes in Santiago: hours left are elapsed ones."""


def state_of(status: str = "active", *, admission: float = -10, fpa: float = 10) -> StateNow:
    """State, by the default thresholds, of a ticket whose admission and FPA are so many hours from now."""
    return state_at(
        NOW,
        status=status,
        admission_at=NOW + timedelta(hours=admission),
        current_fpa=NOW + timedelta(hours=fpa),
        thresholds=Thresholds(),
    )


SECOND = 1 / 3600
DIALECT = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so


@pytest.mark.parametrize(
    ("hours_left", "state", "level"),
    [
        (8, State.NORMAL, None),
        (8 - SECOND, State.WARNING, "low"),
        (4, State.WARNING, "low"),
        (4 - SECOND, State.WARNING, "high"),
        (2, State.WARNING, "high"),
        (2 - SECOND, State.CRITICAL, None),
        (SECOND, State.CRITICAL, None),
    ],
)
def test_by_hours_left(hours_left: float, state: State, level: str | None) -> None:
    found = state_of(fpa=hours_left)
    assert (found.state, found.warning_level, found.seconds_left) == (state, level, round(hours_left * 3600))


@pytest.mark.parametrize("fpa", [0, -SECOND, -100])
def test_overdue_once_the_fpa_has_come(fpa: float) -> None:
    assert state_of(fpa=fpa) == StateNow(State.OVERDUE, None, None)


def test_scheduled_until_admission() -> None:
    assert state_of(admission=SECOND, fpa=24) == StateNow(State.SCHEDULED, None, 86_400)
    assert state_of(admission=0, fpa=24).state is State.NORMAL
    assert state_of(admission=1, fpa=1.5).state is State.SCHEDULED  # however near its FPA


@pytest.mark.parametrize("status", ["annulled", "discharged"])
def test_what_has_ended_is_told_by_its_status(status: str) -> None:
    assert state_of(status, admission=1) == state_of(status, fpa=-1) == StateNow(State(status), None, None)


@dataclass(frozen=True)
class Case:
    now: datetime
    status: str
    admission_at: datetime
    current_fpa: datetime
    limits: Thresholds


# Distances near the limits, to the microsecond, and far ones.
NEAR = st.sampled_from([0, 1, 2, 3, 4, 8, 72]).flatmap(
    lambda hours: st.sampled_from([-1, 0, 1]).map(lambda us: timedelta(hours=hours, microseconds=us))
)
DISTANCE = NEAR | st.timedeltas(timedelta(days=-400), timedelta(days=400))
LIMITS = st.lists(st.integers(1, 72), min_size=3, max_size=3, unique=True).map(lambda hours: Thresholds(*sorted(hours)))
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CASES = st.builds(
    lambda now, status, admission, fpa, limits: Case(now, status, now + admission, now + fpa, limits),
    INSTANTS | st.just(NOW),
    st.sampled_from(["active", "active", "active", "discharged", "annulled"]),
    DISTANCE,
    DISTANCE,
    LIMITS,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cases=st.lists(CASES, min_size=1, max_size=40))
async def test_python_and_sql_agree(connection: "asyncpg.Connection[asyncpg.Record]", cases: list[Case]) -> None:
    table = values(
        column("position", Integer),
        column("now", DateTime(timezone=True)),
        column("status", String),
        column("admission_at", DateTime(timezone=True)),
        column("current_fpa", DateTime(timezone=True)),
        *(column(f"{color}_hours", Integer) for color in ("red", "yellow", "green")),
        name="cases",
    ).data(
        [
            (
                n,
                case.now,
                case.status,
                case.admission_at,
                case.current_fpa,
                case.limits.red_hours,
                case.limits.yellow_hours,
                case.limits.green_hours,
            )
            for n, case in enumerate(cases)
        ]
    )
    row = table.c
    statement = select(
        sql_state(row.now, row, row).label("state"),
        sql_warning_level(row.now, row, row).label("warning_level"),
        sql_seconds_left(row.now, row).label("seconds_left"),
    ).order_by(row.position)
    compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    arguments = [compiled.params[name] for name in compiled.positiontup or []]
    found = await connection.fetch(str(compiled), *arguments)
    for case, sql in zip(cases, found, strict=True):
        python = state_at(
            case.now,
            status=case.status,
            admission_at=case.admission_at,
            current_fpa=case.current_fpa,
            thresholds=case.limits,
        )
        assert (sql["state"], sql["warning_level"], sql["seconds_left"]) == (
            python.state,
            python.warning_level,
            python.seconds_left,
        )


async def thresholds_in(connection: "asyncpg.Connection[asyncpg.Record]", clinic_id: int) -> tuple[int, ...]:
    statement = select(thresholds_for(clinic_id))
    compiled = statement.compile(dialect=DIALECT)
    arguments = [compiled.params[name] for name in compiled.positiontup or []]
    return tuple(await connection.fetchrow(str(compiled), *arguments) or ())


async def test_a_clinic_without_thresholds_of_its_own_uses_the_global_ones(
    connection: "asyncpg.Connection[asyncpg.Record]", seed: Seed
) -> None:
    await connection.execute("UPDATE urgency_threshold SET red_hours = 3 WHERE clinic_id IS NULL")
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 1, 6, 12)",
        seed.sant.id,
    )
    assert await thresholds_in(connection, seed.sant.id) == (1, 6, 12)
    assert await thresholds_in(connection, seed.maga.id) == (3, 4, 8)
    await connection.execute("DELETE FROM urgency_threshold")
    assert await thresholds_in(connection, seed.sant.id) == (2, 4, 8)
