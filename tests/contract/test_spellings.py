"""One value, one spelling: every parameter of every operation, written as parsers elsewhere would take it.

Whatever is not refused means exactly what the plain spelling means, and nothing is deleted or changed by what is.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi import FastAPI

from core.access import Role
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES, Rule, Target

Spell = Callable[[str], str]

NUMBERS: dict[str, Spell] = {
    "blank before": lambda text: f" {text}",
    "blank after": lambda text: f"{text} ",
    "line end": lambda text: f"{text}\n",
    "tab": lambda text: f"\t{text}",
    "no-break space": lambda text: f"\u00a0{text}",
    "zero width": lambda text: f"{text}\u200b",
    "plus": lambda text: f"+{text}",
    "minus": lambda text: f"-{text}",
    "decimals": lambda text: f"{text}.0",
    "point": lambda text: f"{text}.",
    "comma": lambda text: f"{text},0",
    "exponent": lambda text: f"{text}e0",
    "underscore": lambda text: f"0_{text}",
    "hexadecimal": lambda text: f"0x{int(text):x}",
    "octal": lambda text: f"0o{int(text):o}",
    "zeros": lambda text: f"000{text}",
    "arabic digits": lambda text: "".join(chr(0x660 + int(digit)) for digit in text),
    "devanagari digits": lambda text: "".join(chr(0x966 + int(digit)) for digit in text),
    "full-width digits": lambda text: "".join(chr(0xFF10 + int(digit)) for digit in text),
    "superscript": lambda text: f"{text}\u00b2",
    "quoted": lambda text: f'"{text}"',
    "list": lambda text: f"[{text}]",
    "two": lambda text: f"{text},{text}",
    "wrapped around": lambda text: str(int(text) + 2**32),
    "wrapped around twice": lambda text: str(int(text) + 2**64),
    "long": lambda text: "9" * 5000,
    "empty": lambda text: "",
    "null": lambda text: "null",
    "true": lambda text: "true",
    "NUL": lambda text: f"{text}\0",
}
AROUND = ("blank before", "blank after", "line end", "zero width", "quoted", "empty", "NUL")
FLAGS: dict[str, Spell] = {word: str(word).format for word in ("True", "TRUE", "1", "yes", "2", "-1", "1.0", "ｔrue")}
FLAGS |= {name: NUMBERS[name] for name in AROUND}
WORDS: dict[str, Spell] = {"upper case": str.upper} | {name: NUMBERS[name] for name in AROUND}


DAYS = ("date_from", "date_to", "from", "fpa_from", "fpa_to", "surgery_from", "surgery_to")


class Parameter(NamedTuple):
    name: str
    place: str
    type: str
    plain: str
    """As the contract writes it."""


def parameters(app: FastAPI, operation: Operation, target: Target) -> Iterator[Parameter]:
    contract: dict[str, Any] = app.openapi()
    for found in contract["paths"][operation.path][operation.method.lower()].get("parameters", []):
        if found["in"] not in {"query", "path"}:
            continue
        schema = found["schema"]
        kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
        kind = kinds[0]
        if "$ref" in kind:
            kind = contract["components"]["schemas"][kind["$ref"].rpartition("/")[2]]
        name = found["name"]
        if found["in"] == "path":
            plain = str(RULES[operation.id].path(target)[name])
        else:
            own: dict[str, Any] = {
                "clinic_id": target.clinic.id,
                "surgery_id": target.clinic.surgery_id,
                "limit": 7,
                "beat": 7,
            }
            own |= {"specialty_id": target.clinic.specialty_id, "doctor_id": target.clinic.doctor_id}
            own |= {"reason_id": target.clinic.delay_reason_id}
            own |= dict.fromkeys(DAYS, "2026-01-15") | {"to": "2026-01-16T10:00"}
            plain = str(own.get(name, "true" if kind["type"] == "boolean" else kind.get("enum", ["word"])[0]))
        yield Parameter(name, found["in"], kind["type"] if "enum" not in kind else "enum", plain)


def spellings(parameter: Parameter) -> dict[str, Spell]:
    if parameter.type == "integer":
        return NUMBERS
    if parameter.type == "boolean":
        return FLAGS
    if parameter.type == "enum" or parameter.name in {"ticket_id", "to", *DAYS}:
        return WORDS
    return {}


async def ask(
    client: httpx.AsyncClient, operation: Operation, target: Target, parameter: Parameter, *values: str
) -> httpx.Response:
    rule: Rule = RULES[operation.id]
    path = {name: quote(str(value), safe="") for name, value in rule.path(target).items()}
    query = ""
    if parameter.place == "path":
        path[parameter.name] = quote(values[0], safe="")
    else:
        query = "?" + urlencode([(parameter.name, value) for value in values])
    return await client.request(operation.method, operation.path.format(**path) + query, **rule.sent(target))


def said(answer: httpx.Response) -> Any:
    """What an answer says, without what depends on the moment at which it was asked."""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer.status_code
    return answer.status_code, without_moments(answer.json())


MOMENTS = frozenset({"next", "generated_at", "valid_until", "now", "seconds_left"})


def without_moments(body: Any) -> Any:
    if isinstance(body, list):
        return [without_moments(one) for one in body]
    if isinstance(body, dict):
        return {name: without_moments(value) for name, value in body.items() if name not in MOMENTS}
    return body


@pytest.fixture
async def own(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.sant)


CHANGED = (
    *("clinic", "specialty", "surgery", "doctor", "standardized_reason", "urgency_threshold", "ticket", "app_user"),
    "user_session",
)


async def contents(connection: rows.Connection) -> dict[str, Any]:
    """The rows of every table that writes change, without the columns that reading changes."""
    read = "SELECT json_agg(to_jsonb(t) - 'last_seen_at' - 'expires_at' ORDER BY t::text)::text FROM {} t"
    return {table: await connection.fetchval(read.format(table)) for table in CHANGED}


class Walk(NamedTuple):
    client: httpx.AsyncClient
    connection: rows.Connection
    own: Target

    async def wrong(self, operation: Operation, parameter: Parameter) -> list[str]:
        """What was wrong with one parameter: spellings that were neither refused nor understood as the plain one."""
        writes = operation.method != "GET"
        before = await contents(self.connection) if writes else None
        found = [*await self._spelled(operation, parameter, writes=writes), *await self._twice(operation, parameter)]
        if writes and await contents(self.connection) != before:
            found.append("changed something")
        return [f"{operation.method} {operation.path} {parameter.name}: {one}" for one in found]

    async def _spelled(self, operation: Operation, parameter: Parameter, *, writes: bool) -> list[str]:
        refused = {422, 404} if parameter.place == "path" else {422}
        plain = None if writes else said(await ask(self.client, operation, self.own, parameter, parameter.plain))
        found = []
        for name, spell in spellings(parameter).items():
            written = spell(parameter.plain)
            # With zeros before it a number is the same one: that write would be done.
            if written != parameter.plain and not (writes and name == "zeros"):
                answer = await ask(self.client, operation, self.own, parameter, written)
                if answer.status_code not in refused and (writes or said(answer) != plain):
                    found.append(f"{name} ({answer.status_code})")
        return found

    async def _twice(self, operation: Operation, parameter: Parameter) -> list[str]:
        if parameter.place == "path":
            return []
        plain = parameter.plain
        answers = [
            await ask(self.client, operation, self.own, parameter, *values)
            for values in ((plain, plain), (plain, ""), ("", plain))
        ]
        return [f"twice ({answer.status_code})" for answer in answers if answer.status_code != 422]


@pytest.mark.long
@pytest.mark.parametrize("role", [Role.SUPERUSER, Role.ADMIN])
async def test_a_parameter_spelled_otherwise_is_refused_or_means_the_same(
    app: FastAPI, sign_in: SignIn, connection: rows.Connection, own: Target, role: Role
) -> None:
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 1, 2, 3)",
        own.clinic.id,
    )
    client = await sign_in("superuser" if role is Role.SUPERUSER else "admin_sant")
    walk = Walk(client, connection, own)
    wrong = []
    for operation in operations(app):
        rule = RULES[operation.id]
        if rule.role is not None and role.rank >= rule.role.rank and not rule.ends_session:
            for parameter in parameters(app, operation, own):
                wrong += await walk.wrong(operation, parameter)
    assert wrong == []


OF_CLINICS = [spell for name, spell in NUMBERS.items() if name != "zeros"]


async def test_a_foreign_clinic_is_deleted_by_no_spelling_of_its_id(
    sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    """Nor one's own instead of it: what one parser took for "not asked", another took for a clinic."""
    for clinic in (seed.sant, seed.maga):
        await connection.execute(
            "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 1, 2, 3)",
            clinic.id,
        )
    for username in (seed.sant.admin, seed.superuser):
        client = await sign_in(username)
        for clinic in (seed.sant, seed.maga):
            for spell in OF_CLINICS:
                query = urlencode({"clinic_id": spell(str(clinic.id))})
                answer = await client.delete(f"/v1/urgency-thresholds?{query}")
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
    assert await connection.fetchval("SELECT count(*) FROM urgency_threshold WHERE clinic_id IS NOT NULL") == 2


