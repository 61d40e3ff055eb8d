"""401, 403, 404, 422: decided in this order, whatever else is wrong with the request (docs/design/api.md)."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from core.users.passwords.rules import LONGEST
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.days import lately

JSON = {"Content-Type": "application/json"}
NONSENSE = "/v1/dashboard?clinic_id={clinic}&date_from=yesterday&nonsense=1"
PATIENT = {"document_type": "passport", "document": "X1234567", "first_name": "Eva", "last_name": "Soto"}


async def test_not_signed_in_comes_before_everything(client: httpx.AsyncClient, seed: Seed) -> None:
    for request in (
        client.get(NONSENSE.format(clinic=seed.maga.id)),
        client.post("/v1/tickets", content=b"{not json", headers={"Content-Type": "application/json"}),
        client.post("/v1/tickets", json={"nonsense": True}),
    ):
        answer = await request
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_authenticated"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_role_comes_before_clinic_and_input(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    assert (await viewer.get(NONSENSE.format(clinic=seed.maga.id))).status_code == 403
    answer = await viewer.post("/v1/tickets", content=b"{not json", headers={"Content-Type": "application/json"})
    assert answer.status_code == 403


async def test_a_foreign_clinic_comes_before_bad_input(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    answer = await admin.get(NONSENSE.format(clinic=seed.maga.id))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_bad_input_is_told_field_by_field(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    answer = await admin.get("/v1/dashboard?date_from=yesterday")
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["date_from"]


async def test_an_unknown_parameter_is_refused(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    answer = await admin.get("/v1/dashboard?clinic=5")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"path": "clinic", "code": "unknown_field", "message": "There is no such parameter."}
    ]


async def test_an_unknown_field_is_refused(sign_in: SignIn, seed: Seed) -> None:
    nurse = await sign_in(seed.sant.clinical)
    answer = await nurse.post(
        "/v1/fpa/preview",
        json={"surgery_id": seed.sant.surgery_id, "surgery_at": lately(), "colour": "green"},
    )
    assert answer.status_code == 422
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [("colour", "unknown_field")]


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b'{"surgery_id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"surgery_id": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe",
    ],
    ids=["torn", "nested", "huge number", "not utf-8"],
)
async def test_hostile_bodies_are_refused_clearly(sign_in: SignIn, seed: Seed, body: bytes) -> None:
    nurse = await sign_in(seed.sant.clinical)
    answer = await nurse.post("/v1/fpa/preview", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"], ids=["NUL", "half a surrogate pair"])
async def test_text_that_no_database_holds_is_refused(sign_in: SignIn, seed: Seed, text: str) -> None:
    nurse = await sign_in(seed.sant.clinical)
    body = f'{{"reason_id": {seed.sant.annulment_reason_id}, "{text}": 1}}'
    for path in ("/v1/tickets/TH-SANT-2026-001/annulment", "/v1/fpa/preview", "/v1/auth/login"):
        answer = await nurse.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code in {404, 422}, answer.text


async def test_a_body_over_one_mebibyte_is_refused(sign_in: SignIn, seed: Seed) -> None:
    nurse = await sign_in(seed.sant.clinical)
    answer = await nurse.post("/v1/fpa/preview", json={"surgery_at": "x" * (1024 * 1024)})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_what_signs_in_is_read_to_32_kibibytes_and_any_password_fits(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    """JSON of very many small things takes seconds to read: of who is not signed in no more is."""
    viewer, longest = await sign_in(seed.sant.viewer), "\U0001f511" * LONGEST
    login = {"username": "n" * 254, "password": longest}
    assert (await client.post("/v1/auth/login", content=json.dumps(login), headers=JSON)).status_code == 401
    changed = {"current_password": longest, "new_password": longest[1:] + "n"}
    answer = await viewer.put("/v1/auth/password", content=json.dumps(changed), headers=JSON)
    assert answer.status_code == 422

    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b"[" + b"{}," * 341

    for content in (b"[" + b"{}," * 11_000 + b"{}]", in_parts()):
        for one, method, path in (
            (client, "POST", "/v1/auth/login"),
            (viewer, "PUT", "/v1/auth/password"),
            (viewer, "DELETE", "/v1/auth/sessions"),
        ):
            sent = content if isinstance(content, bytes) else in_parts()
            answer = await one.request(method, path, content=sent, headers=JSON)
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large"), path


async def test_a_length_that_is_a_digit_and_no_number_is_none(client: httpx.AsyncClient, seed: Seed) -> None:
    for length in (b"\xb2", b"\xb3\xb9", b"1\xb2"):
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", length)]
        assert (await client.post("/v1/auth/login", content=b"{}", headers=headers)).status_code == 422


async def test_an_unknown_path_and_a_wrong_method_are_problems(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await client.delete("/v1/dashboard")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"
    answer = await client.delete("/v1/tickets/TH-SANT-2026-001")
    assert answer.headers["allow"] == "GET, HEAD, PATCH, PUT"


async def test_a_foreign_clinic_in_a_body_comes_before_the_rest_of_it(sign_in: SignIn, seed: Seed) -> None:
    nurse = await sign_in(seed.sant.clinical)
    for path in ("/v1/tickets", "/v1/fpa/preview"):
        answer = await nurse.post(path, json={"clinic_id": seed.maga.id, "surgery_id": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        answer = await nurse.post(path, json={"clinic_id": seed.sant.id, "surgery_id": "x"})
        assert answer.status_code == 422


async def test_a_ticket_is_read_within_the_clinic_that_is_asked_for(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await seed.sant.ticket(connection)
    nurse, superuser = await sign_in(seed.sant.clinical), await sign_in(seed.superuser)
    for client in (nurse, superuser):
        assert (await client.get(f"/v1/tickets/{ticket}?clinic_id={seed.sant.id}")).status_code == 200
        assert (await client.get(f"/v1/tickets/{ticket}?clinic_id={seed.maga.id}")).status_code == 404


async def test_a_parameter_given_twice_is_refused(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    answer = await admin.get("/v1/tickets?status=active&status=annulled&q=a&limit=5&limit=5&colour=1&colour=2")
    assert answer.status_code == 422
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [
        ("colour", "unknown_field"),
        ("limit", "repeated"),
        ("status", "repeated"),
    ]


async def test_a_clinic_given_twice_reaches_no_other(sign_in: SignIn, seed: Seed) -> None:
    admin = await sign_in(seed.sant.admin)
    own, foreign = f"clinic_id={seed.sant.id}", f"clinic_id={seed.maga.id}"
    for query in (f"{own}&{foreign}", f"{foreign}&{own}", f"{own}&{own}"):
        assert (await admin.get(f"/v1/dashboard?{query}")).status_code in {404, 422}


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "json", "text/json"])
async def test_a_body_that_is_not_said_to_be_json_is_415(sign_in: SignIn, seed: Seed, content_type: str | None) -> None:
    nurse = await sign_in(seed.sant.clinical)
    body = f'{{"surgery_id": {seed.sant.surgery_id}, "surgery_at": "{lately()}"}}'.encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await nurse.post("/v1/fpa/preview", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json()["detail"]
    assert (await nurse.post("/v1/auth/login", content=b"{}", headers=headers)).status_code == 415


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/x+json"])
async def test_a_body_that_is_said_to_be_json_is_read(sign_in: SignIn, seed: Seed, content_type: str) -> None:
    nurse = await sign_in(seed.sant.clinical)
    body = f'{{"surgery_id": {seed.sant.surgery_id}, "surgery_at": "{lately()}"}}'.encode()
    answer = await nurse.post("/v1/fpa/preview", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 200, answer.text


async def test_the_media_type_comes_after_401_403_and_404(
    client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    assert (await client.post("/v1/tickets", content=b"x")).status_code == 401
    viewer, nurse = await sign_in(seed.sant.viewer), await sign_in(seed.sant.clinical)
    assert (await viewer.post("/v1/tickets", content=b"x")).status_code == 403
    foreign = await seed.maga.ticket(connection)
    assert (await nurse.patch(f"/v1/tickets/{foreign}", content=b"x")).status_code == 404
    own = await seed.sant.ticket(connection)
    assert (await nurse.patch(f"/v1/tickets/{own}", content=b"x")).status_code == 415


async def test_where_no_body_is_sent_nothing_needs_saying(
    sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    nurse = await sign_in(seed.sant.clinical)
    ticket = await seed.sant.ticket(connection)
    answer = await nurse.post(f"/v1/tickets/{ticket}/discharge", headers={"If-Match": '"1"'})
    assert answer.status_code in {200, 409}, answer.text
    answer = await nurse.post("/v1/fpa/preview")
    assert [error["code"] for error in answer.json()["errors"]] == ["required"]


async def test_a_body_over_the_limit_that_does_not_tell_its_length_is_not_read_to_its_end(
    sign_in: SignIn, seed: Seed
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"first_name": "'
        while True:
            sent += 1
            yield b"x" * 65536

    nurse = await sign_in(seed.sant.clinical)
    answer = await nurse.post("/v1/tickets", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert sent < 100


async def test_a_foreign_clinic_comes_before_a_key_that_was_used(sign_in: SignIn, seed: Seed) -> None:
    nurse, superuser = await sign_in(seed.sant.clinical), await sign_in(seed.superuser)
    body = {"clinic_id": seed.sant.id, "surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    key = {"Idempotency-Key": "used"}
    for path, more in (("/v1/fpa/preview", {}), ("/v1/tickets", {"patient": PATIENT})):
        assert (await nurse.post(path, json=body | more, headers=key)).is_success
        # The same patient is not admitted again.
        others = {name: PATIENT | {"document": "X7654321"} for name in more}
        assert (await superuser.post(path, json=body | others, headers=key)).is_success
        foreign = await nurse.post(path, json=body | more | {"clinic_id": seed.maga.id}, headers=key)
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        nowhere = {name: value for name, value in (body | more).items() if name != "clinic_id"}
        unsaid = await superuser.post(path, json=nowhere, headers=key)
        assert [error["code"] for error in unsaid.json()["errors"]] == ["required"]
        other = await nurse.post(path, json=body | more | {"surgery_at": lately()[:-5] + "16:30"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_a_body_that_nothing_reads_is_refused_in_its_turn(
    app: FastAPI, client: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    """Of every operation that has no body in the contract."""
    ticket = await seed.sant.ticket(connection)
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.viewer)
    delay_id = await rows.delay(connection, seed.sant.id, ticket, seed.sant.delay_reason_id)
    named = {"ticket_id": ticket, "user_id": user_id, "session_id": 1, "delay_id": delay_id}
    viewer, admin, foreign = [await sign_in(name) for name in (seed.sant.viewer, seed.sant.admin, seed.maga.admin)]
    walked = 0
    for template, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            # Single sign-on is not there without its settings: tests/api/v1/auth/test_single_sign_on.py.
            if method == "get" or "requestBody" in operation or operation["operationId"] == "authIap":
                continue
            path, walked = template.format(**named), walked + 1
            sent = {"shape": 1, "colour": "red"}
            assert (await client.request(method, path, json=sent)).status_code == 401
            answer = await admin.request(method, path, json=sent)
            assert answer.status_code == 422, (path, answer.text)
            errors = [(error["path"], error["code"]) for error in answer.json()["errors"]]
            assert errors == [("colour", "unknown_field"), ("shape", "unknown_field")]
            if not template.startswith("/v1/auth"):
                assert (await viewer.request(method, path, json=sent)).status_code == 403
            if "ticket_id" in template or "user_id" in template:
                assert (await foreign.request(method, path, json=sent)).status_code == 404
    assert walked >= 6
    discharge = f"/v1/tickets/{ticket}/discharge"
    for content in (b"[]", b"1", b"{", b"\xff", b"[" * 100_000):
        assert (await admin.request("DELETE", discharge, content=content)).status_code == 422
    for content in (b"", b"null", b"{}", b" {} "):
        assert (await admin.request("DELETE", discharge, content=content)).status_code == 428


async def test_a_malformed_key_is_refused_at_signing_out_too(sign_in: SignIn, seed: Seed) -> None:
    viewer = await sign_in(seed.sant.viewer)
    for key in ("k" * 300, "a b"):
        answer = await viewer.post("/v1/auth/logout", headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "Idempotency-Key")
    assert (await viewer.post("/v1/auth/logout", headers={"Idempotency-Key": "a-key"})).status_code == 204
