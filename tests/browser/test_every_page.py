"""What all pages have to be: free of what axe-core finds, no wider than the screen, and in both languages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Opened, Site, sign_in_display
from tests.browser.shown import SHOWN, Shown
from tests.clients.toolchains import installed_node, node_from_wheel, npm_packages
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

ROOT = Path(__file__).parents[2]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
FITS = (
    """() => [document.documentElement, document.querySelector("main")].every((one) => one.scrollWidth <= innerWidth)"""
)
"""What is wider than the screen is not reached on a phone."""

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def axe() -> str:
    folder = npm_packages(installed_node() or node_from_wheel(), ROOT / ".ci" / "client")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def violations(page: Page, axe: str) -> list[dict[str, Any]]:
    """What axe-core finds: each rule, with what breaks it. Evaluated, and not loaded: our policy would forbid that."""
    await page.evaluate(axe)
    found = await page.evaluate(RUN, RULES)
    return [{"rule": one["id"], "at": [node["html"] for node in one["nodes"]]} for one in found["violations"]]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.name)
async def test_a_page_in_both_themes_and_on_all_sizes(
    shown: Shown,
    opened: Opened,
    clinic: ClinicSeed,
    site: Site,
    there: rows.Connection,
    ward: list[str],
    axe: str,
    shots: Callable[[str], Path | None],
) -> None:
    user = shown.role and (shown.role if shown.role == "superuser" else f"{shown.role}_{clinic.prefix.lower()}")
    address = shown.path.format(ticket=ward[0])
    page: Page = await opened(address, user=None if shown.role == "display" else user)
    if shown.role == "display":
        await sign_in_display(page, site.url, clinic.admin, clinic.viewer)
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme="light" if theme == "light" else "dark")
        for width, height in ((360, 740), (1280, 800), (1920, 1080)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.locator(shown.ready).first.wait_for()
            overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, (theme, width)
            if width != 1920:
                assert await violations(page, axe) == [], (theme, width)
            if (path := shots(f"{shown.name}-{theme}-{width}")) is not None:
                await page.screenshot(path=path)
