"""The dashboard and the list of tickets: every figure leads to as many tickets as it says, and follows what changes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from core.dashboard.views import Flow, Kpis
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def fill(there: rows.Connection, clinic: ClinicSeed) -> None:
    """Tickets of every kind that a figure tells apart, none near to a moment at which the clock changes a figure."""
    now = datetime.now(UTC)
    staying = [
        await clinic.ticket(there, fpa=now + 20 * HOUR),
        await clinic.ticket(
            there, fpa=now + 10 * HOUR, ready_at=now - HOUR, ready_by="test", doctor_id=clinic.doctor_id
        ),
        await clinic.ticket(there, fpa=now - 5 * HOUR, admission_at=now - 9 * DAY, surgery_at=now - 9 * DAY + 2 * HOUR),
        await clinic.ticket(there, fpa=now + 70 * HOUR, created_at=now - 50 * DAY),
    ]
    for late in (-4 * HOUR, 0 * HOUR, 9 * HOUR):
        left = now - 3 * DAY + late
        gone = {"status": "discharged", "discharged_at": left, "admission_at": left - 2 * DAY}
        gone |= {"ready_at": left - 2 * HOUR, "ready_by": "test", "surgery_at": left - 2 * DAY + 2 * HOUR}
        staying.append(await clinic.ticket(there, fpa=now - 3 * DAY, created_at=left - 3 * DAY, **gone))
    await clinic.ticket(there, status="discharged", discharged_at=now - 60 * DAY, fpa=now - 60 * DAY)
    await clinic.ticket(there, status="annulled", annulled_at=now - HOUR, annulled_by="test")
    for at, ticket in enumerate(staying):
        for _ in range(at % 3):
            await rows.modification(there, clinic.id, ticket, previous_fpa=now - DAY)
    for ticket in (staying[1], staying[2], staying[-1]):
        await rows.delay(there, clinic.id, ticket, clinic.delay_reason_id, set_at=now - 4 * DAY)


def number(text: str) -> int:
    found = re.search(r"\d+", text)
    assert found, text
    return int(found[0])


async def behind(page: Page, link: Locator) -> int:
    """How many tickets the list has that the link leads to; the dashboard is shown again afterwards."""
    await link.click()
    total = page.locator("[data-total]")
    await total.wait_for()
    found = int(await total.get_attribute("data-total") or "")
    await expect(page.locator(".table tbody tr")).to_have_count(found)
    await page.go_back()
    await page.locator("[data-figure=total] strong").wait_for()
    return found


async def test_every_figure_leads_to_as_many_tickets_as_it_says(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    await fill(there, clinic)
    page: Page = await opened("/dashboard", user=clinic.admin)
    await page.locator("[data-figure=total] strong").wait_for()
    lists: dict[str, int] = {}
    for tile in await page.locator(".tile").all():
        name = await tile.get_attribute("data-figure") or ""
        shown = await tile.locator("strong").inner_text()
        lists[name] = await behind(page, tile.locator("a").first)
        if await tile.locator("a.counted").count():
            counted = await behind(page, tile.locator("a.counted"))
            assert shown == f"{100 * counted / lists[name]:.1f}".rstrip("0").rstrip(".").replace(".", ",") + "%", name
        elif name not in {"mean_delay_minutes", "mean_ready_wait_minutes", "stay_ratio"}:
            assert number(shown) == lists[name], name
    # Of all figures that the API has.
    assert set(lists) == {*Kpis.model_fields, *Flow.model_fields, "modified"} - {"delays"}
    assert [lists[one] for one in ("total", "overdue", "ready_waiting", "long_stay", "modified")] == [9, 1, 1, 1, 4]
    assert lists["mean_ready_wait_minutes"] == lists["early_discharge_rate"] == 3

    await page.get_by_text("Ver como tabla").click()
    hours = page.locator("a[data-figure=hour]")
    for at in [at for at, text in enumerate(await hours.all_inner_texts()) if text != "0"]:
        await page.locator("details").evaluate("(element) => { element.open = true; }")
        assert await behind(page, hours.nth(at)) == number(await hours.nth(at).text_content() or "") == 1
    bar = page.locator("rect.bar").first
    assert await behind(page, bar) == 1

    for ranked in ("delays", "surgery", "doctor"):
        link = page.locator(f".ranking a[data-figure={ranked}]").first
        assert await behind(page, link) == number(await link.inner_text()), ranked
    assert await behind(page, page.locator("a[data-figure=hours_lost]").first) == 1


async def test_the_dashboard_follows_changes_filters_and_says_what_a_figure_means(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    ticket = await clinic.ticket(there, doctor_id=clinic.doctor_id)
    await rows.modification(there, clinic.id, ticket)
    page: Page = await opened("/dashboard", user=clinic.admin, width=360)
    active = page.locator("[data-figure=active]")
    await expect(active.locator("strong")).to_have_text("1")
    await expect(page.locator("a[data-figure=doctor]")).to_have_text("1")
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
    await clinic.ticket(there)
    await expect(active.locator("strong")).to_have_text("2")

    tip = active.get_by_role("tooltip")
    await expect(tip).to_be_hidden()
    await active.locator("a").focus()
    await expect(tip).to_have_text("Activos cuya FPA todavía no llega.")
    await page.keyboard.press("Escape")
    await expect(tip).to_be_hidden()
    await active.locator("a").hover()
    await expect(tip).to_be_visible()

    await page.get_by_role("button", name="Filtros").click()
    await page.get_by_label("Creados hasta").fill("2020-01-01")
    await expect(active.locator("strong")).to_have_text("0")
    assert "date_to=2020-01-01" in page.url
    await page.get_by_role("button", name="Quitar filtros").click()
    await expect(active.locator("strong")).to_have_text("2")


async def test_the_list_is_searched_filtered_ordered_and_turned(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    for n in range(52):
        surname = "Zamora" if n == 7 else f"Rojas {n:02}"
        patient = await rows.patient(there, clinic.id, first_name="Ana", last_name=surname)
        status: dict[str, Any] = {"status": "annulled", "annulled_at": datetime.now(UTC), "annulled_by": "x"}
        await rows.ticket(there, clinic.id, patient, clinic.surgery_id, **(status if n == 7 else {}))
    page: Page = await opened("/tickets?sort=patient", user=clinic.viewer, width=360)
    lines = page.locator(".table tbody tr")
    await expect(page.locator(".list-total")).to_have_text("52 tickets")
    await expect(lines).to_have_count(50)
    await expect(lines.first).to_contain_text("Rojas 00")
    await page.get_by_role("button", name="Siguiente").click()
    await expect(lines).to_have_count(2)
    await expect(page.locator(".as-of")).to_contain_text("Estados de las")
    await expect(page.locator(".list-total")).to_have_text("52 tickets")
    await page.get_by_role("button", name="Anterior").click()
    await expect(lines).to_have_count(50)

    await page.get_by_role("heading", level=1).click()
    await page.keyboard.press("/")
    await page.keyboard.type("zamora")
    await expect(lines).to_have_count(1)
    await expect(lines.first).to_contain_text("Anulado")
    await page.get_by_role("button", name="filtro").click()
    await page.get_by_label("Estado").select_option("active")
    await expect(page.get_by_text("Ningún ticket")).to_be_visible()
    await page.get_by_role("button", name="Quitar filtros").click()
    await expect(page.locator(".list-total")).to_have_text("52 tickets")
    await clinic.ticket(there)
    await expect(page.locator(".list-total")).to_have_text("53 tickets")
