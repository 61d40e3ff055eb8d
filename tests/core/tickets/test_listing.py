"""Lists of tickets: filters, orders and pages, held against plain Python over tickets at random."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import ClinicScope
from core.board.query import BoardQuery, nursing_board
from core.board.view import ORDER, View
from core.db.transaction import Database, ReadSession
from core.errors import NotFound
from core.tickets.models import Status
from core.tickets.reads import listing, pages
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.listing import ALONG, list_tickets
from core.tickets.reads.pages import COUNTED, Page, Position, Turn
from core.tickets.state import State, Thresholds
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed
from tests.factories.stays import HOUR, Stay, at_random, insert, spanish, stay

NOW = datetime(2026, 4, 5, 3, 30, tzinfo=UTC)
"""In the second of the two hours that 23:00 to 24:00 of 4 April is in Santiago."""
ZONES = {"SANT": ZoneInfo("America/Santiago"), "MAGA": ZoneInfo("America/Punta_Arenas")}
LIMITS = {"SANT": Thresholds(2, 4, 8), "MAGA": Thresholds(1, 24, 71)}
SLOW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

Read = Callable[..., Awaitable[Page]]


@pytest.fixture
def read(database: Database) -> Read:
    """`await read(clinic_id, turn, …filters)`"""

    async def page(clinic_id: int | None, turn: Turn, **filters: Any) -> Page:
        async def work(session: ReadSession) -> Page:
            return await list_tickets(session, ClinicScope(clinic_id), TicketFilter(**filters), turn)

        return await database.read(work, budget=20)

    return page


def first(sort: str = "-created_at", limit: int = 50) -> Turn:
    return Turn(sort, limit, Position(NOW, ()))


class Network:
    """Every ticket there is, and what is asked of them, in plain Python."""

    def __init__(self, seed: Seed, stays: list[Stay]) -> None:
        self.clinics: dict[int, ClinicSeed] = {clinic.id: clinic for clinic in (seed.sant, seed.maga)}
        self.stays = stays

    def state(self, one: Stay) -> State:
        return one.state(NOW, LIMITS[self.clinics[one.clinic_id].prefix])

    def local_date(self, one: Stay) -> date:
        return one.created_at.astimezone(ZONES[self.clinics[one.clinic_id].prefix]).date()

    def matching(self, clinic_id: int | None, asked: TicketFilter) -> list[Stay]:
        def matches(one: Stay) -> bool:
            return (
                clinic_id in (None, one.clinic_id)
                and one.found_by(asked.words)
                and asked.status in (None, one.status)
                and asked.state in (None, self.state(one))
                and asked.surgery_id in (None, one.surgery_id)
                and asked.created_by_id in (None, one.created_by_id)
                and (asked.date_from is None or self.local_date(one) >= asked.date_from)
                and (asked.date_to is None or self.local_date(one) <= asked.date_to)
            )

        return [one for one in self.stays if matches(one)]

    def ordered(self, stays: list[Stay], turn: Turn) -> list[str]:
        keys: dict[str, Callable[[Stay], Any]] = {
            "urgency": lambda one: (ORDER.index(self.state(one)), one.current_fpa),
            "created_at": lambda one: one.created_at,
            "current_fpa": lambda one: one.current_fpa,
            "patient": lambda one: one.patient_key,
            "surgery": lambda one: spanish(one.surgery_name),
        }
        key = keys[turn.column]
        return [one.id for one in sorted(stays, key=lambda one: (key(one), one.id), reverse=turn.descending)]


@pytest.fixture(params=[1, 2])
async def network(request: pytest.FixtureRequest, seed: Seed, connection: rows.Connection) -> Network:
    dice = random.Random(request.param)
    await connection.execute("UPDATE urgency_threshold SET red_hours = 2, yellow_hours = 4, green_hours = 8")
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 1, 24, 71)",
        seed.maga.id,
    )
    stays = at_random(dice, [seed.sant, seed.maga], NOW, 160)
    await insert(connection, stays)
    return Network(seed, stays)


WORDS = st.sampled_from(
    [
        *("", "jose", "NUNEZ", "inigo rojas", "o'higgins", "12-b", "piso 3", "%", "_", "ab", "e-", "zuñiga soto"),
        *("nadie", "jose piso", "12-b inigo", "piso norte jose rojas", "sant-2026 soto"),
    ]
).map(lambda q: tuple(q.split()))
DAYS = st.none() | st.dates(NOW.date() - timedelta(days=9), NOW.date())
FILTERS = st.fixed_dictionaries({"words": WORDS, "date_from": DAYS, "date_to": DAYS})
SCOPES = st.sampled_from(["sant", "maga", None])
SORTS = st.sampled_from(["created_at", "current_fpa", "patient", "surgery"]).flatmap(
    lambda name: st.sampled_from([name, f"-{name}"])
)


@SLOW
@given(
    data=st.data(),
    where=SCOPES,
    sort=SORTS,
    limit=st.sampled_from([1, 7, 50, 200]),
    filters=FILTERS,
    status=st.none() | st.sampled_from(Status),
    state=st.none() | st.sampled_from(State),
    along=st.sampled_from([1, ALONG]),
)
async def test_pages_of_the_list_are_what_python_finds(
    read: Read,
    seed: Seed,
    network: Network,
    data: st.DataObject,
    where: str | None,
    sort: str,
    limit: int,
    filters: dict[str, Any],
    status: Status | None,
    state: State | None,
    along: int,
) -> None:
    """`along`: how far a search goes along the order before it puts in order all that it finds; and how many are few,
    which are found before they are put in order."""
    clinic_id = getattr(seed, where).id if where else None
    surgery = data.draw(st.sampled_from([None, None, seed.sant.surgery_id])) if where != "maga" else None
    asked = TicketFilter(**filters, status=status, state=state, surgery_id=surgery)
    turn: Turn | None = first(sort, limit)
    expected = network.ordered(network.matching(clinic_id, asked), first(sort))
    found: list[str] = []
    # Enough turns of the smallest pages to meet ties across them.
    for _ in range(12):
        assert turn is not None
        with patch.object(listing, "ALONG", along), patch.object(listing, "FEW", along):
            page = await read(clinic_id, turn, **vars_of(asked))
        assert (page.total, page.total_more) == ((None, False) if found else (len(expected), False))
        found += [one.id for one in page.items]
        assert [one.state for one in page.items] == [network.state(by_id(network, one.id)) for one in page.items]
        turn = Turn(sort, limit, page.next) if page.next else None
        if turn is None:
            break
    assert found == expected[: len(found)]
    assert turn is not None or len(found) == len(expected)


@SLOW
@given(
    where=SCOPES,
    sort=st.sampled_from(["urgency", "-urgency", "created_at", "-created_at", "current_fpa", "-current_fpa"]),
    limit=st.sampled_from([1, 7, 50, 200]),
    view=st.sampled_from(View),
    urgency=st.none() | st.sampled_from(ORDER[:5]),
    filters=FILTERS,
)
async def test_pages_of_the_nursing_board_are_what_python_finds(
    database: Database,
    seed: Seed,
    network: Network,
    where: str | None,
    sort: str,
    limit: int,
    view: View,
    urgency: State | None,
    filters: dict[str, Any],
) -> None:
    clinic_id = getattr(seed, where).id if where else None
    asked = TicketFilter(**filters)
    counted = [one for one in network.matching(clinic_id, asked) if one.is_on_the_board(NOW)]

    def in_view(one: Stay, view: View) -> bool:
        state, forgotten = network.state(one), one.current_fpa < NOW - timedelta(hours=72)
        is_here = one.status == "active"
        return {
            View.ACTIVE: is_here and state != State.OVERDUE,
            View.OVERDUE: state == State.OVERDUE and not forgotten,
            View.FORGOTTEN: state == State.OVERDUE and forgotten,
            View.READY: is_here and one.ready_at is not None,
            View.DISCHARGED: state == State.DISCHARGED,
            View.ANNULLED: state == State.ANNULLED,
            View.WITHOUT_EPISODE: is_here and one.episode_id is None,
            View.ALL: True,
        }[view]

    shown = [one for one in counted if in_view(one, view) and urgency in (None, network.state(one))]
    counts = {state.value: sum(network.state(one) is state for one in counted) for state in State}
    counts |= {view.value: sum(in_view(one, view) for one in counted) for view in View}
    expected = network.ordered(shown, first(sort))
    position: Position | None = Position(NOW, ())
    found: list[str] = []
    for _ in range(8):
        turn = Turn(sort, limit, position)

        async def work(session: ReadSession, turn: Turn = turn) -> Any:
            return await nursing_board(session, ClinicScope(clinic_id), BoardQuery(turn, view, urgency, asked))

        board = await database.read(work, budget=20)
        assert board.counts == counts
        found += [one.id for one in board.page.items]
        position = board.page.next
        if position is None:
            break
    assert found == expected[: len(found)]
    assert position is not None or len(found) == len(expected)


def vars_of(asked: TicketFilter) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__dataclass_fields__}


def by_id(network: Network, ticket_id: str) -> Stay:
    return next(one for one in network.stays if one.id == ticket_id)


async def test_the_total_is_the_first_pages_and_beyond_ten_thousand_there_are_more(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    await insert(connection, [stay(seed.sant, NOW, bed_number="A1" if n % 2 else "B1") for n in range(12)])
    assert COUNTED == 10_000
    # What is looked for is soon met along the order, or all that is found is put in order.
    cases: list[tuple[dict[str, Any], int, int, tuple[int, bool]]] = [
        ({}, 40, 12, (12, False)),
        ({}, 40, 11, (11, True)),
        ({"words": ("a1",)}, 40, 12, (6, False)),
        ({"words": ("a1",)}, 1, 5, (5, True)),
        ({"words": ("a1",)}, 1, 6, (6, False)),
        ({"words": ("nobody",)}, 1, 5, (0, False)),
    ]
    for filters, along, most, expected in cases:
        with (
            patch.object(listing, "ALONG", along),
            patch.object(listing, "FURTHER", 1),
            patch.object(pages, "COUNTED", most),
        ):
            page = await read(seed.sant.id, first(limit=3), **filters)
        assert (page.total, page.total_more) == expected, (filters, along, most)
    # All are met along the order, near or further: who sees all of them is told how many they are.
    for along, further in ((5, 1), (1, 5)):
        with (
            patch.object(listing, "ALONG", along),
            patch.object(listing, "FURTHER", further),
            patch.object(listing, "LOOKED_AT", 7),
        ):
            page = await read(seed.sant.id, first(limit=6), words=("a1",))
        assert (len(page.items), page.total, page.total_more) == (6, 6, False), (along, further)
    # Whoever has half of the beds fills the page at once: it is told how many of them are among so many tickets.
    with patch.object(listing, "LOOKED_AT", 7):
        page = await read(seed.sant.id, first(limit=2), words=("a1",))
    assert page.total is not None
    assert page.total <= 6
    assert page.total_more


async def test_created_by_me(read: Read, seed: Seed, connection: rows.Connection) -> None:
    me, other = [await rows.user(connection, name, "clinical", seed.sant.id) for name in ("me", "other")]
    mine, theirs = (stay(seed.sant, NOW, created_by_id=user) for user in (me, other))
    await insert(connection, [mine, theirs, stay(seed.sant, NOW)])
    page = await read(seed.sant.id, first(), created_by_id=me)
    assert [one.id for one in page.items] == [mine.id]


@pytest.mark.parametrize(
    ("local", "day"),
    [
        # Santiago's 4 April 2026 has 25 hours: 23:00 to 24:00 comes twice.
        ("2026-04-05T02:30:00+00:00", date(2026, 4, 4)),
        ("2026-04-05T03:30:00+00:00", date(2026, 4, 4)),
        ("2026-04-05T04:00:00+00:00", date(2026, 4, 5)),
        # 6 September begins at 01:00.
        ("2026-09-06T03:59:59.999999+00:00", date(2026, 9, 5)),
        ("2026-09-06T04:00:00+00:00", date(2026, 9, 6)),
        ("2026-09-07T02:59:59.999999+00:00", date(2026, 9, 6)),
    ],
)
async def test_dates_are_local_ones_and_inclusive(
    read: Read, seed: Seed, connection: rows.Connection, local: str, day: date
) -> None:
    one = stay(seed.sant, NOW, created_at=datetime.fromisoformat(local))
    await insert(connection, [one])
    next_day, day_before = day + timedelta(days=1), day - timedelta(days=1)
    for found, dates in (
        (True, {"date_from": day, "date_to": day}),
        (True, {"date_from": day}),
        (True, {"date_to": day}),
        (False, {"date_from": next_day}),
        (False, {"date_to": day_before}),
    ):
        page = await read(seed.sant.id, first(), **dates)
        assert bool(page.items) is found, dates


async def test_a_midnight_that_comes_twice_belongs_to_its_day_both_times(
    read: Read, connection: rows.Connection
) -> None:
    """In Havana the clock goes from 01:00 back to 00:00."""
    clinic_id = await rows.clinic(connection, "HAVA", timezone="America/Havana")
    clinic = ClinicSeed(clinic_id, "HAVA", *(0,) * 7)
    times = [datetime(2026, 11, 1, 4, 30, tzinfo=UTC) + n * HOUR for n in range(-1, 3)]
    stays = [stay(clinic, NOW, created_at=at, surgery_id=None) for at in times]
    await insert(connection, stays)
    page = await read(clinic_id, first("created_at"), date_from=date(2026, 11, 1))
    assert [one.id for one in page.items] == [one.id for one in stays[1:]]
    page = await read(clinic_id, first("created_at"), date_to=date(2026, 10, 31))
    assert [one.id for one in page.items] == [stays[0].id]


async def test_the_list_reaches_all_times(read: Read, seed: Seed, connection: rows.Connection) -> None:
    old = stay(seed.sant, NOW, -9000 * HOUR)
    await insert(connection, [old])
    assert [one.id for one in (await read(seed.sant.id, first())).items] == [old.id]
    assert (await read(seed.maga.id, first())).items == []
    assert len((await read(None, first())).items) == 1


async def test_an_unknown_clinic_or_surgery_is_not_found(read: Read, seed: Seed) -> None:
    for clinic_id, surgery_id in (
        (999_999, None),
        (seed.sant.id, 999_999),
        (seed.sant.id, seed.maga.surgery_id),
    ):
        with pytest.raises(NotFound):
            await read(clinic_id, first(), surgery_id=surgery_id)
    assert (await read(None, first(), surgery_id=seed.maga.surgery_id)).items == []
