"""Rollups count what there is, whatever writers do beside each other, and while they are filled and merged."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any

import asyncpg
import pytest

from core.dashboard.upkeep import to_do, upkeep
from core.db.rollups import IS_IN_DOUBT, MERGED_FROM, fill, keep_up
from core.db.schema.migrate import upgrade
from core.db.schema.stamping import Rule, trigger_function
from core.operations.doctor.tables.migrations import made
from tests.core.dashboard.at_random import MadeClinic, network
from tests.core.dashboard.desk import Desk
from tests.core.dashboard.oracle import Ward
from tests.core.dashboard.writers import LOST, NOW, OF_FLOW, OF_TICKETS, Writer, create, modify
from tests.factories import rows
from tests.support.machine import until
from tests.support.migrations import downgrade

Connection = rows.Connection
FILTERS: list[dict[str, Any]] = [
    {},
    {"date_from": date(2026, 6, 15), "date_to": date(2026, 6, 17)},
    {"date_from": date(2026, 4, 20)},
    {"date_to": date(2026, 6, 1)},
    {"date_from": date(2025, 5, 9), "date_to": date(2026, 6, 30)},
]


@pytest.fixture
async def clinics(connection: Connection) -> list[MadeClinic]:
    """Three, in three zones, with rollups filled on this timeline."""
    await connection.execute("SELECT cache_new_timeline()")
    found = await network(connection)
    writer = Writer(connection, random.Random(1), found)
    for _ in range(4):
        await create(writer)
    await modify(writer)
    assert await keep_up(connection, [clinic.id for clinic in found]) == [clinic.id for clinic in found]
    return found


@asynccontextmanager
async def opened(url: str, number: int) -> AsyncIterator[list[Connection]]:
    connections = [await asyncpg.connect(url) for _ in range(number)]
    for one in connections:
        await one.execute("SET lock_timeout = '2s'; SET timezone = 'UTC'")
    yield connections
    await asyncio.gather(*(one.close() for one in connections))


async def is_trusted(connection: Connection, clinic: MadeClinic) -> bool:
    return not await connection.fetchval(IS_IN_DOUBT, clinic.id)


async def wrong(connection: Connection, clinics: list[MadeClinic]) -> int:
    """Counts that are trusted and wrong."""
    return sum(
        [
            await connection.fetchval("SELECT rollup_wrong($1)", clinic.id)
            for clinic in clinics
            if await is_trusted(connection, clinic)
        ]
    )


async def write(url: str, seed: int, clinics: list[MadeClinic], *, writers: int, transactions: int) -> int:
    """Random transactions of several writers beside each other, and of one who fills and merges; how many committed."""
    dice = random.Random(seed)
    async with opened(url, writers + 1) as (keeper, *others):
        working = [Writer(one, random.Random(dice.random()), clinics) for one in others]
        writing = asyncio.gather(*(writer.run(transactions) for writer in working))
        while not writing.done():
            clinic = dice.choice(clinics)
            with suppress(*LOST):
                if dice.random() < 0.3:
                    await fill(keeper, clinic.id)
                await keeper.execute("SELECT rollup_merge($1)", clinic.id)
            await asyncio.sleep(0)
        await writing
        return sum(writer.committed for writer in working)


async def looks_right(desk: Desk, connection: Connection, clinics: list[MadeClinic]) -> None:
    """The dashboards of trusted rollups are what plain Python counts."""
    ward = await Ward.read(connection)
    for clinic in clinics:
        assert await is_trusted(connection, clinic)
        for filters in [
            *FILTERS,
            {"surgery_id": clinic.surgeries[0]},
            {**FILTERS[2], "surgery_id": clinic.surgeries[1]},
        ]:
            assert await desk.computed(NOW, clinic.id, **filters) == ward.dashboard(NOW, clinic.id, **filters), filters


async def test_after_random_concurrent_transactions_rollups_count_what_there_is(
    desk: Desk, connection: Connection, database_url: str, clinics: list[MadeClinic]
) -> None:
    assert await write(database_url, 7, clinics, writers=3, transactions=12) > 10
    assert await wrong(connection, clinics) == 0
    await looks_right(desk, connection, clinics)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("dice_from", range(0, 300, 100))
async def test_after_many_random_concurrent_transactions_rollups_count_what_there_is(
    desk: Desk, connection: Connection, database_url: str, clinics: list[MadeClinic], dice_from: int
) -> None:
    for turn in range(8):
        assert await write(database_url, dice_from + turn, clinics, writers=4, transactions=25) > 10
        assert await wrong(connection, clinics) == 0
        await looks_right(desk, connection, clinics)


async def test_a_writer_who_commits_after_a_fill_began_is_counted_once(
    connection: Connection, database_url: str, clinics: list[MadeClinic]
) -> None:
    async with opened(database_url, 2) as [late, filling]:
        transaction = late.transaction()
        await transaction.start()
        writer = Writer(late, random.Random(3), clinics)
        await create(writer)
        await modify(writer)
        for clinic in clinics:
            assert await fill(filling, clinic.id), "it waits for nobody"
        assert await wrong(connection, clinics) == 0
        await transaction.commit()
    assert await wrong(connection, clinics) == 0


WAITS = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"


RACES = {
    "it is modified": (
        "INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)"
        " SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'somebody' FROM ticket WHERE id = $1",
        "UPDATE ticket SET doctor_id = (SELECT max(id) FROM doctor d WHERE d.clinic_id = ticket.clinic_id)"
        " WHERE id = $1",
    ),
    "it is delayed": (
        "INSERT INTO delay (clinic_id, ticket_id, reason_id, reason, set_at, set_by) SELECT t.clinic_id, t.id, r.id,"
        " r.reason, t.current_fpa - interval '1 hour', 'somebody' FROM ticket t"
        " JOIN standardized_reason r ON r.clinic_id = t.clinic_id WHERE t.id = $1 LIMIT 1",
        "UPDATE ticket SET status = 'discharged', discharged_at = current_fpa WHERE id = $1",
    ),
    "a delay is taken back": (
        "DELETE FROM delay WHERE ticket_id = $1",
        "UPDATE ticket SET status = 'discharged', discharged_at = current_fpa WHERE id = $1",
    ),
}


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize("what", RACES)
async def test_a_ticket_that_changes_while_rows_that_point_at_it_do_counts_as_it_is_then(
    connection: Connection, database_url: str, clinics: list[MadeClinic], what: str, isolation: str, is_turned: bool
) -> None:
    clinic = clinics[0]
    given: dict[str, Any] = {"patient_id": None, "doctor_id": clinic.doctors[0], "imported": True}
    ticket = await rows.ticket(connection, clinic.id, surgery_id=clinic.surgeries[0], **given)
    if what == "a delay is taken back":
        await connection.execute(RACES["it is delayed"][0], ticket)
    first, second = reversed(RACES[what]) if is_turned else RACES[what]
    async with opened(database_url, 2) as [one, two]:
        for each in (one, two):
            await each.execute(f"BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM ticket")
        await one.execute(first, ticket)
        waiting = asyncio.create_task(two.execute(second, ticket))

        async def has_met_the_first() -> bool:
            return waiting.done() or bool(await connection.fetchval(WAITS, two.get_server_pid()))

        await until(has_met_the_first)
        await one.execute("COMMIT")
        try:
            await waiting
            await two.execute("COMMIT")
        except asyncpg.SerializationError:
            assert isolation == "REPEATABLE READ"
    assert await wrong(connection, clinics) == 0


DOUBTS = {
    "TRUNCATE": "TRUNCATE fpa_modification",
    "another timeline": "SELECT cache_new_timeline(true)",
    "another zone": "UPDATE clinic SET timezone = 'Asia/Tokyo'",
    "another clock in the zone": "UPDATE rolled_clinic SET locals[5] = locals[5] + interval '1 hour'",
    "a change made in another zone": "UPDATE rollup_change SET timezone = 'Asia/Tokyo'",
}


@pytest.mark.parametrize("what", DOUBTS)
async def test_in_doubt_tickets_are_counted_until_rollups_are_filled(
    desk: Desk, connection: Connection, clinics: list[MadeClinic], what: str
) -> None:
    for clinic in clinics:
        await create(Writer(connection, random.Random(2), [clinic]))
    # What is in them now would show.
    await connection.execute(
        "UPDATE ticket_rollup SET total = total + 1000; UPDATE flow_rollup SET gone = gone + 1000;"
        "UPDATE delayed_ticket SET minutes = minutes + 1000"
    )
    await connection.execute(DOUBTS[what])
    await connection.execute("SELECT cache_new_timeline()")
    ward = await Ward.read(connection)
    for clinic in clinics:
        assert await desk.computed(NOW, clinic.id) == ward.dashboard(NOW, clinic.id)
    assert sorted(await to_do(desk.runtime.database, thorough=True)) == [clinic.id for clinic in clinics]
    assert await keep_up(connection, [clinic.id for clinic in clinics]) == [clinic.id for clinic in clinics]
    assert await to_do(desk.runtime.database, thorough=True) == []
    await looks_right(desk, connection, clinics)


async def test_who_left_is_not_read_ticket_by_ticket(
    desk: Desk, connection: Connection, clinics: list[MadeClinic]
) -> None:
    clinic = clinics[0]
    before = (await desk.computed(NOW, clinic.id))["flow"]
    assert before["stay_ratio"]
    await connection.execute("UPDATE flow_rollup SET stay_thousandths = 0 WHERE span = 'all'")
    assert (await desk.computed(NOW, clinic.id))["flow"] == {**before, "stay_ratio": 0.0}
    # Of a surgery and days of creation at once nothing is kept.
    asked = {"surgery_id": clinic.surgeries[0], **FILTERS[2]}
    assert await desk.computed(NOW, clinic.id, **asked) == (await Ward.read(connection)).dashboard(
        NOW, clinic.id, **asked
    )


async def test_where_the_tables_are_not_those_that_the_versions_stand_for_nothing_is_filled(
    connection: Connection, clinics: list[MadeClinic]
) -> None:
    await connection.execute("ALTER TABLE ticket DISABLE TRIGGER cache_stamp_update")
    assert not await fill(connection, clinics[0].id)
    await connection.execute("ALTER TABLE ticket ENABLE ALWAYS TRIGGER cache_stamp_update")
    assert not await fill(connection, clinics[0].id)
    await connection.execute("SELECT cache_new_timeline()")
    assert await fill(connection, clinics[0].id)


async def test_where_triggers_of_the_release_before_are_put_back_nothing_is_filled(
    connection: Connection, clinics: list[MadeClinic]
) -> None:
    before = trigger_function("fpa_modification", (Rule("tickets"), Rule("figures")))
    await connection.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))
    await connection.execute("SELECT cache_new_timeline()")
    assert not await fill(connection, clinics[0].id)
    assert not await is_trusted(connection, clinics[0])


async def test_a_serving_process_fills_and_merges_by_itself(
    desk: Desk, connection: Connection, database_url: str, clinics: list[MadeClinic]
) -> None:
    await connection.execute("TRUNCATE fpa_modification")
    keeping = asyncio.create_task(upkeep(desk.runtime.database, database_url, period=0.05))
    writer = Writer(connection, random.Random(4), clinics)

    async def is_done() -> bool:
        return not await to_do(desk.runtime.database)

    try:
        await connection.execute("SELECT cache_new_timeline()")
        for _ in range(MERGED_FROM):
            await create(writer)
        await until(is_done)
    finally:
        keeping.cancel()
    await looks_right(desk, connection, clinics)


@pytest.mark.parametrize(
    "table",
    [
        *("rollup_change", "ticket_rollup", "doctor_rollup", "flow_rollup"),
        *("modified_ticket", "delayed_ticket", "rolled_clinic"),
    ],
)
async def test_rollups_are_not_truncated(connection: Connection, table: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(f"TRUNCATE {table}")


async def test_migrating_fills_the_rollups_of_the_tickets_that_are_there(
    connection: Connection, database_url: str, clinics: list[MadeClinic]
) -> None:
    writer = Writer(connection, random.Random(5), clinics)
    for change in (create, create, modify, modify):
        await change(writer)
    await downgrade(database_url, "0017")
    await asyncio.to_thread(upgrade, database_url)
    assert [await is_trusted(connection, clinic) for clinic in clinics] == [True] * len(clinics)
    assert await wrong(connection, clinics) == 0


LEFT_OUT = {
    "what a ticket counted as before": ("cache_stamp_ticket", "SELECT -1, id, clinic_id", "SELECT 0, id, clinic_id"),
    "a deleted ticket": ("cache_stamp_ticket", "SELECT -1 AS sign", "SELECT 0 AS sign"),
    "a created ticket": ("cache_stamp_ticket", "SELECT 1 AS sign, id", "SELECT 0 AS sign, id"),
    "the doctor of a modified ticket": ("cache_stamp_ticket", "PERFORM rollup_recount(touched);", ""),
    "modifications that are there before their ticket": (
        "cache_stamp_ticket",
        "PERFORM rollup_recount(array_agg(id)) FROM new_rows;",
        "",
    ),
    "a modification": (
        "cache_stamp_fpa_modification",
        "PERFORM rollup_recount(array_agg(DISTINCT ticket_id)) FROM new_rows;",
        "",
    ),
    "a modification handed over": ("cache_stamp_fpa_modification", "PERFORM rollup_recount(ARRAY", "PERFORM (ARRAY"),
    "a modification taken back": (
        "cache_stamp_fpa_modification",
        "PERFORM rollup_recount(array_agg(DISTINCT ticket_id)) FROM old_rows;",
        "",
    ),
    "what was counted of a modified ticket": ("rollup_recount", "SELECT -1, coalesce", "SELECT 0, coalesce"),
    "a doctor's modifications that are merged": ("rollup_merge", "WHERE doctor_id <> 0", "WHERE doctor_id < 0"),
}


OF_FLOW_LEFT_OUT = {
    "the day on which a ticket left": (
        "cache_stamp_ticket",
        "WHEN discharged_at IS NOT NULL AND NOT discharge_assumed THEN (discharged_at",
        "WHEN discharged_at IS NOT NULL AND NOT discharge_assumed THEN (created_at",
    ),
    "who was ready when they left": ("cache_stamp_ticket", "AND ready_at IS NOT NULL)::integer", "AND false)::integer"),
    "a change of who was ready alone": (
        "cache_stamp_ticket",
        "IF touched <> '{}' THEN",
        "IF touched <> '{}' AND EXISTS (SELECT FROM new_rows n JOIN old_rows o USING (id)"
        " WHERE n.ready_at IS NOT DISTINCT FROM o.ready_at) THEN",
    ),
    "a delay": ("cache_stamp_delay", "touched := ARRAY(SELECT DISTINCT ticket_id FROM new_rows);", ""),
    "a delay handed over": ("cache_stamp_delay", "UNION ALL", "INTERSECT"),
    "a delay taken back": ("cache_stamp_delay", "touched := ARRAY(SELECT DISTINCT ticket_id FROM old_rows);", ""),
    "a delay that is no more": (
        "rollup_recount",
        "DELETE FROM delayed_ticket m WHERE",
        "DELETE FROM delayed_ticket m WHERE false AND",
    ),
    "who left, where changes are merged": ("rollup_merge", "left_day IS NOT NULL", "false"),
}


@pytest.mark.parametrize("what", LEFT_OUT | OF_FLOW_LEFT_OUT)
async def test_a_change_that_is_left_out_is_found(
    connection: Connection, database_url: str, clinics: list[MadeClinic], what: str
) -> None:
    """The same transactions, with a trigger that forgets one thing."""
    name, text, instead = (LEFT_OUT | OF_FLOW_LEFT_OUT)[what]
    statement = made().functions[name].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    assert text in statement
    await connection.execute(statement.replace(text, instead))
    async with opened(database_url, 1) as [one]:
        for turn in range(30):
            changes = OF_TICKETS if what in LEFT_OUT else OF_FLOW
            await Writer(one, random.Random(turn), clinics, changes).run(10)
            await one.execute("SELECT rollup_merge(id) FROM clinic")
            if await wrong(connection, clinics):
                return
    pytest.fail("nobody noticed")
