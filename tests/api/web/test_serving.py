"""The client's page and files, as browsers and proxies get them."""

import re
from dataclasses import replace
from gzip import compress

import httpx
import pytest
from fastapi import FastAPI

from api.web.release import CLIENT, release, without_comments
from api.web.routes import PAGES, POLICY
from core.settings import Settings
from tests.conftest import running

MOST_SCRIPT = 150 * 1024
"""Bytes, compressed."""


async def test_each_address_has_the_page_and_an_unknown_one_is_a_problem(client: httpx.AsyncClient) -> None:
    for path in PAGES:
        answer = await client.get(re.sub(r"{\w+}", "TH-SANT-2025-001", path))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["cache-control"] == "no-cache"
        again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    unknown = await client.get("/nowhere")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    assert (await client.post("/")).status_code == 405


async def test_the_page_loads_only_files_of_its_release_which_never_change(client: httpx.AsyncClient) -> None:
    page = (await client.get("/")).text
    assert "<script>" not in page
    assert "style=" not in page
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) > 20
    for address in named:
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["content-encoding"] == "gzip"
        kept = "no-cache" if address == "/app/boot.js" else "public, max-age=31536000, immutable"
        assert answer.headers["cache-control"] == kept
    plain = await client.get(named[0], headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == (await client.get(named[0])).text


async def test_a_file_of_another_release_is_not_there(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/app/{release().digest}/main.js"
    assert (await client.get(address)).status_code == 200
    assert (await client.get(f"/app/{release().digest}/vendor/vendored.json")).status_code == 404
    assert (await client.get(f"/app/{release().digest}/../routes.py")).status_code == 404
    newer = replace(release(), digest="another")
    monkeypatch.setattr("api.web.routes.release", lambda: newer)
    refused = await client.get(address)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert refused.headers["cache-control"] == "no-store"


async def test_the_service_worker_names_what_it_keeps(client: httpx.AsyncClient) -> None:
    answer = await client.get("/sw.js")
    assert (answer.headers["cache-control"], answer.headers["content-security-policy"]) == ("no-cache", POLICY)
    assert f'"{release().digest}"' in answer.text
    assert "{{" not in answer.text
    for name in re.findall(r'FILES = "([^"]+)"', answer.text)[0].split():
        assert (await client.get(f"/app/{release().digest}/{name}")).status_code == 200, name


async def test_the_client_is_there_without_docs_and_not_in_the_contract(settings: Settings, app: FastAPI) -> None:
    assert not set(PAGES) & set(app.openapi()["paths"])
    async with running(settings.model_copy(update={"docs": False})) as (_, client):
        assert (await client.get("/")).status_code == 200


def test_the_addresses_are_those_of_the_client() -> None:
    routes = re.findall(r'path: "([^"]+)"', (CLIENT / "routes.js").read_text())
    assert routes == [re.sub(r"{(\w+)}", r":\1", path) for path in PAGES]


def test_all_scripts_together_are_small() -> None:
    scripts = [file.body for name, file in release().files.items() if name.endswith(".js")]
    assert sum(len(compress(script)) for script in scripts) <= MOST_SCRIPT


def test_comments_are_not_served_and_every_line_keeps_its_number() -> None:
    script = (
        b"""/** About\n * it. */\nimport { a } from "b"; // c\n  // d\n  /** @type {e} */ (f);\n/* g */\nh(`// i`);\n"""
    )
    left = b"""\n\nimport { a } from "b"; // c\n\n  /** @type {e} */ (f);\n\nh(`// i`);\n"""
    assert without_comments(script) == left
    for name, file in release().files.items():
        path = CLIENT / name
        if path.suffix == ".js" and path.exists() and "texts" not in name:
            assert len(file.body.splitlines()) == len(path.read_bytes().splitlines()), name
            assert name.startswith("vendor") or not re.search(rb"^\s*(/\*[^/]*\*/|//.*)$", file.body, re.MULTILINE), (
                name
            )


def test_modules_are_short() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in CLIENT.rglob("*.js")}
    assert {path: count for path, count in lines.items() if count > 250} == {}
