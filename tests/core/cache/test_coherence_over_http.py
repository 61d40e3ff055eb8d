"""The dashboard of the running application after every kind of write: at once, on any process, without a sleep."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core.settings import Settings
from tests.conftest import SignIn, running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]

Change = Callable[[rows.Connection, Seed], Awaitable[object]]
Kpis = dict[str, Any]


async def kpis(client: httpx.AsyncClient, **headers: str) -> Kpis:
    answer = await client.get("/v1/dashboard", headers=headers)
    assert answer.status_code == 200, answer.text
    found: Kpis = answer.json()["kpis"] | {"modifications": answer.json()["modifications"]["total"]}
    return found


async def outcome(client: httpx.AsyncClient) -> str:
    return (await client.get("/v1/dashboard")).headers["cache-status"].split("; ")[1]


async def post(client: httpx.AsyncClient, path: str, body: object, etag: str = "") -> httpx.Response:
    answer = await client.post(path, json=body, headers={"If-Match": etag} if etag else {})
    assert answer.status_code in (200, 201), answer.text
    return answer


def new_ticket(seed: Seed, document: str) -> dict[str, Any]:
    return {
        "patient": {
            "document_type": "passport",
            "document": document,
            "first_name": "Ana",
            "last_name": "Rojas",
            "age": 40,
            "sex": "F",
        },
        "surgery_id": seed.sant.surgery_id,
        "surgery_at": (datetime.now(UTC) - timedelta(hours=2)).isoformat(timespec="minutes"),
    }


@pytest.fixture
def push() -> bool:
    return True


@pytest.fixture
def settings(settings: Settings, push: bool) -> Settings:
    return settings.model_copy(update={"cache_push": push})


# Without push nothing but the writer's own reading of its versions can make the very next read right.
@pytest.mark.parametrize("push", [True, False])
async def test_every_write_that_moves_a_figure_is_in_the_next_read(sign_in: SignIn, seed: Seed) -> None:
    nurse, admin, superuser = [await sign_in(name) for name in (seed.sant.clinical, seed.sant.admin, seed.superuser)]

    async def figures(**expected: int) -> None:
        """The clinic's and the network's, which are the same here; then a hit each."""
        for reader in (admin, superuser):
            found = await kpis(reader)
            assert {name: found[name] for name in expected} == expected
            assert await outcome(reader) == "hit"

    await figures(total=0)
    created = await post(nurse, "/v1/tickets", new_ticket(seed, "P1"))
    await figures(total=1, active=1, annulled=0, created_today=1)
    path, ticket = f"/v1/tickets/{created.json()['id']}", created.json()
    later = datetime.fromisoformat(ticket["current_fpa"]) + timedelta(days=2)
    change = {"date": later.date().isoformat(), "block_end_hour": 14, "reason_id": seed.sant.modification_reason_id}
    modified = await post(nurse, f"{path}/fpa-modifications", change, created.headers["etag"])
    await figures(total=1, active=1, modifications=1)
    discharged = await post(nurse, f"{path}/discharge", {"discharged_at": None}, modified.headers["etag"])
    await figures(total=1, active=0, discharged=1, discharged_today=1)
    reopened = await admin.delete(f"{path}/discharge", headers={"If-Match": discharged.headers["etag"]})
    assert reopened.status_code == 200, reopened.text
    await figures(active=1, discharged=0)
    reason = {"reason_id": seed.sant.annulment_reason_id}
    annulled = await post(nurse, f"{path}/annulment", reason, reopened.headers["etag"])
    await figures(active=0, annulled=1, total=1)
    await post(admin, f"{path}/restoration", {}, annulled.headers["etag"])
    await figures(active=1, annulled=0, total=1)


async def test_a_changed_bed_keeps_the_entry_and_another_clinics_write_too(sign_in: SignIn, seed: Seed) -> None:
    nurse, admin = await sign_in(seed.sant.clinical), await sign_in(seed.sant.admin)
    other = await sign_in(seed.maga.admin)
    created = await post(nurse, "/v1/tickets", new_ticket(seed, "P1"))
    for reader in (admin, other):
        await kpis(reader)
    moved = await nurse.patch(
        f"/v1/tickets/{created.json()['id']}", json={"bed_number": "12"}, headers={"If-Match": created.headers["etag"]}
    )
    assert moved.status_code == 200
    assert "cache-version" in moved.headers
    assert await outcome(admin) == "hit"
    await post(nurse, "/v1/tickets", new_ticket(seed, "P2"))
    assert await outcome(other) == "hit"
    assert await outcome(admin) == "fwd=miss"


async def test_a_write_is_read_on_another_process_at_once_with_its_cache_version(
    app: FastAPI, settings: Settings, sign_in: SignIn, seed: Seed
) -> None:
    """Without push, so that nothing but the header can have told it."""
    nurse = await sign_in(seed.sant.clinical)
    async with running(settings.model_copy(update={"cache_push": False})) as (deaf, _):
        there = await sign_in(seed.sant.admin, on=deaf)
        for total in range(1, 6):
            await kpis(there)
            created = await post(nurse, "/v1/tickets", new_ticket(seed, f"P{total}"))
            found = await kpis(there, **{"Cache-Version": created.headers["cache-version"]})
            assert found["total"] == total
            assert await outcome(there) == "hit"


async def by_psql(connection: rows.Connection, seed: Seed) -> None:
    await seed.sant.ticket(connection)


async def by_copy(connection: rows.Connection, seed: Seed) -> None:
    columns = [row["column_name"] for row in await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'ticket' AND is_generated = 'NEVER'"
    )]  # fmt: skip
    row = await connection.fetchrow(f"SELECT {', '.join(columns)} FROM ticket LIMIT 1")
    assert row is not None
    copies = [tuple({**dict(row), "id": f"TH-COPY-{number}", "number": 9000 + number}.values()) for number in range(50)]
    await connection.copy_records_to_table("ticket", columns=columns, records=copies)


async def by_truncate(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute("TRUNCATE ticket CASCADE")


async def by_cascade(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute("DELETE FROM ticket")


async def by_moving_it(connection: rows.Connection, seed: Seed) -> None:
    await connection.execute(
        "UPDATE ticket SET clinic_id = $1, patient_id = $2, surgery_id = $3",
        seed.maga.id, seed.maga.patient_id, seed.maga.surgery_id,
    )  # fmt: skip


async def around_a_rolled_back_savepoint(connection: rows.Connection, seed: Seed) -> None:
    async with connection.transaction():
        savepoint = connection.transaction()
        await savepoint.start()
        await by_truncate(connection, seed)
        await savepoint.rollback()
        await by_psql(connection, seed)


@pytest.mark.parametrize(
    "change",
    [by_psql, by_copy, by_truncate, by_cascade, by_moving_it, around_a_rolled_back_savepoint],
    ids=lambda change: change.__name__.replace("_", " "),
)
async def test_a_write_beside_the_application_is_on_the_dashboard_within_two_seconds(
    sign_in: SignIn, connection: rows.Connection, seed: Seed, change: Change
) -> None:
    admin, superuser = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket)
    await until(admin, total=1, modifications=1)
    await until(superuser, total=1, modifications=1)
    await change(connection, seed)
    for reader, where, arguments in ((admin, " WHERE clinic_id = $1", [seed.sant.id]), (superuser, "", [])):
        total = await connection.fetchval(f"SELECT count(*) FROM ticket{where}", *arguments)
        modifications = await connection.fetchval(f"SELECT count(*) FROM fpa_modification{where}", *arguments)
        await until(reader, total=total, modifications=modifications)


async def until(client: httpx.AsyncClient, **expected: int) -> None:

    async def are_shown() -> bool:
        return expected.items() <= (await kpis(client)).items()

    await machine.until(are_shown, within=2.0)
