"""Catalogs are entries: hits without SQL, made anew by any change of their clinic's rows and by no other's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from core.catalogs.catalogs import CATALOGS
from core.db.transaction import OVERTAKEN
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.answers import outcome

PATHS = (
    "/v1/clinics",
    *(f"/v1/{catalog.plural}" for catalog in CATALOGS),
    "/v1/urgency-thresholds",
    "/v1/discharge-blocks",
)


@contextmanager
def statements(app: FastAPI) -> Iterator[list[str]]:
    """What the application sends to its database meanwhile."""
    engine = app.state.runtime.database.engine.sync_engine
    sent: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def until(client: httpx.AsyncClient, path: str, body: bytes, *, within: float = 2.0) -> httpx.Response:
    """The first answer that differs from `body`; fails after `within` seconds."""
    answer = await client.get(path)

    async def differs() -> bool:
        nonlocal answer
        answer = await client.get(path)
        return answer.content != body

    await machine.until(differs, within=within)
    return answer


async def test_a_hit_asks_nothing_of_the_database(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    viewer, admin = await sign_in(seed.sant.viewer), await sign_in(seed.sant.admin)
    await admin.get("/v1/auth/me")
    for path in PATHS:
        miss = await viewer.get(path)
        assert outcome(miss) == "fwd=miss"
        with statements(app) as sent:
            again = await viewer.get(path)
            other_user = await admin.get(path)
            named = await admin.get(path, params={"clinic_id": seed.sant.id, "include_inactive": "false"})
        assert sent == []
        for hit in (again, other_user, named):
            assert outcome(hit) == "hit"
            assert hit.content == miss.content
            assert hit.headers["etag"] == miss.headers["etag"]
        unchanged = await viewer.get(path, headers={"If-None-Match": miss.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_miss_is_one_statement_beside_the_versions(app: FastAPI, sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for path in PATHS[:-1]:
        with statements(app) as sent:
            assert outcome(await viewer.get(path)) == "fwd=miss"
        # Each snapshot is asked at its end whether tables were replaced meanwhile.
        assert len([text for text in sent if "cache_version" not in text and text != str(OVERTAKEN)]) == 1, sent


CHANGES = {
    "/v1/specialties": "UPDATE specialty SET name = 'Otra' WHERE clinic_id = $1",
    "/v1/surgeries": "UPDATE surgery SET base_stay_hours = 99 WHERE clinic_id = $1",
    "/v1/doctors": "INSERT INTO doctor (clinic_id, name) VALUES ($1, 'Dr. Nuevo')",
    "/v1/reasons": "UPDATE standardized_reason SET is_active = false WHERE clinic_id = $1",
    "/v1/urgency-thresholds": "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours)"
    " VALUES ($1, 1, 2, 3)",
}


@pytest.mark.parametrize("path", CHANGES)
async def test_a_change_typed_in_sql_is_seen_and_other_clinics_entries_stay(
    sign_in: SignIn, seed: Seed, connection: rows.Connection, path: str
) -> None:
    sant, maga, superuser = [await sign_in(name) for name in (seed.sant.viewer, seed.maga.viewer, seed.superuser)]
    before = {client: (await client.get(path)).content for client in (sant, maga, superuser)}
    await connection.execute(CHANGES[path], seed.sant.id)
    changed = await until(sant, path, before[sant])
    assert outcome(await sant.get(path)) == "hit"
    kept = await maga.get(path)
    assert (outcome(kept), kept.content) == ("hit", before[maga])
    network = await until(superuser, path, before[superuser])
    for item in changed.json()["items"]:
        assert item in network.json()["items"]


async def test_global_thresholds_change_every_clinics(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    path = "/v1/urgency-thresholds"
    clients = [await sign_in(name) for name in (seed.sant.viewer, seed.maga.viewer)]
    before = [(await client.get(path)).content for client in clients]
    await connection.execute("UPDATE urgency_threshold SET red_hours = 1 WHERE clinic_id IS NULL")
    for client, body in zip(clients, before, strict=True):
        assert (await until(client, path, body)).json()["items"][0]["red_hours"] == 1


async def test_a_new_clinic_is_in_the_networks_lists(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> None:
    superuser = await sign_in(seed.superuser)
    before = {path: (await superuser.get(path)).content for path in ("/v1/clinics", "/v1/urgency-thresholds")}
    made = await rows.clinic(connection, "NEWC")
    for path, name in (("/v1/clinics", "id"), ("/v1/urgency-thresholds", "clinic_id")):
        found = (await until(superuser, path, before[path])).json()["items"]
        assert made in [item[name] for item in found]


async def test_tickets_leave_catalogs_alone(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    versions = app.state.runtime.versions
    before = versions.get(seed.sant.id, "tickets")
    for path in PATHS:
        await viewer.get(path)
    await seed.sant.ticket(connection)
    await machine.until(lambda: versions.get(seed.sant.id, "tickets") > before)  # it has heard of the write
    for path in PATHS:
        assert outcome(await viewer.get(path)) == "hit"


async def test_what_was_not_found_is_found_once_it_is_there(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    superuser = await sign_in(seed.superuser)
    made = 777
    for path in PATHS:
        assert (await superuser.get(path, params={"clinic_id": made})).status_code == 404
    await rows.clinic(connection, "LATE", id=made)
    for path in PATHS:
        assert (await superuser.get(path, params={"clinic_id": made})).status_code == 200
