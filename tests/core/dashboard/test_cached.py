"""Dashboards through the cache: what makes one anew, what leaves it, and the network's from the clinics' own."""

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url

from core.dashboard.cached import CLINIC, NETWORK
from core.db.transaction import ReadSession, WriteSession
from core.errors import NotFound
from core.runtime import open_runtime
from core.settings import Settings
from tests.core.dashboard.at_random import MadeClinic, network
from tests.core.dashboard.desk import Desk, without_when
from tests.core.dashboard.oracle import HOUR, MINUTE, Ward
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.statements import traced


@contextmanager
def computed_clinics(desk: Desk) -> Iterator[list[list[int]]]:
    """The clinics of each run of the statement meanwhile."""
    runs: list[list[int]] = []
    engine = desk.runtime.database.engine.sync_engine

    def look(_c: Any, _cur: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "top_surgeries" in statement:
            runs.extend(sorted(value) for value in parameters if isinstance(value, list))

    event.listen(engine, "before_cursor_execute", look)
    yield runs
    event.remove(engine, "before_cursor_execute", look)


async def change(desk: Desk, statement: str, **values: Any) -> None:
    """In this process, which knows its own commits' versions at once."""

    async def work(session: WriteSession) -> None:
        await session.execute(text(statement), values)

    await desk.runtime.database.write(work)


@pytest.fixture
async def clinics(desk: Desk, connection: rows.Connection) -> list[MadeClinic]:
    """Three with a ticket each, at ten past the hour: no test of this file meets a limit of the clock."""
    made = await network(connection)
    now = datetime(2026, 6, 17, 14, 10, tzinfo=UTC)
    for clinic in made:
        values = {"id": f"TH-{clinic.id}", "fpa": now + 5 * HOUR, "created_at": now - 3 * HOUR, "imported": True}
        await rows.ticket(connection, clinic.id, None, clinic.surgeries[0], doctor_id=clinic.doctors[0], **values)  # type: ignore[arg-type]
    await desk.runtime.direct.require(await newest(connection))
    desk.go_to(now)
    return made


async def newest(connection: rows.Connection) -> dict[tuple[int, str], int]:
    found = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    return {(row["clinic_id"], row["topic"]): row["version"] for row in found}


async def figures(desk: Desk, clinic_id: int | None) -> dict[str, Any]:
    return without_when((await desk.read(clinic_id)).entry.body)


CHANGES: dict[str, str] = {
    "modified": "INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)"
    " SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'test' FROM ticket WHERE clinic_id = :clinic",
    "moved to a later hour": "UPDATE ticket SET current_fpa = current_fpa + interval '5 hours'"
    " WHERE clinic_id = :clinic",
    "discharged": "UPDATE ticket SET status = 'discharged', discharged_at = admission_at WHERE clinic_id = :clinic",
    "annulled": "UPDATE ticket SET status = 'annulled', annulled_at = created_at WHERE clinic_id = :clinic",
    "another surgery": "UPDATE ticket SET surgery_id = surgery_id + 1 WHERE clinic_id = :clinic",
    "ready": "UPDATE ticket SET ready_at = admission_at, ready_by = 'nurse' WHERE clinic_id = :clinic",
    "delayed": "INSERT INTO delay (clinic_id, ticket_id, reason_id, reason, set_by)"
    " SELECT clinic_id, id, (SELECT min(id) FROM standardized_reason r WHERE r.clinic_id = :clinic), 'Reason', 'nurse'"
    " FROM ticket WHERE clinic_id = :clinic",
    "admitted long before": "UPDATE ticket SET admission_at = admission_at - interval '9 days'"
    " WHERE clinic_id = :clinic",
    "fewer base hours": "UPDATE ticket SET surgery_base_hours = 1 WHERE clinic_id = :clinic",
    "a surgery renamed": "UPDATE surgery SET name = name || ' anew' WHERE clinic_id = :clinic",
    "deleted": "DELETE FROM ticket WHERE clinic_id = :clinic",
    "another time zone": "UPDATE clinic SET timezone = 'America/Coyhaique' WHERE id = :clinic",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_change_is_on_the_next_read(
    desk: Desk, connection: rows.Connection, clinics: list[MadeClinic], what: str
) -> None:
    clinic = clinics[2]
    before = [await figures(desk, clinic_id) for clinic_id in (clinic.id, None)]
    await change(desk, CHANGES[what], clinic=clinic.id)
    ward = await Ward.read(connection)
    for clinic_id, old in zip((clinic.id, None), before, strict=True):
        found = await figures(desk, clinic_id)
        assert found == ward.dashboard(desk.now, clinic_id)
        if what != "another time zone" or clinic_id is not None:
            assert found != old


async def test_created_and_modified_tickets_count_at_once(desk: Desk, connection: rows.Connection, seed: Seed) -> None:
    for total in range(1, 4):
        await figures(desk, seed.sant.id)
        ticket = await seed.sant.ticket(connection)
        await rows.modification(connection, seed.sant.id, ticket)
        await desk.runtime.direct.require(await newest(connection))
        for clinic_id in (seed.sant.id, None):
            found = await figures(desk, clinic_id)
            assert (found["kpis"]["total"], found["modifications"]["total"]) == (total, total)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ticket SET bed_number = '12', location = 'Piso 3', episode_id = 'E-1' WHERE clinic_id = :clinic",
        "UPDATE ticket SET surgery_id = surgery_id + 1 WHERE clinic_id <> :clinic",
        "INSERT INTO patient (clinic_id, document_type, document, first_name, last_name)"
        " VALUES (:clinic, 'other', '1', 'Ana', 'Rojas')",
    ],
    ids=["a changed bed", "another clinic's ticket", "a patient"],
)
async def test_what_no_figure_shows_keeps_the_entry(
    desk: Desk, clinics: list[MadeClinic], connection: rows.Connection, statement: str
) -> None:
    clinic = clinics[0]
    first = await desk.read(clinic.id)
    versions = dict(desk.runtime.versions.rows)
    await change(desk, statement, clinic=clinic.id)
    assert desk.runtime.versions.rows != versions, "the write was stamped"
    with traced(desk.runtime.versions) as asked:
        again = await desk.read(clinic.id)
    assert (again.outcome, again.entry.body) == ("hit", first.entry.body)
    assert asked.db_queries == 0


