"""A catalog from a file by hand: reviewed, put right, reviewed again and imported, once whatever the network does."""

import asyncio
import io

import pytest
from openpyxl import Workbook
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.by_hand import press
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

WRONG = "nombre;especialidad;horas base\nRinoplastía;Otorrino;veinte\nOtoplastía;Otorrino;24\n"
RIGHT = "kind;name;specialty;base_stay_hours\nspecialty;Otorrino;;\nsurgery;Rinoplastía;Otorrino;20\n"


def file(name: str, content: str | bytes) -> FilePayload:
    return {"name": name, "mimeType": "", "buffer": content.encode() if isinstance(content, str) else content}


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Cirugías"
    for row in (
        ("nombre", "especialidad", "horas base"),
        ("Rinoplastía", "Otorrino", 20),
        ("Mastectomía", "Otorrino", 48),
    ):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    book.create_sheet("Notas")
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


async def test_a_file_is_reviewed_and_imported_once(opened: Opened, clinic: ClinicSeed, there: rows.Connection) -> None:
    page: Page = await opened("/imports", user="superuser")
    chosen, told, report = page.locator("[name=file]"), page.locator(".file + small"), page.locator(".report")
    keys: list[str] = []
    go = asyncio.Event()

    async def slowly(route: Route) -> None:
        """Noted, held until `go`; and the first answer to a real import is lost on its way."""
        keys.append(route.request.headers["idempotency-key"])
        await go.wait()
        answer = await route.fetch()
        if "dry_run=false" in route.request.url and keys.count(keys[-1]) == 1:
            await route.abort()
        else:
            await route.fulfill(response=answer)

    await page.route("**/v1/imports/catalog?*", slowly)
    await press(page, "Revisar")
    await expect(told).to_have_text("Elige un archivo.")
    for wrong, words in (
        (file("vacio.csv", ""), "vacio.csv está vacío."),
        (file("grande.csv", b"x" * 1_200_000), "pesa 1.1 MB"),
    ):
        await chosen.set_input_files(wrong)
        await expect(told).to_contain_text(words)

    # While it is under way, nothing can be sent a second time.
    await chosen.set_input_files(file("surgeries.csv", WRONG))
    await page.locator("[name=clinic_id]").select_option(str(clinic.id))
    await press(page, "Revisar")
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await expect(page.get_by_role("button", name="Revisar", exact=True)).to_be_disabled()
    await expect(chosen).to_be_disabled()
    go.set()
    await expect(report.get_by_role("heading")).to_have_text("2 datos por corregir: no se importó nada")
    await expect(report.locator("tbody tr").first).to_contain_text("Debe ser un número entero de 1 a 2160")
    async with page.expect_download() as saving:
        await press(page, "Guardar esta lista")
    saved = (await asyncio.to_thread((await (await saving.value).path()).read_bytes)).decode("utf-8-sig")
    assert [line.split(";")[:3] for line in saved.splitlines()[1:]] == [
        ['"surgeries.csv"', '"2"', '"Horas base"'],
        ['"surgeries.csv"', '"3"', '"Especialidad"'],
    ]

    await chosen.set_input_files(file("viejo.xls", b"\xd0\xcf\x11\xe0" + bytes(600)))
    await expect(report).to_have_count(0)
    await press(page, "Revisar")
    await expect(told).to_have_text(
        "viejo.xls es de un Excel antiguo o tiene contraseña: guárdalo como xlsx, sin contraseña."
    )

    # The same file, put right.
    await chosen.set_input_files(file("viejo.xls", RIGHT))
    await press(page, "Revisar")
    await expect(report.get_by_role("heading")).to_have_text("Todo bien: cambiarían 2 filas")
    assert await there.fetchval("SELECT count(*) FROM surgery WHERE clinic_id = $1", clinic.id) == 1
    await press(page, "Importar 2 filas")
    await expect(report.get_by_role("heading")).to_have_text("Importado: cambiaron 2 filas")
    assert keys[-1] == keys[-2]
    assert len(set(keys)) == len(keys) - 1

    await page.set_viewport_size({"width": 360, "height": 740})
    await chosen.set_input_files(file("cirugias.xlsx", workbook()))
    await press(page, "Revisar")
    await expect(report).to_contain_text("Oculto en el archivo, y cuenta igual")
    await expect(report).to_contain_text("quedan fuera: Notas")
    await press(page, "Importar 1 fila")
    await expect(report.get_by_role("heading")).to_have_text("Importado: cambió 1 fila")
    await report.get_by_role("link", name="Cirugías").click()
    await page.locator("[name=q]").fill("mastectomia otorrino")
    await expect(page.locator("[data-total]")).to_have_attribute("data-total", "1")
    made = await there.fetch("SELECT name, base_stay_hours FROM surgery WHERE clinic_id = $1 ORDER BY id", clinic.id)
    assert [tuple(one) for one in made[1:]] == [("Rinoplastía", 20), ("Mastectomía", 48)]
