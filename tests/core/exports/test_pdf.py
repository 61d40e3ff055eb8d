"""The printed ticket: what it says, and that it always is one page with room to sign."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from core.access import ClinicScope
from core.db.transaction import Database, ReadSession
from core.errors import NotFound
from core.exports.pdf.contents import LastModification, Printed, When, called, printed
from core.exports.pdf.page import SIGNED_AT, PaperPage, draw
from core.exports.pdf.text import REGULAR, fitted, letters, plain
from core.tickets.views import PatientView
from tests.factories import rows
from tests.factories.fixtures import Seed

HOUR = timedelta(hours=1)
NOON = datetime(2025, 1, 15, 15, 0, tzinfo=UTC)
"""12:00 in Santiago, a Wednesday."""
ROOM = 40.0
"""Points to sign in: 14 mm."""


def text_of(made: bytes) -> str:
    """Of its only page."""
    (page,) = PdfReader(io.BytesIO(made)).pages
    return " ".join(page.extract_text().split())


async def paper(database: Database, clinic_id: int, ticket_id: str) -> Printed:
    async def work(session: ReadSession) -> Printed:
        return await printed(session, ClinicScope(clinic_id), ticket_id)

    return await database.snapshot(work)


async def test_a_ticket_as_it_was_made(database: Database, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute("UPDATE patient SET last_name = 'Íñiguez Soto', middle_name = 'Luz'")
    await connection.execute("UPDATE doctor SET name = 'Dra. Núñez'")
    ticket = await seed.sant.ticket(
        connection, fpa=NOON + 25 * HOUR, admission_at=NOON, surgery_at=NOON + 2 * HOUR,
        surgery_name="Colecistectomía", doctor_id=seed.sant.doctor_id,
    )  # fmt: skip
    printed = text_of(draw(await paper(database, seed.sant.id, ticket)))
    for expected in (
        "Clínica SANT",
        ticket,
        "Paciente Ana Í.",
        "Fecha probable de alta jueves 16 de enero de 2025 11:00 - 13:00 1 noche",
        "Cirugía Colecistectomía".removeprefix("Cirugía "),
        "Dra. Núñez",
        "miércoles 15 de enero de 2025, 14:00",
        "Firma del paciente",
        "Firma y timbre",
    ):
        assert expected in printed, printed
    for hidden in ("Íñiguez", "Luz", "Soto", "Nueva fecha", "Motivo", "ANULADO"):
        assert hidden not in printed


async def test_the_last_modification_beside_the_original(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await seed.sant.ticket(connection, fpa=NOON + 25 * HOUR, current_fpa=NOON + 50 * HOUR, overnight_stays=2)
    for number, reason in enumerate(("Dolor", "Fiebre")):
        await rows.modification(
            connection, seed.sant.id, ticket, reason=reason, new_fpa=NOON + (49 + number) * HOUR,
            modified_at=NOON + number * HOUR,
        )  # fmt: skip
    printed = text_of(draw(await paper(database, seed.sant.id, ticket)))
    assert "Nueva fecha probable de alta viernes 17 de enero de 2025 12:00 - 14:00 2 noches" in printed
    assert "Motivo: Fiebre Última modificación: miércoles 15 de enero de 2025, 13:00 (n.º 2)." in printed
    assert "Fecha probable de alta original jueves 16 de enero de 2025, 11:00 - 13:00 1 noche" in printed
    assert "Dolor" not in printed


async def test_an_imported_ticket_without_a_patient_that_moved(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await rows.ticket(
        connection, seed.sant.id, None, None, imported=True, fpa=NOON + 25 * HOUR, current_fpa=NOON + 26 * HOUR,  # type: ignore[arg-type]
        status="annulled", annulled_at=NOON,
    )  # fmt: skip
    printed = text_of(draw(await paper(database, seed.sant.id, ticket)))
    assert "ANULADO" in printed
    assert "12:00 - 14:00" in printed
    assert "11:00 - 13:00" in printed


@pytest.mark.parametrize(
    ("fpa", "day", "block", "ends"),
    [
        (NOON, "miércoles 15 de enero de 2025", "10:00 - 12:00", None),
        (NOON + 11.7 * HOUR, "miércoles 15 de enero de 2025", "22:00 - 00:00", None),
        (NOON + 13 * HOUR, "miércoles 15 de enero de 2025", "23:00 - 01:00", "jueves 16 de enero de 2025"),
        (NOON + 14 * HOUR, "jueves 16 de enero de 2025", "00:00 - 02:00", None),
    ],
)
async def test_a_block_is_told_by_the_day_on_which_it_begins(
    database: Database, seed: Seed, connection: rows.Connection, fpa: datetime, day: str, block: str, ends: str | None
) -> None:
    ticket = await seed.sant.ticket(connection, fpa=fpa)
    found = (await paper(database, seed.sant.id, ticket)).original
    assert (found.day, found.block, found.ends) == (day, block, ends)


async def test_another_clinics_ticket_is_not_there(database: Database, seed: Seed, connection: rows.Connection) -> None:
    ticket = await seed.maga.ticket(connection)
    with pytest.raises(NotFound):
        await paper(database, seed.sant.id, ticket)


def person(**names: Any) -> PatientView:
    given = {"id": 1, "document_type": "rut", "document": "1-9", "verified": True, "middle_name": None} | names
    return PatientView(**given, second_last_name=None, age=None, sex=None)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("明", "王", "Ming W."),
        ("محمد", "علي", "Mhmd L."),
        ("\ue000", "\ue000", "—"),
        ("Ana", "Rojas", "Ana R."),
        ("María José", "de la Fuente", "María José D."),
        ("Íñigo", "n\u0303uñez", "Íñigo Ñ."),
    ],
)
def test_first_name_and_initial(first: str, last: str, expected: str) -> None:
    assert called(person(first_name=first, last_name=last)) == expected


LONG = When("miércoles 24 de septiembre de 2025", "23:00 - 01:00", "jueves 25 de septiembre de 2025", "999 noches")
FACTS = ("Cirugía", "Médico tratante", "Fecha de la cirugía", "Ingreso", "Alta")


def longest(letters: str) -> Printed:
    """Every text as long as the database takes it."""

    def text(length: int) -> str:
        return (letters * length)[:length]

    return Printed(
        id="TH-SANT-2025-123456789",
        clinic=text(120),
        patient=text(80) + " Ñ.",
        original=LONG,
        change=LastModification(LONG, text(500), "miércoles 24 de septiembre de 2025, 13:50", 5),
        facts=tuple((name, text(200)) for name in FACTS),
        is_annulled=True,
        at="miércoles 24 de septiembre de 2025, 13:50",
    )


@pytest.mark.parametrize("letters", ["W", "i", "Wenceslao ", "a ", "漢", "\n", "ŁőŽ", "—"])
def test_one_page_with_room_to_sign_whatever_is_on_it(letters: str) -> None:
    ticket = longest(letters)
    assert len(PdfReader(io.BytesIO(draw(ticket))).pages) == 1
    page = PaperPage(Canvas(io.BytesIO(), pagesize=A5))
    page.draw(ticket)
    assert page.y >= SIGNED_AT + ROOM


def test_a_box_for_notes_by_hand_whatever_is_on_the_page() -> None:
    """Over the signatures and their room; larger on a page with less on it."""
    boxes: list[tuple[float, ...]] = []
    for ticket in (longest("Wenceslao "), replace(longest("i "), change=None, facts=(("Cirugía", "Apendicectomía"),))):
        drawn = Canvas(io.BytesIO(), pagesize=A5)
        drawn.roundRect = lambda *box, **_: boxes.append(box)  # type: ignore[method-assign]
        PaperPage(drawn).draw(ticket)
        assert "Notas" in text_of(draw(ticket))
    # Before each of them the block's.
    _, full, _, empty = boxes
    assert full[1] == empty[1] >= SIGNED_AT + ROOM
    assert empty[3] > 2 * full[3] > 2 * 34


def test_no_script_is_a_question_mark_or_a_box_on_paper() -> None:
    scripts = ("漢字", "ひらがな", "한글", "العربية", "עברית", "हिन्दी", "ไทย", "Ελληνικά", "кириллица", "🤒", "𠮷")
    for script in scripts:
        assert plain(script), script
        assert "?" not in plain(script), script
        assert set(plain(script)) <= letters(), script


def test_what_is_too_long_ends_in_an_ellipsis_after_a_whole_word() -> None:
    reason = "Exámenes de control pendientes del laboratorio. " * 10
    printed = text_of(draw(replace(longest("a "), change=LastModification(LONG, reason, None, 1))))
    assert "Motivo: Exámenes de control pendientes" in printed
    last = fitted(reason, REGULAR, 9.5, 320, 3)[-1]
    assert last.endswith("…")
    assert last.removesuffix("…").split(" ")[-1] in reason.replace(".", "").split(" ")
    assert fitted("corto", REGULAR, 9.5, 320, 3) == ["corto"]


def test_several_given_names_give_way_not_the_initial() -> None:
    assert "Wenceslao Ñ." in text_of(draw(replace(longest("Wenceslao "), is_annulled=False)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ñandú Ůžßřį Ωmega Юлия Đặng", "Ñandú Ůžßřį Ωmega Юлия Đặng"),
        ("Jose\u0301\n  Ana\t", "José Ana"),
        ("a\u200bb\x00c", "abc"),
        ("ﬁn 漢 x", "fin Han x"),
        ("李明 김민수 さくら", "LiMing GimMinSu sakura"),
        ("محمد علي", "mhmd `ly"),
        ("bien 😀👩🏽\u200d⚕\ufe0f", "bien :grinning::woman::medical_symbol:"),
        ("\ue000\U0003fffd", ""),
    ],
)
def test_letters_that_the_fonts_lack(text: str, expected: str) -> None:
    assert plain(text) == expected
