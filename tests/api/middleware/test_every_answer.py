"""What every answer carries: a request id, times, protection; and one log line that names no patient."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi_cache.decorator import cache

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories.fixtures import Seed


async def test_a_well_formed_request_id_is_kept_and_another_replaced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez", headers={"X-Request-ID": "abc-123"})
    assert answer.headers["x-request-id"] == "abc-123"
    for bad in ("with space", "x" * 129, "ünicode"):
        answer = await client.get("/livez", headers={b"X-Request-ID": bad.encode()})
        assert len(answer.headers["x-request-id"]) == 32


async def test_a_problem_names_its_request(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/auth/me", headers={"X-Request-ID": "find-me"})
    assert answer.json()["request_id"] == "find-me"
    assert answer.json()["type"] == "/problems/not_authenticated"


async def test_browsers_are_told_to_be_careful(client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/v1/nothing", "/docs"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        allowed = headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(allowed)
        assert "unsafe-eval" not in str(allowed)
        assert not any(word.startswith("script-src") and "unsafe" in word for word in allowed)
        assert "strict-transport-security" not in headers


async def test_production_asks_for_tls(settings: Settings) -> None:
    async with running(settings.model_copy(update={"env": "production"})) as (_, client):
        assert "max-age=" in (await client.get("/livez")).headers["strict-transport-security"]


async def test_a_plain_cached_route_is_not_kept_for_whoever_comes_next(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/plain")
    @cache(expire=50)
    async def plain() -> dict[str, int]:
        return {"one": 1}

    for outcome in ("MISS", "HIT"):
        answer = await client.get("/plain")
        assert answer.headers["x-fastapi-cache"] == outcome
        assert answer.headers["cache-control"] == "private, no-cache"
        assert {"Cookie", "Authorization"} <= set(answer.headers["vary"].split(", "))


async def test_an_unexpected_error_is_a_problem_without_internals(
    app: FastAPI, client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(" ".join(["SELECT", "se" + "cret"]))

    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"
    assert "secret" not in answer.text
    logged = capsys.readouterr().out
    assert answer.headers["x-request-id"] in logged
    assert "in broken" in logged, "where it happened"
    assert "secret" not in logged, "a message may repeat a patient's data"


async def test_one_log_line_per_request_without_what_was_searched(
    sign_in: SignIn, seed: Seed, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = await sign_in(seed.sant.admin)
    capsys.readouterr()
    await admin.get("/v1/dashboard?q=Rojas", headers={"X-Request-ID": "line-1"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (logged_line,) = [line for line in lines if line.get("request_id") == "line-1"]
    assert logged_line["route"] == "/v1/dashboard"
    assert logged_line["status"] == 422
    assert logged_line["clinic_id"] == seed.sant.id
    assert "Rojas" not in json.dumps(lines)


async def test_metrics_count_by_route_template(sign_in: SignIn, client: httpx.AsyncClient, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    for _ in range(3):
        await admin.get("/v1/dashboard")
    await admin.get("/v1/tickets/TH-SANT-2026-999")
    text = (await client.get("/metrics")).text
    assert 'ticket_home_request_seconds_count{method="GET",route="/v1/dashboard",status="200"} 3.0' in text
    assert 'route="/v1/tickets/{ticket_id}",status="404"' in text
    assert 'ticket_home_cache_reads_total{outcome="hit",policy="dashboard",tier="memory"} 2.0' in text
    assert 'ticket_home_cache_reads_total{outcome="miss",policy="dashboard",tier="database"} 1.0' in text
    assert "TH-SANT" not in text


BY_HAND = {"type": "http", "method": "POST", "path": "/v1/auth/login", "query_string": b"", "scheme": "http"}
HALF: list[dict[str, Any]] = [
    {"type": "http.request", "body": b'{"username": ', "more_body": True},
    {"type": "http.disconnect"},
]


def logged(capsys: pytest.CaptureFixture[str], request_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line.get("request_id") == request_id]


def scope_of(request_id: str, **more: Any) -> dict[str, Any]:
    return (
        BY_HAND | {"headers": [(b"x-request-id", request_id.encode()), (b"content-type", b"application/json")]} | more
    )


@pytest.mark.parametrize("content_type", [b"application/json", b"text/plain"])
async def test_who_leaves_with_a_body_half_sent_is_logged_as_499(
    app: FastAPI, capsys: pytest.CaptureFixture[str], client: httpx.AsyncClient, content_type: bytes
) -> None:
    coming: Iterator[dict[str, Any]] = iter(HALF)

    async def receive() -> Any:
        return next(coming)

    async def send(_: Any) -> None:
        return

    headers = [(b"x-request-id", b"left-1"), (b"content-type", content_type)]
    await app(scope_of("left-1", headers=headers), receive, send)
    (line,) = logged(capsys, "left-1")
    assert (line["event"], line["status"]) == ("request", 499)
    assert 'route="/v1/auth/login",status="499"' in (await client.get("/metrics")).text


async def test_who_leaves_while_the_answer_is_made_is_logged_as_499(
    app: FastAPI, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = asyncio.Event()

    @app.get("/slow")
    async def slow() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(_: Any) -> None:
        return

    asking = asyncio.ensure_future(app(scope_of("left-2", method="GET", path="/slow"), receive, send))
    await begun.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    (line,) = logged(capsys, "left-2")
    assert (line["route"], line["status"]) == ("/slow", 499)
