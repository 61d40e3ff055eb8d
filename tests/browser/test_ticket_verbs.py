"""All that is done to a ticket on its page: a stay from its first hours to its end, on a desk and on a phone."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.by_hand import TOMORROW, answer, fill, press
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def more(page: Page, name: str) -> None:
    await page.get_by_role("button", name="Más", exact=True).click()
    await press(page, name)


@pytest.mark.parametrize("width", [1280, 360])
async def test_a_stay_to_its_end(opened: Opened, clinic: ClinicSeed, there: rows.Connection, width: int) -> None:
    ticket = await clinic.ticket(there)
    page: Page = await opened(f"/tickets/{ticket}", user=clinic.clinical, width=width)
    leaving, did = page.locator(".pairs").nth(1), page.locator(".history > ol > li strong")

    await press(page, "Modificar FPA")
    await press(page, "Mañana")
    await expect(page.locator("[name=block]")).to_have_count(24)
    await page.get_by_label("22:00 - 00:00").check()
    await page.locator("[name=reason_id]").select_option(str(clinic.modification_reason_id))
    await fill(page, justification="Dolor")
    await answer(page, "Modificar FPA")
    await expect(page.locator(".due")).to_contain_text("22:00 - 00:00")
    await expect(page.get_by_text("Modificaciones de la FPA: 1 de 5").first).to_be_visible()

    await press(page, "Listo para el alta")
    await answer(page, "Listo para el alta")
    await expect(leaving).to_contain_text(clinic.clinical)
    await press(page, "Deshacer")
    await expect(did.first).to_have_text("Ya no estaba listo")
    await press(page, "Demora")
    await page.get_by_role("dialog").locator(".reasons button").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press(page, "Ya no")
    await expect(page.locator(".held-up")).to_have_count(0)
    await more(page, "Corregir al paciente")
    await fill(page, patient__middle_name="María")
    await answer(page, "Guardar")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ana María Rojas")

    await press(page, "Dar el alta")
    await answer(page, "Dar el alta")
    await expect(page.locator(".due strong")).to_have_text("De alta")
    await press(page, "Deshacer el alta")
    await expect(page.locator(".due strong")).not_to_have_text("De alta")
    await more(page, "Anular el ticket")
    await page.locator("[name=reason_id]").select_option(str(clinic.annulment_reason_id))
    await answer(page, "Anular el ticket")
    await expect(page.locator(".due strong")).to_have_text("Anulado")
    await expect(page.get_by_role("button", name="Restaurar")).to_have_count(0)


async def test_what_an_administrator_does_besides(opened: Opened, clinic: ClinicSeed, there: rows.Connection) -> None:
    ticket = await clinic.ticket(there)
    surgery = await rows.surgery(there, clinic.id, clinic.specialty_id, name="Otra cirugía", base_stay_hours=30)
    page: Page = await opened(f"/tickets/{ticket}", user=clinic.admin)
    await more(page, "Cambiar la cirugía")
    await page.locator("[name=surgery_id]").select_option(str(surgery))
    await fill(page, surgery_at=TOMORROW)
    await answer(page, "Guardar")
    await expect(page.locator(".pairs").first).to_contain_text("Otra cirugía (30 h)")
    await expect(page.locator(".due strong")).to_have_text("Por ingresar")

    await more(page, "Reasignar a otro paciente")
    await fill(page, patient__document="7.654.321-6", patient__first_name="Rosa", patient__last_name="Quiroga")
    await answer(page, "Reasignar a otro paciente")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rosa Quiroga")
    await more(page, "Anular el ticket")
    await page.locator("[name=reason_id]").select_option(str(clinic.annulment_reason_id))
    await answer(page, "Anular el ticket")
    await press(page, "Restaurar el ticket")
    await expect(page.locator(".due strong")).to_have_text("Por ingresar")
    printed = await page.request.get(f"/v1/tickets/{ticket}/pdf")
    assert printed.headers["content-type"] == "application/pdf"


async def test_who_only_looks_sees_it_all_and_changes_nothing(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    page: Page = await opened(f"/tickets/{await clinic.ticket(there)}", user=clinic.viewer)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ana Rojas")
    await expect(page.locator(".ticket-actions button:visible")).to_have_text(["Imprimir esta página"])
    await page.goto("/tickets/new")
    await expect(page.get_by_text("Tu cuenta no tiene permiso")).to_be_visible()
