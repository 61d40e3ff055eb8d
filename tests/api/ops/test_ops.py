import re

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from api.server.application import application
from core.settings import Settings
from tests.conftest import running


async def test_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez")).json() == {"status": "alive"}
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_docs_work_without_internet(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.status_code == 200
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert named
    for address in named:
        assert address.startswith("/docs/static/"), "a page must load nothing from elsewhere"
        assert (await client.get(address)).status_code == 200
    assert "<script>" not in page.text, "the policy forbids scripts in the page"


async def test_the_contract_is_served(client: httpx.AsyncClient, app: FastAPI) -> None:
    answer = await client.get("/openapi.json")
    document = answer.json()
    assert document["openapi"] >= "3.1"
    assert document == app.openapi()
    assert answer.headers["content-encoding"] == "gzip"
    again = await client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_process_that_serves_has_the_contract_before_anybody_asks() -> None:
    assert application(None).state.contract is not None


async def test_without_docs_there_are_none_and_no_contract(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["/docs", "/redoc", "/openapi.json", "/docs/static/docs.js", "/docs/", "/openapi.json/"]
    async with running(settings.model_copy(update={"docs": False})) as (_, client):
        for path in paths:
            for method in ("GET", "HEAD", "POST"):
                answer = await client.request(method, path)
                assert answer.status_code == 404, (method, path)
        # What else the contract is for stays: a 405 names the methods that there are.
        assert (await client.delete("/livez")).headers["allow"] == "GET, HEAD"
        assert (await client.get("/livez")).status_code == 200
    monkeypatch.setenv("DOCS", "off")
    assert application(None).state.contract is not None


TOKEN = "a-token-for-metrics"


@pytest.mark.parametrize(
    ("settings_override", "authorization", "status"),
    [
        ({}, None, 200),
        ({}, "Bearer anything", 200),
        ({"metrics_token": SecretStr(TOKEN)}, f"Bearer {TOKEN}", 200),
        ({"metrics_token": SecretStr(TOKEN)}, f"bearer {TOKEN}", 200),
        ({"metrics_token": SecretStr(TOKEN)}, None, 401),
        ({"metrics_token": SecretStr(TOKEN)}, TOKEN, 401),
        ({"metrics_token": SecretStr(TOKEN)}, f"Basic {TOKEN}", 401),
        ({"metrics_token": SecretStr(TOKEN)}, f"Bearer {TOKEN}x", 401),
        ({"metrics_token": SecretStr(TOKEN)}, "Bearer ñandú", 401),
        ({"metrics_token": SecretStr(TOKEN)}, "Bearer", 401),
    ],
)
async def test_metrics_are_for_the_bearer_of_their_token_where_there_is_one(
    settings: Settings, settings_override: dict[str, SecretStr], authorization: str | None, status: int
) -> None:
    app = create_app(settings.model_copy(update=settings_override))
    transport = httpx.ASGITransport(app)
    headers = {b"Authorization": authorization.encode()} if authorization else {}
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        answer = await client.get("/metrics", headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert TOKEN not in answer.text
        assert (await client.get("/livez")).status_code == 200
