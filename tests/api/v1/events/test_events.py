"""`GET /v1/events` of an application: what clients are told, whom about what, and what ends a stream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.events import events as hub
from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.answers import refusal
from tests.support.event_streams import COMMENT, PATH, Client, lasting, streaming
from tests.support.signing_in import LOGIN, credentials
from tests.support.signing_in import sign_in as signed_in

Rows = rows.Connection


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return lasting(settings)


async def begun(stack: AsyncExitStack, app: FastAPI, client: httpx.AsyncClient, query: str = "") -> Client:
    """A stream that has told all versions."""
    made = await stack.enter_async_context(streaming(app, client.headers, query))
    assert (await made.next()).name == "versions"
    return made


async def test_it_begins_with_all_versions_that_its_user_may_see_and_no_users(
    app: FastAPI, sign_in: SignIn, seed: Seed
) -> None:
    sant, maga = seed.sant.id, seed.maga.id
    known = app.state.runtime.versions.rows
    own = {(None if clinic == 0 else clinic, topic) for clinic, topic in known if topic not in ("users", "canary")}
    assert {(sant, "catalogs"), (maga, "catalogs"), (None, "clinics")} <= own
    expected = {
        seed.sant.viewer: {name for name in own if name[0] != maga},
        seed.maga.admin: {name for name in own if name[0] != sant},
        seed.superuser: own,
    }
    for username, names in expected.items():
        client = await sign_in(username)
        async with streaming(app, client.headers) as stream:
            told = await stream.next()
            assert (told.name, told.data["more"], set(told.words)) == ("versions", False, names)
            header = app.state.runtime.version_header
            for (clinic_id, topic), word in told.words.items():
                assert header.parse(word, None) == {(clinic_id or 0, topic): known[clinic_id or 0, topic]}
    client = await sign_in(seed.superuser)
    async with streaming(app, client.headers, f"clinic_id={sant}") as stream:
        assert set((await stream.next()).words) == expected[seed.sant.viewer]


async def test_each_change_is_told_to_those_who_may_see_it_and_a_refetch_with_it_is_as_new(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows
) -> None:
    viewer, foreign, wide = [await sign_in(name) for name in (seed.sant.viewer, seed.maga.viewer, seed.superuser)]
    async with AsyncExitStack() as stack:
        own, other, network = [await begun(stack, app, client) for client in (viewer, foreign, wide)]
        await connection.execute("UPDATE specialty SET name = 'Neu' WHERE clinic_id = $1", seed.sant.id)
        for stream in (own, network):
            change = await stream.next()
            assert (change.name, list(change.words)) == ("change", [(seed.sant.id, "catalogs")])
            assert change.id
            word = change.words[seed.sant.id, "catalogs"]
        read = await viewer.get("/v1/specialties", headers={"Cache-Version": word})
        assert [item["name"] for item in read.json()["items"]] == ["Neu"]
        # What is of all is told to all; what comes first at a foreign clinic was nothing of another's.
        await connection.execute("UPDATE clinic SET name = name || '!' WHERE id = $1", seed.sant.id)
        for stream in (own, other, network):
            assert list((await stream.next()).words) == [(None, "clinics")]


async def test_the_head_says_what_proxies_and_browsers_have_to_know(
    app: FastAPI, client: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    async with streaming(app, dict(viewer.headers) | {"accept": "text/event-stream", "last-event-id": "x-1"}) as stream:
        said = {name: stream.headers[name] for name in ("content-type", "cache-control", "x-accel-buffering")}
        assert said == {"content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no"}
        assert stream.headers["connection"] == "close"
        assert "content-length" not in stream.headers
        assert (await stream.next()).name == "versions"
    head = await viewer.head(PATH)
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "text/event-stream", b"")
    for accept, status in (("*/*", 200), ("text/*", 200), ("application/json", 406), ("text/event-stream;q=0", 406)):
        answer = await viewer.head(PATH, headers={"Accept": accept})
        assert answer.status_code == status, accept
    wrong = await viewer.get(PATH, headers={"Accept": "application/json"})
    assert refusal(wrong) == (406, "not_acceptable")
    assert refusal(await viewer.get(PATH, params={"topic": "tickets"})) == (422, "invalid")
    assert refusal(await viewer.get(PATH, params={"clinic_id": seed.maga.id})) == (404, "not_found")
    assert refusal(await client.get(PATH)) == (401, "not_authenticated")
    wide = await sign_in(seed.superuser)
    assert refusal(await wide.get(PATH, params={"clinic_id": 999})) == (404, "not_found")
    await machine.until(lambda: not len(app.state.runtime.events))


async def test_a_cookie_opens_it_as_a_bearer_does_and_a_wall_display_may_have_it(
    app: FastAPI, client: httpx.AsyncClient, seed: Seed
) -> None:
    for kind in ("web", "display"):
        client.cookies.clear()
        answer = await client.post(LOGIN, json=credentials(seed.sant.viewer, client=kind))
        cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        headers = {"Cookie": cookie} if kind == "web" else {"Authorization": f"Bearer {answer.json()['token']}"}
        async with streaming(app, headers) as stream:
            assert (await stream.next()).name == "versions"


async def test_clients_cost_no_query_and_ask_no_redis(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    runtime = app.state.runtime
    async with AsyncExitStack() as stack:
        streams = [await begun(stack, app, viewer) for _ in range(hub.OF_A_SESSION)]
        asked: list[str] = []

        async def noted(*_: Any, **__: Any) -> None:
            asked.append("asked")

        monkeypatch.setattr(runtime.database, "read", noted)
        monkeypatch.setattr(runtime.redis, "get", noted)
        monkeypatch.setattr(hub, "BEAT", 0.0)
        for _ in range(3):
            await connection.execute("UPDATE specialty SET name = name || '!' WHERE clinic_id = $1", seed.sant.id)
            for stream in streams:
                await stream.next("change")
                await stream.next(COMMENT)
        assert asked == []
        monkeypatch.undo()


async def test_a_reader_that_was_slow_is_told_the_newest_of_each_topic_only(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    events = app.state.runtime.events
    async with AsyncExitStack() as stack:
        stream = await begun(stack, app, viewer)
        [own] = events._heard
        waiting, own._waiting = own._waiting, None  # as while its client takes nothing
        for _ in range(20):
            await connection.execute("UPDATE specialty SET name = name || '!' WHERE clinic_id = $1", seed.sant.id)
        await seed.sant.ticket(connection)
        newest = await connection.fetch("SELECT topic, version FROM cache_version WHERE clinic_id = $1", seed.sant.id)
        await machine.until(lambda: own.feed.number >= 22)
        assert stream.come() == []
        waiting.set_result(None)
        told = [await stream.next() for _ in range(3)]
        assert stream.come() == []
        header = app.state.runtime.version_header
        known = [
            version for event in told for word in event.words.values() for version in header.parse(word, None).items()
        ]
        changed = ("catalogs", "figures", "tickets")
        expected = {(seed.sant.id, row["topic"]): row["version"] for row in newest if row["topic"] in changed}
        assert (len(known), dict(known)) == (3, expected)
        assert events.coalesced >= 19


End = Callable[[Rows, Seed, httpx.AsyncClient], Awaitable[object]]
ENDS: dict[str, tuple[str, End]] = {
    "signed out": ("session_ended", lambda _, __, client: client.post("/v1/auth/logout")),
    "revoked in SQL": ("session_ended", lambda db, _, __: db.execute("UPDATE user_session SET revoked_at = now()")),
    "deactivated": (
        "session_ended",
        lambda db, seed, _: db.execute("UPDATE app_user SET is_active = false WHERE username = $1", seed.sant.viewer),
    ),
    "another role": (
        "access_changed",
        lambda db, seed, _: db.execute("UPDATE app_user SET role = 'clinical' WHERE username = $1", seed.sant.viewer),
    ),
    "another clinic": (
        "session_ended",
        lambda db, seed, _: db.execute(
            "UPDATE app_user SET clinic_id = $2 WHERE username = $1", seed.sant.viewer, seed.maga.id
        ),
    ),
    "its clinic is closed": (
        "session_ended",
        lambda db, seed, _: db.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.sant.id),
    ),
}


@pytest.mark.parametrize("how", ENDS)
async def test_who_may_not_go_on_is_told_so_and_nothing_else(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows, how: str
) -> None:
    reason, end = ENDS[how]
    client, other = await sign_in(seed.sant.viewer), await sign_in(seed.maga.viewer)
    async with AsyncExitStack() as stack:
        stream, another = await begun(stack, app, client), await begun(stack, app, other)
        await end(connection, seed, client)
        last = await stream.next()
        assert (last.name, last.data["reason"]) == ("end", reason)
        assert last.data["retry_ms"] > 0
        await stream.until_over()
        if how != "revoked in SQL":
            assert not another.is_over
        assert (await client.head(PATH)).status_code == (200 if how == "another role" else 401)


async def test_it_slides_no_session_and_ends_with_an_idle_one(settings: Settings, seed: Seed) -> None:
    async with running(settings.model_copy(update={"session_idle_seconds": 2})) as (app, client):
        await signed_in(client, seed.sant.viewer)
        async with AsyncExitStack() as stack:
            stream = await begun(stack, app, client)
            app.state.runtime.versions.clock.shift(3.0)
            app.state.runtime.events._heard[next(iter(app.state.runtime.events._heard))] -= hub.BEAT
            assert (await stream.next()).data["reason"] == "session_ended"


async def test_it_lasts_a_quarter_of_an_hour_at_most_and_each_its_own_time(settings: Settings, seed: Seed) -> None:
    assert settings.event_seconds == 900
    async with running(settings.model_copy(update={"event_seconds": 0.2})) as (app, client):
        await signed_in(client, seed.sant.viewer)
        async with AsyncExitStack() as stack:
            streams = [await begun(stack, app, client) for _ in range(3)]
            pauses = [(await stream.next("end")).data for stream in streams]
            assert {pause["reason"] for pause in pauses} == {"time"}
            assert len({pause["retry_ms"] for pause in pauses}) > 1


async def test_there_is_room_for_so_many_and_who_comes_later_is_told_when_to_come_again(
    settings: Settings, seed: Seed
) -> None:
    async with running(settings.model_copy(update={"event_streams": 2})) as (app, client):
        await signed_in(client, seed.sant.viewer)
        async with AsyncExitStack() as stack:
            await begun(stack, app, client)
            async with streaming(app, client.headers):
                answer = await client.get(PATH)
                assert refusal(answer) == (503, "unavailable")
                assert 1 <= int(answer.headers["retry-after"]) <= 10
            await machine.until(lambda: len(app.state.runtime.events) == 1)
            await begun(stack, app, client)
            assert app.state.runtime.events.refused == 1


async def test_a_session_has_so_many_and_a_newer_one_ends_the_oldest(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.viewer)
    async with AsyncExitStack() as stack:
        streams = [await begun(stack, app, client) for _ in range(hub.OF_A_SESSION + 1)]
        assert (await streams[0].next()).data["reason"] == "replaced"
        await streams[0].until_over()
        assert [stream.come() for stream in streams[1:]] == [[]] * hub.OF_A_SESSION
        assert not any(stream.is_over for stream in streams[1:])
    await machine.until(lambda: not len(app.state.runtime.events))
    events = app.state.runtime.events
    assert events.ended == {"replaced": 1, "left": hub.OF_A_SESSION}
    assert (events._feeds, dict(events._of_session), events._stale) == ({}, {}, set())


async def test_a_process_that_ends_says_so_and_opens_no_other(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.viewer)
    async with AsyncExitStack() as stack:
        streams = [await begun(stack, app, client) for _ in range(2)]
        app.state.runtime.events.end_all()
        assert [(await stream.next()).data["reason"] for stream in streams] == ["deploy"] * 2
        for stream in streams:
            await stream.until_over()
        assert (await client.get(PATH)).status_code == 503


async def test_silence_is_broken_by_a_comment(
    app: FastAPI, sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub.BEAT == 15
    monkeypatch.setattr(hub, "BEAT", 0.3)
    client = await sign_in(seed.sant.viewer)
    async with AsyncExitStack() as stack:
        stream = await begun(stack, app, client)
        for _ in range(3):
            await stream.next(COMMENT)


async def test_who_asks_to_hear_every_second_does_and_others_rest(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.viewer)
    async with AsyncExitStack() as stack:
        other = await begun(stack, app, client)
        stream = await begun(stack, app, client, "beat=1")
        for _ in range(2):
            await stream.next(COMMENT)
        heard = [other._events.get_nowait() for _ in range(other._events.qsize())]
        assert COMMENT not in [event.name for event in heard if event is not None]
    for beat in ("0", "16", "soon"):
        assert refusal(await client.get(PATH, params={"beat": beat})) == (422, "invalid")


async def test_a_network_of_many_clinics_is_told_in_pieces(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows
) -> None:
    await connection.execute(
        "INSERT INTO cache_version (clinic_id, topic, version)"
        " SELECT 1000 + n, topic, 5 FROM generate_series(1, 100) n, unnest(ARRAY['tickets', 'figures']) topic"
    )
    client = await sign_in(seed.superuser)
    await machine.until(lambda: (1100, "figures") in app.state.runtime.versions.rows)
    async with streaming(app, client.headers) as stream:
        told = [await stream.next() for _ in range(3)]
        assert [event.data["more"] for event in told] == [True, True, False]
        assert len({name for event in told for name in event.words}) == sum(len(event.words) for event in told) > 200


async def test_all_versions_are_told_again_where_the_database_was_restored(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows
) -> None:
    client = await sign_in(seed.sant.viewer)
    async with AsyncExitStack() as stack:
        stream = await begun(stack, app, client)
        await connection.execute(
            "UPDATE cache_version SET version = 1 WHERE clinic_id = $1 AND topic = 'catalogs'", seed.sant.id
        )
        again = await stream.next("versions")
        assert again.words[seed.sant.id, "catalogs"].startswith(f"{seed.sant.id}/catalogs=1.")


async def test_nobody_is_left_without_a_change_that_comes_while_it_begins(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: Rows
) -> None:
    """Whatever the moment is at which a stream begins, what it was told last is what there is."""
    client = await sign_in(seed.sant.viewer)

    async def change() -> None:
        for _ in range(30):
            await connection.execute("UPDATE specialty SET name = name || '!' WHERE clinic_id = $1", seed.sant.id)

    changing = asyncio.create_task(change())
    async with AsyncExitStack() as stack:
        streams: list[Client] = []
        while not changing.done() and len(streams) < hub.OF_A_SESSION:
            streams.append(await stack.enter_async_context(streaming(app, client.headers)))
            await asyncio.sleep(0.005)
        await changing
        version = await connection.fetchval(
            "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'catalogs'", seed.sant.id
        )
        for stream in streams:
            word = ""
            while not word.startswith(f"{seed.sant.id}/catalogs={version}."):
                word = (await stream.next("versions", "change")).words.get((seed.sant.id, "catalogs"), word)
