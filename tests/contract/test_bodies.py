"""A body means one thing to everybody who reads it: plain JSON in UTF-8, each name once (RFC 8259)."""

import codecs
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes
from tests.support.contract.operations import Operation, operations, target_in
from tests.support.contract.rules import RULES, Rule, Target
from tests.support.days import lately

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def own(connection: rows.Connection, seed: Seed) -> Target:
    return await target_in(connection, seed.sant)


def with_bodies(app: FastAPI, own: Target) -> list[tuple[Operation, Rule, dict[str, Any]]]:
    found = [(operation, RULES[operation.id]) for operation in operations(app)]
    bodies = [(operation, rule, body) for operation, rule in found if (body := rule.body(own)) is not None]
    described = [one.get("requestBody") for item in app.openapi()["paths"].values() for one in item.values()]
    documented = [one for one in described if one is not None and JSON["Content-Type"] in one["content"]]
    assert len(bodies) == len(documented) > 20
    return bodies


async def send(
    client: httpx.AsyncClient, operation: Operation, rule: Rule, own: Target, content: bytes, headers: dict[str, str]
) -> httpx.Response:
    path = operation.path.format(**rule.path(own))
    return await client.request(operation.method, path, content=content, headers=rule.headers | JSON | headers)


ENCODED = {
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16 with a mark": lambda text: text.encode("utf-16"),
    "UTF-16-LE": lambda text: text.encode("utf-16-le"),
    "UTF-16-BE": lambda text: text.encode("utf-16-be"),
    "UTF-32 with a mark": lambda text: text.encode("utf-32"),
    "UTF-32-LE": lambda text: text.encode("utf-32-le"),
    "UTF-32-BE": lambda text: text.encode("utf-32-be"),
    "UTF-7": lambda text: text.replace("{", "+AHs-", 1).encode(),
    "Latin-1": lambda text: text.replace("{", '{"ñ": 1, ', 1).encode("latin-1"),
    "a surrogate in UTF-8": lambda text: text.replace("{", '{"X": 1, ', 1).encode().replace(b"X", b"\xed\xa0\x80"),
    "overlong": lambda text: text.encode().replace(b"{", b"\xc1\xbb", 1),
    "two": lambda text: (text + text).encode(),
    "a mark at its end": lambda text: text.encode() + codecs.BOM_UTF8,
    "NUL at its end": lambda text: text.encode() + b"\0",
}


async def test_what_is_not_json_in_utf_8_is_malformed(app: FastAPI, sign_in: SignIn, own: Target) -> None:
    for encoding in ENCODED:
        client = await sign_in("superuser")
        for operation, rule, body in with_bodies(app, own):
            content = ENCODED[encoding](json.dumps(body))
            answer = await send(client, operation, rule, own, content, {})
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json"), (
                encoding,
                operation,
                answer.text,
            )


CHARSETS = [
    "utf-16",
    "UTF-16LE",
    "utf-32",
    "iso-8859-1",
    "latin1",
    "windows-1252",
    '"utf-16"',
    "utf-7",
    "",
    "x",
    "utf 8",
]


async def test_another_charset_than_utf_8_is_an_unsupported_media_type(
    app: FastAPI, sign_in: SignIn, own: Target
) -> None:
    for charset in CHARSETS:
        client = await sign_in("superuser")
        for operation, rule, body in with_bodies(app, own):
            parameter = {"POST": "; charset={}", "PUT": ";CHARSET={}", "PATCH": "; a=b ; charset = {}"}[
                operation.method
            ]
            content_type = {"Content-Type": "application/json" + parameter.format(charset)}
            answer = await send(client, operation, rule, own, json.dumps(body).encode(), content_type)
            assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (charset, operation)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
async def test_json_in_utf_8_may_say_so(client: httpx.AsyncClient, seed: Seed, charset: str) -> None:
    login = {"username": seed.sant.admin, "password": rows.PASSWORD, "client": "mobile"}
    for encoding in ({}, {"Content-Encoding": "identity"}, {"Content-Encoding": ""}):
        headers = {"Content-Type": f"application/json; charset={charset}"} | encoding
        answer = await client.post("/v1/auth/login", content=json.dumps(login), headers=headers)
        assert answer.status_code == 200, answer.text


TAKEN = [
    *("application/json", "APPLICATION/JSON", " application/json ", "application/json ; charset=utf-8"),
    *("application/json;", "application/json;;x", "application/merge-patch+json", "application/a.b+json"),
]
NOT_TAKEN = [
    *("", ";", "application", "json", "text/json", "text/plain", "application/jsonx", "application/json+"),
    *("application/json/x", "application/x/y+json", "application/ json", "application/x y+json"),
    *("application/json, text/plain", "text/plain, application/json", '"application/json"'),
    *("application/json; charset*=utf-8''utf-16", "application/json; charset*0=utf-16"),
    *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
]


