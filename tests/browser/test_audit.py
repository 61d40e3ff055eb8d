"""The audit by hand: what somebody just did stands there, readable, and is found by who, what, on what and when."""

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened, Site
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support import machine
from tests.support.signing_in import bearer

pytestmark = pytest.mark.long

KEPT = """async () => {
  const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  return (await Promise.all(opened.map((one) => one.keys()))).flat().map((one) => one.url);
}"""
"""Addresses of what the browser keeps."""
EARLIER = """
INSERT INTO action_audit (at, username, clinic_id, action, target_type, target_id, changes)
SELECT now() - n * interval '1 hour', $2, $1, 'ticket.placed', 'ticket', $3,
       jsonb_build_object('bed_number', jsonb_build_array('bed ' || (51 - n), 'bed ' || (52 - n)))
  FROM generate_series(1, 50) AS n
"""
"""What was done to a ticket before, an hour after the other."""


async def test_what_was_done_is_found_and_leads_to_its_ticket(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection, site: Site
) -> None:
    ticket = await clinic.ticket(there, bed_number="1-A")
    page: Page = await opened("/audit", user=clinic.admin)
    await expect(page.get_by_text("Nada que mostrar")).to_be_visible()
    await there.execute(EARLIER, clinic.id, clinic.clinical, ticket)
    head = {**bearer(site.url, clinic.clinical), "If-Match": '"1"'}
    async with httpx.AsyncClient(base_url=site.url, headers=head, timeout=machine.PATIENCE) as nurse:
        assert (await nurse.patch(f"/v1/tickets/{ticket}", json={"bed_number": "50-C"})).status_code == 200
    await page.get_by_role("button", name="Leer de nuevo").click()
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(50)
    await expect(lines.first).to_contain_text("Cama, ubicación o episodio")
    await expect(lines.first.locator("del")).to_have_text("1-A")
    await expect(lines.first.locator("ins")).to_have_text("50-C")

    # A page further, and back.
    await page.get_by_role("button", name="Siguiente").click()
    await expect(lines).to_have_count(1)
    await expect(lines.first.locator("del")).to_have_text("bed 1")
    await page.get_by_role("button", name="Anterior").click()
    await expect(lines).to_have_count(50)

    await page.locator("[name=target]").fill("patient")
    await expect(page.get_by_text("Nada que mostrar")).to_be_visible()
    await page.get_by_role("button", name="Quitar filtros").click()
    await page.locator("[name=action]").select_option("ticket.placed")
    await lines.first.get_by_role("link", name=clinic.clinical).click()
    await expect(page).to_have_url(f"{site.url}/audit?user={clinic.clinical}")
    await expect(page.locator("[name=user]")).to_have_value(clinic.clinical)
    await expect(lines).to_have_count(50)
    await lines.first.get_by_role("link", name=ticket).click()
    await expect(page.locator(".history li").first).to_contain_text("50-C")

    # Nothing of it is kept: what a patient is called stands in the audit, too.
    await page.goto("/audit")
    await expect(lines).to_have_count(50)
    assert [url for url in await page.evaluate(KEPT) if "/v1/" in url] == []
    await page.goto("/account")
    await page.get_by_role("button", name="Salir").click()
    await page.locator("input[name=username]").wait_for()
    await expect(page.get_by_text("50-C")).to_have_count(0)


async def test_sign_ins_on_a_phone_with_those_that_failed(opened: Opened, clinic: ClinicSeed, site: Site) -> None:
    page: Page = await opened("/account", user=clinic.admin, width=360)
    body = {"username": clinic.viewer, "password": "a guess", "client": "mobile"}
    async with httpx.AsyncClient(base_url=site.url, timeout=machine.PATIENCE) as somebody:
        assert (await somebody.post("/v1/auth/login", json=body)).status_code == 401
    await page.locator(".places").get_by_role("button", name="Más").click()
    await page.locator(".places").get_by_role("link", name="Auditoría").click()
    await page.get_by_role("button", name="Ingresos").click()
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text(clinic.viewer)
    await expect(lines.first).to_contain_text("Contraseña incorrecta")
    await expect(lines.last).to_contain_text("Entró")
    await page.get_by_role("button", name="Filtros").click()
    await page.locator("[name=action]").select_option("succeeded")
    await expect(lines).to_have_count(1)
    await page.locator("[name=to]").fill("2024-01-01")
    await expect(page.get_by_text("Nada que mostrar")).to_be_visible()