BODIES: dict[str, Callable[[int], Any]] = {
    "text": str,
    "text with decimals": lambda row_id: f"{row_id}.0",
    "text with a blank": lambda row_id: f" {row_id}",
    "decimals": float,
    "half": lambda row_id: row_id + 0.5,
    "huge": lambda row_id: row_id * 1e300,
    "true": lambda row_id: True,
    "list": lambda row_id: [row_id],
    "object": lambda row_id: {"id": row_id},
    "empty": lambda row_id: "",
}


@pytest.mark.parametrize("spelled", BODIES)
async def test_an_id_in_a_body_is_a_whole_number_and_nothing_else(
    app: FastAPI, sign_in: SignIn, own: Target, spelled: str
) -> None:
    client = await sign_in("superuser")
    walked = 0
    for operation in operations(app):
        rule = RULES[operation.id]
        for field, row_id in (rule.body(own) or {}).items():
            if field.endswith("_id"):
                path = operation.path.format(**rule.path(own))
                body = (rule.body(own) or {}) | {field: BODIES[spelled](row_id)}
                answer = await client.request(operation.method, path, json=body, headers=rule.headers)
                assert answer.status_code == 422, (operation, field, answer.text)
                assert [error["path"] for error in answer.json()["errors"]] == [field], (operation, answer.text)
                walked += 1
    assert walked > 15


def test_every_id_of_the_contract_has_bounds(app: FastAPI) -> None:
    """So that clients' generators and testers know what no row can have."""
    contract: dict[str, Any] = app.openapi()
    asked = [
        (path, found["name"], one)
        for path, item in contract["paths"].items()
        for operation in item.values()
        for found in operation.get("parameters", [])
        if found["in"] in {"query", "path"}
        for one in found["schema"].get("anyOf", [found["schema"]])
        if one.get("type") == "integer"
    ]
    assert len(asked) > 20
    assert [(path, name) for path, name, one in asked if not {"minimum", "maximum"} <= one.keys()] == []
