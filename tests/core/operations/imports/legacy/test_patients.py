"""Two people are never made one by an import; one person's rows are, where document and names say so."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from core.operations.imports.legacy.people.patients import APART, JOINED, NOBODYS
from core.operations.imports.legacy.report import Outcome
from core.rut import verifier_of
from tests.conftest import SignIn
from tests.core.operations.imports.conftest import Hospital, Import
from tests.factories import rows

VALID = "7.654.321-6"
ANA: Mapping[str, Any] = {"primer_nombre": "Ana", "apellido_paterno": "Rojas", "age": 40, "sex": "F"}
BERTA: Mapping[str, Any] = {"primer_nombre": "Berta", "apellido_paterno": "Soto", "age": 30, "sex": "F"}


async def two(
    hospital: Hospital, first: Mapping[str, Any], second: Mapping[str, Any], ticket: int = 1
) -> tuple[int, int]:
    """Of one clinic, each with a ticket: this one and the next."""
    made = []
    for number, values in enumerate((first, second), start=ticket):
        patient = await hospital.old.add("patient", clinic_id=hospital.clinic, **values)
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", patient_id=patient)
        made.append(patient)
    return made[0], made[1]


async def names(connection: rows.Connection) -> list[str]:
    """Of the tickets' patients, in the tickets' order."""
    found = await connection.fetch(
        "SELECT p.first_name FROM ticket t JOIN patient p ON p.id = t.patient_id ORDER BY t.id"
    )
    return [row["first_name"] for row in found]


NOBODYS_DOCUMENTS = (
    *("RN", "rn", "R.N.", "1-9", "0001-9", "SIN RUT", "sin  rut", "S/R", "NN", "11.111.111-1", "11111111-1", "0-0"),
    *("00.000.000-0", "-", "Recién nacido", "SIN DOCUMENTO"),
)


async def test_a_document_that_identifies_nobody_joins_no_rows(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    for number, document in enumerate(NOBODYS_DOCUMENTS):
        await two(hospital, {**ANA, "rut": document}, {**BERTA, "rut": document}, ticket=1 + 2 * number)
    report = await run_import()
    written = len(NOBODYS_DOCUMENTS)
    assert await names(connection) == ["Ana", "Berta"] * written
    assert report.of("patient").merged == 0
    assert report.count(Outcome.KEPT, "patient", NOBODYS) == 2 * written
    assert await connection.fetchval("SELECT count(*) FROM patient WHERE verified") == 1  # the hospital's own
    nurse = await sign_in("ana")
    for number, document in enumerate(NOBODYS_DOCUMENTS):
        shown = (await nurse.get(f"/v1/tickets/TH-SANT-2025-{1 + 2 * number:03d}")).json()["patient"]
        assert (shown["first_name"], shown["verified"]) == ("Ana", False), document
    again = await run_import()
    assert (again.of("patient").imported, again.of("patient").present) == (0, 2 * written + 1)
    assert await names(connection) == ["Ana", "Berta"] * written


async def test_not_even_of_one_name(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    """Two newborns of one mother are called alike until somebody names them."""
    await two(hospital, {**ANA, "rut": "RN"}, {**ANA, "rut": "RN"})
    await run_import()
    assert await connection.fetchval("SELECT count(DISTINCT patient_id) FROM ticket") == 2


TWO_PEOPLE: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]] = (
    (ANA, BERTA),
    (ANA, {**ANA, "primer_nombre": "Juan"}),
    ({**ANA, "primer_nombre": "Juan"}, {**ANA, "primer_nombre": "Juana"}),
    (ANA, {**ANA, "apellido_paterno": "Rosas"}),
    ({**ANA, "apellido_materno": "Soto"}, {**ANA, "apellido_materno": "Vera"}),
    (ANA, {**ANA, "sex": "M"}),
    (ANA, {**ANA, "age": 70}),
)


@pytest.mark.parametrize(
    "spellings",
    [("{0:_}-{1}", "{0:_}-{1}"), ("{0}-{1}", "{0:_}-{1}"), ("{0}{1}", "0{0:_}-{1}")],
    ids=["7.654.321-6", "7654321-6 and 7.654.321-6", "76543216 and 07.654.321-6"],
)
async def test_rows_whose_names_differ_are_two_patients_and_told_by_name(
    hospital: Hospital, run_import: Import, connection: rows.Connection, spellings: tuple[str, str]
) -> None:
    """Each two in TWO_PEOPLE have a RUT of their own, written in one way and in the other."""
    numbers = [7_654_321 + place for place in range(len(TWO_PEOPLE))]
    earlier = []
    for place, (number, both) in enumerate(zip(numbers, TWO_PEOPLE, strict=True)):
        ruts = [spelling.format(number, verifier_of(number)).replace("_", ".") for spelling in spellings]
        one, other = ({**values, "rut": rut} for values, rut in zip(both, ruts, strict=True))
        earlier.append((await two(hospital, one, other, ticket=1 + 2 * place))[0])
    report = await run_import()
    assert await names(connection) == [values["primer_nombre"] for both in TWO_PEOPLE for values in both]
    assert await connection.fetchval("SELECT count(DISTINCT patient_id) FROM ticket") == 2 * len(TWO_PEOPLE)
    apart = [one.legacy_id for one in report.findings() if one.what == APART]
    assert apart == [str(one) for one in reversed(earlier)], "the latest first"
    for both, line in zip(reversed(TWO_PEOPLE), report.apart, strict=True):
        for said in both:
            assert f"{said['primer_nombre']} {said['apellido_paterno']}" in line
        assert line in str(report)
    # The document is that of the latest, and leads to nobody else.
    for number, (_, second) in zip(numbers, TWO_PEOPLE, strict=True):
        rut = f"{number}-{verifier_of(number)}"
        found = await connection.fetch("SELECT first_name FROM patient WHERE document = $1 AND verified", rut)
        assert [row["first_name"] for row in found] == [second["primer_nombre"]]
    again = await run_import()
    assert (again.of("patient").imported, again.apart) == (0, [])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ANA, ANA),
        (ANA, {**ANA, "primer_nombre": "ANA ", "apellido_paterno": "rójas"}),
        ({**ANA, "apellido_paterno": "O’Higgins"}, {**ANA, "apellido_paterno": "O'HIGGINS"}),
        ({**ANA, "apellido_paterno": "Pérez-Cotapos"}, {**ANA, "apellido_paterno": "Perez Cotapos"}),
        ({**ANA, "apellido_paterno": "Rodriguez"}, {**ANA, "apellido_paterno": "Rodrigez"}),
        (ANA, {**ANA, "age": 42}),
        (ANA, {**ANA, "age": None, "sex": None}),
        ({**ANA, "primer_nombre": None, "apellido_paterno": None}, ANA),
    ],
)
async def test_one_persons_rows_are_one_patient(
    hospital: Hospital, run_import: Import, connection: rows.Connection,
    first: Mapping[str, Any], second: Mapping[str, Any],
) -> None:  # fmt: skip
    await two(hospital, {**first, "rut": "7654321-6"}, {**second, "rut": VALID})
    report = await run_import()
    assert await connection.fetchval("SELECT count(DISTINCT patient_id) FROM ticket") == 1
    assert (report.of("patient").merged, report.apart) == (1, [])


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        ("100.000.000-7", "100000000-7", "100000000-7"),
        ("104.567.891-8", "104567891-8", "104567891-8"),
        ("72.041-0", "72041-0", "72041-0"),
        ("0012.345.678-5", "12345678-5", "12345678-5"),
    ],
)
async def test_a_rut_is_one_by_modulo_11_whatever_its_length_and_spelling(
    hospital: Hospital, run_import: Import, connection: rows.Connection, one: str, other: str, kept: str
) -> None:
    await hospital.old.connection.execute("DELETE FROM patient")
    await two(hospital, {**ANA, "rut": one}, {**ANA, "rut": other})
    await run_import()
    found = await connection.fetch("SELECT document, verified FROM patient")
    assert [tuple(row) for row in found] == [(kept, True)]


async def test_three_of_one_document_are_as_many_as_their_names(
    hospital: Hospital, run_import: Import, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a batch ends between them."""
    monkeypatch.setattr("core.operations.imports.legacy.source.BATCH", 1)
    for values in (ANA, BERTA, ANA, BERTA, ANA):
        await hospital.old.add("patient", clinic_id=hospital.clinic, rut=VALID, **values)
    report = await run_import()
    found = await connection.fetch(
        "SELECT first_name, verified FROM patient WHERE document <> '12345678-5' ORDER BY verified"
    )
    assert [tuple(row) for row in found] == [("Berta", False), ("Ana", True)]
    assert report.of("patient").merged == 3


