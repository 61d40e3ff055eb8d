"""The contract is an artifact under review: complete, and changed only on purpose."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from api.app import create_app
from api.openapi import MAKE_NO_VERSION, text

SNAPSHOT = Path(__file__).parent / "openapi.json"
OPERATIONS = frozenset({"livez", "readyz", "metrics", "streamsProbe"})
UNSIGNED = frozenset({"authLogin", "authMethods", "authDisplay"})
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    paths = create_app().openapi()["paths"]
    return [(path, method, found) for path, item in paths.items() for method, found in item.items()]


def test_the_snapshot_is_current() -> None:
    """`make openapi` writes it; look at the difference before you commit it."""
    assert SNAPSHOT.read_text() == text(create_app().openapi())


def test_every_operation_is_described() -> None:
    ids = []
    for path, method, operation in operations():
        where = f"{method} {path}"
        assert method in METHODS
        assert operation.get("summary"), where
        assert len(operation.get("tags", [])) == 1, where
        ids.append(operation["operationId"])
        assert "_" not in operation["operationId"], f"{where}: a generated operation id"
    assert len(ids) == len(set(ids))


def test_every_operation_of_the_api_names_its_refusals() -> None:
    for path, method, operation in operations():
        if operation["operationId"] in OPERATIONS:
            continue
        where = f"{method} {path}"
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}, where
        refused = set(operation["responses"])
        assert {"422", "503"} <= refused, where
        if operation["operationId"] not in UNSIGNED:
            assert {"401", "403"} <= refused, where
            assert operation["security"], where


def test_every_body_has_an_example() -> None:
    document = create_app().openapi()
    for path, method, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        for media in content.values():
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            schema = document["components"]["schemas"].get(name, {})
            assert media.get("example") or media.get("examples") or schema.get("examples"), f"{method} {path}"


def shows(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether the contract has an example of a schema: of the whole, or of each of its parts."""
    if any(word in schema for word in ("example", "examples", "const", "enum")):
        return True
    if "$ref" in schema:
        return shows(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return all(shows(one, schemas) for one in schema["anyOf"] if one != {"type": "null"})
    if schema.get("type") == "array":
        return shows(schema["items"], schemas)
    parts = schema.get("properties", {}).values()
    return bool(parts) and all(shows(part, schemas) for part in parts)


def test_every_answer_has_an_example() -> None:
    schemas = create_app().openapi()["components"]["schemas"]
    for path, method, operation in operations():
        for status, answer in operation["responses"].items():
            for kind, media in answer.get("content", {}).items():
                if kind == "application/json" and operation["operationId"] not in OPERATIONS:
                    assert "example" in media or shows(media["schema"], schemas), f"{method} {path} {status}"


def test_the_document_is_json_that_anybody_reads() -> None:
    assert json.loads(text(create_app().openapi())) == create_app().openapi()


def test_every_example_is_what_its_schema_says() -> None:
    document = create_app().openapi()
    resolver = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"]}
    shown = [
        (f"{method} {path} {status}", media["schema"], media["example"])
        for path, method, operation in operations()
        for status, answer in operation["responses"].items()
        for media in answer.get("content", {}).values()
        if "example" in media and "schema" in media
    ]
    shown += [
        (name, {"$ref": f"#/components/schemas/{name}"}, example)
        for name, schema in document["components"]["schemas"].items()
        for example in schema.get("examples", [])
    ]
    assert len(shown) > 100
    for where, schema, example in shown:
        errors = list(Draft202012Validator(resolver | schema).iter_errors(example))
        assert not errors, f"{where}: {errors[0].message}"


def test_what_may_get_more_words_is_any_word_to_clients() -> None:
    """A client that was generated from this contract takes a category or a warning that it does not know."""
    schemas = create_app().openapi()["components"]["schemas"]
    for name, field in (("ReasonItem", "category"), ("WarningView", "code")):
        described = schemas[name]["properties"][field]
        assert (described["type"], "enum" in described) == ("string", False), name


def test_what_headers_tell_is_described() -> None:
    document = create_app().openapi()
    for path, method, operation in operations():
        where = f"{method} {path}"
        assert ("requestBody" in operation) == ("415" in operation["responses"]), where
        for status, answer in operation["responses"].items():
            named = set(answer["headers"])
            assert "X-Request-ID" in named, where
            assert ("Retry-After" in named) == (status in ("429", "503")), where
            writes = method != "get" and status.startswith("2") and operation["operationId"] not in MAKE_NO_VERSION
            assert ("Cache-Version" in named) == writes, where
            keyed = any(one.get("name") == "Idempotency-Key" for one in operation.get("parameters", ()))
            assert ("Idempotency-Replayed" in named) == (keyed and status.startswith("2")), where
            for name, described in answer["headers"].items():
                assert described.get("description") or described == {"$ref": f"#/components/headers/{name}"}, where
    assert all(header["description"] for header in document["components"]["headers"].values())
