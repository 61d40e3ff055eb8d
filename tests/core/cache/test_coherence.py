"""Whoever changes a row, and however: the next read tells it, here at once, elsewhere within two seconds."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.policy import Policy
from core.db.transaction import WriteSession
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed
from tests.support import machine
from tests.support.cache.statements import traced
from tests.support.servers.proxy import WireProxy
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

POLICY = Policy("figures", 60, "shape", ("figures", "catalogs"), ("clinics",))
COUNTS = text("""
SELECT (SELECT count(*) FROM ticket WHERE clinic_id = :clinic) AS tickets,
       (SELECT count(*) FROM ticket WHERE clinic_id = :clinic AND status = 'active') AS active,
       (SELECT count(*) FROM fpa_modification WHERE clinic_id = :clinic) AS modifications,
       (SELECT count(*) FROM doctor WHERE clinic_id = :clinic) AS doctors
""")
TYPICAL = 0.1
quick: list[bool] = []
"""Over all kinds of change: whether it took no longer than is typical."""
Figures = dict[str, int]
Change = Callable[[rows.Connection, Seed], Awaitable[None]]


def figures_of(answer: Answer) -> Figures:
    figures: Figures = json.loads(answer.entry.body)
    return figures


class Reader:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.runs = 0

    async def read(self, clinic: ClinicSeed) -> Answer:
        async def load(fill: Fill) -> Loaded:
            self.runs += 1
            row = (await fill.session.execute(COUNTS, {"clinic": clinic.id})).mappings().one()
            return Loaded(json.dumps(dict(row)).encode())

        return await self.runtime.cache.read(CachedRead(POLICY, clinic.id, {}, load))


@pytest.fixture
async def reader(settings: Settings) -> AsyncIterator[Reader]:
    async with open_runtime(settings) as runtime:
        yield Reader(runtime)


async def truth(connection: rows.Connection, clinic: ClinicSeed) -> Figures:
    row = await connection.fetchrow(str(COUNTS).replace(":clinic", "$1"), clinic.id)
    assert row is not None
    return dict(row)


# --- changes, as somebody makes them beside the application


async def typed_into_psql(connection: rows.Connection, seed: Seed) -> None:
    await seed.sant.ticket(connection)


async def copied_in_bulk(connection: rows.Connection, seed: Seed) -> None:
    records = [(clinic, f"Dr. {number}") for number in range(300) for clinic in (seed.sant.id, seed.maga.id)]
    await connection.copy_records_to_table("doctor", columns=["clinic_id", "name"], records=records)


async def truncated(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute("TRUNCATE ticket CASCADE")


async def deleted_with_its_modifications(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute("DELETE FROM ticket WHERE clinic_id = $1", seed.sant.id)


async def moved_to_the_other_clinic(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute(
        "UPDATE ticket SET clinic_id = $1, patient_id = $2, surgery_id = $3 WHERE clinic_id = $4",
        seed.maga.id, seed.maga.patient_id, seed.maga.surgery_id, seed.sant.id,
    )  # fmt: skip


async def before_and_after_a_rolled_back_savepoint(connection: rows.Connection, seed: Seed) -> None:
    async with connection.transaction():
        await rows.doctor(connection, seed.sant.id)
        savepoint = connection.transaction()
        await savepoint.start()
        await seed.maga.ticket(connection)
        await savepoint.rollback()
        await typed_into_psql(connection, seed)


async def discharged(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute(
        "UPDATE ticket SET status = 'discharged', discharged_at = admission_at WHERE clinic_id = $1", seed.sant.id
    )


@pytest.mark.parametrize(
    "change",
    [
        typed_into_psql,
        copied_in_bulk,
        truncated,
        deleted_with_its_modifications,
        moved_to_the_other_clinic,
        before_and_after_a_rolled_back_savepoint,
        discharged,
    ],
    ids=lambda change: change.__name__.replace("_", " "),
)
async def test_a_change_made_elsewhere_is_read_within_two_seconds_and_typically_in_a_tenth(
    reader: Reader, connection: rows.Connection, seed: Seed, change: Change
) -> None:
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket)
    await seed.maga.ticket(connection)
    for clinic in (seed.sant, seed.maga):
        await until(reader, clinic, await truth(connection, clinic))
    before = await truth(connection, seed.sant)
    await change(connection, seed)
    expected = await truth(connection, seed.sant)
    assert expected != before
    began = machine.now()
    took = await until(reader, seed.sant, expected)
    quick.append(took < machine.bound(TYPICAL, began))
    await until(reader, seed.maga, await truth(connection, seed.maga))
    assert 2 * sum(quick) >= len(quick) - 1


async def until(reader: Reader, clinic: ClinicSeed, expected: Figures) -> float:
    """Seconds until a read tells `expected`; fails after two."""

    async def figures() -> Figures:
        return figures_of(await reader.read(clinic))

    return await machine.until_equal(figures, expected, within=2.0)


async def test_a_write_of_this_process_is_in_its_very_next_read(reader: Reader, seed: Seed) -> None:
    """No sleep, no notification awaited, and whatever the write touches: also what no audit names."""
    statements = [
        "INSERT INTO doctor (clinic_id, name) VALUES (:maga, 'x'), (:sant, 'y')",
        "UPDATE doctor SET clinic_id = :maga, specialty_id = NULL WHERE name = 'y'",
        "DELETE FROM doctor WHERE name IN ('x', 'y')",
    ]
    clinics = {"sant": seed.sant.id, "maga": seed.maga.id}
    doctors = []
    for statement in statements * 5:

        async def work(session: WriteSession, statement: str = statement) -> None:
            used = {name: value for name, value in clinics.items() if f":{name}" in statement}
            await session.execute(text(statement), used)

        await reader.runtime.database.write(work)
        doctors.append([figures_of(await reader.read(clinic))["doctors"] for clinic in (seed.sant, seed.maga)])
    assert doctors == [[2, 2], [1, 3], [1, 1]] * 5


async def test_a_write_tells_exactly_the_versions_it_made(
    reader: Reader, connection: rows.Connection, seed: Seed
) -> None:
    async def work(session: WriteSession) -> None:
        await session.execute(text("INSERT INTO doctor (clinic_id, name) VALUES (:c, 'x')"), {"c": seed.sant.id})

    with traced() as trace:
        await reader.runtime.database.write(work)
    version = await connection.fetchval(
        "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'catalogs'", seed.sant.id
    )
    assert trace.cache_versions_made == [(seed.sant.id, "catalogs", version)]


async def test_a_write_cancelled_once_it_has_committed_is_in_the_next_read(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> None:
    """The client has gone, the commit has not: this process does not know its version, and must not trust its map."""
    async with open_runtime(settings.model_copy(update={"cache_push": False})) as runtime:
        reader = Reader(runtime)
        seen = 0
        delay, in_time = 0.001, False
        while not in_time:  # the first write is cancelled as it begins; the last one has its answer before that
            before = figures_of(await reader.read(seed.sant))["doctors"]

            async def work(session: WriteSession) -> None:
                await session.execute(
                    text("INSERT INTO doctor (clinic_id, name) VALUES (:c, 'x')"), {"c": seed.sant.id}
                )

            writing = asyncio.create_task(runtime.database.write(work))
            # The write is cancelled ever later.
            await asyncio.sleep(delay)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await has_ended(connection)
            stored = await runtime.database.read(lambda session: session.execute(COUNTS, {"clinic": seed.sant.id}))
            doctors = stored.mappings().one()["doctors"]
            assert figures_of(await reader.read(seed.sant))["doctors"] == doctors
            seen += doctors - before
            delay, in_time = delay * 1.3, not writing.cancelled()
        assert seen >= 1


async def has_ended(connection: rows.Connection) -> None:
    """What was under way, one way or the other: the database works on nothing, and no transaction is open."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start IS NOT NULL"
    )

    async def is_idle() -> bool:
        return not await connection.fetchval(others)

    await machine.until(is_idle)


