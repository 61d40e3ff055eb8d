"""/docs and /redoc in a closed network: they show the contract, and ask nobody but the service."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened, Site

pytestmark = pytest.mark.long


@pytest.mark.parametrize(
    ("path", "operation"), [("/docs", "#operations-tag-auth"), ("/redoc", "[data-section-id$=authLogin] h2")]
)
async def test_nothing_is_fetched_from_elsewhere(path: str, operation: str, opened: Opened, site: Site) -> None:
    page: Page = await opened("/livez")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(path, wait_until="networkidle")
    await expect(page.locator(operation).first).to_be_visible()
    foreign = [url for url in asked if not url.startswith((f"{site.url}/", "data:", f"blob:{site.url}/"))]
    assert foreign == []
    assert f"{site.url}/openapi.json" in asked
