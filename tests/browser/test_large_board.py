"""A board of five hundred: as few cards in the page as fit on the screen, whatever is scrolled to and searched for, and
no task that takes a frame; and the board that is there soon after signing in."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import Opened, sign_in
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.support import machine

pytestmark = pytest.mark.long

MANY = """
WITH numbered AS (SELECT n FROM generate_series(1, 500) AS n),
patients AS (
  INSERT INTO patient (clinic_id, document_type, document, first_name, last_name)
  SELECT $1::int, 'passport', 'L' || $3::text || n, 'Nombre' || n, 'Apellido' || n % 40 FROM numbered
  RETURNING id, substring(first_name FROM 7)::int AS n
)
INSERT INTO ticket (id, clinic_id, year, number, patient_id, surgery_id, surgery_name, surgery_base_hours, surgery_at,
  admission_at, system_fpa, initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, bed_number, created_by)
SELECT 'TH-' || $3::text || '-2026-' || 1000 + n, $1::int, 2026, 1000 + n, id, $2, 'Surgery', 24, now(),
  now() - interval '2 hours', fpa, fpa, fpa, 1, 1, n || 'A', 'test'
FROM patients, LATERAL (SELECT now() + n * interval '13 minutes' + interval '1 minute' AS fpa) AS due
"""
ON_A_SCREEN = 40


FRAME = 0.050
"""Seconds."""
TRACED = ["toplevel", "disabled-by-default-devtools.timeline", "__metadata"]


async def test_of_five_hundred_those_on_the_screen_are_in_the_page_and_no_task_takes_a_frame(
    opened: Opened, chromium: Browser, clinic: ClinicSeed, there: rows.Connection
) -> None:
    await there.execute(MANY, clinic.id, clinic.surgery_id, clinic.prefix)
    page: Page = await opened("/board", user=clinic.clinical)
    cards = page.locator(".card")
    await expect(page.locator(".total")).to_have_text("500 pacientes")
    await expect(cards.first).to_contain_text("Nombre1 ")
    assert await cards.count() < ON_A_SCREEN
    assert await page.locator("li[aria-setsize='500']").count() == await cards.count()

    began = machine.now()
    await chromium.start_tracing(page=page, categories=TRACED)
    await page.mouse.move(600, 500)
    for _ in range(20):
        await page.mouse.wheel(0, 700)
        await page.evaluate("() => new Promise(requestAnimationFrame)")
    await page.keyboard.press("End")
    await expect(page.get_by_text("Nombre500 ", exact=False).first).to_be_visible()
    assert await cards.count() < ON_A_SCREEN
    await page.keyboard.press("/")
    await page.keyboard.type("apellido7 500")
    await expect(cards).to_have_count(0)
    await page.locator("input[type=search]").fill("apellido7")
    await expect(page.locator(".total")).to_have_text("13 pacientes")
    await page.locator("input[type=search]").fill("")
    await expect(page.locator(".total")).to_have_text("500 pacientes")
    assert await cards.count() < ON_A_SCREEN
    assert longest_task(await chromium.stop_tracing()) < machine.bound(FRAME, began)


def longest_task(trace: bytes) -> float:
    """Seconds of a processor that a page's longest task took: by the clock it also waits for others."""
    events = json.loads(trace)["traceEvents"]
    mains = {(one["pid"], one["tid"]) for one in events if one.get("args", {}).get("name") == "CrRendererMain"}
    tasks = [one for one in events if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in mains]
    took = [int(one["tdur"]) for one in tasks if "tdur" in one]
    assert len(took) > 100, "no trace of a page"
    return max(took) / 1e6


async def test_the_first_board_waits_for_the_sign_in_and_for_nothing_else(
    opened: Opened, clinic: ClinicSeed, ward: list[str]
) -> None:
    page: Page = await opened("/")
    await page.locator("input[name=username]").wait_for()  # who it is has been asked by then
    painted = asyncio.Event()
    asked: list[str] = []

    async def late(route: Route) -> None:
        await painted.wait()
        await route.continue_()

    def note(request: Request) -> None:
        path = urlsplit(request.url).path
        if path.startswith("/v1/") and path != "/v1/auth/methods":  # how one signs in is asked before that
            asked.append(path)

    await page.route("**/v1/clinics*", late)
    await page.route("**/v1/events*", late)
    page.on("request", note)
    await sign_in(page, clinic.clinical)
    await expect(page.locator(".card")).to_have_count(8)
    assert set(asked) == {"/v1/auth/login", "/v1/clinics", "/v1/events", "/v1/nursing-board"}
    painted.set()
    await expect(page.locator(".clinic")).to_be_visible()
    await expect(page.locator(".standing")).to_have_attribute("data-standing", "live")
