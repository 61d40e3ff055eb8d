"""Debian's Chromium, and a page of it that is watched: what its console, its policy and its promises complain of."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.support.machine import PATIENCE

HEIGHTS = {360: 740, 1280: 800, 1920: 1080}
"""Pixels, by width: a phone, a desk, a wall."""
REJECTED = """
addEventListener("unhandledrejection", (event) => console.error("unhandled rejection", String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy", event.violatedDirective, event.blockedURI));
"""
REFUSED = "Failed to load resource: "
"""What Chromium itself says of every answer that is no success, and of a network that is away."""


@asynccontextmanager
async def launched(executable: Path) -> AsyncIterator[Browser]:
    # A sandbox of Chromium's own needs more than root in a container has.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=options)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Watched:
    page: Page
    complaints: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, browser: Browser, url: str, width: int, theme: str, scale: float = 1
    ) -> AsyncIterator["Watched"]:
        """`scale`: pixels of the screen for one of the page."""
        context = await browser.new_context(
            base_url=url,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme=cast("Literal['light', 'dark']", theme),
            timezone_id="Asia/Tokyo",  # never the clinic's
            locale="de-DE",
            has_touch=width == 360,
            device_scale_factor=scale,
        )
        context.set_default_timeout(PATIENCE * 1000)
        await context.add_init_script(REJECTED)
        watched = cls(await context.new_page())
        context.on("page", watched.watch)
        watched.watch(watched.page)
        try:
            yield watched
        finally:
            await context.close()
        assert watched.complaints == []

    def watch(self, page: Page) -> None:
        page.on("console", self._read)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _read(self, message: ConsoleMessage) -> None:
        asked = message.location.get("url", "")
        if message.type == "error" and not (message.text.startswith(REFUSED) and "/v1/" in asked):
            self.complaints.append(f"{message.text} ({asked})")
