"""Who is here already, another ticket's episode, a taken bed: told before anything is written, or beside it."""

import asyncio
from typing import Any

import pytest

from tests.factories import rows
from tests.support.answers import codes, refusal

PEDRO: dict[str, Any] = {"document_type": "passport", "document": "X123456", "first_name": "Pedro", "last_name": "Soto"}
EPISODE = {"episode_id": "Ñ-204 517"}
SPELLINGS = ("ñ-204 517", "n-204  517 ", "Ñ‐204 517")


async def asked(ward: Any, **changes: Any) -> Any:
    """A POST that nobody answers for."""
    return await ward.client.post("/v1/tickets", json=ward.new(**changes))


async def tickets(connection: rows.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM ticket"))


# --- already_admitted


async def test_a_patient_who_is_here_is_not_admitted_again_unseen(nurse: Any, connection: rows.Connection) -> None:
    here = await nurse.create()
    answer = await asked(nurse)
    assert refusal(answer) == (409, "already_admitted")
    assert (answer.json()["ticket_id"], answer.headers["Cache-Control"]) == (here["id"], "no-store")
    assert await tickets(connection) == 1
    # Nothing of the patient's file was written either.
    answer = await asked(nurse, patient=nurse.new()["patient"] | {"age": 41})
    assert (refusal(answer)[1], (await nurse.get(here["id"]))["patient"]["age"]) == ("already_admitted", None)
    second = await asked(nurse, second_stay=here["id"])
    assert (second.status_code, second.json()["patient"]["id"]) == (201, here["patient"]["id"])


async def test_of_two_nurses_who_enter_one_patient_at_once_the_second_is_told(nurse: Any, admin: Any) -> None:
    for patient in (PEDRO, PEDRO | {"document": "X654321"}):
        answers = await asyncio.gather(*(asked(ward, patient=patient) for ward in (nurse, admin, nurse)))
        made = [answer for answer in answers if answer.status_code == 201]
        told = [answer.json() for answer in answers if answer.status_code == 409]
        assert len(made) == 1
        assert [(one["code"], one["ticket_id"]) for one in told] == [("already_admitted", made[0].json()["id"])] * 2


async def test_what_was_seen_is_the_newest_ticket_and_another_answer_is_asked_again(nurse: Any) -> None:
    first = await nurse.create()
    second = (await asked(nurse, second_stay=first["id"])).json()
    for seen in (first["id"], "TH-SANT-2020-001"):
        answer = await asked(nurse, second_stay=seen)
        assert (refusal(answer)[1], answer.json()["ticket_id"]) == ("already_admitted", second["id"])
    assert refusal(await asked(nurse, second_stay="nonsense")) == (422, "invalid")
    assert (await asked(nurse, second_stay=second["id"])).status_code == 201


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_whoever_left_is_admitted_again_without_a_question(nurse: Any, end: str) -> None:
    await getattr(nurse, end)(await nurse.create())
    assert (await asked(nurse)).status_code == 201


async def test_newborns_and_other_clinics_patients_are_nobody_who_is_here(nurse: Any, foreign_admin: Any) -> None:
    newborn = PEDRO | {"document_type": "other", "document": "RN"}
    assert [(await asked(nurse, patient=newborn)).status_code for _ in range(2)] == [201, 201]
    await nurse.create(patient=PEDRO)
    assert (await asked(foreign_admin, patient=PEDRO)).status_code == 201


async def test_who_it_is_is_asked_before_whether_they_are_here(nurse: Any) -> None:
    here = await nurse.create(patient=PEDRO, **EPISODE)
    juana = PEDRO | {"first_name": "Juana", "last_name": "Lara"}
    mismatch = await asked(nurse, patient=juana, **EPISODE)
    assert refusal(mismatch) == (409, "patient_mismatch")
    shown = mismatch.json()["patient"]
    juana |= {"same_person": {"id": shown["id"], "revision": shown["revision"]}}
    assert refusal(await asked(nurse, patient=juana, **EPISODE)) == (409, "already_admitted")
    assert refusal(await asked(nurse, patient=juana, second_stay=here["id"], **EPISODE)) == (409, "episode_taken")
    assert (await asked(nurse, patient=juana, second_stay=here["id"])).status_code == 201


@pytest.mark.parametrize(
    ("end", "method", "verb"), [("annul", "POST", "restoration"), ("discharge", "DELETE", "discharge")]
)
async def test_a_ticket_becomes_active_again_only_as_a_stay_that_was_seen(
    admin: Any, end: str, method: str, verb: str
) -> None:
    ended = await getattr(admin, end)(await admin.create())
    here = await admin.create()
    answer = await admin.send(method, ended, verb)
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "already_admitted"), here["id"])
    seen = {"second_stay": here["id"]}
    if method == "POST":
        answer = await admin.send(method, ended, verb, seen)
    else:
        headers = {"If-Match": f'"{ended["revision"]}"'}
        answer = await admin.client.delete(f"/v1/tickets/{ended['id']}/{verb}", params=seen, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (200, "active")


async def test_an_imported_ticket_that_gets_its_patient_asks_likewise(admin: Any, connection: rows.Connection) -> None:
    imported = await admin.create(patient=PEDRO)
    await connection.execute("UPDATE ticket SET imported = true, patient_id = NULL WHERE id = $1", imported["id"])
    here = await admin.create()
    body = {"patient": admin.new()["patient"], "surgery_id": imported["surgery"]["id"]}
    answer = await admin.send("PUT", imported, body=body)
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "already_admitted"), here["id"])
    after = await admin.done("PUT", imported, body=body | {"second_stay": here["id"]})
    assert after["patient"] == here["patient"]

    patched = await admin.create(patient=PEDRO)
    await connection.execute("UPDATE ticket SET imported = true, patient_id = NULL WHERE id = $1", patched["id"])
    for field in ({"age": 40}, {"document": "X9"}):
        answer = await admin.send("PATCH", patched, body={"patient": field})
        assert codes(answer)[-1] == ("patient.document" if "age" in field else "patient.document_type", "required")
    nameless = {"document_type": "passport", "document": "X9"}
    assert (
        codes(await admin.client.patch(f"/v1/tickets/{patched['id']}", json={"patient": nameless}))[0][1] == "required"
    )
    hers = {name: admin.new()["patient"][name] for name in ("document_type", "document")}
    answer = await admin.send("PATCH", patched, body={"patient": hers})
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "already_admitted"), here["id"])
    after = await admin.done("PATCH", patched, body={"patient": hers, "second_stay": here["id"]})
    assert after["patient"] == here["patient"]


