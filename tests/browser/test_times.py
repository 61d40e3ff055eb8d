"""Times as the page writes them: the clinic's, whatever zone the browser is in."""

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Opened

pytestmark = pytest.mark.long

BLOCKS = {
    "2026-11-29T14:00:00-03:00": ("dom", "29"),
    "2026-11-29T02:00:00-03:00": ("dom", "29"),  # 00:00 - 02:00
    "2026-11-29T01:29:00-03:00": ("sáb", "28"),  # 23:00 - 01:00
    "2026-11-29T00:00:00-03:00": ("sáb", "28"),  # 22:00 - 00:00
    "2026-11-28T23:30:00-03:00": ("sáb", "28"),  # the same
    "2026-12-01T00:00:00-03:00": ("lun", "30"),
}
"""An FPA → the day on which its block begins."""


async def test_a_block_over_midnight_stands_under_the_day_on_which_it_begins(opened: Opened) -> None:
    page: Page = await opened("/")
    await page.locator("input[name=username]").wait_for()
    told = await page.evaluate(
        """async (times) => {
          const loaded = performance.getEntriesByType("resource").map((one) => one.name);
          const { dayOfBlock } = await import(loaded.find((name) => name.endsWith("/service/times.js")));
          return times.map(dayOfBlock);
        }""",
        list(BLOCKS),
    )
    for (fpa, words), day in zip(BLOCKS.items(), told, strict=True):
        assert all(word in day for word in words), (fpa, day)
