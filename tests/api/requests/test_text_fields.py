"""Every text field of every body of the contract × every form in which the same text can be sent: one is stored."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES

NO_TEXT = {"password", "current_password", "new_password", "surgery_at", "discharged_at", "ready_at", "date"}
"""Passwords are taken as they are, and times are parsed."""
CODES = {"timezone", "rut", "document", "second_stay"}
"""Texts that have a form of their own, tested where they belong."""
FORMS: Mapping[str, Callable[[str], str]] = {
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "spaces around it": lambda text: f" \u00a0\u3000{text}\t\r\n",
    "other and doubled spaces": lambda text: text.replace(" ", " \u2003\t"),
    "zero-width spaces": lambda text: "\u200b".join(["", *text, ""]),
    "soft hyphens": lambda text: "\u00ad".join(text),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "marks of direction": lambda text: f"\u202e{text}\u202c\u200f",
    "variation selectors": lambda text: f"{text}\ufe0f",
    "control characters": lambda text: f"\x01{text}\x7f\x9b",
    "marks on nothing": lambda text: "\u0301" + text.replace(" ", " \u0303"),
    "private use and no characters": lambda text: f"\ue000{text}\U0010ffff",
}
NOTHING = ("", "   ", "\u200b", "\u00ad\u2060", "\u0301", "\t\r\n", "\x01\x02", "\ufe0f", "\u3164", "\ue000")


@dataclass(frozen=True)
class TextField:
    operation: Operation
    path: tuple[str, ...]
    longest: int
    is_ascii: bool

    def __str__(self) -> str:
        return f"{self.operation.id}:{'.'.join(self.path)}"


def text_fields(app: FastAPI) -> Iterator[TextField]:
    contract = app.openapi()
    schemas = contract["components"]["schemas"]
    for operation in operations(app):
        described = contract["paths"][operation.path][operation.method.lower()].get("requestBody")
        said = (described or {}).get("content", {}).get("application/json")
        if said is not None:
            yield from _of_schema(operation, said["schema"], schemas, ())


def _of_schema(operation: Operation, schema: Any, schemas: Any, path: tuple[str, ...]) -> Iterator[TextField]:
    for one in [schema, *schema.get("anyOf", []), *schema.get("allOf", [])]:
        found = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for name, inner in found.get("properties", {}).items():
            yield from _of_schema(operation, inner, schemas, (*path, name))
        is_code = not path or path[-1] in NO_TEXT | CODES or "enum" in found or "const" in found
        if found.get("type") == "string" and not is_code:
            yield TextField(operation, path, found["maxLength"], "pattern" in found or operation.id == "authLogin")


def with_value(body: Any, path: tuple[str, ...], value: object) -> dict[str, Any]:
    name, *rest = path
    return {**body, name: with_value(body.get(name) or {}, tuple(rest), value) if rest else value}


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from texts_of(inner)


class Desk:
    """Sends bodies of each operation, every time about rows that nobody has touched yet."""

    def __init__(self, connection: rows.Connection, seed: Seed, sign_in: SignIn) -> None:
        self._connection, self._seed, self._sign_in = connection, seed, sign_in
        self._numbers = count(1)

    async def open(self) -> None:
        self._superuser = await self._sign_in(self._seed.superuser)
        self._target = await target_in(self._connection, self._seed.sant)
        self._document = await self._connection.fetchval(
            "SELECT document FROM patient WHERE id = $1", self._seed.sant.patient_id
        )

    async def send(self, field: TextField, value: object) -> httpx.Response:
        rule, number, sant = RULES[field.operation.id], next(self._numbers), self._seed.sant
        ticket_id = await rows.ticket(self._connection, sant.id, sant.patient_id, sant.surgery_id)
        target = replace(self._target, clinic=sant, ticket_id=ticket_id)
        body = rule.body(target) or {}
        for name, unique in (("username", f"user{number}"), ("email", f"user{number}@example.org")):
            body |= {name: unique} if name in body else {}
        if "patient" in body:
            body["patient"] = {**body["patient"], "document": f"X{number}0{number}"}
        if field.operation.id == "ticketsEdit":
            # Of a document that stays the name may be corrected.
            body["patient"]["document"] = self._document
        return await self._superuser.request(
            field.operation.method,
            field.operation.path.format(**rule.path(target)),
            json=with_value(body, field.path, value),
            headers=rule.headers,
        )

    def text(self, field: TextField) -> str:
        """A new one, as long as it may be."""
        number = f"{next(self._numbers):05}"
        if field.path[-1] == "email":
            return f"{number}{'x' * (field.longest - 15)}@nandu.org"
        if field.is_ascii:
            return f"{number}{'x' * (field.longest - 5)}"
        return f"Ñ {number}{'áx' * field.longest}"[: field.longest]


@pytest.fixture
async def desk(connection: rows.Connection, seed: Seed, sign_in: SignIn) -> Desk:
    made = Desk(connection, seed, sign_in)
    await made.open()
    return made


async def test_of_all_forms_of_a_text_one_is_stored(app: FastAPI, desk: Desk) -> None:
    walked = set()
    for field in text_fields(app):
        if field.operation.id in ("authLogin", "authDisplay"):
            continue
        for name, form in FORMS.items():
            text = desk.text(field)
            answer = await desk.send(field, form(text))
            assert answer.is_success, (str(field), name, answer.text)
            assert text in set(texts_of(answer.json())), (str(field), name, answer.text)
            walked.add(str(field))
        answer = await desk.send(field, f"{desk.text(field)}x")
        assert codes(answer) == [(".".join(field.path), "string_too_long")], str(field)
    assert len(walked) >= 20, walked


async def test_where_nothing_is_left_nothing_was_said(app: FastAPI, desk: Desk) -> None:
    for field in text_fields(app):
        for nothing in NOTHING:
            answer = await desk.send(field, nothing)
            paths = [path for path, _ in codes(answer)]
            assert paths == [".".join(field.path)], (str(field), nothing, answer.text)


async def test_a_user_signs_in_in_whatever_form_the_name_is_typed(client: httpx.AsyncClient, seed: Seed) -> None:
    for name, form in FORMS.items():
        for typed in (seed.sant.viewer, f"{seed.sant.viewer}@example.org"):
            body = {"username": form(typed), "password": rows.PASSWORD, "client": "mobile"}
            assert (await client.post("/v1/auth/login", json=body)).status_code == 200, name


async def test_a_search_is_found_in_whatever_form_it_is_typed(sign_in: SignIn, seed: Seed) -> None:
    superuser = await sign_in(seed.superuser)
    clinic = seed.sant
    body = {
        "clinic_id": clinic.id,
        "patient": {"document_type": "passport", "document": "X1", "first_name": "Begoña", "last_name": "Ñuñez Peña"},
        "surgery_id": clinic.surgery_id,
        "surgery_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="minutes"),
    }
    assert (await superuser.post("/v1/tickets", json=body)).status_code == 201
    for name, form in FORMS.items():
        for path, parameter, text in (
            ("/v1/tickets", "q", "Begoña Ñuñez"),
            ("/v1/nursing-board?view=all", "q", "Begoña Peña"),
            ("/v1/users", "q", "viewer sant"),
            ("/v1/audit/actions", "user", "superuser"),
            ("/v1/audit/actions", "action", "ticket.created"),
            ("/v1/audit/actions", "target", "ticket"),
            ("/v1/audit/logins", "action", "succeeded"),
        ):
            answer = await superuser.get(httpx.URL(path).copy_merge_params({parameter: form(text)}))
            assert answer.status_code == 200, (path, name, answer.text)
            assert answer.json()["items"], (path, parameter, name)
