"""Versions told after the commit that made them: by whom, together, and what is told where they are not known."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from core import times
from core.cache.versions import push as pushing
from core.cache.versions.payload import CHANNEL, LONGEST, POLL, Told, parse_payload, payload_of
from core.db import transaction
from core.db.transaction import WriteSession
from core.errors import Unavailable
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.bumps import versions_of
from tests.support.processes.commands import environment, run_beside

PUSHING = "application_name = 'ticket-home-push' AND datname = current_database()"
ENDS_ITSELF = """
CREATE TABLE ended (id int);
CREATE FUNCTION end_itself() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER end_itself AFTER INSERT ON ended DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION end_itself()
"""
"""At COMMIT, which then nobody knows the outcome of."""

POLL_NOW = f"NOTIFY {CHANNEL}, '{POLL}'"

Ear = asyncio.Queue[str]


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Ear]:
    heard: Ear = asyncio.Queue()
    connection = await asyncpg.connect(url)
    await connection.add_listener(CHANNEL, lambda *notified: heard.put_nowait(str(notified[3])))
    try:
        yield heard
    finally:
        await connection.close()


@pytest.fixture
async def heard(database_url: str, runtime: Runtime) -> AsyncIterator[Ear]:
    async with listening(database_url) as ear:
        yield ear


@pytest.fixture
async def runtime(settings: Settings, seed: Seed, connection: rows.Connection) -> AsyncIterator[Runtime]:
    await connection.execute("SELECT cache_new_timeline()")  # a process that did it would tell so
    async with open_runtime(settings) as made:
        await machine.until(lambda: made.listener.connected)
        yield made


async def next_of(heard: Ear) -> str:
    return await asyncio.wait_for(heard.get(), machine.PATIENCE)


def doctor_of(clinic_id: int) -> Callable[[WriteSession], Awaitable[None]]:
    async def work(session: WriteSession) -> None:
        await session.execute(text(f"INSERT INTO doctor (clinic_id, name) VALUES ({clinic_id}, gen_random_uuid())"))

    return work


def test_a_payload_says_what_it_was_made_of() -> None:
    for change in (Told({(5, "figures"): 17, (0, "ns:a/b=c"): 2**62}, "an-id"), Told({(0, "clinics"): 3}, None)):
        assert parse_payload(payload_of(change)) == change
    assert parse_payload(POLL) is None
    many = payload_of(Told({(clinic, "figures"): 2**40 for clinic in range(400)}, "an-id"))
    assert many == POLL
    assert len(payload_of(Told({(clinic, "figures"): 2**40 for clinic in range(300)}, "an-id"))) < LONGEST


@pytest.mark.parametrize("push", [True, False])
async def test_whether_changes_are_pushed_is_said(settings: Settings, push: bool) -> None:
    async with open_runtime(settings.model_copy(update={"cache_push": push})) as made:
        await machine.until(lambda: made.listener.connected)
        assert made.listener.is_told is push


async def test_the_services_commit_is_told_with_the_timelines_id(
    runtime: Runtime, heard: Ear, connection: rows.Connection, seed: Seed
) -> None:
    await runtime.database.write(doctor_of(seed.sant.id))
    version = (await versions_of(connection))[seed.sant.id, "catalogs"]
    timeline = await connection.fetchval("SELECT id FROM cache_timeline")
    assert await next_of(heard) == f"@{timeline} {seed.sant.id}/catalogs={version}"
    assert heard.empty()


async def test_what_is_committed_at_once_is_told_together(
    runtime: Runtime, heard: Ear, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pushing, "GATHER", 0.2)
    clinics = [seed.sant.id, seed.maga.id] * 4
    await asyncio.gather(*(runtime.database.write(doctor_of(clinic)) for clinic in clinics))
    change = parse_payload(await next_of(heard))
    assert change is not None
    found = await versions_of(connection)
    assert change.versions == {key: found[key] for key in ((seed.sant.id, "catalogs"), (seed.maga.id, "catalogs"))}
    assert heard.empty()


async def test_others_know_it_at_once(runtime: Runtime, settings: Settings, seed: Seed) -> None:
    async with open_runtime(settings) as other:
        await machine.until(lambda: other.listener.connected)
        for _ in range(3):
            began = machine.now()
            await runtime.database.write(doctor_of(seed.sant.id))
            made = runtime.versions.get(seed.sant.id, "catalogs")
            await machine.until(lambda made=made: other.versions.get(seed.sant.id, "catalogs") == made)
            # Three times in a row not by the next poll.
            assert machine.now() - began < machine.bound(times.POLL_EVERY / 3, began)


@pytest.mark.parametrize(("word", "is_told"), [("on", True), ("service", False), ("off", False), (None, True)])
async def test_a_transaction_notifies_itself_unless_it_says_otherwise(
    database_url: str, connection: rows.Connection, seed: Seed, word: str | None, is_told: bool
) -> None:
    async with listening(database_url) as heard:
        if word is not None:
            await connection.execute(f"SET ticket_home.push = '{word}'")
        await rows.doctor(connection, seed.sant.id)
        await connection.execute("SELECT cache_new_timeline(true)")
        await connection.execute(f"NOTIFY {CHANNEL}, 'the end'")
        payloads = [await next_of(heard)]
        while payloads[-1] != "the end":
            payloads.append(await next_of(heard))
    assert [payload for payload in payloads if "catalogs=" in payload or payload == POLL] == payloads[:-1]
    assert (len(payloads) > 1) == is_told
    assert (POLL in payloads) == is_told


async def test_a_command_notifies_in_its_transaction(
    settings: Settings, heard: Ear, connection: rows.Connection, seed: Seed
) -> None:
    ended = await run_beside(environment(settings), "cache", "invalidate", "--clinic", "SANT", "--topic", "figures")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    version = (await versions_of(connection))[seed.sant.id, "figures"]
    assert await next_of(heard) == f"{seed.sant.id}/figures={version}"
    assert heard.empty()


async def test_of_a_new_timeline_the_service_tells_all_others(
    runtime: Runtime, settings: Settings, connection: rows.Connection
) -> None:
    async with open_runtime(settings) as other:
        await machine.until(lambda: other.listener.connected)
        before = other.versions.timeline_id
        await connection.execute("TRUNCATE fpa_modification")
        await connection.execute(POLL_NOW)
        await machine.until(lambda: other.versions.timeline_id not in (None, before))
        await machine.until(lambda: runtime.versions.timeline_id == other.versions.timeline_id)
        await machine.until(lambda: other.versions.is_fresh() and runtime.versions.is_fresh())
        assert runtime.versions.rows == other.versions.rows


# --- where the versions are not known


async def test_after_a_commit_of_unknown_outcome_others_poll(
    runtime: Runtime, heard: Ear, connection: rows.Connection, seed: Seed
) -> None:
    await connection.execute(ENDS_ITSELF)

    async def work(session: WriteSession) -> None:
        await doctor_of(seed.sant.id)(session)
        await session.execute(text("INSERT INTO ended VALUES (1)"))

    with pytest.raises(Unavailable):
        await runtime.database.write(work)
    assert await next_of(heard) == POLL


async def test_after_a_read_back_that_failed_others_poll(
    runtime: Runtime, heard: Ear, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(transaction, "versions_of", fails)
    await runtime.database.write(doctor_of(seed.sant.id))
    assert await next_of(heard) == POLL


async def test_after_an_abandoned_write_others_poll(runtime: Runtime, heard: Ear, seed: Seed) -> None:
    async def work(session: WriteSession) -> None:
        await doctor_of(seed.sant.id)(session)
        await session.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(Unavailable):
        await runtime.database.write(work, budget=0.1)
    assert await next_of(heard) == POLL


# --- where it cannot be told


async def test_what_was_not_told_is_polled(
    runtime: Runtime, settings: Settings, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a process that dies between commit and push."""

    async def silent(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(pushing.Push, "_send_over", silent)
    async with open_runtime(settings) as other:
        await runtime.database.write(doctor_of(seed.sant.id))

        async def known() -> int:
            return other.versions.get(seed.sant.id, "catalogs")

        await machine.until_equal(known, runtime.versions.get(seed.sant.id, "catalogs"), within=times.VERSION_LEASE)


async def test_a_cut_connection_is_made_anew(
    runtime: Runtime, heard: Ear, connection: rows.Connection, seed: Seed
) -> None:
    for _ in range(2):
        await runtime.database.write(doctor_of(seed.sant.id))
        assert await next_of(heard)
        assert await connection.fetchval(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {PUSHING}")
    await runtime.database.write(doctor_of(seed.sant.id))
    assert await next_of(heard)


async def test_what_could_not_be_sent_is_a_poll_once_it_can(
    runtime: Runtime, heard: Ear, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def broken_once(payload: str) -> str:
        said.append(payload)
        return "SELECT 1 / 0" if len(said) == 1 else f"SELECT pg_notify('{CHANNEL}', '{payload}')"

    monkeypatch.setattr(pushing, "notify", broken_once)
    await runtime.database.write(doctor_of(seed.sant.id))
    assert await next_of(heard) == POLL
    assert said[0] != POLL


async def test_the_last_versions_are_told_before_the_process_ends(
    settings: Settings, database_url: str, seed: Seed
) -> None:
    async with listening(database_url) as heard:
        async with open_runtime(settings) as runtime:
            await runtime.database.write(doctor_of(seed.sant.id))
        assert f"{seed.sant.id}/catalogs=" in await next_of(heard)


# --- what is heard and is not in the table


async def notify(connection: rows.Connection, versions: Iterable[str], timeline: str | None) -> None:
    words = ([f"@{timeline}"] if timeline else []) + list(versions)
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, " ".join(words))


@pytest.mark.parametrize("with_id", [True, False])
async def test_a_version_that_no_poll_brings_is_asked_for_by_name(
    runtime: Runtime, connection: rows.Connection, seed: Seed, with_id: bool
) -> None:
    """A fail-over lost the commit, and its push came late."""
    await rows.doctor(connection, seed.sant.id)
    there = (await versions_of(connection))[seed.sant.id, "catalogs"]
    versions, timeline = runtime.versions, runtime.versions.timeline_id
    learnt: list[tuple[int, str, int]] = []
    versions.on_change.append(learnt.extend)
    lost = [f"{seed.sant.id}/catalogs={there + 7}", "99999/catalogs=5", "99999/no-such-topic=5"]
    await notify(connection, lost, timeline if with_id else None)
    await machine.until(lambda: (seed.sant.id, "catalogs", there + 7) in learnt and (99999, "catalogs", 5) in learnt)
    await connection.execute(POLL_NOW)
    await machine.until(lambda: versions.get(seed.sant.id, "catalogs") == there)
    await machine.until(lambda: not any(clinic == 99999 for clinic, _ in versions.rows))
    assert versions.rows == await versions_of(connection)


async def test_what_another_timelines_process_tells_is_not_learnt_and_all_is_polled(
    runtime: Runtime, connection: rows.Connection, seed: Seed
) -> None:
    versions = runtime.versions
    there = await versions_of(connection)
    learnt: list[tuple[int, str, int]] = []
    versions.on_change.append(learnt.extend)
    # Which only a poll of all rows puts right: nobody heard of it.
    versions.learn([(seed.maga.id, "figures", 2**62)])
    await notify(connection, [f"{seed.sant.id}/catalogs={2**61}"], "another")
    await machine.until(lambda: versions.rows == there)
    assert (seed.sant.id, "catalogs", 2**61) not in learnt
