"""Thresholds by hand: a clinic's own, seen at once wherever they are shown, and given up again."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.by_hand import fill, press
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def test_a_clinic_gets_its_own_and_gives_them_up(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    name = await there.fetchval("SELECT name FROM clinic WHERE id = $1", clinic.id)
    page: Page = await opened("/thresholds", user=clinic.admin, width=360)
    own = page.locator("tbody tr")
    await expect(own).to_have_count(1)
    await expect(own).to_contain_text("Los de toda la red")
    await page.get_by_role("button", name=f"Cambiar los umbrales: {name}").click()
    dialog = page.get_by_role("dialog")
    await fill(page, red_hours="0", yellow_hours="80", green_hours="9")
    await press(page, "Guardar")
    await expect(dialog.locator("[data-refused]")).to_contain_text(["Demasiado pequeño.", "Demasiado grande."])
    await fill(page, red_hours="3", yellow_hours="3")
    await press(page, "Guardar")
    await expect(dialog.locator("[data-refused]")).to_contain_text(["Debe ser más que el anterior."])
    await fill(page, yellow_hours="5")
    await expect(dialog.locator(".bands")).to_contain_text("5 a 9 h")
    await press(page, "Guardar")
    await expect(own.locator(".bands")).to_contain_text("3 a 5 h")
    await expect(own).to_contain_text(clinic.admin)

    # A superuser sees it among all, and both see it end.
    network: Page = await opened("/thresholds", user="superuser")
    line = network.locator("tbody tr").filter(has_text=name)
    await expect(line).to_contain_text("3 a 5 h")
    await expect(network.locator("tbody tr").first).to_contain_text("Toda la red")
    await network.get_by_role("button", name=f"Usar los de la red: {name}").click()
    for one in (line, own):
        await expect(one).to_contain_text("Los de toda la red")
    await network.get_by_role("button", name="Deshacer").click()
    await expect(own.locator(".bands")).to_contain_text("3 a 5 h")
    await expect(own).to_contain_text("superuser")
