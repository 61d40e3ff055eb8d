"""What a token is worth: warm and cold, in one process and in another, before and after whatever ends it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from core.access import Role
from core.errors import NotAuthenticated, Unavailable
from core.sessions.copies import SessionCopy
from core.sessions.last_seen import COPY
from core.sessions.looks import Look
from core.sessions.token import Tokens
from core.settings import Settings
from tests.core.sessions.processes import Process, process
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.settled import settled
from tests.support.cache.statements import traced

BOUND = 2.0
"""Seconds after which every process knows (docs/design/cache.md)."""


async def test_a_session_tells_who_and_where(one: Process, seed: Seed) -> None:
    made = await one.sign_in(seed.maga.admin)
    copy = await one.who(made.token)
    assert (copy.user_id, copy.username, copy.role) == (made.user_id, "admin_maga", Role.ADMIN)
    assert (copy.clinic_id, copy.timezone) == (seed.maga.id, "America/Punta_Arenas")
    assert (copy.session_id, copy.client, copy.idle_seconds) == (made.session_id, "mobile", 3600)
    assert copy.expires_at == pytest.approx(made.expires_at.timestamp(), abs=1e-3)
    assert copy.expires_at - one.runtime.versions.now() == pytest.approx(12 * 3600, abs=5)


async def test_a_superusers_session_has_no_clinic(one: Process) -> None:
    copy = await one.who((await one.sign_in("superuser")).token)
    assert (copy.role, copy.clinic_id, copy.timezone) == (Role.SUPERUSER, None, "America/Santiago")


async def test_a_warm_session_costs_no_query_and_no_round_trip(one: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    commands = (await one.runtime.redis.client.info("commandstats")).get("cmdstat_get", {"calls": 0})["calls"]
    with traced(one.runtime.versions) as trace:
        for _ in range(100):
            await one.who(token)
    after = (await one.runtime.redis.client.info("commandstats")).get("cmdstat_get", {"calls": 0})["calls"]
    assert trace.db_queries == 0
    assert after == commands
    assert one.runtime.cache.stats.counts["session", "hit", "memory"] == 100


async def test_a_cold_session_costs_one_query_however_many_ask_at_once(one: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    with traced(one.runtime.versions) as trace:
        await asyncio.gather(*(one.who(token) for _ in range(200)))
    assert trace.db_queries == 1


async def test_another_process_reads_the_copy_in_redis(one: Process, other: Process, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    copy = await one.who(token)
    await settled(one.runtime)
    with traced(other.runtime.versions) as trace:
        again = await other.who(token)
    assert trace.db_queries == 0
    assert (again.session_id, again.user_id) == (copy.session_id, copy.user_id)
    assert other.runtime.cache.stats.counts["session", "hit", "redis"] == 1


async def test_a_login_bumps_nothing_and_leaves_others_warm(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    before = await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2")
    await one.sign_in(seed.sant.admin)
    assert await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2") == before
    with traced(one.runtime.versions) as trace:
        await one.who(token)
    assert trace.db_queries == 0


async def test_every_login_gives_a_new_id(one: Process, seed: Seed) -> None:
    tokens = {(await one.sign_in(seed.sant.viewer)).token for _ in range(3)}
    assert len(tokens) == 3
    assert len({(await one.who(token)).session_id for token in tokens}) == 3


async def test_users_never_mix(one: Process, other: Process, seed: Seed) -> None:
    names = [seed.sant.admin, seed.sant.viewer, seed.maga.admin, seed.maga.viewer, "superuser"]
    tokens = {name: (await one.sign_in(name)).token for name in names}
    asked = [(at, name) for name in names for at in (one, other)] * 20
    copies = await asyncio.gather(*(at.who(tokens[name]) for at, name in asked))
    assert [copy.username for copy in copies] == [name for _, name in asked]


async def test_a_well_signed_unknown_id_is_refused_and_never_adopted(
    one: Process, settings: Settings, connection: rows.Connection
) -> None:
    token, _ = Tokens([key.get_secret_value() for key in settings.secret_keys]).issue()
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await one.who(token)
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 0


async def test_signing_out_is_effective_at_once_here_and_within_the_bound_elsewhere(
    one: Process, other: Process, seed: Seed
) -> None:
    token, bystander = [(await one.sign_in(seed.sant.viewer)).token for _ in range(2)]
    for at in (one, other):
        await at.who(token)
        await at.who(bystander)
    await one.sign_out(token)
    with pytest.raises(NotAuthenticated):
        await one.who(token)
    await other.refuses(token, within=BOUND)
    for at in (one, other):
        await at.who(bystander)


ENDINGS = {
    "the user is deactivated": "UPDATE app_user SET is_active = false WHERE username = 'viewer_sant'",
    "the user is deleted": "DELETE FROM app_user WHERE username = 'viewer_sant'",
    "the user changes clinic": "UPDATE app_user SET clinic_id = (SELECT id FROM clinic WHERE prefix = 'MAGA')"
    " WHERE username = 'viewer_sant'",
    "the clinic is deactivated": "UPDATE clinic SET is_active = false WHERE prefix = 'SANT'",
    "the session is revoked": "UPDATE user_session SET revoked_at = now()",
    "the session is deleted": "DELETE FROM user_session",
    "all sessions are": "TRUNCATE user_session",
    "it expires": "UPDATE user_session SET created_at = now() - interval '1 day', expires_at = now()",
}


@pytest.mark.parametrize("statement", ENDINGS.values(), ids=ENDINGS.keys())
async def test_plain_sql_ends_a_session_within_the_bound(
    one: Process, connection: rows.Connection, seed: Seed, statement: str
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await connection.execute(statement)
    await one.refuses(token, within=BOUND)
    assert len(one.runtime.sessions.held) == 0


async def test_polling_alone_is_within_the_bound_too(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    async with process(settings.model_copy(update={"cache_push": False})) as polling:
        token = (await polling.sign_in(seed.sant.viewer)).token
        await polling.who(token)
        await connection.execute(ENDINGS["the session is revoked"])
        await polling.refuses(token, within=BOUND)


async def test_a_new_role_is_that_of_the_next_request(one: Process, connection: rows.Connection, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await connection.execute("UPDATE app_user SET role = 'admin' WHERE username = 'viewer_sant'")
    one.runtime.versions.distrust()  # as if the notification had come: the rows are read at once
    assert (await one.who(token)).role is Role.ADMIN


async def test_a_display_ends_when_its_user_may_do_more_than_read(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer, "display")).token
    await one.who(token)
    await connection.execute("UPDATE app_user SET role = 'admin' WHERE username = 'viewer_sant'")
    await one.refuses(token, within=BOUND)


async def test_a_user_activated_again_is_signed_in_again(one: Process, connection: rows.Connection, seed: Seed) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await connection.execute(ENDINGS["the user is deactivated"])
    with pytest.raises(NotAuthenticated):
        await one.who(token)
    await connection.execute("UPDATE app_user SET is_active = true")
    await one.who(token)


async def test_all_sessions_of_a_clinic_are_checked_in_one_statement(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    tokens = [(await one.sign_in(seed.sant.viewer)).token for _ in range(20)]
    foreign = (await one.sign_in(seed.maga.viewer)).token
    await asyncio.gather(*(one.who(token) for token in [*tokens, foreign]))
    await connection.execute("UPDATE user_session SET revoked_at = now() WHERE id = $1", 1)
    one.runtime.versions.distrust()
    await one.runtime.direct.ensure_fresh()
    with traced(one.runtime.versions) as trace:
        answers = await asyncio.gather(*(one.who(token) for token in tokens), return_exceptions=True)
        assert [type(answer) for answer in answers].count(NotAuthenticated) == 1
        await one.who(foreign)
    assert trace.db_queries == 1


def untimed(copy: SessionCopy) -> SessionCopy:
    return replace(copy, clinics_version=0, verified_at=0.0)


async def test_a_change_of_the_clinics_costs_one_query_for_everybodys_sessions(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    names = [seed.sant.viewer, seed.sant.admin, seed.maga.viewer, "superuser"]
    tokens = [(await one.sign_in(name)).token for name in names]
    before = [await one.who(token) for token in tokens]

    async def changed(sql: str, *arguments: object) -> tuple[list[Any], int]:
        """Who the tokens are then, and what that costs."""
        await connection.execute(sql, *arguments)
        one.runtime.versions.distrust()
        await one.runtime.direct.ensure_fresh()
        with traced(one.runtime.versions) as trace:
            return await asyncio.gather(*(one.who(token) for token in tokens), return_exceptions=True), trace.db_queries

    after, queries = await changed("UPDATE clinic SET name = name || '!' WHERE id = $1", seed.sant.id)
    assert queries == 1
    assert {copy.clinics_version for copy in after}.isdisjoint(copy.clinics_version for copy in before)
    assert [untimed(copy) for copy in after] == [untimed(copy) for copy in before]
    # Whose own clinic it is are looked at one by one.
    after, queries = await changed("UPDATE clinic SET timezone = 'America/New_York' WHERE id = $1", seed.sant.id)
    assert queries == 2
    assert [copy.timezone for copy in after] == ["America/New_York"] * 2 + ["America/Punta_Arenas", "America/Santiago"]
    after, queries = await changed("UPDATE clinic SET is_active = false WHERE id = $1", seed.sant.id)
    assert queries == 2
    assert [isinstance(copy, NotAuthenticated) for copy in after] == [True, True, False, False]


async def test_no_session_is_renewed_by_versions_where_they_do_not_tell_of_every_write(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await connection.execute("ALTER TABLE app_user DISABLE TRIGGER ALL")
    await connection.execute("UPDATE app_user SET is_active = false")
    await connection.execute("UPDATE clinic SET name = name || '!'")
    await one.refuses(token, within=BOUND)


async def test_a_session_read_before_a_write_is_not_accepted_after_it(
    one: Process, connection: rows.Connection, seed: Seed
) -> None:
    """Its versions tell. Nothing but the map has to be told of the write."""
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    for _ in range(20):
        asking = [asyncio.create_task(one.who(token)) for _ in range(20)]
        await connection.execute("UPDATE app_user SET is_active = false WHERE username = 'viewer_sant'")
        one.runtime.versions.distrust()
        with pytest.raises(NotAuthenticated):
            await one.who(token)
        await asyncio.gather(*asking, return_exceptions=True)
        await connection.execute("UPDATE app_user SET is_active = true WHERE username = 'viewer_sant'")
        one.runtime.versions.distrust()
        await one.who(token)


async def test_a_session_of_a_lost_timeline_ends_with_its_next_record(
    one: Process, settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    """A login bumps nothing, so a database restored to before it has the versions that the copy was read under."""
    # Nothing will tell that its record is gone: neither a version nor the tables.
    await connection.execute(
        "CREATE OR REPLACE FUNCTION cache_stamp_user_session() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'"
    )
    await connection.execute("SELECT cache_new_timeline()")
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await settled(one.runtime)
    await connection.execute("DELETE FROM user_session")
    async with process(settings) as restarted:
        await restarted.who(token)
        restarted.clock(301)
        await restarted.who(token)
        await restarted.refuses(token, within=3)


async def test_garbage_and_another_sessions_copy_in_redis_are_misses(
    one: Process, settings: Settings, seed: Seed
) -> None:
    viewer = await one.sign_in(seed.sant.viewer)
    superuser = await one.sign_in("superuser")
    for made in (viewer, superuser):
        await one.who(made.token)
    await settled(one.runtime)
    sessions, redis = one.runtime.sessions, one.runtime.redis.client
    keys = {}
    for made in (viewer, superuser):
        digest = sessions.tokens.digest(made.token)
        assert digest is not None
        keys[made.username] = one.runtime.redis.keys.session(digest, COPY)
    stolen = await redis.get(keys["superuser"])
    assert stolen is not None
    for value in (
        stolen,
        b"",
        b"garbage",
        b'["",{}].x',
        stolen[:-1] + b"0",
        stolen.replace(b"superuser", b"superuser "),
    ):
        await redis.set(keys[viewer.username], value)
        async with process(settings) as restarted:
            assert (await restarted.who(viewer.token)).role is Role.VIEWER
            assert restarted.runtime.cache.stats.counts["session", "miss", "database"] == 1


async def test_nobody_writes_on_an_unverified_session(
    one: Process, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)

    async def away() -> None:
        raise Unavailable

    monkeypatch.setattr(one.runtime.versions, "is_fresh", lambda: False)
    monkeypatch.setattr(one.runtime.direct, "ensure_fresh", away)
    await one.who(token)
    with pytest.raises(Unavailable):
        await one.who(token, reading=False)


async def test_who_asks_in_the_turn_in_which_a_look_at_an_ended_session_ends_looks_again(
    one: Process, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began after that look, which therefore does not refuse it; and joining it again would bring nothing else."""
    token = (await one.sign_in(seed.sant.viewer)).token
    await connection.execute("UPDATE user_session SET revoked_at = now()")
    sessions = one.runtime.sessions
    look = sessions._read
    late: list[asyncio.Task[object]] = []

    async def look_and_ask(digests: Sequence[bytes]) -> Look:
        found = await look(digests)
        if not late:
            # Its first step is between the look's last one and those of who waits for it.
            late.append(asyncio.create_task(one.who(token)))
        return found

    monkeypatch.setattr(sessions, "_read", look_and_ask)
    with pytest.raises(NotAuthenticated):
        await one.who(token)
    with pytest.raises(NotAuthenticated):
        await late[0]
