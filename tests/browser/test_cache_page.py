"""The cache page: what it sampled since it was opened, how the cache stands, and invalidation that asks back."""

import pytest
from playwright.async_api import Page, Response, expect

from tests.browser.conftest import Opened, Site
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

FACTS = {"lease", "listening", "breaker", "memory", "redisRate", "errors", "processes"}


def is_look(answer: Response) -> bool:
    return answer.url.endswith("/v1/admin/cache")


async def test_a_superuser_sees_how_the_cache_fares_and_has_it_computed_anew(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection, site: Site
) -> None:
    name = await there.fetchval("SELECT name FROM clinic WHERE id = $1", clinic.id)
    page: Page = await opened("/cache", user="superuser")
    await expect(page.get_by_text("de antes no hay datos")).to_be_visible()
    assert {await one.get_attribute("data-fact") for one in await page.locator(".tile").all()} == FACTS
    await expect(page.locator("[data-fact=breaker] strong")).to_have_text("cerrado")
    await page.get_by_role("button", name="Qué significa: Cortacircuito").focus()
    await expect(page.locator("[data-fact=breaker]").get_by_role("tooltip")).to_contain_text("no le pregunta a Redis")

    # Reads between two looks are a stretch of the history, and have a latency.
    async with page.expect_response(is_look):
        for _ in range(3):
            assert (await page.request.get(f"{site.url}/v1/dashboard")).ok
    async with page.expect_response(is_look):
        pass
    await expect(page.locator(".step").first).to_be_attached()
    await expect(page.locator(".hit-history .told strong")).to_contain_text("de aciertos")
    await expect(page.locator(".latency tbody tr").first).to_contain_text("ms")
    await expect(page.locator(".policies").get_by_text("network_dashboard").first).to_be_visible()

    version = "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'figures'"
    before = await there.fetchval(version, clinic.id)
    await page.get_by_label("Clínica", exact=True).last.select_option(label=name)
    await page.get_by_label("Tema").select_option("figures")
    invalidate = page.get_by_role("button", name="Invalidar")
    await invalidate.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"¿Invalidar Cifras del panel de {name}?")
    await dialog.get_by_role("button", name="Cancelar").click()
    assert await there.fetchval(version, clinic.id) == before
    await invalidate.click()
    await dialog.get_by_role("button", name="Invalidar").click()
    await expect(page.get_by_text("Invalidado.")).to_be_visible()
    assert await there.fetchval(version, clinic.id) != before


async def test_no_admin_sees_it(opened: Opened, clinic: ClinicSeed) -> None:
    page: Page = await opened("/cache", user=clinic.admin, width=360)
    await expect(page.get_by_text("Tu cuenta no tiene permiso para esto.")).to_be_visible()
    await expect(page.get_by_role("link", name="Caché")).to_have_count(0)
