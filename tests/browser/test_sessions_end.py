"""However a session ends while somebody is at work: nothing of patients stays, and the same user goes on from there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.browser.by_hand import fill, press
from tests.browser.conftest import Opened, Site, sign_in
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support.machine import PATIENCE, until
from tests.support.signing_in import LOGIN, bearer, credentials

pytestmark = pytest.mark.long

OVER = "La sesión terminó. Entra de nuevo"
KEPT = "async () => (await caches.keys()).includes('ticket-home.kept') || sessionStorage.length > 0"
IDLE = timedelta(hours=1)
"""For which a session may go unused."""


async def revoke(site: Site, clinic: ClinicSeed, there: rows.Connection, user: str) -> None:
    """As an admin does, from elsewhere."""
    user_id = await rows.user_id(there, user)
    async with httpx.AsyncClient(base_url=site.url, headers=bearer(site.url, clinic.admin), timeout=PATIENCE) as admin:
        assert (await admin.delete(f"/v1/users/{user_id}/sessions")).is_success


async def sessions_of(there: rows.Connection, user: str) -> int:
    ask = "SELECT count(*) FROM user_session WHERE revoked_at IS NULL AND user_id = $1"
    return int(await there.fetchval(ask, await rows.user_id(there, user)))


async def test_one_that_is_revoked_leaves_nothing_but_its_users_drafts(
    opened: Opened, clinic: ClinicSeed, ward: list[str], site: Site, there: rows.Connection
) -> None:
    board: Page = await opened("/board", user=clinic.clinical)
    await board.locator("button.place").first.click()
    await board.locator("input[name=bed_number]").fill("14B")
    form = await board.context.new_page()
    await form.goto("/tickets/new")
    await fill(form, patient__document="7.654.321-6", patient__first_name="Rosa")
    await revoke(site, clinic, there, clinic.clinical)
    for page in (board, form):
        await expect(page.get_by_text(OVER)).to_be_visible()
        left = await page.content()
        assert not [name for name in ("Undurraga", "Rosa", "14B", "7.654.321-6") if name in left]
        assert not await page.evaluate(KEPT)

    await sign_in(form, clinic.clinical)
    await expect(form.locator("[name='patient.first_name']")).to_have_value("Rosa")
    await expect(form.locator("[name='patient.document']")).to_have_value("7.654.321-6")
    await expect(board.locator("input[name=bed_number]")).to_have_value("14B")

    await revoke(site, clinic, there, clinic.clinical)
    for user in (clinic.admin, clinic.clinical):
        await sign_in(form, user)
        await expect(form.locator("[name='patient.document']")).to_have_value("")
        if user == clinic.admin:
            await form.get_by_role("link", name="Mi cuenta").click()
            await press(form, "Salir")
            await form.locator("input[name=username]").wait_for()
            await form.goto("/tickets/new")


async def test_a_sign_out_that_the_network_swallows_is_done_when_it_is_back(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/account", user=clinic.clinical)
    other = await page.context.new_page()
    await other.goto("/board")
    await expect(other.locator(".card").first).to_be_visible()
    await page.context.route("**/v1/auth/logout", lambda route: route.abort())
    await press(page, "Salir")
    for each in (page, other):
        await expect(each.locator("input[name=username]")).to_be_visible()
    assert not await other.evaluate(KEPT)
    await page.reload()
    await expect(page.locator("input[name=username]")).to_be_visible()
    assert await sessions_of(there, clinic.clinical) == 1
    await page.context.unroute("**/v1/auth/logout")
    await until(lambda: is_none(there, clinic.clinical))
    await sign_in(page, clinic.clinical)
    await page.reload()
    await expect(page.locator("header.frame")).to_be_visible()


async def test_after_a_sign_out_in_one_tab_one_signs_in_in_another(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/account", user=clinic.clinical)
    other = await page.context.new_page()
    await other.goto("/board?q=Undurraga")
    await expect(other.locator(".card")).to_have_count(1)
    await press(page, "Salir")
    await other.locator("input[name=username]").wait_for()
    assert "Undurraga" not in other.url
    # A mistyped password leaves nothing undone that is still to be done, nor does it stand in the way.
    await page.context.route("**/v1/auth/logout", lambda route: route.abort())
    await sign_in(other, clinic.viewer)
    await page.locator(".me").wait_for()
    await other.goto("/account")
    await press(other, "Salir")
    await other.locator("input[name=username]").fill(clinic.viewer)
    await other.locator("input[name=password]").fill("mistyped")
    await press(other, "Entrar")
    await expect(other.get_by_role("alert")).to_be_visible()
    await page.context.unroute("**/v1/auth/logout")
    await until(lambda: is_none(there, clinic.viewer))


async def test_what_is_answered_after_a_sign_out_is_told_to_nobody(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    held: list[Route] = []
    await page.route("**/ready", lambda route: held.append(route))
    for one in ward[1:3]:
        await page.locator(f"li[data-id={one}]").get_by_role("button", name="Listo").click()
    await until(lambda: len(held) == 2)
    await page.get_by_role("link", name="Mi cuenta").click()
    await press(page, "Salir")
    await page.locator("input[name=username]").wait_for()
    landed, refused = held
    await landed.fulfill(response=await landed.fetch())
    problem: Any = {"code": "revision_mismatch", "current": {"id": ward[2]}, "status": 412}
    await refused.fulfill(status=412, json=problem, content_type="application/problem+json")
    await sign_in(page, clinic.viewer)
    await expect(page.locator(".me")).to_have_text(clinic.viewer)
    await expect(page.locator(".toast, dialog")).to_have_count(0)


async def is_none(there: rows.Connection, user: str) -> bool:
    return await sessions_of(there, user) == 0


async def test_a_browser_that_nobody_touches_is_signed_out_however_much_it_reads(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    about = page.get_by_role("alert").filter(has_text="la sesión termina en menos de un minuto")
    touched = datetime.now(UTC) + timedelta(minutes=1)
    for _ in range(2):
        await page.clock.set_fixed_time(touched)
        await page.keyboard.press("Shift")
        await expect(about).to_have_count(0)
        touched += IDLE - timedelta(seconds=30)
        await page.clock.set_fixed_time(touched)
        await expect(about).to_be_visible()
    await page.clock.set_fixed_time(touched + timedelta(seconds=30))
    await expect(page.get_by_text(OVER)).to_be_visible()
    await until(lambda: is_none(there, clinic.clinical))


async def test_a_page_that_the_browser_kept_asks_who_it_is_before_it_goes_on(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection, site: Site
) -> None:
    page: Page = await opened("/board", user=clinic.clinical)
    await expect(page.locator(".card").first).to_be_visible()
    await as_another(page.context, site, clinic.viewer)
    shown_again = "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
    await page.evaluate(shown_again)
    await expect(page.locator(".me")).to_have_text(clinic.viewer)
    await expect(page.locator(".card button")).to_have_count(0)
    await page.context.clear_cookies()
    await page.evaluate(shown_again)
    await expect(page.get_by_text(OVER)).to_be_visible()


async def as_another(context: BrowserContext, site: Site, user: str) -> None:
    """Its cookies are another user's, and no page of it was told."""
    await context.clear_cookies()

    async def is_in() -> bool:
        return (await context.request.post(site.url + LOGIN, data=credentials(user, client="web"))).ok

    await until(is_in)


