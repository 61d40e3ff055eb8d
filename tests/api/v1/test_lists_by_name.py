"""Every list by name stands in Spanish order over HTTP; cursors of another order are refused, not misread."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.pagination import cursor_of, next_cursor
from api.v1.tickets.filters import parameters
from core.catalogs.catalogs import CATALOGS, Catalog
from core.runtime import Runtime
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.pages import Position
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.spanish import NAMES
from tests.factories.stays import Person, insert, stay
from tests.support.answers import codes


@pytest.fixture
async def superuser(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.superuser)


@pytest.fixture
def shuffled() -> list[str]:
    return random.Random(8).sample(NAMES, len(NAMES))


async def items(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def clinics(connection: rows.Connection, names: list[str]) -> None:
    for number, name in enumerate(names):
        prefix = "Z" + "".join(chr(65 + number // 26**place % 26) for place in (2, 1, 0))
        await rows.clinic(connection, prefix, name=name)


@pytest.mark.parametrize("catalog", CATALOGS, ids=lambda catalog: catalog.plural)
async def test_catalogs_are_in_spanish_order(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed, shuffled: list[str], catalog: Catalog
) -> None:
    for name in shuffled:
        await rows.of_catalog(connection, catalog, seed.sant.id, seed.sant.specialty_id, name)
    found = [item[catalog.columns[0].name] for item in await items(superuser, f"/v1/{catalog.plural}")]
    assert [name for name in found if name in NAMES] == list(NAMES)


async def test_clinics_are_in_spanish_order(
    superuser: httpx.AsyncClient, connection: rows.Connection, shuffled: list[str]
) -> None:
    await clinics(connection, shuffled)
    found = [item["name"] for item in await items(superuser, "/v1/clinics")]
    assert [name for name in found if name in NAMES] == list(NAMES)


async def test_thresholds_are_in_the_order_of_their_clinics(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed, shuffled: list[str]
) -> None:
    await clinics(connection, shuffled)
    ids = [item["id"] for item in await items(superuser, "/v1/clinics")]
    assert [item["clinic_id"] for item in await items(superuser, "/v1/urgency-thresholds")] == [None, *ids]


async def test_names_in_one_place_stand_by_id(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    alike = ("Núñez", "nuñez", "NUN\u0303EZ", "Nuñéz")
    made = [await rows.doctor(connection, seed.sant.id, name=name) for name in alike]
    found = [item["id"] for item in await items(superuser, "/v1/doctors")]
    assert [one for one in found if one in made] == made


@pytest.mark.parametrize("limit", [1, 2])
async def test_pages_of_users_are_in_spanish_order(
    superuser: httpx.AsyncClient, connection: rows.Connection, seed: Seed, shuffled: list[str], limit: int
) -> None:
    # As an import may bring them; `dAngelo` and `dangelo` would be one user name.
    for name in shuffled:
        await rows.user(connection, f"u {name}", "viewer", seed.maga.id, email=f"{shuffled.index(name)}@example.org")
    # And two whose places are one, and which are two names.
    twins = ["u Zùñiga", "u Zúñiga"]
    await rows.user(connection, twins[0], "viewer", seed.maga.id, email="zu@example.org")
    found: list[str] = []
    query: dict[str, Any] = {"limit": limit, "clinic_id": seed.maga.id, "role": "viewer"}
    while True:
        page = (await superuser.get("/v1/users", params=query)).json()
        found += [item["username"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    named = [f"u {name}" for name in NAMES]
    named.insert(named.index(twins[1]), twins[0])
    assert [name for name in found if name.startswith("u ")] == named


@pytest.mark.parametrize("sort", ["patient", "-patient", "surgery", "-surgery"])
async def test_a_cursor_of_the_order_before_is_refused(
    superuser: httpx.AsyncClient, app: FastAPI, connection: rows.Connection, seed: Seed, sort: str
) -> None:
    """As the release before migration 0016 made it."""
    runtime: Runtime = app.state.runtime
    now = datetime.now(UTC)
    await insert(connection, [stay(seed.sant, now, person=Person(last_name=name)) for name in ("Peña", "Pena")])
    question = parameters(TicketFilter(), of="tickets", clinic_id=seed.sant.id, sort=sort)
    before = next_cursor(runtime.settings, question, Position(now - timedelta(seconds=9), ("pena", "TH-SANT-2026-1")))
    answer = await superuser.get("/v1/tickets", params={"clinic_id": seed.sant.id, "sort": sort, "cursor": before})
    assert codes(answer) == [("cursor", "other_parameters")]


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "current_fpa", "-current_fpa"])
async def test_a_cursor_of_an_order_that_stayed_is_good(
    superuser: httpx.AsyncClient, app: FastAPI, connection: rows.Connection, seed: Seed, sort: str
) -> None:
    runtime: Runtime = app.state.runtime
    now = datetime.now(UTC)
    one = stay(seed.sant, now)
    await insert(connection, [one])
    question = parameters(TicketFilter(), of="tickets", clinic_id=seed.sant.id, sort=sort)
    edge = now + timedelta(days=400) * (1 if sort.startswith("-") else -1)
    before = next_cursor(runtime.settings, question, Position(now - timedelta(seconds=9), (edge, "")))
    found = await items(superuser, "/v1/tickets", clinic_id=seed.sant.id, sort=sort, cursor=before)
    assert [ticket["id"] for ticket in found] == [one.id]


async def test_a_cursor_of_users_of_the_order_before_is_refused(superuser: httpx.AsyncClient, app: FastAPI) -> None:
    runtime: Runtime = app.state.runtime
    before = cursor_of(runtime.settings, {"of": "users", "clinic_id": None}, ["admin_sant"])
    assert codes(await superuser.get("/v1/users", params={"cursor": before})) == [("cursor", "other_parameters")]
