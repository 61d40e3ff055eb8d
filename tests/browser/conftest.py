"""Debian's Chromium, driven by playwright against one real service; a clinic of its own for each test.

A page whose console shows an error, whose policy was violated, or in which a promise was rejected and nobody looked,
fails its test at the end (`Watched`).
"""

import itertools
import os
import string
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from core.operations.embedded import EmbeddedServers
from core.settings import Settings
from tests.browser import wards
from tests.browser.watched import Watched, launched
from tests.conftest import SEEDED
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, seed_clinic
from tests.support.machine import PATIENCE
from tests.support.processes.services import workers
from tests.support.servers.databases import Copies
from tests.support.servers.debian import program
from tests.support.signing_in import bearer

expect.set_options(timeout=PATIENCE * 1000)
PREFIXES = itertools.product(string.ascii_uppercase, repeat=3)


@dataclass(frozen=True)
class Site:
    url: str
    database_url: str
    settings: Settings


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched(program("chromium", "chromium")) as browser:
        yield browser


@pytest.fixture(scope="session")
async def site(
    servers: EmbeddedServers,
    copies: Copies,
    seeded_template: str,
    seeded: object,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Site]:
    """One service for all tests, as a process of its own, as it runs unless somebody configures it."""
    database_url = await copies.take(SEEDED, quiet=False)
    settings = Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(servers.redis_url),
        secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
        cache_prefix="browser",
    )
    with workers(settings, 1, tmp_path_factory.mktemp("site") / "log") as serving:
        yield Site(serving.url, database_url, settings)
    copies.drop(database_url)


@pytest.fixture
async def there(site: Site) -> AsyncIterator[rows.Connection]:
    """The site's database, as psql sees it."""
    connection = await asyncpg.connect(site.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def clinic(there: rows.Connection) -> ClinicSeed:
    """A new one, with a catalog and users of every role."""
    return await seed_clinic(there, "W" + "".join(next(PREFIXES)), "America/Santiago")


@pytest.fixture
async def ward(there: rows.Connection, clinic: ClinicSeed) -> list[str]:
    """The ids of the clinic's tickets (wards.py)."""
    return await wards.ward(there, clinic)


Opened = Callable[..., Any]


@pytest.fixture
async def opened(chromium: Browser, site: Site) -> AsyncIterator[Opened]:
    """`await opened("/board", user="clinical_sant", width=360, theme="dark")` → a page of a browser of its own."""
    async with AsyncExitStack() as stack:

        async def made(path: str = "/", *, user: str | None = None, width: int = 1280, theme: str = "light") -> Page:
            watched = await stack.enter_async_context(Watched.opened(chromium, site.url, width, theme))
            await watched.page.goto(path)
            if user is not None:
                await sign_in(watched.page, user)
            return watched.page

        yield made


async def sign_in(page: Page, user: str, password: str = rows.PASSWORD) -> None:
    """As somebody does who is asked to."""
    await page.locator("input[name=username]").fill(user)
    await page.locator("input[name=password]").fill(password)
    await page.locator("button[type=submit]").first.click()
    await page.locator("header.frame").wait_for()


async def sign_in_display(page: Page, url: str, admin: str, viewer: str) -> None:
    """As a wall screen, by a code that the clinic's admin has made for its viewer; `url` is the service's."""
    async with httpx.AsyncClient(base_url=url, headers=bearer(url, admin), timeout=PATIENCE) as asking:
        (user,) = (await asking.get("/v1/users", params={"q": viewer})).json()["items"]
        made = await asking.post(f"/v1/users/{user['id']}/display-sessions")
    assert made.status_code == 201, made.text
    await page.locator("input[name=code]").fill(made.json()["code"])
    await page.locator("button[type=submit]").click()
    await page.locator(".wall-head").wait_for()


@pytest.fixture(scope="session")
def shots() -> Callable[[str], Path | None]:
    """Where a picture of that name goes: into the folder SHOTS of the environment; None where there is none."""
    folder = os.environ.get("SHOTS")

    def path(name: str) -> Path | None:
        return Path(folder, f"{name}.png") if folder else None

    return path
