"""The list for the morning's meeting: everybody once, where they belong, and on one printed page."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

PATIENTS = 32


async def test_everybody_once_and_on_one_page(opened: Opened, clinic: ClinicSeed, there: rows.Connection) -> None:
    now = datetime.now(UTC)
    midnight = now.astimezone(ZoneInfo("America/Santiago")).replace(hour=0, minute=0, second=0, microsecond=0)
    ready = {"ready_at": now - timedelta(hours=1), "ready_by": "test"}
    long = {"location": "Médico-quirúrgico 4° piso", "surgery_name": "Colecistectomía laparoscópica"}
    waits = await clinic.ticket(there, fpa=midnight - timedelta(hours=5), location="Piso 3", bed_number="9", **ready)
    await there.execute(
        "INSERT INTO delay (clinic_id, ticket_id, reason_id, reason, set_at, set_by)"
        " VALUES ($1, $2, $3, 'Espera de familiar', now(), 'test')",
        clinic.id,
        waits,
        clinic.delay_reason_id,
    )
    await clinic.ticket(there, fpa=midnight + timedelta(hours=23), location="Piso 3", bed_number="10")
    await clinic.ticket(there, fpa=now - timedelta(hours=73), location="Piso 3")
    await clinic.ticket(there, fpa=midnight + timedelta(days=3), location="Piso 3")
    for bed in range(PATIENTS - 3):
        await clinic.ticket(there, fpa=midnight - timedelta(hours=bed % 20 + 1), **long, bed_number=str(bed))

    page: Page = await opened("/handover", user=clinic.clinical)
    rows_of = {part: page.locator(f"[data-part={part}] tbody tr") for part in ("ready", "today", "late")}
    await expect(rows_of["ready"]).to_have_count(1)
    await expect(rows_of["ready"]).to_contain_text("Espera de familiar")
    await expect(rows_of["today"]).to_have_count(1)
    await expect(rows_of["late"]).to_have_count(PATIENTS - 3)
    await expect(page.locator("[data-part=forgotten] li")).to_have_count(1)
    assert len(re.findall(rb"/Type\s*/Page\b", await page.pdf(format="A4"))) == 1

    await page.get_by_label("Ubicación").select_option("Piso 3")
    await expect(rows_of["late"]).to_have_count(0)
    await expect(rows_of["ready"]).to_have_count(1)
    await there.execute("UPDATE ticket SET status = 'discharged', discharged_at = now() WHERE id = $1", waits)
    await expect(rows_of["ready"]).to_have_count(0)
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.locator("[data-part=today] a").click()
    await expect(page.locator(".due")).to_be_visible()
