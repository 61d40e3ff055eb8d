"""A nursing board over HTTP, as a viewer of Santiago reads it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.runtime import Runtime
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed
from tests.support.machine import until

PATH = "/v1/nursing-board"
SignIn = Callable[..., Awaitable[httpx.AsyncClient]]
Json = dict[str, Any]


async def make(connection: rows.Connection, clinic: ClinicSeed, hours: float = 20, **values: Any) -> str:
    fpa = datetime.now(UTC) + timedelta(hours=hours)
    return await clinic.ticket(connection, fpa=fpa, **values)


async def get(client: httpx.AsyncClient, headers: dict[str, str] | None = None, **parameters: Any) -> Json:
    answer = await client.get(PATH, params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def pages(client: httpx.AsyncClient, **parameters: Any) -> AsyncIterator[Json]:
    cursor: Json = {}
    while True:
        page = await get(client, **parameters, **cursor)
        yield page
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


async def known(app: FastAPI, connection: rows.Connection) -> None:
    """The application has heard of all that was written beside it."""
    runtime: Runtime = app.state.runtime
    made = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    await until(lambda: all(runtime.versions.get(row[0], row[1]) >= row[2] for row in made))


def ids(page: Json) -> list[str]:
    return [ticket["id"] for ticket in page["items"]]


def refused(answer: httpx.Response) -> tuple[int, list[tuple[str, str]]]:
    return answer.status_code, [(one["path"], one["code"]) for one in answer.json().get("errors", [])]


@pytest.fixture
async def viewer(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.sant.viewer)
