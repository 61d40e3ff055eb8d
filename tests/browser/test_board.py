"""The nursing board in two browsers: what one nurse does, and what the other sees of it."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Opened
from tests.browser.wards import NAMES
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

PEDRO = " ".join(NAMES[1])


def card(page: Page, ticket_id: str) -> Locator:
    return page.locator(f"li[data-id={ticket_id}] .card")


async def test_a_morning_by_clicks_which_another_browser_sees(
    opened: Opened, clinic: ClinicSeed, ward: list[str]
) -> None:
    nurse: Page = await opened("/board", user=clinic.clinical, width=360)
    desk: Page = await opened("/board", user=clinic.viewer)
    await expect(desk.locator(".card")).to_have_count(8)
    assert await desk.locator(".card button").count() == 0, "a viewer only looks"
    pedro = ward[1]

    await card(nurse, pedro).get_by_role("button", name="Listo").click()
    await expect(card(desk, pedro).locator("[data-sign=ready]")).to_be_visible()
    await expect(card(desk, pedro)).to_have_attribute("data-mark", re.compile("[01]"))

    await card(nurse, pedro).get_by_role("button", name="Demora").click()
    await nurse.get_by_role("dialog").locator(".reasons button").first.click()
    await expect(card(desk, pedro).locator("[data-sign=delay]")).to_be_visible()

    await card(nurse, pedro).locator("button.place").click()
    await nurse.locator("input[name=bed_number]").fill("14B")
    await nurse.locator("input[name=episode_id]").press("Enter")
    await expect(card(desk, pedro).locator(".place b")).to_have_text("14B")

    await card(nurse, pedro).get_by_role("button", name="Dar de alta").click()
    await expect(card(desk, pedro)).to_have_count(0)
    await expect(desk.locator("[data-view=discharged] .count")).to_have_text("1")
    await nurse.locator(".toast").filter(has_text="de alta").get_by_role("button", name="Deshacer").click()
    await expect(card(desk, pedro)).to_be_visible()


async def test_views_search_filters_and_order_stand_in_the_address(
    opened: Opened, clinic: ClinicSeed, ward: list[str]
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    await expect(page.locator(".card").first).to_contain_text("Undurraga")
    await page.keyboard.press("/")
    await page.keyboard.type("dangelo")
    await expect(page.locator(".card")).to_have_count(1)
    await page.locator("input[type=search]").fill("")
    await page.locator("[data-view=overdue]").click()
    await expect(page.locator(".card")).to_have_count(2)
    await page.locator("[data-view=active]").click()
    await page.locator(".urgencies [data-state=warning]").click()
    await expect(page.locator(".card")).to_have_count(3)
    await page.get_by_role("button", name="Filtros").click()
    await page.get_by_label("Ubicación", exact=True).select_option("Piso 3")
    await expect(page.locator(".card")).to_have_count(1)
    await page.reload()
    await expect(page.locator(".card")).to_have_count(1)
    assert "location=Piso" in page.url
    assert "urgency=warning" in page.url


async def test_two_who_write_at_once_see_both_versions(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    await card(page, ward[1]).locator("button.place").click()
    await page.locator("input[name=bed_number]").fill("9C")
    await there.execute("UPDATE ticket SET location = 'UCI', revision = revision + 1 WHERE id = $1", ward[1])
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await page.locator("input[name=bed_number]").press("Enter")
    both = page.get_by_role("dialog")
    await expect(both).to_contain_text("UCI")
    await expect(both).to_contain_text("9C")
    await both.get_by_role("button", name="Escribir lo mío").click()
    await expect(card(page, ward[1]).locator(".place")).to_contain_text("9C")
    await expect(card(page, ward[1]).locator(".place")).to_contain_text("UCI")


async def test_an_admin_discharges_the_forgotten_together(opened: Opened, clinic: ClinicSeed, ward: list[str]) -> None:
    page: Page = await opened("/board?view=forgotten", user=clinic.admin)
    await page.get_by_role("button", name="Elegir todos").click()
    await page.get_by_role("button", name="Dar 2 altas").click()
    await page.get_by_role("dialog").get_by_role("button", name="Dar 2 altas").click()
    await expect(page.get_by_text("No hay pacientes en esta vista.")).to_be_visible()
    await expect(page.locator("[data-view=discharged] .count")).to_have_text("2")


async def test_a_network_that_goes_and_comes_back(opened: Opened, clinic: ClinicSeed, ward: list[str]) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    other: Page = await opened("/board", user=clinic.clinical)
    await expect(card(page, ward[1])).to_be_visible()
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await page.context.set_offline(True)
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "offline")
    await expect(page.locator(".stale-mark")).to_contain_text("Datos de las")
    await card(page, ward[1]).get_by_role("button", name="Listo").click()
    await expect(page.locator(".standing")).to_contain_text("1 cambio por enviar")
    await page.context.set_offline(False)
    await expect(card(other, ward[1]).get_by_role("button", name="Listo")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await expect(page.locator(".stale-mark")).to_have_count(0)
    await expect(page.locator(".standing .waiting")).to_have_count(0)
