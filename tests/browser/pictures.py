"""The pictures of README.md and README.es.md: `make pictures` writes docs/pictures/ anew.

A service of its own with demo data, looked at in Debian's Chromium as its people do, in both languages. A nurse has
modified some FPA before, so that at any hour somebody is about to leave.
"""

import asyncio
import io
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import sign_in, sign_in_display
from tests.browser.demo import demo_service, user_of
from tests.browser.shown import SHOWN
from tests.browser.watched import Watched, launched
from tests.support.processes.commands import ROOT
from tests.support.servers.debian import find_or_install
from tests.support.signing_in import bearer

FOLDER = ROOT / "docs" / "pictures"
LANGUAGES = {"en": "en", "es": "es-CL"}
"""The end of a picture's name → as the page keeps it."""
SOON = (2, 3, 4, 6, 7, 8)
"""Hours after which blocks end that patients have to leave in."""


@dataclass(frozen=True)
class Picture:
    name: str
    shown: str
    """By its name in SHOWN."""
    width: int
    theme: str = "light"
    scale: float = 1


PICTURES = (
    Picture("board", "board", 1280),
    Picture("dashboard", "dashboard", 1280),
    Picture("ticket", "ticket", 1280, theme="dark"),
    Picture("wall", "wall", 1920, theme="dark"),
    Picture("phone", "board", 360, scale=2),
)


def hasten(url: str) -> str:
    """Have some patients leave soon. Gives the ticket of one of them, who is ready and waits for something."""
    with httpx.Client(base_url=url, headers=bearer(url, user_of("clinical"))) as nurse:

        def changed(ticket: dict[str, Any], verb: str, **body: object) -> dict[str, Any]:
            seen = {"If-Match": f'"{ticket["revision"]}"'}
            answer = nurse.post(f"/v1/tickets/{ticket['id']}/{verb}", json=body, headers=seen)
            assert answer.is_success, answer.text
            return dict(answer.json())

        reasons: dict[str, int] = {}
        for reason in nurse.get("/v1/reasons").json()["items"]:
            reasons.setdefault(reason["category"], reason["id"])
        board = nurse.get("/v1/nursing-board", params={"urgency": "normal"}).json()
        for hours, ticket in zip(SOON, board["items"], strict=False):
            ends = datetime.fromisoformat(board["now"]) + timedelta(hours=hours)
            block = {"date": f"{ends:%Y-%m-%d}", "block_end_hour": ends.hour}
            told = changed(ticket, "fpa-modifications", reason_id=reasons["modification"], **block)
            if hours == SOON[0]:
                changed(changed(told, "ready"), "delays", reason_id=reasons["delay"])
        return str(board["items"][0]["id"])


async def taken(browser: Browser, url: str, picture: Picture, language: str, ticket: str) -> Image.Image:
    (shown,) = (one for one in SHOWN if one.name == picture.shown)
    async with Watched.opened(browser, url, picture.width, picture.theme, scale=picture.scale) as watched:
        page: Page = watched.page
        await page.add_init_script(f"localStorage.setItem('ticket-home.language', '{LANGUAGES[language]}')")
        await page.goto(shown.path.format(ticket=ticket))
        if shown.role == "display":
            await sign_in_display(page, url, user_of("admin"), user_of("viewer"))
        elif shown.role is not None:
            await sign_in(page, user_of(shown.role))
            await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
        await page.locator(shown.ready).first.wait_for()
        return Image.open(io.BytesIO(await page.screenshot()))


async def take_all(url: str, executable: Path) -> None:
    ticket = await asyncio.to_thread(hasten, url)
    async with launched(executable) as browser:
        for picture in PICTURES:
            for language in LANGUAGES:
                path = FOLDER / f"{picture.name}.{language}.webp"
                (await taken(browser, url, picture, language, ticket)).save(path, quality=80, method=6)


def main() -> None:
    executable = find_or_install("chromium", "chromium")
    if executable is None:
        sys.exit("Chromium is missing. Run once, as root: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with demo_service() as url:
        asyncio.run(take_all(url, executable))


if __name__ == "__main__":
    main()