async def test_of_all_the_ways_to_be_admitted_at_once_one_succeeds_and_the_others_are_told(
    nurse: Any, admin: Any, superuser: Any, connection: rows.Connection, deadlocks: list[str]
) -> None:
    """Each locks the patient first: created, restored, undone, reassigned, an imported ticket's."""
    ana = nurse.new()["patient"]
    annulled = await admin.annul(await admin.create())
    left = await admin.discharge(await admin.create("overdue"))
    others = [await admin.create(patient=PEDRO | {"document": f"X10000{n}"}) for n in range(3)]
    imported = [one["id"] for one in others[1:]]
    await connection.execute("UPDATE ticket SET imported = true, patient_id = NULL WHERE id = ANY($1)", imported)
    put = {"patient": ana, "surgery_id": left["surgery"]["id"]}
    document = {name: ana[name] for name in ("document_type", "document")}
    answers = await asyncio.gather(
        asked(nurse),
        superuser.client.post("/v1/tickets", json=nurse.new(clinic_id=nurse.clinic.id)),
        admin.send("POST", annulled, "restoration"),
        admin.send("DELETE", left, "discharge"),
        superuser.send("POST", others[0], "reassignment", {"patient": ana}),
        admin.send("PUT", others[1], body=put),
        nurse.send("PATCH", others[2], body={"patient": document}),
    )
    done = [answer.json() for answer in answers if answer.is_success]
    told = [answer.json() for answer in answers if not answer.is_success]
    assert len(done) == 1, told
    assert [(one["code"], one["ticket_id"]) for one in told] == [("already_admitted", done[0]["id"])] * 6
    assert deadlocks == []


