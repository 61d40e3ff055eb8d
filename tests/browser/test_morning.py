"""A ward's morning by clicks alone, from one page to the next as its links lead."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.by_hand import TOMORROW, answer, fill, press
from tests.browser.conftest import Opened
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def test_a_nurses_morning(opened: Opened, clinic: ClinicSeed, ward: list[str]) -> None:
    page: Page = await opened("/", user=clinic.clinical)
    await page.get_by_role("link", name="Entrega de turno").click()
    waiting = page.locator("[data-part=ready] tbody tr")
    await expect(waiting).to_contain_text("Espera de traslado")
    await waiting.get_by_role("link").click()
    await expect(page).to_have_url(f"{page.url.split('/tickets')[0]}/tickets/{ward[0]}")
    await press(page, "Ya no")
    await press(page, "Dar el alta")
    await answer(page, "Dar el alta")
    await expect(page.locator(".due strong")).to_have_text("De alta")

    await page.get_by_role("link", name="Nuevo ticket").click()
    await fill(page, patient__document="7.654.321-6", patient__first_name="Rosa", patient__last_name="Quiroga")
    await page.locator("[name=surgery_id]").select_option(str(clinic.surgery_id))
    await fill(page, surgery_at=TOMORROW, bed_number="1A", location="Piso 2")
    await press(page, "Crear el ticket")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rosa Quiroga")

    await page.get_by_role("link", name="Entrega de turno").click()
    await expect(waiting).to_have_count(0)
    await page.get_by_role("link", name="Tablero").click()
    await expect(page.locator(".card", has_text="Rosa Quiroga")).to_contain_text("1A")
