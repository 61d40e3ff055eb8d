"""Signing in and out by hand, the frame around every page, and a session that ends while somebody looks."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Opened, sign_in
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def test_in_with_a_wrong_password_first_and_out_in_every_tab(opened: Opened, clinic: ClinicSeed) -> None:
    page: Page = await opened("/account")
    await page.locator("input[name=username]").fill(clinic.viewer)
    await page.locator("input[name=password]").fill("a guess")
    await page.get_by_role("button", name="Entrar", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text("Usuario o contraseña incorrectos.")
    await expect(page.locator("input[name=username]")).to_have_value(clinic.viewer)
    await sign_in(page, clinic.viewer)
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await expect(page.locator("tbody tr")).to_have_count(1)

    other = await page.context.new_page()
    await other.goto("/account")
    await expect(other.locator(".standing")).to_have_attribute("data-standing", "live")
    await page.get_by_role("button", name="Salir").click()
    for each in (page, other):
        await expect(each.locator("input[name=username]")).to_be_visible()
        await expect(each.locator("tbody")).to_have_count(0)


async def test_what_one_user_wrote_never_goes_out_as_another(opened: Opened, clinic: ClinicSeed) -> None:
    """All tabs have one cookie. What the network swallowed is sent again by itself, but not as the next user."""
    page: Page = await opened("/account", user=clinic.viewer)
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    sent: list[str] = []

    async def lost(route: Route) -> None:
        if route.request.method != "DELETE":
            await route.continue_()
            return
        sent.append((await route.request.all_headers())["cookie"])
        await route.abort()

    await page.route("**/v1/auth/sessions", lost)
    await page.evaluate(
        """async () => {
          const loaded = performance.getEntriesByType("resource").map((one) => one.name);
          const { write } = await import(loaded.find((name) => name.endsWith("/service/api.js")));
          window.told = write("delete", "/v1/auth/sessions").then(() => "done", (error) => error.constructor.name);
        }"""
    )
    other = await page.context.new_page()
    await other.goto("/account")
    await other.get_by_role("button", name="Salir").click()
    await sign_in(other, clinic.clinical)
    assert await page.evaluate("window.told") == "Unreachable"
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    assert len(set(sent)) == 1


async def test_a_session_that_is_ended_shows_nothing_more(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    page: Page = await opened("/account", user=clinic.viewer)
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await there.execute(
        "DELETE FROM user_session WHERE user_id = (SELECT id FROM app_user WHERE username = $1)", clinic.viewer
    )
    await expect(page.get_by_text("La sesión terminó. Entra de nuevo")).to_be_visible()
    await sign_in(page, clinic.viewer)
    assert page.url.endswith("/account")


async def test_language_theme_keys_and_an_unknown_address(opened: Opened, clinic: ClinicSeed) -> None:
    page: Page = await opened("/account", user=clinic.viewer)
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My account")
    await page.get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("This list")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("My account")