async def test_of_several_who_become_active_with_one_episode_at_once_one_succeeds(
    admin: Any, superuser: Any, nurse: Any, deadlocks: list[str]
) -> None:
    annulled = await admin.annul(await admin.create(**EPISODE))
    left = await admin.discharge(await admin.create("overdue", patient=PEDRO, **EPISODE))
    here = await admin.create(patient=PEDRO | {"document": "X222222"})
    answers = await asyncio.gather(
        superuser.send("POST", annulled, "restoration"),
        admin.send("DELETE", left, "discharge"),
        nurse.send("PATCH", here, body=EPISODE | {"patient": {"age": 40}}),
        asked(nurse, patient=PEDRO | {"document": "X333333"}, **EPISODE),
    )
    done = [answer.json() for answer in answers if answer.is_success]
    told = [answer.json() for answer in answers if not answer.is_success]
    assert len(done) == 1, told
    assert [(one["code"], one["ticket_id"]) for one in told] == [("episode_taken", done[0]["id"])] * 3
    assert deadlocks == []


# --- episode_taken


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_an_episode_is_of_one_active_ticket_however_it_is_written(nurse: Any, spelling: str) -> None:
    has = await nurse.create(**EPISODE)
    answer = await asked(nurse, patient=PEDRO, episode_id=spelling)
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "episode_taken"), has["id"])
    other = await nurse.create(patient=PEDRO)
    assert refusal(await nurse.send("PATCH", other, body={"episode_id": spelling})) == (409, "episode_taken")
    # Its own, in another spelling, it may have.
    after = await nurse.done("PATCH", has, body={"episode_id": spelling})
    await nurse.discharge(after)
    assert (await nurse.done("PATCH", other, body={"episode_id": spelling}))["warnings"] == []


async def test_a_discharged_one_does_not_get_an_active_ones_episode_either(nurse: Any, foreign_admin: Any) -> None:
    gone = await nurse.discharge(await nurse.create())
    await nurse.create(**EPISODE)
    assert refusal(await nurse.send("PATCH", gone, body=EPISODE)) == (409, "episode_taken")
    assert (await foreign_admin.create(**EPISODE))["episode_id"] == EPISODE["episode_id"]


@pytest.mark.parametrize(
    ("end", "method", "verb"), [("annul", "POST", "restoration"), ("discharge", "DELETE", "discharge")]
)
async def test_a_ticket_becomes_active_again_only_while_its_episode_is_free(
    admin: Any, end: str, method: str, verb: str
) -> None:
    ended = await getattr(admin, end)(await admin.create(**EPISODE))
    has = await admin.create(patient=PEDRO, **EPISODE)
    answer = await admin.send(method, ended, verb)
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "episode_taken"), has["id"])
    await admin.done("PATCH", has, body={"episode_id": None})
    assert (await admin.send(method, ended, verb)).status_code == 200


