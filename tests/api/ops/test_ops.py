import re

import httpx
import pytest
from fastapi import FastAPI


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


async def test_the_bare_address_leads_to_the_docs(client: httpx.AsyncClient, app: FastAPI) -> None:
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    assert "/" not in app.openapi()["paths"]
