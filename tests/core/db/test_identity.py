"""Migration 0011: text and documents are compared in the database as in the code, and old rows find their place."""

import asyncio
import unicodedata

import asyncpg
import pytest

from core.db.schema.migrate import upgrade
from core.operations.doctor.tables.twins import look_at_patients
from core.patients.document import DocumentType, parse
from core.text import clean, folded
from tests.factories import rows
from tests.factories.characters import SOME
from tests.support.migrations import downgrade

ACCENT_MARKS = {one for one in SOME if unicodedata.category(one) == "Mn" and not folded(f"a{one}")[1:]}
DOCUMENTS = (
    *("12.345.678-5", "12345678-5", "123456785", " 12 345 678 – 5 ", "012.345.678-5", "6.000.000-k", "72041-0"),
    *("100.000.000-7", "104567891-8", "12.345.678-4", "1-9", "11.111.111-1", "12345678-55", "12345678--5", "٣٤٥٦٧٨٩-٤"),
    *("RN", "r.n.", "NN", "S/N", "S/R", "sin rut", "Sin-Documento", "Recién nacido", "0", "-", "...", "RN 2"),
    *("ab 12\t34c", "AB–12/34", "ñ-1", "n\u0303-1", "Ａ１２", "a\u200bb-c", "7204-1", "9999", "00000001-K", "K"),
    *("O´Higgins 12", "x" * 40, "011.111.111-1", "0022222222-2", "02.222.222-2", "00072041-0", "0-k", "001111"),
    *("A١٢٣", "A۱۲۳", "अआ१२", "ＡＢ１２３４", "A²³1", "١١١", "Ⅷ1", "ⓐ1", "A½"),
)


def decomposed(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character)
    return "" if plain == character else "".join(part for part in plain if part not in ACCENT_MARKS)


async def test_the_database_folds_text_as_the_code_does(connection: rows.Connection) -> None:
    # Either knows letters that the other's Unicode does not have yet.
    known = [one for one in SOME if one != "\0" and unicodedata.category(one) != "Cn"]
    # Marks of other scripts that stand alone after decomposition (Arabic ones, Thai vowels) are left in the database.
    known = [one for one in known if not any(unicodedata.category(part)[0] == "M" for part in decomposed(one))]
    texts = sorted({clean(text) for one in known for text in (one, f"a{one}b", f"{one}\u0301 x")})
    found = await connection.fetch("SELECT t, folded_text(t) AS f FROM unnest($1::text[]) AS t", texts)
    assert [(row["t"], row["f"]) for row in found if row["f"] != folded(row["t"])] == []


@pytest.mark.parametrize("kind", list(DocumentType))
async def test_the_database_knows_documents_as_the_code_does(connection: rows.Connection, kind: DocumentType) -> None:
    for typed in DOCUMENTS:
        document = parse(kind, typed, "document")
        expected = document.text if document.verified else None
        assert await connection.fetchval("SELECT document_identity($1, $2)", kind.value, typed) == expected, typed


async def test_whoever_writes_a_document_is_found_by_its_normal_form(connection: rows.Connection) -> None:
    clinic_id = await rows.clinic(connection, "SANT")
    for kind, typed, stored, is_found in (
        ("passport", "ab 12", "AB12", True),
        ("passport", "AB-12", "AB-12", False),  # a spelling of the old release, of somebody on file
        ("rut", "11111111-1", "11111111-1", False),
        ("rut", "6000000-k", "6000000-K", True),
    ):
        made = await rows.patient(connection, clinic_id, document_type=kind, document=typed)
        row = await connection.fetchrow("SELECT document, verified FROM patient WHERE id = $1", made)
        assert row is not None
        assert (row["document"], row["verified"]) == (stored, is_found)


async def test_a_row_that_identifies_nobody_never_stands_in_the_way_of_one_that_does(
    connection: rows.Connection,
) -> None:
    clinic_id = await rows.clinic(connection, "SANT")
    second = await rows.patient(connection, clinic_id, document_type="rut", document="12345678-5", verified=False)
    first = await rows.patient(connection, clinic_id, document_type="rut", document="12345678-5")
    found = await connection.fetch("SELECT id, document, document_typed, verified FROM patient ORDER BY id")
    assert [tuple(row) for row in found] == [
        (second, f"12345678-5 #{second}", "12345678-5", False),
        (first, "12345678-5", None, True),
    ]


async def test_rows_that_become_one_are_not_joined_and_the_one_used_last_is_found(
    database_url: str, connection: rows.Connection
) -> None:
    clinic_id = await rows.clinic(connection, "SANT")
    specialty_id = await rows.specialty(connection, clinic_id)
    surgery_id = await rows.surgery(connection, clinic_id, specialty_id)
    await downgrade(database_url, "0010")
    await connection.reload_schema_state()
    made = {
        document: await rows.patient(connection, clinic_id, document_type=kind, document=document, verified=verified)
        for kind, document, verified in (
            ("rut", "100.000.000-7", False),
            ("rut", "100000000-7", False),
            ("rut", "72041-0", False),
            ("rut", "11111111-1", True),
            ("rut", "00100001-K", False),
            ("passport", "AB 12", True),
            ("passport", "AB12", True),
            ("passport", "A-1", True),
            ("other", "LEGACY-7", False),
        )
    }
    for document in ("100000000-7", "AB 12"):
        await rows.ticket(connection, clinic_id, made[document], surgery_id)
    await asyncio.to_thread(upgrade, database_url)
    fresh = await asyncpg.connect(database_url)
    found = {row["id"]: row for row in await fresh.fetch("SELECT * FROM patient")}
    seen = (await look_at_patients(fresh)).seen
    await fresh.close()

    def now(document: str) -> tuple[str, str | None, bool]:
        row = found[made[document]]
        return row["document"], row["document_typed"], row["verified"]

    assert (
        f"SANT {made['100.000.000-7']} beside {made['100000000-7']}, SANT {made['AB12']} beside {made['AB 12']}" in seen
    )

    twins = ("100.000.000-7", "AB12")
    assert {document: now(document) for document in made} == {
        **{document: (f"{document} #{made[document]}", document, False) for document in twins[1:]},
        "100.000.000-7": ("100.000.000-7", None, False),
        "100000000-7": ("100000000-7", None, True),
        "72041-0": ("72041-0", None, True),
        "11111111-1": ("11111111-1", None, False),
        "00100001-K": ("00100001-K", None, False),
        "AB 12": ("AB12", None, True),
        "A-1": ("A1", None, True),
        "LEGACY-7": ("LEGACY-7", None, False),
    }


async def test_the_release_before_goes_on_making_patients(connection: rows.Connection) -> None:
    clinic_id = await rows.clinic(connection, "SANT")
    # As it was written there.
    statement = (
        "INSERT INTO patient (clinic_id, document_type, document, verified, first_name, last_name)"
        " VALUES ($1, $2, $3, true, 'Ana', 'Rojas')"
        " ON CONFLICT (clinic_id, document_type, document) DO NOTHING RETURNING id, document"
    )
    for kind, document in (("rut", "12345678-5"), ("passport", "AB 12"), ("passport", "AB12 C")):
        made = await connection.fetchrow(statement, clinic_id, kind, document)
        assert made is not None
    assert await connection.fetchrow(statement, clinic_id, "rut", "12345678-5") is None
    # Its own look-up does not find the passport that stands in our form: a row, and no loop without an end.
    for _ in range(2):
        again = await connection.fetchrow(statement, clinic_id, "passport", "AB 12")
        found = await connection.fetchrow("SELECT id FROM patient WHERE document = 'AB 12'")
        assert again is not None or found is not None
