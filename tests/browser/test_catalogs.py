"""Catalogs by hand: a row is made, changed and taken out of use by a superuser, and everybody's lists follow."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.by_hand import answer, fill, press
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def test_a_surgery_from_its_first_day_to_its_last_at_a_desk_and_on_a_phone(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    page: Page = await opened("/catalogs", user="superuser")
    await page.locator("select.clinic").select_option(str(clinic.id))
    total, dialog = page.locator("[data-total]"), page.get_by_role("dialog")
    await expect(total).to_have_attribute("data-total", "1")

    await page.keyboard.press("n")
    await fill(page, base_stay_hours="2161", ambulatory_cutoff_hour="tarde")
    await press(page, "Guardar")
    for name in ("name", "specialty_id", "base_stay_hours", "ambulatory_cutoff_hour"):
        await expect(dialog.locator(f".field[data-refused] [name={name}]")).to_be_visible()
    taken = await there.fetchval("SELECT name FROM surgery WHERE id = $1", clinic.surgery_id)
    await fill(page, name=taken, base_stay_hours="30", ambulatory_cutoff_hour="")
    await page.locator("[name=specialty_id]").select_option(str(clinic.specialty_id))
    await press(page, "Guardar")
    await expect(dialog.locator(".field[data-refused] [name=name]")).to_be_visible()
    await fill(page, name="Sinusotomía")
    await answer(page, "Guardar")
    await expect(total).to_have_attribute("data-total", "2")

    # Somebody else changes it while its form is open: what was typed stays, and the rest follows.
    await page.get_by_role("button", name="Cambiar Sinusotomía").click()
    await fill(page, base_stay_hours="40")
    await there.execute(
        "UPDATE surgery SET base_stay_hours = 36, name = 'Sinusotomía frontal' WHERE name = 'Sinusotomía'"
    )
    await expect(dialog).to_contain_text("ahora es 36")
    await expect(dialog.locator("[name=name]")).to_have_value("Sinusotomía frontal")
    await expect(dialog.locator("[name=base_stay_hours]")).to_have_value("40")
    await answer(page, "Guardar")
    row = page.get_by_role("row").filter(has_text="Sinusotomía frontal")
    await expect(row).to_contain_text("40")

    await page.set_viewport_size({"width": 360, "height": 740})
    await page.get_by_role("button", name="Desactivar Sinusotomía frontal").click()
    await expect(total).to_have_attribute("data-total", "1")
    await press(page, "Deshacer")
    await expect(total).to_have_attribute("data-total", "2")
    await press(page, "Nueva cirugía")
    await fill(page, name="Septoplastía", base_stay_hours="12")
    await page.locator("[name=specialty_id]").select_option(str(clinic.specialty_id))
    await answer(page, "Guardar")
    await expect(total).to_have_attribute("data-total", "3")
    await page.locator("[name=q]").fill("SINUSOTOMIA 40")
    await expect(total).to_have_attribute("data-total", "1")
    kept = "SELECT name, base_stay_hours, is_active FROM surgery WHERE clinic_id = $1 AND id > $2 ORDER BY id"
    found = [tuple(one) for one in await there.fetch(kept, clinic.id, clinic.surgery_id)]
    assert found == [("Sinusotomía frontal", 40, True), ("Septoplastía", 12, True)]


async def test_who_administers_a_clinic_reads_and_sees_a_superusers_changes(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    await rows.doctor(there, clinic.id, name="Dr. Retirado", is_active=False)
    for number in range(60):
        await rows.doctor(there, clinic.id, name=f"Dra. Número {number:02}")
    page: Page = await opened("/catalogs?kind=doctors", user=clinic.admin)
    total = page.locator("[data-total]")
    await expect(total).to_have_attribute("data-total", "61")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await press(page, "Siguiente")
    await expect(page.locator("tbody tr")).to_have_count(11)
    await expect(page.locator("td button")).to_have_count(0)
    await page.locator("[name=inactive]").check()
    await expect(total).to_have_attribute("data-total", "62")
    await page.locator("[name=q]").fill("retirado")
    await expect(total).to_have_attribute("data-total", "1")
    await expect(page.locator("tbody tr")).to_contain_text("Fuera de uso")

    keeper: Page = await opened("/catalogs?kind=clinics", user="superuser")
    await press(keeper, "Nueva clínica")
    await fill(keeper, name=f"Clínica {clinic.prefix} Nueva", timezone="America/Nowhere")
    await press(keeper, "Guardar")
    await expect(keeper.locator(".field[data-refused] [name=timezone]")).to_be_visible()
    await fill(keeper, timezone="America/Punta_Arenas")
    await answer(keeper, "Guardar")
    await expect(keeper.locator("select.clinic")).to_contain_text(f"Clínica {clinic.prefix} Nueva")
    await keeper.get_by_role("button", name=f"Desactivar Clínica {clinic.prefix} Nueva").click()
    await answer(keeper, "Desactivar")
    await expect(keeper.locator("select.clinic")).not_to_contain_text(f"Clínica {clinic.prefix} Nueva")

    await page.get_by_role("link", name="Clínicas").click()
    await expect(total).to_have_attribute("data-total", "1")
    own = await there.fetchval("SELECT name FROM clinic WHERE id = $1", clinic.id)
    await keeper.get_by_role("button", name=f"Cambiar {own}", exact=True).click()
    await fill(keeper, name=f"Casa {clinic.prefix}")
    await answer(keeper, "Guardar")
    await expect(page.locator("tbody")).to_contain_text(f"Casa {clinic.prefix}")
    await expect(page.locator("span.clinic")).to_have_text(f"Casa {clinic.prefix}")
