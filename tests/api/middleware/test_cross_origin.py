"""With a cookie, only our own pages may write: browsers send Origin and Sec-Fetch-Site, and no page can forge them."""

import httpx
import pytest

from core.settings import Settings
from tests.conftest import BASE_URL, running
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD


async def signed_in_by_cookie(client: httpx.AsyncClient, username: str) -> None:
    answer = await client.post("/v1/auth/login", json={"username": username, "password": PASSWORD, "client": "web"})
    assert answer.status_code == 200, answer.text
    assert "token" not in answer.json()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": BASE_URL}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": BASE_URL + ".evil.example"}, 403),
        ({}, 403),
        # A browser behind a proxy with Basic authentication sends it along by itself.
        ({"Origin": "https://evil.example", "Authorization": "Basic eDp5"}, 403),
    ],
)
async def test_a_write_with_a_cookie_must_come_from_our_pages(
    client: httpx.AsyncClient, seed: Seed, headers: dict[str, str], status: int
) -> None:
    await signed_in_by_cookie(client, seed.sant.admin)
    answer = await client.post("/v1/auth/logout", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "cross_origin"
        assert (await client.get("/v1/auth/me")).status_code == 200


async def test_a_foreign_page_cannot_sign_a_browser_in(client: httpx.AsyncClient, seed: Seed) -> None:
    answer = await client.post(
        "/v1/auth/login",
        json={"username": seed.sant.admin, "password": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    assert "set-cookie" not in answer.headers


async def test_an_allowed_origin_may_write_and_is_answered_with_cors(settings: Settings, seed: Seed) -> None:
    allowed = "https://pages.example"
    async with running(settings.model_copy(update={"allowed_origins": (allowed,)})) as (_, client):
        await signed_in_by_cookie(client, seed.sant.admin)
        answer = await client.post("/v1/auth/logout", headers={"Origin": allowed})
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == allowed
        assert answer.headers["access-control-allow-credentials"] == "true"
        asked = {"Origin": allowed, "Access-Control-Request-Method": "POST"}
        for header in ("Authorization", "If-Match", "Idempotency-Key", "Cache-Version", "X-Request-ID"):
            preflight = await client.options("/v1/tickets", headers=asked | {"Access-Control-Request-Headers": header})
            assert preflight.status_code == 200, (header, preflight.text)
