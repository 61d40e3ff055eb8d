"""Without a network the client opens all the same, shows this session's last board, and nothing of it after its end."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Opened, Site, sign_in
from tests.browser.watched import Watched
from tests.factories.fixtures import ClinicSeed
from tests.support.processes import commands
from tests.support.processes.services import free_port, serving

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long

CONTROLLED = "() => navigator.serviceWorker.ready.then(() => true)"
KEPT = """async () => {
  const store = await caches.open("ticket-home.kept");
  return (await store.keys()).filter((one) => one.url.includes("/board/")).length;
}"""


async def test_the_last_board_opens_again_and_is_gone_after_signing_out(
    opened: Opened, clinic: ClinicSeed, ward: list[str]
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    await expect(page.locator(".card")).to_have_count(8)
    await page.wait_for_function(CONTROLLED)
    await page.wait_for_function(KEPT)
    await page.context.set_offline(True)
    await page.reload()
    await expect(page.locator(".card")).to_have_count(8)
    await expect(page.locator(".stale-mark")).to_contain_text("Datos de las")
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "offline")
    await page.locator("[data-view=overdue]").click()  # that one was never read
    await expect(page.locator(".card")).to_have_count(0)
    await page.locator("[data-view=active]").click()
    await expect(page.locator(".card")).to_have_count(8)

    stranger = await page.context.new_page()  # the key is the first tab's
    await stranger.goto("/board")
    await expect(stranger.locator(".failure")).to_contain_text("No hay respuesta del servicio.")
    await stranger.close()

    await page.context.set_offline(False)
    await expect(page.locator(".stale-mark")).to_have_count(0)
    await page.goto("/account")
    await page.get_by_role("button", name="Salir").click()
    await expect(page.locator("input[name=username]")).to_be_visible()
    assert await page.evaluate("caches.has('ticket-home.kept')") is False
    assert await page.evaluate("sessionStorage.length") == 0
    await page.context.set_offline(True)
    await page.goto("/board")
    await expect(page.locator(".card")).to_have_count(0)


async def test_a_deploy_while_somebody_looks_is_offered_and_not_forced(
    chromium: Browser, site: Site, clinic: ClinicSeed, ward: list[str], tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    for folder in ("api", "core", "alembic"):
        shutil.copytree(ROOT / folder, newer / folder, ignore=shutil.ignore_patterns("__pycache__"))
    texts = newer / "api" / "web" / "client" / "texts" / "es" / "board.js"
    texts.write_text(texts.read_text().replace('"board.discharge": "Alta"', '"board.discharge": "Alta médica"'))
    given, port = commands.environment(site.settings), free_port()
    command = (commands.TICKET_HOME, "serve", "--workers", "1")
    async with Watched.opened(chromium, f"http://127.0.0.1:{port}", 1280, "light") as watched:
        page = watched.page
        with serving(*command, environment=given, log=tmp_path / "log", port=port):
            await page.goto("/board")
            await sign_in(page, clinic.clinical)
            await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
            await page.locator("button.place").first.click()
            await page.locator("input[name=bed_number]").fill("5Z")
        await expect(page.locator(".standing")).to_have_attribute("data-standing", "reconnecting")
        with serving(*command, environment=given | {"PYTHONPATH": str(newer)}, log=tmp_path / "log2", port=port):
            await expect(page.locator(".banner")).to_be_visible()
            await expect(page.locator("input[name=bed_number]")).to_have_value("5Z")  # nothing that was typed is lost
            await page.locator(".banner button").click()
            await expect(page.get_by_text("Alta médica").first).to_be_visible()
            await expect(page.locator(".banner")).to_have_count(0)