async def test_one_of_the_target_is_joined_by_the_same_rule(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    clinic = await rows.clinic(connection, "SANT", name="Clínica RedSalud Santiago")
    there = await rows.patient(
        connection, clinic, document_type="rut", document="12345678-5", first_name="Pedro", last_name="Vera"
    )
    await hospital.ticket("TH-SANT-2025-001")
    report = await run_import()
    assert await names(connection) == ["Ana"]
    assert len(report.apart) == 1
    assert tuple(await rows.one(connection, "SELECT first_name, verified FROM patient WHERE id = $1", there)) == (
        "Pedro", True,
    )  # fmt: skip


async def test_what_an_earlier_import_joined_by_laxer_rules_is_told(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await two(hospital, {**ANA, "rut": VALID}, {**BERTA, "rut": VALID})
    await run_import()
    await connection.execute(
        "UPDATE legacy_map SET id = (SELECT max(id) FROM legacy_map WHERE kind = 'patient' AND key LIKE '%7654321-6')"
        " WHERE kind = 'patient' AND key LIKE '%7654321-6'"
    )
    report = await run_import()
    assert report.count(Outcome.KEPT, "patient", JOINED) == 1


@pytest.mark.parametrize(
    ("written", "remembered"),
    [("rn", "RN"), ("sin  rut", "SIN RUT"), ("00100001-k", "00100001-K"), ("11.111.111-1", "11111111-1"),
     ("022.222.222-2", "22222222-2"), ("7.654.321-6", "7654321-6"), ("100.000.000-7", "100.000.000-7")],
)  # fmt: skip
async def test_what_the_release_before_imported_is_known_by_its_spelling_of_the_document(
    hospital: Hospital, run_import: Import, connection: rows.Connection, written: str, remembered: str
) -> None:
    await hospital.old.add("patient", clinic_id=hospital.clinic, **ANA, rut=written)
    await run_import()
    key = f"{await connection.fetchval('SELECT id FROM clinic')}/rut/{remembered}"
    theirs = "kind = 'patient' AND key NOT LIKE '%12345678-5'"
    await connection.execute(f"UPDATE legacy_map SET key = $1 WHERE {theirs}", key)
    again = await run_import()
    assert (again.of("patient").imported, again.of("patient").present) == (0, 2)
    assert await connection.fetchval("SELECT count(*) FROM patient") == 2


async def test_texts_come_over_in_their_one_form(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    for name in ("Urologi\u0301a", "Urología", " Urología\u200b ", "Uro\u00adlogía"):
        await add("specialty", name=name, is_active=True, clinic_id=clinic)
    patient = await add("patient", rut=VALID, primer_nombre="Jose\u0301\u200b", apellido_paterno="Soto\u00a0 Vera",
                        segundo_nombre="\u200b", clinic_id=clinic)  # fmt: skip
    await hospital.ticket("TH-SANT-2025-001", patient_id=patient, bed_number="12\u200bB", location="Piso  3\r\n")
    await run_import()
    assert await connection.fetchval("SELECT count(*) FROM specialty WHERE name = 'Urología'") == 1
    assert await connection.fetchval("SELECT count(*) FROM specialty") == 2
    found = await rows.one(
        connection,
        "SELECT first_name, middle_name, last_name, bed_number, location FROM ticket t"
        " JOIN patient p ON p.id = patient_id",
    )
    assert tuple(found) == ("José", None, "Soto Vera", "12B", "Piso 3")