async def test_a_miss_reads_the_versions_and_all_figures_in_one_statement_each(
    desk: Desk, clinics: list[MadeClinic]
) -> None:
    for filters in ({}, {"surgery_id": clinics[0].surgeries[0], "date_from": date(2026, 6, 1)}):
        with traced(desk.runtime.versions) as asked:
            assert (await desk.read(clinics[0].id, **filters)).outcome == "miss"
        assert asked.db_queries == 3, "and whether tables were replaced meanwhile"
    with traced(desk.runtime.versions) as asked:
        await desk.read(None)
    assert asked.db_queries == 4, "and which clinics there are"


async def test_no_run_of_the_statement_is_compiled(
    settings: Settings, connection: rows.Connection, database_url: str
) -> None:
    """Where the server would: PostgreSQL's default is on."""
    await connection.execute(f"ALTER DATABASE {make_url(database_url).database} SET jit = on")

    async def work(session: ReadSession) -> str:
        return str(await session.scalar(text("SHOW jit")))

    async with open_runtime(settings) as runtime:
        assert await runtime.database.read(work) == "off"


async def test_the_network_computes_only_the_clinics_that_nobody_has_read(
    desk: Desk, connection: rows.Connection, clinics: list[MadeClinic]
) -> None:
    ids = [clinic.id for clinic in clinics]
    await desk.read(ids[1])
    with computed_clinics(desk) as runs:
        network_of_them = await figures(desk, None)
    assert runs == [[ids[0], ids[2]]]
    assert network_of_them == (await Ward.read(connection)).dashboard(desk.now)
    # What it computed serves those clinics' own readers.
    with traced(desk.runtime.versions) as asked:
        for clinic_id in ids:
            assert (await desk.read(clinic_id)).outcome == "hit"
    assert asked.db_queries == 0


async def test_a_write_in_one_clinic_has_only_its_part_computed(
    desk: Desk, connection: rows.Connection, clinics: list[MadeClinic]
) -> None:
    await desk.read(None)
    for clinic in clinics:
        await change(desk, CHANGES["discharged"], clinic=clinic.id)
        with computed_clinics(desk) as runs:
            found = await figures(desk, None)
        assert runs == [[clinic.id]]
        assert found == (await Ward.read(connection)).dashboard(desk.now)


async def test_the_networks_refresh_is_merged_from_refreshed_parts(
    desk: Desk, refreshing_desk: Desk, connection: rows.Connection, clinics: list[MadeClinic]
) -> None:
    refreshing_desk.go_to(desk.now)
    desk, ids = refreshing_desk, [clinic.id for clinic in clinics]
    for clinic_id in (None, *ids):
        await desk.read(clinic_id)
    counted = desk.runtime.cache.stats.refreshed
    with computed_clinics(desk) as runs:
        await change(desk, CHANGES["discharged"], clinic=ids[0])
        await machine.until(lambda: counted["network_dashboard", "database"])
    assert runs == [[ids[0]]]
    with traced(desk.runtime.versions) as asked:
        assert await figures(desk, None) == (await Ward.read(connection)).dashboard(desk.now)
    assert asked.db_queries == 0


