"""`Idempotency-Key`: what one is, whose it is, how long it holds, and what is kept under it."""

import httpx
import pytest

from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, refusal
from tests.support.days import lately

PATH = "/v1/tickets"
EVA = {"document_type": "passport", "document": "X1234567", "first_name": "Eva", "last_name": "Soto"}
OTHER = EVA | {"document": "X7654321"}


def body(seed: Seed, **more: object) -> dict[str, object]:
    return {"patient": EVA, "surgery_id": seed.sant.surgery_id, "surgery_at": lately(), **more}


def key(text: str | bytes = "a-key") -> dict[bytes, bytes]:
    return {b"Idempotency-Key": text if isinstance(text, bytes) else text.encode()}


@pytest.fixture
async def nurse(sign_in: SignIn, seed: Seed) -> httpx.AsyncClient:
    return await sign_in(seed.sant.clinical)


async def tickets(connection: rows.Connection) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM ticket")
    return found


async def test_another_body_is_a_mismatch(nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection) -> None:
    assert (await nurse.post(PATH, json=body(seed), headers=key())).status_code == 201
    other = await nurse.post(PATH, json=body(seed, bed_number="7"), headers=key())
    assert refusal(other) == (409, "idempotency_mismatch")
    assert await tickets(connection) == 1
    assert (await nurse.post(PATH, json=body(seed), headers=key())).headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    "text", ["", "k" * 256, "a b", "a\tb", "clé".encode(), b"\xff"],
    ids=["empty", "long", "space", "tab", "utf-8", "latin-1"],
)  # fmt: skip
async def test_a_malformed_key_is_refused(
    nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection, text: str | bytes
) -> None:
    answer = await nurse.post(PATH, json=body(seed), headers=key(text))
    assert codes(answer) == [("Idempotency-Key", "invalid")]
    assert await tickets(connection) == 0


@pytest.mark.parametrize("text", ["k", "k" * 255, "!~"])
async def test_the_edges_of_what_a_key_may_be(nurse: httpx.AsyncClient, seed: Seed, text: str) -> None:
    for _ in range(2):
        assert (await nurse.post(PATH, json=body(seed), headers=key(text))).status_code == 201


async def test_another_users_and_another_paths_key_is_another_one(
    nurse: httpx.AsyncClient, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    admin = await sign_in(seed.sant.admin)
    for client, more in ((nurse, {}), (admin, {"patient": OTHER})):
        answer = await client.post(PATH, json=body(seed, **more), headers=key())
        assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (201, None)
    assert await tickets(connection) == 2
    preview = {"surgery_id": seed.sant.surgery_id, "surgery_at": lately()}
    assert (await nurse.post("/v1/fpa/preview", json=preview, headers=key())).status_code == 200


async def test_an_expired_key_writes_anew(nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection) -> None:
    first = await nurse.post(PATH, json=body(seed), headers=key())
    kept = "SELECT expires_at - now() BETWEEN interval '23:59' AND interval '24:00' FROM idempotency_key"
    assert await connection.fetchval(kept) is True
    await connection.execute(
        "UPDATE idempotency_key SET created_at = created_at - interval '1 day', expires_at = now()"
    )
    await connection.execute("UPDATE ticket SET status = 'discharged', discharged_at = now()")
    again = await nurse.post(PATH, json=body(seed), headers=key())
    assert (again.status_code, again.headers.get("idempotency-replayed")) == (201, None)
    assert again.json()["id"] != first.json()["id"]
    replayed = await nurse.post(PATH, json=body(seed), headers=key())
    assert replayed.json()["id"] == again.json()["id"]


async def test_a_refused_answer_is_not_kept(nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute("UPDATE surgery SET is_active = false WHERE id = $1", seed.sant.surgery_id)
    assert codes(await nurse.post(PATH, json=body(seed), headers=key())) == [("surgery_id", "inactive")]
    assert await connection.fetchval("SELECT count(*) FROM idempotency_key") == 0
    await connection.execute("UPDATE surgery SET is_active = true WHERE id = $1", seed.sant.surgery_id)
    assert (await nurse.post(PATH, json=body(seed), headers=key())).status_code == 201


async def test_a_repetition_is_answered_where_the_body_would_be_refused_by_now(
    nurse: httpx.AsyncClient, seed: Seed, connection: rows.Connection
) -> None:
    first = await nurse.post(PATH, json=body(seed), headers=key())
    await connection.execute("UPDATE surgery SET is_active = false WHERE id = $1", seed.sant.surgery_id)
    assert (await nurse.post(PATH, json=body(seed), headers=key())).content == first.content
