"""What every answer carries to guard who gets it: of all routes, refusals and errors, and of prepared hits.

For an installation in production that takes requests of pages from another origin.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.middleware.added_headers import API_POLICY
from api.middleware.sharing import EXPOSED, SHARING
from api.openapi import DESCRIPTION
from api.ops.docs import POLICY
from api.web.routes import POLICY as CLIENT_POLICY
from core.settings import Settings
from tests.api.server.prepared.side_by_side import SideBySide, head
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES, Target
from tests.support.signing_in import LOGIN, cookie_of, credentials, sign_in

ALLOWED, FOREIGN = "https://pages.example", "https://evil.example"
GUARDS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
SHARED = {
    "access-control-allow-origin": ALLOWED,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": ", ".join(EXPOSED),
}
"""What tells a browser that a page of ALLOWED may read an answer; without it the page sees a network that is broken."""
KEPT = {"no-store", "private, no-cache", "no-cache"}
"""What may be said of keeping an answer; the last of pages and scripts alone, which are nobody's."""
POLICIES = {"/docs": POLICY, "/redoc": POLICY, "/": CLIENT_POLICY, "/sw.js": CLIENT_POLICY}
"""Of pages; all other answers have API_POLICY."""
BODY = "Content-Length: 2"
AFTER = "Accept: */*"
"""The parser gives out a line once it has begun the next one."""
PASSWORD = "one that is not the demo's"


