"""Whoever lets a request in and whoever guards it see the same session, in whatever way it is sent."""

from itertools import product

import httpx
import pytest

from core.settings import Settings
from tests.conftest import BASE_URL
from tests.factories import rows
from tests.factories.fixtures import Seed

Lines = list[tuple[str, str]]

WAYS = {
    "one line": ["{name}={token}"],
    "after another": ["a=b; {name}={token}"],
    "before another": ["{name}={token}; a=b"],
    "second line": ["a=b", "{name}={token}"],
    "third line": ["a=b", "c=d", "{name}={token}"],
    "first of two lines": ["{name}={token}", "a=b"],
    "no blank": ["a=b;{name}={token}"],
    "blank before =": ["{name} ={token}"],
    "blank after =": ["{name}= {token}"],
    "tab": ["a=b;\t{name}\t=\t{token}"],
    "blanks around": ["a=b;   {name}   =   {token}   ;c=d"],
    "quoted": ['{name}="{token}"'],
    "twice": ["{name}={token}; {name}={token}"],
    "twice, on two lines": ["{name}={token}", "{name}={token}"],
    "garbage first": ["{name}=garbage; {name}={token}"],
    "garbage on the first line": ["{name}=garbage", "{name}={token}"],
    "nothing first": ["{name}=; {name}={token}"],
    "nameless before": ["garbage; ={name}; {name}={token}"],
    "empty parts": [";;; {name}={token};;"],
    "a name that ends so before": ["x{name}=garbage; {name}={token}"],
}
FROM: dict[str, Lines] = {
    "nowhere": [],
    "our page": [("origin", BASE_URL)],
    "our page, as the browser says": [("sec-fetch-site", "same-origin")],
    "a foreign page": [("origin", "https://evil.example")],
    "a foreign page, as the browser says": [("sec-fetch-site", "cross-site")],
    "a page without origin": [("origin", "null")],
}
OURS = ("our page", "our page, as the browser says")


def sent(cookies: list[str], settings: Settings, token: str) -> Lines:
    return [("cookie", line.format(name=settings.session_cookie, token=token)) for line in cookies]


@pytest.fixture
async def token(client: httpx.AsyncClient, seed: Seed) -> str:
    answer = await client.post(
        "/v1/auth/login", json={"username": seed.sant.admin, "password": rows.PASSWORD, "client": "mobile"}
    )
    return str(answer.json()["token"])


async def test_a_session_in_a_cookie_writes_from_our_pages_only(
    client: httpx.AsyncClient, settings: Settings, token: str
) -> None:
    for way, (place, lines) in product(WAYS, FROM.items()):
        cookies = sent(WAYS[way], settings, token)
        assert (await client.get("/v1/auth/me", headers=cookies)).status_code == 200, way
        for method, path in (
            ("DELETE", "/v1/auth/sessions"),
            ("PUT", "/v1/urgency-thresholds"),
            ("PATCH", "/v1/users/999999"),
            ("POST", "/v1/fpa/preview"),
        ):
            body: dict[str, object] | None = {} if method != "DELETE" else None
            answer = await client.request(method, path, json=body, headers=[*cookies, *lines])
            refused = answer.status_code == 403 and answer.json()["code"] == "cross_origin"
            assert refused == (place not in OURS), (way, place, method, answer.text)
            assert answer.status_code != 401, (way, place, method)


async def test_a_bearer_token_writes_from_anywhere_and_wins_over_cookies(
    client: httpx.AsyncClient, settings: Settings, token: str
) -> None:
    spellings = ("Bearer {token}", "bearer {token}", "BEARER   {token} ", "Bearer {token}\t")
    for authorization, cookies, (place, lines) in product(spellings, (*WAYS.values(), []), FROM.items()):
        headers = [
            ("authorization", authorization.format(token=token)),
            *sent(cookies, settings, "garbage"),
            *lines,
        ]
        answer = await client.delete("/v1/auth/sessions", headers=headers)
        assert answer.status_code == 204, (authorization, cookies, place, answer.text)


async def test_what_is_no_bearer_token_leaves_the_cookie_guarded(
    client: httpx.AsyncClient, settings: Settings, token: str
) -> None:
    cookies = sent(["{name}={token}"], settings, token)
    for authorization in ("Basic eDp5", "Bearer", "Negotiate abc", "Bearer,", "Token {token}", "Bearer\t{token}", ""):
        headers = [*cookies, ("authorization", authorization.format(token=token)), *FROM["a foreign page"]]
        answer = await client.delete("/v1/auth/sessions", headers=headers)
        # An empty bearer token is one, and nobody's: the cookie beside it is not looked at.
        assert answer.status_code in {401, 403}, (authorization, answer.text)
        assert answer.json()["code"] in {"not_authenticated", "cross_origin"}, authorization


async def test_a_name_that_only_ends_like_the_session_s_is_none(
    client: httpx.AsyncClient, settings: Settings, token: str
) -> None:
    for line in ("x{name}={token}", "{name}x={token}", "a={name}={token}", "{name}", "{name}:{token}"):
        cookies = sent([line], settings, token)
        answer = await client.delete("/v1/auth/sessions", headers=cookies)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), line