async def test_a_content_type_is_json_to_all_who_read_it_or_to_none(client: httpx.AsyncClient, seed: Seed) -> None:
    for content_type in (*TAKEN, *NOT_TAKEN):
        login = json.dumps({"username": seed.sant.admin, "password": rows.PASSWORD, "client": "mobile"})
        answer = await client.post("/v1/auth/login", content=login, headers={"Content-Type": content_type})
        assert answer.status_code == (200 if content_type in TAKEN else 415), (content_type, answer.text)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "br": bytes,
    "zstd": bytes,
    "identity, gzip": gzip.compress,
    "gzip, gzip": lambda content: gzip.compress(gzip.compress(content)),
    "garbage": bytes,
}


@pytest.mark.parametrize("packing", PACKED)
async def test_a_packed_body_is_an_unsupported_media_type(
    app: FastAPI, sign_in: SignIn, own: Target, packing: str
) -> None:
    client = await sign_in("superuser")
    for operation, rule, body in with_bodies(app, own):
        content = PACKED[packing](json.dumps(body).encode())
        answer = await send(client, operation, rule, own, content, {"Content-Encoding": packing})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), (operation, answer.text)


async def test_a_packed_body_says_something_where_nothing_is_read_from_one(
    app: FastAPI, sign_in: SignIn, own: Target
) -> None:
    walked = 0
    for operation in operations(app):
        rule = RULES[operation.id]
        # Single sign-on is not there without its settings; tests/api/v1/auth/test_single_sign_on.py sends it bodies.
        if operation.method != "GET" and rule.body(own) is None and rule.file is None and rule.to_strangers != 404:
            client = await sign_in("superuser")
            answer = await send(client, operation, rule, own, gzip.compress(b"{}"), {"Content-Encoding": "gzip"})
            assert codes(answer) == [("body", "invalid")], operation
            walked += 1
    assert walked > 4


def doubled(name: str, value: Any, other: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}, {json.dumps(name)}: {json.dumps(other)}"


async def test_a_name_that_comes_twice_is_refused_by_every_route(app: FastAPI, sign_in: SignIn, own: Target) -> None:
    """Whichever of the two would count, another reader (a proxy that checks, a log) would take the other."""
    client = await sign_in("superuser")
    for operation, rule, body in with_bodies(app, own):
        for name, value in body.items():
            rest = "".join(f", {json.dumps(key)}: {json.dumps(each)}" for key, each in body.items() if key != name)
            for first, second in ((value, value), (value, None), (None, value)):
                content = "{" + doubled(name, first, second) + rest + "}"
                answer = await send(client, operation, rule, own, content.encode(), {})
                assert codes(answer) == [(name, "repeated")], (operation, answer.text)


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        ('{"patient": {"age": 1, "age": 2}}', ["patient.age"]),
        ('{"patient": {"age": 1, "\\u0061ge": 2}}', ["patient.age"]),
        ('{"x": [{"y": 1}, {"y": 1, "y": 2}]}', ["x.1.y"]),
        ('{"x": [[[{"y": {"z": 1, "z": 1}}]]]}', ["x.0.0.0.y.z"]),
        ('{"a": 1, "b": 1, "b": 2, "a": 2}', ["a", "b"]),
        ('{"a": {"b": 1, "b": 1}, "a": 2}', ["a"]),
        ('{"": 1, "": 2}', [""]),
        ('{"a": null, "a": NaN}', ["a"]),
        ('[{"a": 1, "a": 2}]', ["0.a"]),
        ("{" + ", ".join(['"a": 1'] * 1000) + "}", ["a"]),
    ],
)
async def test_a_name_that_comes_twice_is_told_by_its_path(
    sign_in: SignIn, seed: Seed, content: str, paths: list[str]
) -> None:
    client = await sign_in(seed.sant.clinical)
    for path in ("/v1/tickets", "/v1/fpa/preview"):
        answer = await client.post(path, content=content, headers=JSON)
        assert codes(answer) == [(path, "repeated") for path in paths]


async def test_a_name_that_is_no_text_is_refused_once_or_twice(sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.clinical)
    for name in ("\\ud800", "\\u0000", "\\udfff\\ud800"):
        for path, content in (
            ("/v1/fpa/preview", f'{{"{name}": 1, "{name}": 2}}'),
            ("/v1/auth/logout", f'{{"{name}": 1, "{name}": 2}}'),
            ("/v1/auth/logout", f'{{"{name}": 1}}'),
        ):
            answer = await client.post(path, content=content, headers=JSON)
            assert answer.status_code == 422, answer.text


async def test_thousands_of_names_that_come_twice_are_told_in_part(sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.clinical)
    content = "{" + ", ".join(f'"{number}": 1' for number in [*range(20_000), *range(20_000)]) + "}"
    answer = await client.post("/v1/tickets", content=content, headers=JSON)
    assert 1 <= len(codes(answer)) <= 20


async def test_a_name_in_another_object_comes_once(sign_in: SignIn, seed: Seed) -> None:
    client = await sign_in(seed.sant.clinical)
    body = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    answer = await client.post("/v1/fpa/preview", json=body | {"x": [{"surgery_id": 1}, {"surgery_id": 1}]})
    assert codes(answer) == [("x", "unknown_field")]