@pytest.fixture
async def site(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    await connection.execute("UPDATE app_user SET password_hash = $1", rows.QUICK.hash(PASSWORD))
    given = {"env": "production", "allowed_origins": (ALLOWED,)}
    async with running(settings.model_copy(update=given)) as both:
        yield both


@pytest.fixture
async def own(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.sant)


def faults(answer: httpx.Response, origin: str | None) -> list[str]:
    """What an answer to a request from `origin` lacks, or says too much."""
    headers, path = answer.headers, answer.request.url.path
    found = [name for name, value in GUARDS.items() if headers.get_list(name) != [value]]
    policy = POLICIES.get(path, API_POLICY) if answer.status_code < 400 else API_POLICY
    if headers.get_list("content-security-policy") != [policy]:
        found.append("content-security-policy")
    if "server" in headers or "x-powered-by" in headers:
        found.append("server")
    if len(headers.get("x-request-id", "")) < 32:
        found.append("x-request-id")
    if answer.content and "content-type" not in headers:
        found.append("content-type")
    if answer.status_code >= 400 and headers.get("cache-control") != "no-store":
        found.append("cache-control of a refusal")
    if answer.status_code < 300 and headers.get("cache-control") not in KEPT and not path.startswith("/docs/static"):
        found.append("cache-control")
    if headers.get("cache-control") == "private, no-cache" and not {"Cookie", "Authorization", "Origin"} <= set(
        vary(answer)
    ):
        found.append("vary")
    return found + cross_origin_faults(answer, origin)


def vary(answer: httpx.Response) -> list[str]:
    return [one.strip() for one in answer.headers.get("vary", "").split(",")]


def cross_origin_faults(answer: httpx.Response, origin: str | None) -> list[str]:
    told = {name: value for name, value in answer.headers.multi_items() if name.startswith("access-control-")}
    wanted = SHARED if origin == ALLOWED else {}
    found = [] if {name: value for name, value in told.items() if name in wanted} == wanted else ["access-control"]
    if set(told) - set(wanted) or len(answer.headers.get_list("access-control-allow-origin")) > 1:
        found.append("too much of access-control")
    return found if vary(answer).count("Origin") == 1 else [*found, "vary by origin"]


def of(origin: str | None) -> dict[str, str]:
    return {} if origin is None else {"Origin": origin}


async def ask(client: httpx.AsyncClient, operation: Operation, own: Target, **headers: str) -> httpx.Response:
    rule = RULES[operation.id]
    path = operation.path.format(**rule.path(own))
    return await client.request(operation.method, path, **rule.sent(own, **headers))


async def test_of_every_route_to_strangers_and_to_who_may_do_anything(
    site: tuple[FastAPI, httpx.AsyncClient], own: Target
) -> None:
    app, stranger = site
    walked: set[tuple[str, int]] = set()
    async with httpx.AsyncClient(transport=stranger._transport, base_url=stranger.base_url) as superuser:
        for operation in operations(app):
            if "authorization" not in superuser.headers or RULES[operation.id].ends_session:
                superuser.headers.pop("authorization", None)
                await sign_in(superuser, "superuser", PASSWORD)
            for client, origin in ((stranger, None), (stranger, ALLOWED), (stranger, FOREIGN), (superuser, ALLOWED)):
                answer = await ask(client, operation, own, **of(origin))
                assert faults(answer, origin) == [], (operation, client is superuser, answer.status_code)
                assert_cookies(answer, operation.path)
                walked.add((operation.id, answer.status_code))
            if operation.id.startswith("exports"):
                assert answer.headers["content-disposition"].startswith("attachment; ")
                assert answer.headers["cache-control"] == "no-store"
            superuser.headers.pop("authorization") if RULES[operation.id].ends_session else None
    assert len({name for name, _ in walked}) == len(RULES)
    assert {status for _, status in walked} >= {200, 201, 204, 401, 403, 404}


def assert_cookies(answer: httpx.Response, path: str) -> None:
    """Only signing in, out, and anew sets any; all are pinned to this host, and no script reads them."""
    for name, cookie in cookie_of(answer).items():
        assert path in (LOGIN, "/v1/auth/logout", "/v1/auth/password", "/v1/auth/iap"), path
        assert name in ("__Host-th_session", "__Host-th_device")
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert answer.headers["cache-control"] == "no-store"


async def test_of_sign_ins(site: tuple[FastAPI, httpx.AsyncClient], seed: Seed) -> None:
    _, client = site
    for kind, number in (("web", 2), ("mobile", 0), ("display", 0)):
        answer = await client.post(LOGIN, json=credentials(seed.sant.viewer, PASSWORD, kind), headers=of(ALLOWED))
        assert faults(answer, ALLOWED) == []
        assert_cookies(answer, LOGIN)
        assert len(cookie_of(answer)) == number


UNUSUAL: list[tuple[str, str, Mapping[str, Any]]] = [
    ("GET", "/", {}),
    ("GET", "/nothing", {}),
    ("GET", "/v1/nothing", {}),
    ("GET", "/v1/tickets/", {}),
    ("GET", "/.env", {}),
    ("GET", "/", {"headers": {"If-None-Match": "*"}}),
    ("GET", "/app/boot.js", {}),
    ("GET", "/sw.js", {}),
    ("GET", "/app/0123456789abcdef/main.js", {}),
    ("GET", "/docs", {}),
    ("GET", "/redoc", {}),
    ("GET", "/docs/static/docs.js", {}),
    ("GET", "/docs/static/nothing.js", {}),
    ("GET", "/docs/static/../docs.py", {}),
    ("GET", "/openapi.json", {}),
    ("HEAD", "/v1/dashboard", {}),
    ("HEAD", "/openapi.json", {}),
    ("DELETE", "/v1/dashboard", {}),
    ("TRACE", "/v1/dashboard", {}),
    ("OPTIONS", "/v1/dashboard", {}),
    ("BREW", "/v1/dashboard", {}),
    ("GET", "/v1/dashboard", {"params": {"q": "<script>"}}),
    ("GET", "/v1/dashboard", {"headers": [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]}),
    ("POST", "/v1/tickets", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
    ("POST", "/v1/tickets", {"content": b"x" * (1024 * 1024 + 1), "headers": {"Content-Type": "application/json"}}),
    ("POST", "/v1/tickets", {"content": b"x", "headers": {"Content-Type": "text/html"}}),
    ("POST", LOGIN, {"json": {"username": "nobody", "password": "x"}}),
    ("GET", "/broken", {}),
]


async def test_of_what_is_no_route_or_no_request(site: tuple[FastAPI, httpx.AsyncClient], seed: Seed) -> None:
    app, stranger = site

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("on purpose")

    statuses = set()
    async with httpx.AsyncClient(transport=stranger._transport, base_url=stranger.base_url) as superuser:
        await sign_in(superuser, "superuser", PASSWORD)
        for method, path, more in UNUSUAL:
            for client, origin in ((stranger, None), (stranger, FOREIGN), (superuser, ALLOWED)):
                given = httpx.Headers(more.get("headers"))
                headers = [*given.multi_items(), *of(origin).items()]
                answer = await client.request(method, path, **{**more, "headers": headers})
                assert faults(answer, origin) == [], (method, path, answer.status_code)
                assert FOREIGN not in str(answer.headers)
                statuses.add(answer.status_code)
    assert statuses >= {200, 304, 400, 401, 403, 404, 405, 413, 415, 422, 500}


async def test_of_copies_that_are_still_right_and_prepared_hits(
    site: tuple[FastAPI, httpx.AsyncClient], own: Target
) -> None:
    app, client = site
    await sign_in(client, "superuser", PASSWORD)
    etag = (await client.get("/v1/dashboard")).headers["etag"]
    for origin in (None, ALLOWED, FOREIGN):
        answer = await client.get("/v1/dashboard", headers={"If-None-Match": etag, **of(origin)})
        assert (answer.status_code, faults(answer, origin)) == (304, [])
    side = SideBySide(app, {"superuser": client.headers["authorization"].removeprefix("Bearer ")})
    for origin in (None, ALLOWED, FOREIGN):
        for more in ((), (f"If-None-Match: {etag}",)):
            lines = (
                f"Authorization: {client.headers['authorization']}",
                *(f"Origin: {o}" for o in of(origin).values()),
            )
            asked = head("/v1/dashboard", *lines, *more)
            await side.prepare([asked])
            before = side.prepared.started
            answer = parsed(await side.prepared.ask(asked))
            assert faults(answer, origin) == [], (origin, more)
            assert side.prepared.started == before, "no task of the application took part"


def parsed(answer: bytes) -> httpx.Response:
    lines, _, body = answer.partition(b"\r\n\r\n")
    status, *headers = lines.split(b"\r\n")
    pairs = [tuple(line.split(b": ", 1)) for line in headers]
    request = httpx.Request("GET", "http://ticket-home.test/v1/dashboard")
    return httpx.Response(int(status.split()[1]), headers=pairs, content=body, request=request)  # type: ignore[arg-type]


async def test_a_page_of_another_origin_may_ask_as_a_preflight_says(
    site: tuple[FastAPI, httpx.AsyncClient], seed: Seed
) -> None:
    app, client = site
    for operation in operations(app):
        asked = {"Access-Control-Request-Method": operation.method, "Access-Control-Request-Headers": "authorization"}
        path = operation.path.format(**RULES[operation.id].path(Target(seed.sant, "TH-SANT-2026-001", 1, 1, 1)))
        for origin, status in ((ALLOWED, 200), (FOREIGN, 400), ("null", 400), (ALLOWED + ".evil.example", 400)):
            answer = await client.options(path, headers={"Origin": origin, **asked})
            assert answer.status_code == status, (operation, origin)
            assert faults_of_preflight(answer, origin) == [], (operation, origin)


def faults_of_preflight(answer: httpx.Response, origin: str) -> list[str]:
    found = [name for name, value in GUARDS.items() if answer.headers.get_list(name) != [value]]
    if answer.headers.get("access-control-allow-origin") != (ALLOWED if origin == ALLOWED else None):
        found.append("access-control-allow-origin")
    if "*" in answer.headers.get("access-control-allow-methods", ""):
        found.append("access-control-allow-methods")
    return found


async def test_of_what_the_protocol_refuses(site: tuple[FastAPI, httpx.AsyncClient]) -> None:
    """While a head comes, once it is whole, and in a body. Whether TLS is to be asked for the application says."""
    app, _ = site
    side = SideBySide(app, {})
    connection = side._connect({SHARING: app.state.sharing})
    wrong_chunk = "Transfer-Encoding: chunked"
    statuses = set()
    for origin in (None, ALLOWED, FOREIGN):
        came = [f"Origin: {one}" for one in of(origin).values()] + [AFTER]
        refused = {
            "\r\n".join(["GET / HTTP/1.1", *came, "", ""]).encode(): 400,
            head("/", *came, "Content-Length: x"): 400,
            head("/", *came, "no header"): 400,
            head("//x", *came, method="CONNECT"): 405,
            head("/", *came, version="2.0"): 505,
            head("/", *came, f"X: {'x' * 40_000}"): 431,
            head("/v1/tickets", *came, wrong_chunk, method="POST") + b"x\r\n": 400,
        }
        for sent, status in refused.items():
            answer = parsed(await connection.ask(sent))
            connection = side._connect({SHARING: app.state.sharing})
            assert answer.status_code == status, sent[:80]
            assert faults(answer, origin) == ["strict-transport-security"], sent[:80]
            statuses.add(answer.json()["code"])
    nonsense = parsed(await connection.ask(b"nonsense\r\n\r\n"))
    assert (nonsense.status_code, faults(nonsense, None)) == (400, ["strict-transport-security"])
    assert statuses >= {"malformed_request", "headers_too_large", "http_version"}
    # No operation's own: the document tells of them once.
    assert [code for code in statuses - {"method_not_allowed"} if f"(`{code}`)" not in DESCRIPTION] == []


async def test_of_a_client_that_is_too_slow(site: tuple[FastAPI, httpx.AsyncClient]) -> None:
    app, _ = site
    side = SideBySide(app, {})
    for beginning in (
        head("/", f"Origin: {ALLOWED}", AFTER)[:-2],
        head("/v1/tickets", f"Origin: {ALLOWED}", BODY, method="POST"),
    ):
        connection = side._connect({SHARING: app.state.sharing})
        connection.protocol.data_received(beginning)
        connection.protocol._bound()[1]()
        answer = parsed(await connection.ask())
        assert (answer.status_code, faults(answer, ALLOWED)) == (408, ["strict-transport-security"]), beginning
        assert f"(`{answer.json()['code']}`)" in DESCRIPTION
