"""One table says of each header that is read what it does: what another one decides would be prepared wrongly."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from api.requests.headers.request_headers import READ
from api.requests.headers.roles import HEADERS, ROLES, VARY, HeaderRole
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.support.signing_in import sign_in

ORIGIN = "https://pages.example"


def test_what_requests_are_read_for_is_in_the_table() -> None:
    assert {name for name in READ if ROLES.get(name, HeaderRole.IGNORED) is HeaderRole.IGNORED} == set()


async def test_what_routes_and_middlewares_read_is_in_the_table(
    settings: Settings, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[bytes] = set()

    def note(name: str) -> None:
        once = getattr(Headers, name)

        def noted(self: Headers, key: Any) -> Any:
            read.add(key.lower().encode())
            return once(self, key)

        monkeypatch.setattr(Headers, name, noted)

    async with running(
        settings.model_copy(update={"allowed_origins": [ORIGIN], "iap_audience": ("/projects/1/apps/x",)})
    ) as (_, client):
        await sign_in(client, seed.sant.admin)
        for name in ("__getitem__", "__contains__", "getlist"):
            note(name)
        client.headers["Origin"] = ORIGIN
        paths = (
            "/v1/auth/iap",
            "/v1/dashboard",
            "/v1/specialties",
            "/v1/urgency-thresholds",
            "/v1/tickets",
            "/v1/clinics",
            "/docs",
            "/x",
        )
        for path in paths:
            for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE"):
                await client.request(method, path, headers={"Access-Control-Request-Method": "GET"})
    # Answers are read by the same class.
    of_answers = {b"vary", b"content-length", b"content-type", b"allow", b"access-control-allow-origin", b"etag"}
    assert b"origin" in read
    assert read - ROLES.keys() - of_answers == set()


def test_who_is_in_the_key_varies_the_answer() -> None:
    assert VARY == "Cookie, Authorization, Accept-Encoding, Origin"
    assert len({header.name.lower() for header in HEADERS}) == len(HEADERS)
