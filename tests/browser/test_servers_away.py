"""Redis, PostgreSQL and the service itself go away and come back while people look and write: on a site of its own,
whose servers break."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page, expect
from pydantic import SecretStr

from core.db.schema.migrate import upgrade
from core.settings import Settings
from tests.browser.by_hand import TOMORROW, fill, press
from tests.browser.conftest import Opened, Site
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support.processes.services import Serving, workers
from tests.support.servers.breakable import Breakable

pytestmark = pytest.mark.long

BEFORE_THE_STREAM_IS_GIVEN_UP = """async () => {
  const { line } = await import(`/app/${document.documentElement.dataset.release}/service/events.js`);
  return document.querySelector(".standing")?.dataset.standing === "reconnecting" && line.value === "live";
}"""
HEARD = """async () =>
  (await import(`/app/${document.documentElement.dataset.release}/service/events.js`)).heard.value"""
"""When the page last heard that nothing else has changed, epoch milliseconds."""


def breakable(folder: Path, kind: str) -> Iterator[Breakable]:
    server = Breakable(folder / kind, kind)
    yield server
    server.end()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    yield from breakable(tmp_path_factory.mktemp("away"), "valkey")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    yield from breakable(tmp_path_factory.mktemp("away"), "postgres")


@pytest.fixture(scope="module")
def broken_site(
    redis: Breakable, postgres: Breakable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, Serving]]:
    upgrade(postgres.url)
    settings = Settings(
        database_url=SecretStr(postgres.url),
        redis_url=SecretStr(redis.url),
        secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
    )
    with workers(settings, 1, tmp_path_factory.mktemp("site") / "log") as serving:
        yield Site(serving.url, postgres.url, settings), serving


@pytest.fixture(scope="module")
def site(broken_site: tuple[Site, Serving]) -> Site:
    """In the place of the one that all other tests share."""
    return broken_site[0]


def ready(page: Page, ticket_id: str) -> Locator:
    return page.locator(f"li[data-id={ticket_id}] .card").get_by_role("button", name="Listo")


async def stands(page: Page, how: str) -> None:
    await expect(page.locator(".standing")).to_have_attribute("data-standing", how)


async def test_redis_goes_away_and_nobody_who_works_notices(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection, redis: Breakable
) -> None:
    await rows.user(there, "superuser", "superuser", None)
    nurse: Page = await opened("/board", user=clinic.clinical)
    cache: Page = await opened("/cache", user="superuser")
    breaker = cache.locator("[data-fact=breaker] strong")
    await expect(breaker).to_have_text("cerrado")
    async with redis.killed():
        await ready(nurse, ward[1]).click()
        await expect(ready(nurse, ward[1])).to_have_attribute("aria-pressed", "true")
        desk: Page = await opened("/board", user=clinic.viewer)  # one also comes in
        await expect(desk.locator(f"li[data-id={ward[1]}] [data-sign=ready]")).to_be_visible()
        await ready(nurse, ward[2]).click()
        await expect(desk.locator(f"li[data-id={ward[2]}] [data-sign=ready]")).to_be_visible()
        await expect(breaker).not_to_have_text("cerrado")
        for page in (nurse, desk):
            await stands(page, "live")
            await expect(page.locator(".stale-mark, .failure, .toast[data-kind=failed]")).to_have_count(0)
    await expect(breaker).to_have_text("cerrado")


async def test_postgresql_goes_away_and_everything_says_so_until_it_is_back(
    opened: Opened, clinic: ClinicSeed, ward: list[str], postgres: Breakable
) -> None:
    nurse: Page = await opened("/board", user=clinic.clinical)
    chief: Page = await opened("/dashboard", user=clinic.admin)
    clerk: Page = await opened("/tickets/new", user=clinic.clinical)
    await expect(chief.locator("[data-figure=active] strong")).to_have_text("8")
    for page in (nurse, chief, clerk):
        await stands(page, "live")
    await clerk.locator("[name=surgery_id]").select_option(str(clinic.surgery_id))
    async with postgres.killed():
        # What is shown says how old it is, on pages that were open and on one that is opened now.
        for page in (nurse, chief):
            await stands(page, "stale")
            await expect(page.locator(".stale-mark")).to_contain_text("Datos de las")
        await chief.reload()
        await expect(chief.locator("[data-figure=active] strong")).to_have_text("8")
        await expect(chief.locator(".stale-mark")).to_contain_text("Datos de las")
        # A write waits to go again; what asks only is refused in words, and what was typed stays.
        await ready(nurse, ward[1]).click()
        await expect(nurse.locator(".standing .waiting")).to_have_text("1 cambio por enviar")
        await fill(clerk, surgery_at=TOMORROW)
        await expect(clerk.locator(".notice")).to_contain_text("El servicio no puede responder ahora.")
        await fill(clerk, patient__document="7.654.321-6", patient__first_name="Rosa", patient__last_name="Quiroga")
        await press(clerk, "Crear el ticket")
        await expect(clerk.locator(".standing .waiting")).to_have_text("1 cambio por enviar")
        await expect(clerk.locator("[name='patient.first_name']")).to_have_value("Rosa")
    await expect(clerk.get_by_role("heading", level=1)).to_have_text("Rosa Quiroga")
    await expect(ready(nurse, ward[1])).to_have_attribute("aria-pressed", "true")
    await expect(nurse.locator(".card", has_text="Rosa Quiroga")).to_have_count(1)
    await expect(chief.locator("[data-figure=active] strong")).to_have_text("9")
    for page in (nurse, chief):
        await stands(page, "live")
        await expect(page.locator(".stale-mark, .standing .waiting")).to_have_count(0)


async def test_a_service_that_falls_silent_is_noticed_before_the_stream_is_given_up(
    opened: Opened, clinic: ClinicSeed, ward: list[str], broken_site: tuple[Site, Serving]
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    await stands(page, "live")
    begun = datetime.now(UTC)
    await page.clock.set_fixed_time(begun)
    async with page.expect_response("**/v1/nursing-board*"):  # what is heard from now on is heard at that time
        await ready(page, ward[1]).click()
    await expect(ready(page, ward[1])).to_have_attribute("aria-pressed", "true")
    _, serving = broken_site
    os.killpg(serving.process.pid, signal.SIGSTOP)
    try:
        await page.clock.set_fixed_time(begun + timedelta(minutes=7))
        await page.wait_for_function(BEFORE_THE_STREAM_IS_GIVEN_UP)
        heard = datetime.fromtimestamp(await page.evaluate(HEARD) / 1000, ZoneInfo("America/Santiago"))
        await expect(page.locator(".stale-mark")).to_have_text(f"Datos de las {heard:%H:%M}")
    finally:
        os.killpg(serving.process.pid, signal.SIGCONT)
    await stands(page, "live")
    await expect(page.locator(".stale-mark")).to_have_count(0)