async def test_a_proxy_that_answers_503_is_waited_for(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection
) -> None:
    async def away(route: Route) -> None:
        await route.fulfill(status=503, body="<h1>503</h1>", content_type="text/html", headers={"Retry-After": "1"})

    page: Page = await opened("/board", user=clinic.clinical)
    ready = page.locator(f"li[data-id={ward[1]}]").get_by_role("button", name="Listo")
    await expect(ready).to_be_visible()
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await page.context.route("**/v1/**", away)
    await ready.click()
    await expect(page.locator(".standing .waiting")).to_have_text("1 cambio por enviar")
    # Told by the stream, which goes on, and not to be read.
    await there.execute("UPDATE ticket SET bed_number = '9Z', revision = revision + 1 WHERE id = $1", ward[2])
    await expect(page.locator(".stale-mark")).to_contain_text("Datos de las")
    other = await page.context.new_page()
    await other.goto("/board")
    await expect(other.locator(".failure")).to_contain_text("El servicio no puede responder ahora.")
    await page.context.unroute("**/v1/**")
    await expect(ready).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".stale-mark, .standing .waiting")).to_have_count(0)
    await expect(other.locator(".card").first).to_be_visible()


async def test_a_superusers_clinic_is_chosen_until_signing_out(
    opened: Opened, clinic: ClinicSeed, ward: list[str], there: rows.Connection, site: Site
) -> None:
    name = await there.fetchval("SELECT name FROM clinic WHERE id = $1", clinic.id)
    doctor = await there.fetchval("SELECT name FROM doctor WHERE id = $1", clinic.doctor_id)
    page: Page = await opened("/board", user="superuser")
    doctors = page.get_by_label("Médico", exact=True).locator("option")
    choice = page.get_by_role("combobox", name="Clínica")
    await choice.select_option(name)
    await page.get_by_role("button", name="Filtros").click()
    await expect(doctors).to_have_text(["Todos", doctor])
    await page.get_by_label("Médico", exact=True).select_option(doctor)
    await expect(page.locator(".card")).to_have_count(8)
    await page.reload()
    await expect(choice.locator("option:checked")).to_have_text(name)
    await expect(page.locator(".card")).to_have_count(8)
    await choice.select_option("Toda la red")
    await expect(page).to_have_url(f"{site.url}/board")  # the doctor is of one clinic
    await choice.select_option(name)
    await page.goto("/account")
    await press(page, "Salir")
    await sign_in(page, "superuser")
    await expect(choice.locator("option:checked")).to_have_text("Toda la red")
