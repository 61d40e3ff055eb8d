"""Files of tickets: what was chosen is in them, and when there were too many it is told until when."""

import asyncio
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

MOST = 10


async def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    """The file's name, and what is in it."""
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name=button, exact=True).click()
    download = await waiting.value
    path = await download.path()
    return download.suggested_filename, await asyncio.to_thread(path.read_bytes)


@pytest.mark.parametrize("width", [1280, 360])
async def test_what_is_chosen_is_in_the_file(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection, width: int
) -> None:
    kept = await clinic.ticket(there)
    await clinic.ticket(
        there, status="annulled", annulled_at=datetime.now(UTC), annulled_by="test", annulment_reason="test"
    )
    page: Page = await opened("/exports", user=clinic.clinical, width=width)
    await expect(page.get_by_text("2 tickets")).to_be_visible()
    await page.locator("[name=status]").select_option("active")
    await page.get_by_role("button", name="7 días").click()
    await expect(page.get_by_text("1 ticket", exact=True)).to_be_visible()
    name, workbook = await downloaded(page, "Descargar")
    assert name.endswith(".xlsx")
    assert workbook.startswith(b"PK")
    await page.locator("[name=format]").select_option("programs")
    name, table = await downloaded(page, "Descargar")
    assert name.startswith(f"tickets-{clinic.prefix}")
    assert table.splitlines()[0].startswith(b"\xef\xbb\xbfid,clinic,status")
    assert [line.split(b",")[0].decode() for line in table.splitlines()[1:]] == [kept]
    if width == 360:
        return
    await page.locator("[name=format]").select_option("excel")
    _, table = await downloaded(page, "Descargar")
    assert table.count(b";") > 20
    for _ in range(MOST - 3):
        assert (await page.request.get("/v1/exports/tickets.csv")).ok
    await page.get_by_role("button", name="Descargar", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Demasiados intentos. Espera")


async def test_every_table_for_a_superuser(opened: Opened, clinic: ClinicSeed) -> None:
    page: Page = await opened("/exports", user="superuser")
    await page.get_by_label("Clínica", exact=True).select_option(str(clinic.id))
    name, tables = await downloaded(page, "Descargar todo")
    assert name.startswith(f"full-{clinic.prefix}")
    assert tables.startswith(b"PK")
