"""Lists on several lines are one list; what is no list comes once (RFC 9110, 5.3)."""

import json
from itertools import product

import httpx
import pytest

from tests.conftest import BASE_URL, SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed

Lines = list[tuple[str, str]]
TICKET = "TH-SANT-2026-001"
PATH = f"/v1/tickets/{TICKET}"


@pytest.fixture
async def nurse(sign_in: SignIn, seed: Seed, connection: rows.Connection) -> httpx.AsyncClient:
    """Of a ticket whose revision is 2."""
    await seed.sant.ticket(connection, id=TICKET, number=1, revision=2)
    return await sign_in(seed.sant.clinical)


READ = {
    "alone": ['"2"'],
    "second of a list": ['"1", "2"'],
    "first of a list": ['"2", "1"'],
    "no blanks": ['"1","2","3"'],
    "blanks": ['  "1"  ,   "2"  '],
    "empty elements": [', ,"1",, "2",'],
    "tabs": ['"1",\t"2"'],
    "second line": ['"1"', '"2"'],
    "first line": ['"2"', '"1"'],
    "a line of two": ['"1"', '"3", "2"'],
    "beside a weak one": ['W/"1", "2"'],
    "beside another's": ['"abc", "x,y", "2"'],
}
UNREAD = {
    "another": ['"1"'],
    "others": ['"1", "3"'],
    "others on two lines": ['"1"', '"3"'],
    "weak": ['W/"2"'],
    "weak in a list": ['"1", W/"2"'],
    "weak on a line of its own": ['"1"', 'W/"2"'],
    "unquoted": ["2"],
    "half quoted": ['"2'],
    "zeros": ['"02"'],
    "signed": ['"+2"'],
    "with a blank": ['" 2"'],
    "other digits": ['"\u00b2"'],
    "garbage behind": ['"2" garbage'],
    "garbage before": ['garbage "2"'],
    "no comma": ['"1" "2"'],
    "huge": ['"99999999999999999999"'],
    "star in a list": ['"1", *'],
    "empty": [""],
}


def lines(name: str, values: list[str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for value in values]


async def test_one_of_the_revisions_read_is_the_current_one(
    nurse: httpx.AsyncClient, connection: rows.Connection
) -> None:
    for values in READ.values():
        await connection.execute("UPDATE ticket SET revision = 2, bed_number = NULL")
        answer = await nurse.patch(PATH, json={"bed_number": "12"}, headers=lines("If-Match", values))
        assert answer.status_code == 200, (values, answer.text)


async def test_none_of_the_revisions_read_is_the_current_one(nurse: httpx.AsyncClient) -> None:
    for values in UNREAD.values():
        answer = await nurse.patch(PATH, json={"bed_number": "12"}, headers=lines("If-Match", values))
        assert (answer.status_code, answer.json()["code"]) == (412, "revision_mismatch"), values
        assert answer.json()["current"]["revision"] == 2, values


NAMED: list[tuple[list[str], int]] = [
    (["{tag}"], 304),
    (['"x", {tag}'], 304),
    (['"x"', "{tag}"], 304),
    (["{tag}", '"x"'], 304),
    (['"x"', '"y", {strong}'], 304),
    (["*"], 304),
    (['"x"', '"y"'], 200),
    (['"x", *'], 200),
    ([], 200),
]


async def test_an_answer_that_one_of_the_lines_names_is_not_sent_again(nurse: httpx.AsyncClient) -> None:
    tag = (await nurse.get("/v1/doctors")).headers["etag"]
    for values, status in NAMED:
        sent = [value.format(tag=tag, strong=tag.removeprefix("W/")) for value in values]
        answer = await nurse.get("/v1/doctors", headers=lines("If-None-Match", sent))
        assert answer.status_code == status, values


ENCODINGS = [
    (["br", "gzip"], True),
    (["br, gzip"], True),
    (["br;q=1", "gzip;q=0.5"], True),
    (["gzip", "br"], True),
    (["identity", "*"], True),
    (["gzip;q=0", "*"], False),
    (["br", "identity"], False),
]


async def test_encodings_on_several_lines_are_all_accepted(
    nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection
) -> None:
    for number in range(60):  # small answers are not packed
        await rows.doctor(connection, seed.sant.id, name=f"Dra. {number} de Nombre Bastante Largo")
    await nurse.get("/v1/doctors")
    del nurse.headers["accept-encoding"]
    for values, packed in ENCODINGS:
        answer = await nurse.get("/v1/doctors", headers=lines("Accept-Encoding", values))
        assert (answer.headers.get("content-encoding") == "gzip") == packed, values


ONCE: dict[str, list[str]] = {
    "Authorization": ["{own}", "Bearer garbage"],
    "Content-Type": ["application/json", "text/plain"],
    "Idempotency-Key": ["one", "two"],
    "Origin": [BASE_URL, "https://evil.example"],
    "Sec-Fetch-Site": ["same-origin", "cross-site"],
}


async def test_what_is_no_list_and_comes_twice_is_refused(nurse: httpx.AsyncClient) -> None:
    own = nurse.headers.pop("authorization")
    others = {"Content-Type": "application/json", "Authorization": own}
    paths = ("/v1/fpa/preview", "/v1/auth/login", "/v1/tickets", "/v1/nowhere")
    for name, order, path in product(ONCE, (1, -1), paths):
        values = [value.format(own=own) for value in ONCE[name]][::order]
        for twice in (values, [values[0], values[0]]):
            besides = [(key, value) for key, value in others.items() if key != name]
            headers = besides + [(name, value) for value in twice]
            answer = await nurse.post(path, content=json.dumps({}), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request"), (headers, answer.text)
            assert name.lower() in answer.json()["detail"], (headers, path)


async def test_a_write_s_versions_are_read_from_all_lines(nurse: httpx.AsyncClient) -> None:
    made = await nurse.patch(PATH, json={"bed_number": "12"}, headers={"If-Match": '"2"'})
    sent = [("Cache-Version", "garbage"), ("Cache-Version", made.headers["cache-version"])]
    answer = await nurse.get("/v1/nursing-board", headers=sent)
    assert answer.json()["items"][0]["bed_number"] == "12"


async def test_two_request_ids_are_none(nurse: httpx.AsyncClient) -> None:
    answer = await nurse.get("/v1/auth/me", headers=[("X-Request-ID", "one"), ("X-Request-ID", "two")])
    assert answer.headers["x-request-id"] not in {"one", "two"}
