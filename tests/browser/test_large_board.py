"""A board of five hundred: as few cards in the page as fit on the screen, whatever is scrolled to and searched for."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

MANY = """
WITH numbered AS (SELECT n FROM generate_series(1, 500) AS n),
patients AS (
  INSERT INTO patient (clinic_id, document_type, document, first_name, last_name)
  SELECT $1::int, 'passport', 'L' || $3::text || n, 'Nombre' || n, 'Apellido' || n % 40 FROM numbered
  RETURNING id, substring(first_name FROM 7)::int AS n
)
INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours, surgery_at,
  admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, bed_number, created_by)
SELECT 'TH-' || $3::text || '-2026-' || 1000 + n, $1::int, 2026, 1000 + n, id, $2, 'Surgery', 24, now(),
  now() - interval '2 hours', fpa, fpa, fpa, 1, 1, n || 'A', 'test'
FROM patients, LATERAL (SELECT now() + n * interval '13 minutes' + interval '1 minute' AS fpa) AS due
"""
ON_A_SCREEN = 40


async def test_of_five_hundred_those_on_the_screen_are_in_the_page(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    await there.execute(MANY, clinic.id, clinic.surgery_id, clinic.prefix)
    page: Page = await opened("/board", user=clinic.clinical)
    cards = page.locator(".card")
    await expect(page.locator(".total")).to_have_text("500 pacientes")
    await expect(cards.first).to_contain_text("Nombre1 ")
    assert await cards.count() < ON_A_SCREEN
    assert await page.locator("li[aria-setsize='500']").count() == await cards.count()

    await page.keyboard.press("End")
    await expect(page.get_by_text("Nombre500 ", exact=False).first).to_be_visible()
    assert await cards.count() < ON_A_SCREEN
    await page.keyboard.press("/")
    await page.keyboard.type("apellido7 500")
    await expect(cards).to_have_count(0)
    await page.locator("input[type=search]").fill("apellido7")
    await expect(page.locator(".total")).to_have_text("13 pacientes")
    await page.locator("input[type=search]").fill("")
    await expect(page.locator(".total")).to_have_text("500 pacientes")
    assert await cards.count() < ON_A_SCREEN
