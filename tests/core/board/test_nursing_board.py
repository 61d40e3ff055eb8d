"""The nursing board's rules (docs/design/domain.md, "Nursing board"), at an instant that the tests choose."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.access import ClinicScope
from core.board.query import Board, BoardQuery, nursing_board
from core.board.view import View
from core.db.transaction import Database, ReadSession
from core.errors import NotFound
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.pages import Position, Turn
from core.tickets.state import State
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.stays import HOUR, TICK, Person, Stay, insert, stay
from tests.support.cache.statements import traced

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)
DAYS_3 = timedelta(hours=72)

Read = Callable[..., Awaitable[Board]]


@pytest.fixture
def read(database: Database) -> Read:
    """`await read(clinic_id, view=…, sort=…, q=…)`"""

    async def board(
        clinic_id: int | None,
        *,
        sort: str = "urgency",
        limit: int = 50,
        position: Position = Position(NOW, ()),  # noqa: B008  frozen
        view: View = View.ALL,
        urgency: State | None = None,
        **filters: Any,
    ) -> Board:
        asked = BoardQuery(Turn(sort, limit, position), view, urgency, TicketFilter(**filters))

        async def work(session: ReadSession) -> Board:
            return await nursing_board(session, ClinicScope(clinic_id), asked)

        return await database.read(work, budget=20)

    return board


def ids(board: Board) -> list[str]:
    return [ticket.id for ticket in board.page.items]


def ended(status: str, at: datetime) -> dict[str, Any]:
    return {"status": status, "discharged_at" if status == "discharged" else "annulled_at": at}


async def thresholds(connection: rows.Connection, clinic_id: int | None, red: int, yellow: int, green: int) -> None:
    await connection.execute("DELETE FROM urgency_threshold WHERE clinic_id IS NOT DISTINCT FROM $1", clinic_id)
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, $2, $3, $4)",
        *(clinic_id, red, yellow, green),
    )


@pytest.fixture
async def ward(connection: rows.Connection, seed: Seed) -> dict[str, Stay]:
    """One ticket of each state, by its name, in Santiago."""
    clinic = seed.sant
    found = {
        "normal": stay(clinic, NOW, 8 * HOUR),
        "warning": stay(clinic, NOW, 8 * HOUR - TICK),
        "critical": stay(clinic, NOW, 2 * HOUR - TICK),
        "scheduled": stay(clinic, NOW, 30 * HOUR, admission_at=NOW + TICK),
        "overdue": stay(clinic, NOW, 0 * HOUR),
        "discharged": stay(clinic, NOW, 5 * HOUR, **ended("discharged", NOW - HOUR)),
        "annulled": stay(clinic, NOW, 5 * HOUR, **ended("annulled", NOW - HOUR)),
    }
    await insert(connection, list(found.values()))
    return found


@pytest.mark.parametrize(
    ("view", "states"),
    [
        (View.ACTIVE, ["critical", "warning", "normal", "scheduled"]),
        (View.OVERDUE, ["overdue"]),
        (View.FORGOTTEN, []),
        (View.READY, []),
        (View.DISCHARGED, ["discharged"]),
        (View.ANNULLED, ["annulled"]),
        (View.WITHOUT_EPISODE, ["critical", "warning", "normal", "scheduled", "overdue"]),
        (View.ALL, ["critical", "warning", "normal", "scheduled", "overdue", "discharged", "annulled"]),
    ],
)
async def test_every_view_shows_its_states_by_urgency(
    read: Read, seed: Seed, ward: dict[str, Stay], view: View, states: list[str]
) -> None:
    board = await read(seed.sant.id, view=view)
    assert [ticket.state.value for ticket in board.page.items] == states
    assert ids(board) == [ward[state].id for state in states]
    # The counts are those of all views, whichever is shown.
    assert board.counts == {
        **dict.fromkeys(("critical", "warning", "normal", "scheduled", "overdue", "discharged", "annulled"), 1),
        **{"active": 4, "forgotten": 0, "ready": 0, "without_episode": 5, "all": 7},
    }


async def test_a_ticket_with_an_episode_is_not_among_those_without(
    read: Read, seed: Seed, connection: rows.Connection, ward: dict[str, Stay]
) -> None:
    await connection.execute("UPDATE ticket SET episode_id = 'E-1' WHERE id = $1", ward["normal"].id)
    board = await read(seed.sant.id, view=View.WITHOUT_EPISODE)
    assert ward["normal"].id not in ids(board)
    assert board.counts["without_episode"] == 4
    assert board.counts["active"] == 4


async def test_ready_ones_are_in_a_view_of_their_own_until_they_leave(
    read: Read, seed: Seed, connection: rows.Connection, ward: dict[str, Stay]
) -> None:
    for state in ("normal", "overdue", "discharged"):
        await connection.execute("UPDATE ticket SET ready_at = $2, ready_by = 'x' WHERE id = $1", ward[state].id, NOW)
    board = await read(seed.sant.id, view=View.READY)
    assert ids(board) == [ward["normal"].id, ward["overdue"].id]
    assert (board.counts["ready"], board.counts["active"], board.counts["overdue"]) == (2, 4, 1)


@pytest.mark.parametrize("urgency", ["critical", "warning", "normal", "scheduled", "overdue"])
async def test_urgency_limits_what_is_shown_and_not_what_is_counted(
    read: Read, seed: Seed, ward: dict[str, Stay], urgency: str
) -> None:
    board = await read(seed.sant.id, urgency=State(urgency))
    assert ids(board) == [ward[urgency].id]
    assert board.counts["all"] == 7
    active = await read(seed.sant.id, view=View.ACTIVE, urgency=State(urgency))
    assert ids(active) == ([] if urgency == "overdue" else [ward[urgency].id])


async def test_nobody_in_a_bed_is_on_no_view(read: Read, seed: Seed, connection: rows.Connection) -> None:
    """Whoever is late by more than 72 hours, to the microsecond, is forgotten, and counted apart."""
    late, forgotten = stay(seed.sant, NOW, -DAYS_3), stay(seed.sant, NOW, -DAYS_3 - TICK, episode_id="E-1")
    years = stay(seed.sant, NOW, -10_000 * HOUR)
    await insert(connection, [late, forgotten, years])
    shown = {view: ids(await read(seed.sant.id, view=view)) for view in View}
    assert shown[View.OVERDUE] == [late.id]
    assert shown[View.FORGOTTEN] == [years.id, forgotten.id]
    assert shown[View.ALL] == [years.id, forgotten.id, late.id]
    assert shown[View.WITHOUT_EPISODE] == [years.id, late.id]
    counts = (await read(seed.sant.id)).counts
    assert {view: counts[view] for view in View} == {view: len(found) for view, found in shown.items()}
    assert ids(await read(seed.sant.id, urgency=State.OVERDUE)) == shown[View.ALL]


async def test_what_ended_is_shown_for_72_hours_since_it_was_written(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    long_ago = stay(seed.sant, NOW, -500 * HOUR, **ended("discharged", NOW - 400 * HOUR))
    await insert(connection, [long_ago])
    assert ids(await read(seed.sant.id)) == []
    for written, found in ((NOW - DAYS_3 + TICK, [long_ago.id]), (NOW - DAYS_3, [])):
        await connection.execute("UPDATE ticket SET end_recorded_at = $1", written)
        assert ids(await read(seed.sant.id)) == found


async def test_when_an_end_was_written_is_kept_whoever_writes_it(seed: Seed, connection: rows.Connection) -> None:
    one = stay(seed.sant, NOW, -100 * HOUR)
    await insert(connection, [one])
    for status, column in (("discharged", "discharged_at"), ("active", None), ("annulled", "annulled_at")):
        times = {"discharged_at": None, "annulled_at": None} | ({column: NOW} if column else {})
        kept, now = await rows.one(
            connection,
            "UPDATE ticket SET status = $1, discharged_at = $2, annulled_at = $3, bed_number = '1'"
            " RETURNING end_recorded_at, now()",
            *(status, times["discharged_at"], times["annulled_at"]),
        )
        assert kept is None if status == "active" else kept >= now
        await connection.execute("UPDATE ticket SET bed_number = '2'")
        assert await connection.fetchval("SELECT end_recorded_at FROM ticket") == kept


async def test_the_window_is_72_hours_to_the_microsecond(read: Read, seed: Seed, connection: rows.Connection) -> None:
    within, without = NOW - DAYS_3 + TICK, NOW - DAYS_3
    clinic = seed.sant
    inside = [
        stay(clinic, NOW, -300 * HOUR, **ended("discharged", within)),
        stay(clinic, NOW, 300 * HOUR, **ended("annulled", within)),
    ]
    outside = [
        stay(clinic, NOW, 300 * HOUR, **ended("discharged", without)),
        stay(clinic, NOW, 300 * HOUR, **ended("annulled", without)),
    ]
    await insert(connection, inside + outside)
    board = await read(seed.sant.id)
    assert set(ids(board)) == {one.id for one in inside}
    assert board.counts["all"] == 2


async def test_ties_are_in_order_of_id(read: Read, seed: Seed, connection: rows.Connection) -> None:
    same = [stay(seed.sant, NOW, 20 * HOUR) for _ in range(7)]
    await insert(connection, same[::-1])
    expected = sorted(one.id for one in same)
    for sort in ("urgency", "created_at", "current_fpa"):
        assert ids(await read(seed.sant.id, sort=sort)) == expected
        assert ids(await read(seed.sant.id, sort=f"-{sort}")) == expected[::-1]


async def test_a_clinics_states_are_by_its_own_thresholds(read: Read, seed: Seed, connection: rows.Connection) -> None:
    """The old application had 2, 4 and 8 hours in its code, beside a table of thresholds that nothing read."""
    await thresholds(connection, None, 1, 2, 3)
    await thresholds(connection, seed.maga.id, 10, 20, 40)
    await insert(
        connection, [stay(clinic, NOW, hours * HOUR) for clinic in (seed.sant, seed.maga) for hours in (2, 15)]
    )

    sant, maga, network = [await read(clinic) for clinic in (seed.sant.id, seed.maga.id, None)]
    assert [ticket.state for ticket in sant.page.items] == [State.WARNING, State.NORMAL]
    assert [ticket.state for ticket in maga.page.items] == [State.CRITICAL, State.WARNING]
    assert [ticket.warning_level for ticket in maga.page.items] == [None, "high"]
    assert sant.thresholds.model_dump() == {
        **{"clinic_id": seed.sant.id, "inherited": True},
        **{"red_hours": 1, "yellow_hours": 2, "green_hours": 3},
    }
    assert (maga.thresholds.red_hours, maga.thresholds.inherited) == (10, False)
    # In the network every ticket stands by its own clinic's thresholds.
    assert (network.thresholds.clinic_id, network.thresholds.red_hours, network.thresholds.inherited) == (
        None,
        1,
        False,
    )
    assert [(ticket.clinic_id, ticket.state.value) for ticket in network.page.items] == [
        (seed.maga.id, "critical"),
        (seed.sant.id, "warning"),
        (seed.maga.id, "warning"),
        (seed.sant.id, "normal"),
    ]


async def test_critical_ones_come_first(read: Read, seed: Seed, connection: rows.Connection) -> None:
    """The old application showed the normal ones first, and whoever was about to leave at the end."""
    normal, critical = stay(seed.sant, NOW, 90 * HOUR), stay(seed.sant, NOW, HOUR)
    scheduled = stay(seed.sant, NOW, HOUR / 2, admission_at=NOW + HOUR / 4)
    await insert(connection, [normal, scheduled, critical])
    board = await read(seed.sant.id, view=View.ACTIVE)
    assert ids(board) == [critical.id, normal.id, scheduled.id]


async def test_local_times_are_the_clinics(read: Read, seed: Seed, connection: rows.Connection) -> None:
    """The old application compared local times with UTC: its states were three hours off."""
    await insert(connection, [stay(clinic, NOW, HOUR) for clinic in (seed.sant, seed.maga)])
    board = await read(None)
    assert [ticket.current_fpa.isoformat() for ticket in board.page.items] == [
        "2026-06-15T13:00:00-03:00",
        "2026-06-15T12:00:00-04:00",
    ]
    assert {ticket.seconds_left for ticket in board.page.items} == {3600}


async def test_one_clinic_never_sees_another(read: Read, seed: Seed, ward: dict[str, Stay]) -> None:
    board = await read(seed.maga.id)
    assert ids(board) == []
    assert set(board.counts.values()) == {0}
    assert len(ids(await read(None))) == len(ward)


async def test_an_inactive_clinics_tickets_still_count_in_the_network(
    read: Read, seed: Seed, connection: rows.Connection, ward: dict[str, Stay]
) -> None:
    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.sant.id)
    assert (await read(None)).counts["all"] == len(ward)


async def test_an_unknown_clinic_or_surgery_is_not_found(read: Read, seed: Seed) -> None:
    for scope, filters in (
        (999_999, {}),
        (seed.sant.id, {"surgery_id": 999_999}),
        (seed.sant.id, {"surgery_id": seed.maga.surgery_id}),
    ):
        with pytest.raises(NotFound):
            await read(scope, **filters)
    assert (await read(None, surgery_id=seed.maga.surgery_id)).counts["all"] == 0


async def test_search_surgery_and_dates_limit_what_is_counted(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    other = await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id)
    one = stay(seed.sant, NOW, HOUR, person=Person(first_name="Íñigo"), created_at=NOW)
    two = stay(seed.sant, NOW, 9 * HOUR, surgery_id=other, created_at=NOW - 24 * HOUR)
    await insert(connection, [one, two])
    for filters, expected in (
        ({"words": ("inigo",)}, one),
        ({"surgery_id": other}, two),
        ({"date_from": NOW.date()}, one),
        ({"date_to": NOW.date() - timedelta(days=1)}, two),
    ):
        board = await read(seed.sant.id, **filters)
        assert ids(board) == [expected.id], filters
        assert board.counts["all"] == board.counts["active"] == 1


async def test_pages_are_of_the_size_asked_for_and_the_last_has_no_next(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    expected = [stay(seed.sant, NOW, (1 + n) * HOUR) for n in range(6)]
    await insert(connection, expected)
    exact = await read(seed.sant.id, limit=6)
    assert (len(exact.page.items), exact.page.next) == (6, None)
    first = await read(seed.sant.id, limit=4)
    assert first.page.next is not None
    second = await read(seed.sant.id, limit=4, position=first.page.next)
    assert ids(first) + ids(second) == [one.id for one in expected]
    assert second.page.next is None
    assert second.counts == first.counts


async def test_the_first_page_takes_the_databases_clock(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    async def work(session: ReadSession) -> Board:
        return await nursing_board(session, ClinicScope(seed.sant.id), BoardQuery(Turn("urgency")))

    before = await connection.fetchval("SELECT clock_timestamp()")
    board = await database.read(work)
    assert before <= board.page.now <= await connection.fetchval("SELECT clock_timestamp()")


async def test_a_ticket_carries_its_modifications_and_no_history(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    one = stay(seed.sant, NOW, person=Person(document="12345678-5"))
    await insert(connection, [one])
    for reason in ("Fiebre", "Dolor"):
        await rows.modification(connection, seed.sant.id, one.id, reason=reason)
    [ticket] = (await read(seed.sant.id)).page.items
    assert [modification.reason for modification in ticket.modifications] == ["Fiebre", "Dolor"]
    assert ticket.patient is not None
    assert ticket.patient.document == "123456785"
    assert "history" not in ticket.model_dump()


@pytest.mark.parametrize("number", [0, 3, 150])
async def test_one_statement_however_many_tickets(
    read: Read, seed: Seed, connection: rows.Connection, number: int
) -> None:
    tickets = [stay(seed.sant, NOW, (n % 80 - 20) * HOUR, person=Person()) for n in range(number)]
    await insert(connection, tickets)
    for one in tickets:
        await rows.modification(connection, seed.sant.id, one.id)
    with traced() as trace:
        board = await read(seed.sant.id, limit=200, words=("ana",))
    assert len(board.page.items) == number
    assert trace.db_queries == 1


async def test_tickets_of_older_times_are_not_read(database: Database, seed: Seed, connection: rows.Connection) -> None:
    """The old application loaded every ticket ever, to show those of today."""
    await connection.execute(
        """
        INSERT INTO ticket (id, clinic_id, year, number, surgery_name, surgery_base_hours, surgery_at, admission_at,
            system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, created_by, imported,
            status, discharged_at, annulled_at)
        SELECT 'TH-OLD-2020-' || n, $1, 2020, n, 'S', 24, at, at, at, at, at, 1, 1, 'test', true, status,
            CASE status WHEN 'discharged' THEN at END, CASE status WHEN 'annulled' THEN at END
        FROM generate_series(1, 6000) n, LATERAL (SELECT $2::timestamptz - n * interval '1 hour' AS at,
            (ARRAY['discharged', 'annulled'])[1 + n % 2] AS status) AS made
        """,
        *(seed.sant.id, NOW - DAYS_3),
    )
    await insert(connection, [stay(seed.sant, NOW, n * HOUR) for n in range(20)])
    await connection.execute("VACUUM ANALYZE")
    asked = BoardQuery(Turn("urgency", 50, Position(NOW, ())), View.ALL)

    async def work(session: ReadSession) -> tuple[Board, int]:
        board = await nursing_board(session, ClinicScope(seed.sant.id), asked)
        plain = await session.connection()
        read = await plain.exec_driver_sql(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ticket'"
        )
        return board, read.scalar_one()

    board, rows_read = await database.read(work)
    assert board.counts["all"] == 20
    # Each once for the window, and again for its page.
    assert rows_read <= 2 * 20 + 5
