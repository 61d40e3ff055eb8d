"""While PostgreSQL is away nobody can verify a session: whatever is answered on one says that it may be stale."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from api.requests.authentication import authenticate
from core.errors import Unavailable
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.contract.operations import operations
from tests.support.contract.rules import RULES, Target
from tests.support.servers.breakable import Breakable
from tests.support.signing_in import sign_in

ANSWERED = {"authMe", "dashboardGet", "clinicsList", "specialtiesList", "surgeriesList", "doctorsList", "reasonsList"}
"""At least these, without filters and as warm as they are here."""
ADDED = "/v1/added-tomorrow"
pytestmark = pytest.mark.long


async def added_tomorrow(request: Request) -> Mapping[str, str]:
    """A route whose author knows nothing of stale answers' labels."""
    return {"username": (await authenticate(request)).username}


def reads_on_a_session(app: FastAPI, seed: Seed) -> dict[str, str]:
    """Path by operation id: every GET that needs a session."""
    target = Target(seed.sant, ticket_id="TH-SANT-2026-001", delay_id=1, user_id=1, session_id=1)
    found = {
        each.id: each.path.format(**RULES[each.id].path(target))
        for each in operations(app)
        if each.method == "GET" and RULES[each.id].role is not None
    }
    return found | {"addedTomorrow": ADDED}


def assert_labelled(answer: httpx.Response, what: str) -> None:
    assert answer.status_code != 304, what
    assert answer.headers.get("cache-status") == "ticket-home; fwd=stale; detail=database-unavailable", what
    assert int(answer.headers["age"]) >= 0, what


@pytest.mark.parametrize("username", ["superuser", "admin_sant", "viewer_sant"])
async def test_every_answer_on_a_session_that_nobody_can_verify_is_labelled_stale(
    on_own_postgres: Settings, postgres_server: Breakable, own_seed: Seed, username: str
) -> None:
    async with running(on_own_postgres) as (app, client):
        app.add_api_route(ADDED, added_tomorrow, include_in_schema=False)
        paths = reads_on_a_session(app, own_seed)
        await sign_in(client, username)
        etags = {name: (await client.get(path)).headers.get("etag", "*") for name, path in paths.items()}
        async with postgres_server.killed():
            await machine.until(lambda: not app.state.runtime.versions.is_fresh(), within=20)
            answered: set[str] = set()
            for name, path in paths.items():
                for headers in ({}, {"If-None-Match": etags[name]}, {"If-None-Match": "*"}):
                    for method in ("GET", "HEAD"):
                        answer = await client.request(method, path, headers=headers)
                        if answer.status_code != 503:
                            assert_labelled(answer, f"{method} {path} {headers}: {answer.status_code}")
                            answered |= {name} if answer.status_code == 200 else set()
            expected = ANSWERED - ({"dashboardGet"} if username == "viewer_sant" else set())
            assert answered >= expected | {"addedTomorrow"}, "were not answered"
        # And not for ever.
        await machine.until(lambda: is_whole(client), within=20)


async def is_whole(client: httpx.AsyncClient) -> bool:
    answers = [await client.get(path) for path in ("/v1/auth/me", "/v1/doctors", ADDED)]
    return all(one.status_code == 200 and "stale" not in one.headers.get("cache-status", "") for one in answers)


@pytest.mark.parametrize("conditional", [False, True])
async def test_a_hit_on_a_session_that_could_not_be_verified_is_labelled_stale(
    on_own_postgres: Settings, own_seed: Seed, conditional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database comes back between the look at the session and the look at the cache."""
    async with running(on_own_postgres) as (app, client):
        await sign_in(client, own_seed.sant.admin)
        etag = (await client.get("/v1/doctors")).headers["etag"]
        sessions, versions = app.state.runtime.sessions, app.state.runtime.versions
        verified = sessions._unverified

        async def unverified(*arguments: object, **more: object) -> object:
            found = await verified(*arguments, **more)
            monkeypatch.undo()
            return found

        monkeypatch.setattr(sessions, "_unverified", unverified)
        monkeypatch.setattr(versions, "is_fresh", lambda: False)
        monkeypatch.setattr(app.state.runtime.direct, "ensure_fresh", away)
        answer = await client.get("/v1/doctors", headers={"If-None-Match": etag} if conditional else {})
        assert answer.status_code == 200
        assert_labelled(answer, "a hit")
        assert app.state.runtime.versions.is_fresh()
        assert "hit" in (await client.get("/v1/doctors")).headers["cache-status"]


async def away() -> None:
    await asyncio.sleep(0)
    raise Unavailable
