"""GET /v1/nursing-board: identical reads of a second share an answer, and none from before one's own write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from core.cache.unstored import BOUND, AnswersOfASecond
from core.runtime import Runtime
from core.settings import Settings
from tests.api.v1.nursing_board.conftest import PATH, SignIn, get, ids, known, make
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.flights import joins
from tests.support.machine import until


@asynccontextmanager
async def held(database_url: str, table: str) -> AsyncIterator[None]:
    """Whoever reads the table waits until the block ends."""
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await holder.close()


async def under_way(app: FastAPI, number: int) -> None:
    runtime: Runtime = app.state.runtime
    await until(lambda: len(runtime.unstored) == number)


async def put_to_bed(connection: rows.Connection, ticket: str) -> None:
    await connection.execute("UPDATE ticket SET bed_number = '9' WHERE id = $1", ticket)


@pytest.fixture(autouse=True)
def second(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """The clock stands still, in the middle of a second, until the test moves it by so many."""
    runtime: Runtime = app.state.runtime
    moments = [int(runtime.versions.now()) + 0.5]
    monkeypatch.setattr(runtime.versions, "now", lambda: moments[-1])
    return lambda seconds: moments.append(moments[-1] + seconds)


def collapsed(answers: list[httpx.Response]) -> list[bool]:
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return ["collapsed" in answer.headers["Cache-Status"] for answer in answers]


async def test_identical_reads_share_a_flight(
    viewer: httpx.AsyncClient, sign_in: SignIn, app: FastAPI, connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    await make(connection, seed.sant)
    admin, superuser = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    for client in (viewer, admin, superuser):
        await get(client, limit=1)
    come = joins(app.state.runtime.unstored._flights)
    async with held(database_url, "doctor"):
        same = [
            *(asyncio.create_task(client.get(PATH)) for client in (viewer, viewer, admin)),
            asyncio.create_task(superuser.get(PATH, params={"clinic_id": seed.sant.id})),
        ]
        await under_way(app, 1)
        others = [
            asyncio.create_task(viewer.get(PATH, params={"view": "all"})),
            asyncio.create_task(viewer.get(PATH, params={"limit": 10})),
            asyncio.create_task(superuser.get(PATH)),
        ]
        await under_way(app, 4)
        await until(lambda: come() == len(same) + len(others))
    answers = list(await asyncio.gather(*same))
    assert sorted(collapsed(answers)) == [False, True, True, True]
    assert len({answer.content for answer in answers}) == 1
    assert collapsed(list(await asyncio.gather(*others))) == [False] * 3
    await under_way(app, 0)


async def test_a_read_after_a_write_joins_no_flight_from_before_it(
    viewer: httpx.AsyncClient, app: FastAPI, connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    ticket = await make(connection, seed.sant)
    await get(viewer, limit=1)
    runtime: Runtime = app.state.runtime
    changed = asyncio.Event()
    async with held(database_url, "doctor"):
        before = asyncio.create_task(viewer.get(PATH))
        await under_way(app, 1)
        runtime.versions.on_change.append(lambda _: changed.set())
        await put_to_bed(connection, ticket)
        await until(changed.is_set)
        after = asyncio.create_task(viewer.get(PATH))
        await under_way(app, 2)
    answers = list(await asyncio.gather(before, after))
    assert collapsed(answers) == [False, False]
    assert answers[1].json()["items"][0]["bed_number"] == "9"


async def test_a_client_that_names_its_write_joins_no_flight_from_before_it_on_another_process(
    settings: Settings, sign_in: SignIn, app: FastAPI, connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        viewer = await sign_in(seed.sant.viewer, on=deaf)
        ticket = await make(connection, seed.sant)
        await get(viewer, limit=1)
        async with held(database_url, "doctor"):
            before = asyncio.create_task(viewer.get(PATH))
            await under_way(deaf, 1)
            await put_to_bed(connection, ticket)
            made = await connection.fetchrow(
                "SELECT clinic_id, topic, version FROM cache_version WHERE clinic_id = $1 AND topic = 'tickets'",
                seed.sant.id,
            )
            assert made is not None
            wire = app.state.runtime.version_header.format([tuple(made)])
            after = asyncio.create_task(viewer.get(PATH, headers={"Cache-Version": wire}))
            await under_way(deaf, 2)
        answers = list(await asyncio.gather(before, after))
        assert collapsed(answers) == [False, False]
        assert answers[1].json()["items"][0]["bed_number"] == "9"


async def test_one_client_that_leaves_does_not_end_the_others_read(
    viewer: httpx.AsyncClient, app: FastAPI, connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    ticket = await make(connection, seed.sant)
    await get(viewer, limit=1)
    come = joins(app.state.runtime.unstored._flights)
    async with held(database_url, "doctor"):
        leaving = asyncio.create_task(viewer.get(PATH))
        await under_way(app, 1)
        staying = asyncio.create_task(viewer.get(PATH))
        await until(lambda: come() == 2)
        leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert ids((await staying).json()) == [ticket]


async def test_who_asks_under_the_same_versions_in_that_second_joins_its_answer(
    viewer: httpx.AsyncClient,
    sign_in: SignIn,
    app: FastAPI,
    connection: rows.Connection,
    seed: Seed,
    second: Callable[[float], None],
) -> None:
    """In memory only, until a write or the next second."""
    ticket = await make(connection, seed.sant)
    await known(app, connection)
    admin, runtime = await sign_in(seed.sant.admin), app.state.runtime
    now = datetime.fromtimestamp(int(runtime.versions.now()), UTC)

    async def joins() -> tuple[bool, datetime, str | None]:
        [answer] = answers = [await admin.get(PATH)]
        [joined] = collapsed(answers)
        board = answer.json()
        return joined, datetime.fromisoformat(board["now"]), board["items"][0]["bed_number"]

    assert datetime.fromisoformat((await get(viewer))["now"]) == now
    second(0.4)
    assert await joins() == (True, now, None)
    await put_to_bed(connection, ticket)
    await known(app, connection)
    assert await joins() == (False, now, "9")
    assert await joins() == (True, now, "9")
    second(0.1)
    assert await joins() == (False, now + timedelta(seconds=1), "9")


async def test_no_answer_is_kept_beyond_its_second(viewer: httpx.AsyncClient, app: FastAPI) -> None:
    await get(viewer)
    answers = app.state.runtime.unstored.answers
    assert len(answers) == 1
    await until(lambda: len(answers) == 0)


async def test_where_versions_do_not_tell_of_every_write_no_answer_is_joined(
    viewer: httpx.AsyncClient, app: FastAPI, connection: rows.Connection
) -> None:
    await get(viewer, limit=1)
    await connection.execute("ALTER TABLE ticket DISABLE TRIGGER USER")
    await until(lambda: not app.state.runtime.versions.is_whole)
    for _ in range(2):
        assert collapsed([await viewer.get(PATH)]) == [False]


def test_kept_answers_have_a_bound() -> None:
    async def work() -> int:
        answers = AnswersOfASecond()
        for number in range(4):
            answers.keep(1, str(number), bytes(BOUND // 3))
        answers.keep(0, "late", b"")
        return len(answers)

    assert asyncio.run(work()) == 3
