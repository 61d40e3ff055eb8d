"""The navigation: all of it within reach on every size, and what administers behind one button."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

CLIPPED = "(row) => row.scrollWidth - row.clientWidth"


async def test_a_menu_has_what_there_is_no_room_for(opened: Opened, clinic: ClinicSeed) -> None:
    page: Page = await opened("/account", user="superuser")
    places = page.locator(".places")
    menu = places.get_by_role("button", name="Administración")
    for width in (1920, 1280, 1024):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await places.locator(".places-row").evaluate(CLIPPED) == 0, width
        await expect(menu).to_have_attribute("aria-expanded", "false")

    # By keys alone: Escape goes back to the button, a choice folds the menu.
    cache = places.get_by_role("link", name="Caché")
    await expect(cache).to_have_count(0)
    await menu.focus()
    await page.keyboard.press("Enter")
    await expect(menu).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("ArrowUp")
    await expect(cache).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(cache).to_have_count(0)
    await expect(menu).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Caché")
    await expect(menu).to_have_attribute("aria-expanded", "false")
    await expect(menu).to_have_attribute("data-current", "always")

    # A press beside it, and whoever goes on by Tab, fold it, too.
    await menu.click()
    await expect(cache).to_have_attribute("aria-current", "page")
    await page.get_by_role("heading", level=1).click()
    await expect(cache).to_have_count(0)
    await menu.click()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Tab")
    await expect(cache).to_have_count(0)

    await page.set_viewport_size({"width": 360, "height": 740})
    row = places.locator(".places-row")
    await expect(row.locator("a:visible")).to_have_text(["Tablero", "Nuevo ticket", "Entrega de turno", "Tickets"])
    assert await row.evaluate(CLIPPED) == 0
    await places.get_by_role("button", name="Más").click()
    await places.get_by_role("link", name="Panel").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Panel")


async def test_for_one_page_there_is_no_menu_and_what_administers_is_not_shown(
    opened: Opened, clinic: ClinicSeed
) -> None:
    page: Page = await opened("/account", user=clinic.viewer, width=360)
    places = page.locator(".places")
    await expect(places.locator("a:visible")).to_have_text(["Tablero", "Entrega de turno", "Exportar", "Tickets"])
    await expect(places.get_by_role("button")).to_have_count(0)
    for path in ("/users", "/thresholds", "/audit"):
        await page.goto(path)
        await expect(page.get_by_text("Tu cuenta no tiene permiso para esto.")).to_be_visible()