async def test_the_network_is_as_old_as_its_oldest_part(desk: Desk, clinics: list[MadeClinic]) -> None:
    part = await desk.read(clinics[0].id)
    desk.go_to(desk.now + 2 * MINUTE)
    whole = await desk.read(None)
    assert whole.entry.computed_at == part.entry.computed_at
    assert whole.age == pytest.approx(120, abs=10)
    assert whole.ttl <= CLINIC.ttl - 120
    assert json.loads(whole.entry.body)["generated_at"] > json.loads(part.entry.body)["generated_at"]


async def test_equal_figures_have_one_etag_whoever_computed_them_when(
    desk: Desk, settings: Settings, clinics: list[MadeClinic]
) -> None:
    """Two replicas that share nothing but the database."""
    mine = [await desk.read(clinic_id) for clinic_id in (clinics[0].id, None)]
    async with open_runtime(settings.model_copy(update={"cache_prefix": "another"})) as runtime:
        other = Desk(runtime)
        other.go_to(desk.now + MINUTE)
        for first, clinic_id in zip(mine, (clinics[0].id, None), strict=True):
            second = await other.read(clinic_id)
            assert second.outcome == "miss"
            assert second.entry.body != first.entry.body
            assert second.entry.etag == first.entry.etag
            await change(other, CHANGES["modified"], clinic=clinics[0].id)
            assert (await other.read(clinic_id)).entry.etag != first.entry.etag
            await change(other, "DELETE FROM fpa_modification")


async def test_every_filter_has_an_entry_of_its_own(
    desk: Desk, connection: rows.Connection, clinics: list[MadeClinic]
) -> None:
    clinic = clinics[0]
    today = desk.now.astimezone(clinic.zone).date()
    tomorrow = today + timedelta(days=1)
    asked: list[dict[str, Any]] = [
        {},
        {"date_from": today},
        {"date_to": today},
        {"date_from": tomorrow},
        {"date_from": today, "date_to": today},
        {"surgery_id": clinic.surgeries[0]},
        {"surgery_id": clinic.surgeries[1]},
        {"surgery_id": clinic.surgeries[1], "date_from": today},
    ]
    ward = await Ward.read(connection)
    for outcome in ("miss", "hit"):
        for clinic_id in (clinic.id, None):
            for filters in asked:
                answer = await desk.read(clinic_id, **filters)
                assert without_when(answer.entry.body) == ward.dashboard(desk.now, clinic_id, **filters)
                assert answer.outcome == outcome


Asked = Callable[[Desk, list[MadeClinic]], Awaitable[object]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda desk, clinics: desk.read(clinics[-1].id + 1),
        lambda desk, clinics: desk.read(clinics[0].id, surgery_id=clinics[1].surgeries[0]),
        lambda desk, clinics: desk.read(clinics[0].id, surgery_id=2**31 - 1),
        lambda desk, clinics: desk.read(None, surgery_id=2**31 - 1),
    ],
    ids=["an unknown clinic", "a foreign surgery", "an unknown surgery", "an unknown surgery in the network"],
)
async def test_what_is_not_in_the_scope_is_not_found_and_not_kept(
    desk: Desk, clinics: list[MadeClinic], ask: Asked
) -> None:
    for _ in range(2):
        with traced(desk.runtime.versions) as asked, pytest.raises(NotFound):
            await ask(desk, clinics)
        assert asked.db_queries >= 2


async def test_a_surgery_of_one_clinic_in_the_network_leaves_the_others_without_an_entry(
    desk: Desk, connection: rows.Connection, clinics: list[MadeClinic]
) -> None:
    mine, other = clinics[0], clinics[1]
    asked: dict[str, Any] = {"surgery_id": mine.surgeries[0]}
    found = without_when((await desk.read(None, **asked)).entry.body)
    assert found == (await Ward.read(connection)).dashboard(desk.now, **asked)
    assert (await desk.read(mine.id, **asked)).outcome == "hit"
    with pytest.raises(NotFound):
        await desk.read(other.id, **asked)


def test_policies_are_those_of_the_design() -> None:
    for policy in (CLINIC, NETWORK):
        assert (policy.topics, policy.global_topics, policy.ttl) == (("figures", "catalogs"), ("clinics",), 300)
    assert CLINIC.name != NETWORK.name
