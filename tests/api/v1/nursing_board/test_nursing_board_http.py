"""GET /v1/nursing-board: who sees what, refusals, cursors, and pages while others work."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from core.runtime import Runtime
from tests.api.v1.nursing_board.conftest import PATH, Json, SignIn, get, ids, known, make, pages, refused
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine


async def test_a_board_as_the_contract_shows_it(
    viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    ticket = await make(connection, seed.sant)
    began = machine.now()
    answer = await viewer.get(PATH)
    board = answer.json()
    assert set(board) == {"items", "next", "total", "total_more", "now", "counts", "locations", "thresholds"}
    assert list(board["counts"]) == [
        *("active", "scheduled", "normal", "warning", "critical", "overdue", "forgotten", "ready"),
        *("discharged", "annulled", "without_episode", "all"),
    ]
    assert board["thresholds"] == {
        **{"clinic_id": seed.sant.id, "red_hours": 2, "yellow_hours": 4, "green_hours": 8, "inherited": True},
    }
    [shown] = board["items"]
    whole = (await viewer.get(f"/v1/tickets/{ticket}")).json()
    del whole["history"], whole["warnings"]
    assert shown.pop("seconds_left") == pytest.approx(whole.pop("seconds_left"), abs=machine.bound(2, began))
    assert shown == whole
    assert datetime.fromisoformat(board["now"]).utcoffset() in (timedelta(hours=-3), timedelta(hours=-4))


async def test_patient_data_is_stored_nowhere(
    viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed, app: FastAPI
) -> None:
    await make(connection, seed.sant)
    await viewer.get(PATH)
    runtime: Runtime = app.state.runtime
    held = len(runtime.cache.memory)
    runtime.versions.clock.shift(1.0)  # another second
    answer = await viewer.get(PATH)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cache-Status"] == "ticket-home; fwd=bypass"
    assert "ETag" not in answer.headers
    assert len(runtime.cache.memory) == held
    # A warm session asks the database nothing: the one query is the board.
    assert 'db;desc="1 query"' in answer.headers["Server-Timing"]
    again = await viewer.get(PATH, headers={"If-None-Match": "*"})
    assert again.status_code == 200


async def test_a_write_is_seen_by_the_next_read(
    viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed, app: FastAPI
) -> None:
    for number in range(5):
        await make(connection, seed.sant)
        await known(app, connection)
        assert (await get(viewer))["counts"]["all"] == number + 1


async def test_what_is_refused(viewer: httpx.AsyncClient) -> None:
    cases: list[tuple[Json, list[tuple[str, str]]]] = [
        ({"limit": 501}, [("limit", "less_than_equal")]),
        ({"limit": 0}, [("limit", "greater_than_equal")]),
        ({"limit": "many"}, [("limit", "int_parsing")]),
        ({"view": "everything"}, [("view", "enum")]),
        ({"urgency": "discharged"}, [("urgency", "literal_error")]),
        ({"sort": "patient"}, [("sort", "literal_error")]),
        ({"sort": "--urgency"}, [("sort", "literal_error")]),
        ({"page": 2}, [("page", "unknown_field")]),
        ({"q": "a\x00b"}, [("q", "invalid")]),
        ({"q": "a" * 201}, [("q", "too_long")]),
        ({"date_from": "2026-02-30"}, [("date_from", "date_from_datetime_parsing")]),
        ({"date_from": "1234567890"}, [("date_from", "invalid")]),
        ({"date_to": "9999-12-31"}, [("date_to", "out_of_range")]),
        ({"date_from": "2026-02-02", "date_to": "2026-02-01"}, [("date_to", "before_date_from")]),
        ({"fpa_from": "2026-02-02", "fpa_to": "2026-02-01"}, [("fpa_to", "before_fpa_from")]),
        ({"surgery_from": "2026-02-02", "surgery_to": "2026-02-01"}, [("surgery_to", "before_surgery_from")]),
        ({"surgery_id": 2**31}, [("surgery_id", "invalid")]),
        ({"location": ""}, [("location", "too_short")]),
        ({"cursor": "x"}, [("cursor", "invalid")]),
        ({"cursor": ""}, [("cursor", "invalid")]),
    ]
    for parameters, errors in cases:
        status, found = refused(await viewer.get(PATH, params=parameters))
        assert status == 422, parameters
        assert [path for path, _ in found] == [path for path, _ in errors]
        if "parsing" not in errors[0][1]:
            assert found == errors


async def test_the_limits_edges_are_taken(viewer: httpx.AsyncClient) -> None:
    for limit in (1, 500):
        assert (await get(viewer, limit=limit))["items"] == []


async def test_a_foreign_clinic_or_surgery_does_not_exist(
    viewer: httpx.AsyncClient, sign_in: SignIn, seed: Seed
) -> None:
    superuser = await sign_in(seed.superuser)
    cases: list[tuple[httpx.AsyncClient, Json]] = [
        (viewer, {"clinic_id": seed.maga.id}),
        (viewer, {"clinic_id": 999_999}),
        (viewer, {"surgery_id": seed.maga.surgery_id}),
        (viewer, {"surgery_id": 999_999}),
        (viewer, {"doctor_id": seed.maga.doctor_id}),
        (viewer, {"specialty_id": seed.maga.specialty_id, "limit": 999}),
        # Before any 422, and the same for foreign and unknown.
        (viewer, {"surgery_id": seed.maga.surgery_id, "limit": 999}),
        (viewer, {"surgery_id": 999_999, "date_from": "2026-02-02", "date_to": "2026-02-01"}),
        (viewer, {"clinic_id": seed.maga.id, "cursor": "x"}),
        (superuser, {"clinic_id": 999_999}),
        (superuser, {"clinic_id": seed.sant.id, "surgery_id": seed.maga.surgery_id}),
    ]
    for client, parameters in cases:
        answer = await client.get(PATH, params=parameters)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), parameters


async def test_everyone_signed_in_reads_their_clinic_and_a_superuser_the_network(
    client: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    sant, maga = await make(connection, seed.sant), await make(connection, seed.maga)
    assert (await client.get(PATH)).status_code == 401
    for username in (seed.sant.viewer, seed.sant.clinical, seed.sant.admin):
        user = await sign_in(username)
        assert ids(await get(user)) == ids(await get(user, clinic_id=seed.sant.id)) == [sant]
    superuser = await sign_in(seed.superuser)
    network = await get(superuser)
    assert set(ids(network)) == {sant, maga}
    assert network["thresholds"]["clinic_id"] is None
    assert ids(await get(superuser, clinic_id=seed.maga.id)) == [maga]


async def test_a_cursor_pins_now(
    viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed, app: FastAPI
) -> None:
    first = await make(connection, seed.sant, hours=0.5)
    about_to_be_overdue = await make(connection, seed.sant, hours=2)
    for ahead in (0.3, 3.0, 30.0):  # where the machine is busy, the first page may come after the moment
        # One microsecond more than the red threshold away, seen from the first page.
        soon = datetime.now(UTC) + timedelta(seconds=ahead)
        due = soon + timedelta(hours=2)
        await connection.execute("UPDATE ticket SET current_fpa = $1 WHERE id = $2", due, about_to_be_overdue)
        await known(app, connection)
        page = await get(viewer, limit=1)
        if page["counts"]["warning"]:
            break
    assert ids(page) == [first]
    assert page["counts"]["warning"] == 1
    # The moment passes, by the database's clock, and its second.
    await asyncio.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()) + 1.1)
    assert (await get(viewer))["counts"] | {} != page["counts"]
    second = await get(viewer, limit=1, cursor=page["next"])
    assert (second["now"], second["counts"]) == (page["now"], page["counts"])
    assert ids(second) == [about_to_be_overdue]
    assert second["items"][0]["state"] == "warning"


async def test_a_cursor_is_good_for_its_own_question_only(
    viewer: httpx.AsyncClient, sign_in: SignIn, connection: rows.Connection, seed: Seed
) -> None:
    for clinic in (seed.sant, seed.maga):
        for _ in range(3):
            await make(connection, clinic)
    cursor = (await get(viewer, limit=1))["next"]
    # Another number of tickets on the page is the same question.
    assert len(ids(await get(viewer, limit=2, cursor=cursor))) == 2
    admin, stranger = await sign_in(seed.sant.admin), await sign_in(seed.maga.viewer)
    assert len(ids(await get(admin, limit=2, cursor=cursor))) == 2
    for client, parameters in (
        (viewer, {"view": "all"}),
        (viewer, {"sort": "created_at"}),
        (viewer, {"q": "ana"}),
        (viewer, {"urgency": "normal"}),
        (viewer, {"date_from": "2026-01-01"}),
        (viewer, {"surgery_id": seed.sant.surgery_id}),
        (viewer, {"doctor_id": seed.sant.doctor_id}),
        (viewer, {"location": "Piso 3"}),
        (stranger, {}),
        (await sign_in(seed.superuser), {}),
    ):
        answer = await client.get(PATH, params={"cursor": cursor} | parameters)
        assert refused(answer) == (422, [("cursor", "other_parameters")])
    of_list = (await viewer.get("/v1/tickets", params={"limit": 1})).json()["next"]
    assert refused(await viewer.get(PATH, params={"cursor": of_list})) == (422, [("cursor", "other_parameters")])


async def test_a_changed_cursor_is_refused(viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed) -> None:
    for _ in range(2):
        await make(connection, seed.sant)
    cursor = (await get(viewer, limit=1))["next"]
    middle = len(cursor) // 3
    changed = "A" if cursor[middle] != "A" else "B"
    for other in (
        cursor[:middle] + changed + cursor[middle + 1 :],
        cursor[:-2],
        cursor.rpartition(".")[0],
        cursor + cursor,
        cursor.lower(),
        "ñ" + cursor,
        "." * 200,
    ):
        assert refused(await viewer.get(PATH, params={"cursor": other})) == (422, [("cursor", "invalid")])


@pytest.mark.parametrize("sort", ["urgency", "-created_at", "current_fpa"])
async def test_pages_neither_skip_nor_repeat_while_others_create_and_change(
    viewer: httpx.AsyncClient, connection: rows.Connection, database_url: str, seed: Seed, sort: str
) -> None:
    untouched = {await make(connection, seed.sant, hours=1 + n % 30) for n in range(60)}
    touched = [await make(connection, seed.sant, hours=1 + n % 30) for n in range(20)]
    stop = asyncio.Event()

    async def others() -> int:
        """Make tickets before, between and after those that are shown, and move and end existing ones."""
        done = 0
        beside = await asyncpg.connect(database_url)
        try:
            while not stop.is_set():
                await make(beside, seed.sant, hours=1 + done * 7 % 30)
                await beside.execute(
                    "UPDATE ticket SET current_fpa = initial_fpa + $2 * interval '1 hour' WHERE id = $1",
                    *(touched[done % 20], done % 11 - 5),
                )
                await beside.execute(
                    "UPDATE ticket SET status = 'annulled', annulled_at = now() WHERE id = $1", touched[-1 - done % 20]
                )
                done += 1
        finally:
            await beside.close()
        return done

    working = asyncio.create_task(others())
    try:
        for _ in range(3):
            seen: list[str] = []
            async for page in pages(viewer, sort=sort, limit=5):
                seen += ids(page)
            kept = [ticket for ticket in seen if ticket in untouched]
            assert sorted(kept) == sorted(untouched)
            made = [ticket for ticket in seen if ticket not in untouched and ticket not in touched]
            assert len(made) == len(set(made))
    finally:
        stop.set()
    assert await working > 5


async def test_thresholds_that_change_are_used_at_once(
    viewer: httpx.AsyncClient, connection: rows.Connection, seed: Seed, app: FastAPI
) -> None:
    await make(connection, seed.sant, hours=20)
    assert (await get(viewer))["items"][0]["state"] == "normal"
    await connection.execute(
        "INSERT INTO urgency_threshold (clinic_id, red_hours, yellow_hours, green_hours) VALUES ($1, 30, 40, 50)",
        seed.sant.id,
    )
    await known(app, connection)
    board = await get(viewer)
    assert (board["items"][0]["state"], board["thresholds"]["red_hours"]) == ("critical", 30)
    assert not board["thresholds"]["inherited"]