async def test_of_two_who_take_an_episode_at_once_one_is_told(nurse: Any, admin: Any) -> None:
    patients = [PEDRO | {"document": f"X00000{number}"} for number in range(6)]
    made = [await nurse.create(patient=patient) for patient in patients]
    writes = [
        *(nurse.send("PATCH", ticket, body=EPISODE) for ticket in made[:3]),
        *(
            asked(admin, patient=patient | {"document": patient["document"] + "0"}, **EPISODE)
            for patient in patients[3:]
        ),
    ]
    answers = await asyncio.gather(*writes)
    assert sorted(answer.status_code // 100 for answer in answers) == [2, 4, 4, 4, 4, 4]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"episode_taken"}


# --- bed_taken

BED = {"bed_number": "12B", "location": "Piso 3"}


def beds(ticket: dict[str, Any]) -> list[str]:
    assert {warning["code"] for warning in ticket["warnings"]} <= {"bed_taken"}
    return [warning["ticket_id"] for warning in ticket["warnings"]]


async def test_a_taken_bed_is_told_and_refuses_nothing(nurse: Any) -> None:
    has = await nurse.create(**BED)
    assert beds(has) == []
    new = await nurse.create(patient=PEDRO, bed_number="12b", location="PISO 3")
    assert (beds(new), new["bed_number"]) == ([has["id"]], "12b")
    assert (await nurse.get(new["id"]))["warnings"] == []
    elsewhere = await nurse.done("PATCH", new, body={"location": "Piso 4"})
    assert beds(elsewhere) == []
    assert beds(await nurse.done("PATCH", elsewhere, body={"location": None})) == [has["id"]]


@pytest.mark.parametrize("location", [None, "piso 3", "Piso 4"])
async def test_without_a_location_a_bed_may_be_any_of_its_number(nurse: Any, location: str | None) -> None:
    has = await nurse.create(bed_number="7")
    new = await nurse.create(patient=PEDRO, bed_number="7", location=location)
    assert beds(new) == [has["id"]]


async def test_a_bed_is_free_once_its_patient_has_left_or_before_they_come(
    nurse: Any, connection: rows.Connection
) -> None:
    has = await nurse.create("overdue", **BED)
    pedro = await nurse.create(patient=PEDRO)

    async def taken() -> list[str]:
        return beds(await nurse.done("PATCH", await nurse.get(pedro["id"]), body=BED))

    assert await taken() == [has["id"]]
    # Somebody whom nobody discharged for days is forgotten, and in no bed.
    for hours, found in ((71, [has["id"]]), (73, [])):
        await connection.execute(
            f"UPDATE ticket SET current_fpa = now() - interval '{hours} hours', initial_fpa = current_fpa,"
            " admission_at = now() - interval '90 hours', surgery_at = now() - interval '88 hours' WHERE id = $1",
            has["id"],
        )
        assert await taken() == found
    # Who comes after this one's FPA does not need it before.
    later = await nurse.create("scheduled", patient=PEDRO | {"document": "X999999"}, **BED)
    assert beds(later) == [pedro["id"]]
    assert await taken() == []


async def test_a_restored_ticket_is_told_who_has_its_bed(admin: Any) -> None:
    annulled = await admin.annul(await admin.create(**BED))
    has = await admin.create(patient=PEDRO, **BED)
    assert beds(await admin.done("POST", annulled, "restoration")) == [has["id"]]


async def test_each_write_after_which_a_bed_is_taken_tells_it(admin: Any) -> None:
    """Edited, moved, reassigned, and kept for longer: not where a ticket is made or placed alone."""
    has = await admin.create(**BED)
    pedro = await admin.create(patient=PEDRO, **BED)
    edit = {"patient": PEDRO | {"age": 40}, "surgery_id": pedro["surgery"]["id"]}
    pedro = await admin.done("PUT", pedro, body=edit)
    assert beds(pedro) == [has["id"]]
    pedro = await admin.modify(pedro)
    assert beds(pedro) == [has["id"]]
    eva = {"patient": PEDRO | {"document": "X5", "first_name": "Eva"}}
    pedro = await admin.done("POST", pedro, "reassignment", eva)
    assert beds(pedro) == [has["id"]]
    left = await admin.discharge(await admin.create("overdue", patient=PEDRO, bed_number="12B"))
    assert left["warnings"] == []
    assert beds(await admin.done("DELETE", left, "discharge")) == [has["id"], pedro["id"]]