async def test_a_changed_bed_keeps_the_dashboards_entry(
    reader: Reader, connection: rows.Connection, seed: Seed
) -> None:
    ticket = await seed.sant.ticket(connection)
    await until(reader, seed.sant, await truth(connection, seed.sant))
    runs = reader.runs
    await connection.execute("UPDATE ticket SET bed_number = '12', revision = revision + 1 WHERE id = $1", ticket)
    reader.runtime.versions.distrust()  # the next read looks at the version rows itself
    assert (await reader.read(seed.sant)).outcome == "hit"
    assert reader.runs == runs


async def test_a_hit_sends_nothing_to_the_database(settings: Settings, seed: Seed, database_url: str) -> None:
    """Counted on the wire. The listener, whose poll goes on each second, has its own connection beside it."""
    async with WireProxy(database_url) as proxy:
        counted = settings.model_copy(
            update={"database_url": SecretStr(proxy.url), "database_listen_url": SecretStr(database_url)}
        )
        async with open_runtime(counted) as runtime:
            reader = Reader(runtime)
            before = proxy.sent
            assert (await reader.read(seed.sant)).outcome == "miss"
            assert proxy.sent > before

            async def hits_send_nothing() -> bool:
                before = proxy.sent
                for _ in range(100):
                    assert (await reader.read(seed.sant)).outcome == "hit"
                return proxy.sent == before

            # On a machine so busy that a lease ends in between, a request reads the versions itself.
            await machine.until(hits_send_nothing)


async def test_figures_never_go_back_for_any_reader_under_writes_from_everywhere(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    """Two processes read while one of them and psql write: each read is between what was committed before and after."""
    async with open_runtime(settings) as here, open_runtime(settings) as there:
        readers = [Reader(here), Reader(there)]
        committed: list[float] = []
        loop = asyncio.get_running_loop()
        began = machine.now()
        until_then = loop.time() + 3
        begun = 0

        async def write() -> None:
            nonlocal begun
            insert = text("INSERT INTO doctor (clinic_id, name) VALUES (:c, 'x')")

            async def work(session: WriteSession) -> None:
                await session.execute(insert, {"c": seed.sant.id})

            while loop.time() < until_then:
                begun += 1
                await (here.database.write(work) if begun % 2 else rows.doctor(connection, seed.sant.id))
                committed.append(loop.time())
                await asyncio.sleep(0.01)  # some writes a second, and reads between them

        async def read(reader: Reader) -> float:
            """The worst staleness seen, in seconds."""
            worst = 0.0
            while loop.time() < until_then:
                started = loop.time()
                found = figures_of(await reader.read(seed.sant))["doctors"] - 1
                assert found <= begun
                overdue = [started - at for at in committed[found:] if at < started]
                worst = max(worst, *overdue, 0.0)
                await asyncio.sleep(0)
            return worst

        writing = asyncio.create_task(write())
        worst = await asyncio.gather(*(read(reader) for reader in readers))
        await writing
        assert max(worst) < machine.bound(2.0, began)
        assert len(committed) > 5
