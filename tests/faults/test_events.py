"""Streams of events while servers, processes and clients fail: what clients are told; nobody else is harmed."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest

from core.errors import Unavailable
from core.events import events as hub
from core.sessions.store import Sessions
from core.sessions.token import Tokens
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.event_streams import Client, connected, lasting, request, streaming
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, serving, workers
from tests.support.servers.breakable import Breakable
from tests.support.signing_in import bearer, sign_in

MANY, OF_EACH = 1000, 5
"""Clients, and of each session."""
CHANGE = "UPDATE specialty SET name = left(name, 20) || gen_random_uuid() WHERE clinic_id = $1"


@asynccontextmanager
async def listening(settings: Settings, seed: Seed) -> AsyncIterator[tuple[Client, httpx.AsyncClient]]:
    """A stream that has told all versions, and its user, of an application in this process."""
    async with running(lasting(settings)) as (app, client):
        await sign_in(client, seed.sant.viewer)
        async with streaming(app, client.headers) as stream:
            assert (await stream.next()).name == "versions"
            yield stream, client


async def test_while_postgresql_is_away_streams_say_that_nobody_knows_and_then_all_versions_anew(
    on_own_postgres: Settings, postgres_server: Breakable, own_database: str, own_seed: Seed
) -> None:
    async with listening(on_own_postgres, own_seed) as (stream, client):
        async with postgres_server.killed():
            assert (await stream.next()).name == "stale"
            async with streaming(client._transport.app, client.headers) as late:  # type: ignore[attr-defined]
                assert "fwd=stale" in late.headers["cache-status"], "the session could not be verified"
                assert (await late.next()).name == "stale"
            assert stream.come() == []
        assert (await stream.next()).name == "versions"
        changing = await asyncpg.connect(own_database)
        await changing.execute(CHANGE, own_seed.sant.id)
        await changing.close()
        told = await stream.next("change")
        word = next(iter(told.words.values()))

        async def read() -> httpx.Response | None:
            """None while the pool has connections of the server that was killed."""
            answer = await client.get("/v1/specialties", headers={"Cache-Version": word})
            return answer if answer.status_code == 200 else None

        assert "fwd=miss" in (await machine.first(read)).headers["cache-status"]
        assert not stream.is_over


async def test_who_cannot_be_verified_for_five_minutes_is_sent_away(
    on_own_postgres: Settings, postgres_server: Breakable, own_seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEAT", 0.2)
    async with listening(on_own_postgres, own_seed) as (stream, client), postgres_server.killed():
        assert (await stream.next()).name == "stale"
        client._transport.app.state.runtime.versions.clock.shift(301.0)  # type: ignore[attr-defined]
        assert (await stream.next()).data["reason"] == "unverified"
        await stream.until_over()


async def test_who_cannot_be_verified_just_now_is_told_nothing_but_that_and_stays(
    settings: Settings, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(settings, seed) as (stream, _):

        async def away(*_: object, **__: object) -> None:
            raise Unavailable

        with monkeypatch.context() as broken:
            broken.setattr(Sessions, "_read", away)
            await connection.execute(
                "UPDATE app_user SET email = 'other@example.org' WHERE username = $1", seed.sant.admin
            )
            assert (await stream.next()).name == "stale"
            await connection.execute(CHANGE, seed.sant.id)
        # After that it is told what it has missed.
        assert (await stream.next()).name == "versions"


async def test_without_redis_streams_go_on_as_if_nothing_were(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed, connection: rows.Connection
) -> None:
    async with listening(on_own_redis, seed) as (stream, _), redis_server.killed():
        for _ in range(3):
            await connection.execute(CHANGE, seed.sant.id)
            assert (await stream.next()).name == "change"


async def sessions_of(db: rows.Connection, settings: Settings, username: str, count: int) -> list[dict[str, str]]:
    """The headers of so many sessions of a user; signing in would take longer than all the rest."""
    issued = [Tokens([key.get_secret_value() for key in settings.secret_keys]).issue() for _ in range(count)]
    await db.execute(
        "INSERT INTO user_session (token_hash, user_id, clinic_id, client, expires_at, idle_seconds)"
        " SELECT digest, u.id, u.clinic_id, 'mobile', now() + interval '1 hour', 3600"
        " FROM unnest($2::bytea[]) digest, app_user u WHERE username = $1",
        username, [digest for _, digest in issued],
    )  # fmt: skip
    return [{"Authorization": f"Bearer {token}"} for token, _ in issued]


async def open_streams(served: Serving) -> int:
    """Of all workers."""
    told = (await asyncio.to_thread(httpx.get, f"{served.url}/metrics")).text
    return int(float(told.partition("\nticket_home_event_streams ")[2].splitlines()[0]))


@pytest.mark.long
async def test_a_change_in_one_process_reaches_a_thousand_clients_of_all_of_them(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path
) -> None:
    """A refetch with what they were told is as new, whichever process gives it. A deploy ends all, and says so."""
    headers = await sessions_of(connection, settings, seed.sant.viewer, MANY // OF_EACH)
    async with AsyncExitStack() as stack:
        served = stack.enter_context(workers(lasting(settings), 2, tmp_path / "log"))
        superuser = bearer(served.url, seed.superuser)
        streams: list[Client] = []
        for at in range(0, MANY, 50):
            some = (headers * OF_EACH)[at : at + 50]
            opening = (stack.enter_async_context(connected(served.port, one)) for one in some)
            streams += await asyncio.gather(*opening)
        for stream in streams:
            assert (await stream.next()).name == "versions"
        path = f"{served.url}/v1/specialties/{seed.sant.specialty_id}"
        answer = await asyncio.to_thread(httpx.patch, path, json={"name": "Neu"}, headers=superuser)
        assert answer.status_code == 200, answer.text
        told = {word for stream in streams for word in (await stream.next()).words.values()}
        assert told == {answer.headers["cache-version"]}, "one word, which is the writer's own"
        # Everybody's session is looked at again.
        await connection.execute("UPDATE clinic SET name = name || '!' WHERE id = $1", seed.sant.id)
        assert {name for stream in streams for name in (await stream.next()).words} == {(None, "clinics")}
        for number in range(8):
            sent = headers[number] | {"Cache-Version": answer.headers["cache-version"]}
            read = await asyncio.to_thread(httpx.get, f"{served.url}/v1/specialties", headers=sent)
            assert [item["name"] for item in read.json()["items"]] == ["Neu"]
        await machine.until_equal(partial(open_streams, served), MANY, machine.PATIENCE)
        served.process.send_signal(signal.SIGTERM)
        ends = [(await stream.next()).data for stream in streams]
        assert {end["reason"] for end in ends} == {"deploy"}
        assert len({end["retry_ms"] for end in ends}) > MANY / 4, "each its own moment"
        assert await asyncio.to_thread(served.process.wait, machine.PATIENCE) == 0


async def test_a_client_that_never_reads_is_cut_off_and_nobody_waits_for_it(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path
) -> None:
    """What waits for it is bounded by the very connection, however much it would be told: there is no queue."""
    await connection.execute(
        "INSERT INTO cache_version (clinic_id, topic, version)"
        " SELECT 1000 + n, topic, 5 FROM generate_series(1, 1000) n, unnest(ARRAY['tickets', 'figures']) topic"
    )
    given = environment(lasting(settings), BODY_SECONDS="1")
    with serving(TICKET_HOME, "serve", environment=given, log=tmp_path / "log") as served:
        headers = bearer(served.url, seed.sant.viewer)
        dead = socket.create_connection(("127.0.0.1", served.port))
        dead.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        dead.sendall(request(bearer(served.url, seed.superuser)))
        async with connected(served.port, headers) as stream:
            assert (await stream.next()).name == "versions"
            await machine.until_equal(partial(open_streams, served), 2, machine.PATIENCE)
            while await open_streams(served) == 2:
                await connection.execute(CHANGE, seed.sant.id)
                assert (await stream.next()).name == "change"
        dead.close()
        await closed_its_half(served, headers)


async def closed_its_half(served: Serving, headers: dict[str, str]) -> None:
    """Whoever says that it will send nothing more is gone at once: a stream has no end that it could wait for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request(headers))
    await reader.readuntil(b"event: versions")
    writer.write_eof()
    async with asyncio.timeout(machine.PATIENCE):
        await reader.read()
    writer.close()
