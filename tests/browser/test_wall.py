"""A ward's wall: switched on by a code, with initials only, by itself, and plainly old where it is."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened, Site, sign_in_display
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


async def test_a_wall_shows_beds_and_initials_follows_changes_and_says_when_it_is_old(
    opened: Opened, clinic: ClinicSeed, ward: list[str], site: Site, there: rows.Connection
) -> None:
    page: Page = await opened("/wall", width=1920)
    await page.locator("input[name=code]").fill("WRON-GCOD-E123")
    await page.locator("button[type=submit]").click()
    await expect(page.get_by_role("alert")).to_have_text("Ese código no es válido o ya se usó.")
    await sign_in_display(page, site.url, clinic.admin, clinic.viewer)
    await expect(page.locator(".wall-row")).to_have_count(10)  # two of the twelve are forgotten
    shown = await page.locator("body").inner_text()
    assert "M.U." in shown
    assert "Undurraga" not in shown
    beds = page.locator(".wall-bed")
    for name in ("606-B", "UCI-INT-12"):  # as clinics name them
        await there.execute("UPDATE ticket SET bed_number = $2, revision = revision + 1 WHERE id = $1", ward[0], name)
        await expect(beds.first).to_have_text(name)
        assert await beds.first.evaluate("(bed) => bed.scrollWidth <= bed.clientWidth"), name

    await page.context.set_offline(True)
    await expect(page.locator(".wall-old")).to_contain_text("DATOS DE LAS")
    await page.context.set_offline(False)
    await expect(page.locator(".wall-old")).to_have_count(0)

    await page.goto("/board")  # a wall is nothing else
    await expect(page.locator(".wall-row")).to_have_count(10)


async def test_what_does_not_fit_comes_in_turn(
    opened: Opened, clinic: ClinicSeed, ward: list[str], site: Site, there: rows.Connection
) -> None:
    page: Page = await opened("/wall", width=1280)
    await page.set_viewport_size({"width": 1280, "height": 300})
    await page.clock.install()
    await sign_in_display(page, site.url, clinic.admin, clinic.viewer)
    first = await beds_of(page, "1 de 2")
    assert len(first) < 10
    await page.clock.fast_forward(12_500)
    assert not set(first) & set(await beds_of(page, "2 de 2"))


async def beds_of(page: Page, turn: str) -> list[str]:
    """Once that page is shown and current: a clock that jumps has heard nothing for long, and the wall says so until it
    has, in letters that leave room for fewer beds."""
    shown = await page.wait_for_function(
        """(turn) => document.querySelector(".wall-page")?.textContent === turn && !document.querySelector(".wall-old")
          && [...document.querySelectorAll(".wall-bed")].map((bed) => bed.textContent)""",
        arg=turn,
    )
    return list(await shown.json_value())
