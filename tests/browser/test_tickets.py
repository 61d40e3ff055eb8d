"""A ticket by hand: made, with what the service asks first; and changed, held against somebody else's change."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.by_hand import TOMORROW, fill, press
from tests.browser.conftest import Opened
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long


@pytest.mark.parametrize("width", [1280, 360])
async def test_a_ticket_is_made(opened: Opened, clinic: ClinicSeed, there: rows.Connection, width: int) -> None:
    page: Page = await opened("/tickets/new", user=clinic.clinical, width=width)
    standing = page.locator(".document-standing")
    for typed, what in (
        ("7.654", "unfinished"),
        ("7.654.321-5", "wrong"),
        ("sin rut", "nobodys"),
        ("7.654.321-6", "right"),
    ):
        await fill(page, patient__document=typed)
        await expect(standing).to_have_attribute("data-standing", what)
    await expect(page.locator(".found")).to_contain_text("será un paciente nuevo")
    assert await there.fetchval("SELECT count(*) FROM patient WHERE clinic_id = $1", clinic.id) == 1

    await press(page, "Crear el ticket")
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.locator(".field[data-refused] [name=surgery_id]")).to_be_visible()
    await fill(page, patient__first_name="Rosa", patient__last_name="Quiroga", bed_number="12-B")
    await page.locator("[name=surgery_id]").select_option(str(clinic.surgery_id))
    await fill(page, surgery_at=f"{datetime.now(UTC).year + 36}-{TOMORROW[5:]}")
    await page.get_by_role("button", name="No: el").click()
    await fill(page, surgery_at=TOMORROW)
    await expect(page.locator(".preview")).to_contain_text("FPA")
    await press(page, "Crear el ticket")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rosa Quiroga")
    await expect(page.locator(".pairs").first).to_contain_text("12-B")
    await expect(page.locator(".history li").first).to_contain_text("Creado")


async def test_what_the_service_asks_is_asked_and_not_an_error(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    ana = await rows.patient(there, clinic.id, document_type="rut", document="12345678-5", last_name="Soto")
    other = await rows.ticket(there, clinic.id, ana, clinic.surgery_id, episode_id="E-77")
    page: Page = await opened("/tickets/new", user=clinic.clinical)
    await fill(page, patient__document="12.345.678-5")
    await expect(page.locator(".found")).to_contain_text("Ana Soto")
    await expect(page.locator(".found a")).to_have_text(other)
    await fill(page, patient__first_name="Juana", patient__last_name="Pérez", surgery_at=TOMORROW, episode_id="e-77")
    await page.locator("[name=surgery_id]").select_option(str(clinic.surgery_id))

    await press(page, "Crear el ticket")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("¿Es la misma persona?")
    await expect(dialog).to_contain_text("Juana Pérez")
    await press(page, "No: corregir lo escrito")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("[name='patient.first_name']")).to_have_value("Juana")
    await press(page, "Es esta persona: usar sus datos")
    await expect(page.locator("[name='patient.last_name']")).to_have_value("Soto")

    await press(page, "Crear el ticket")
    await expect(dialog).to_contain_text(other)
    await press(page, "Sí, es otra estadía")
    await expect(dialog).to_contain_text("Ese episodio ya es de otro ticket")
    await press(page, "Corregir el episodio")
    await fill(page, episode_id="E-78")
    await press(page, "Crear el ticket")
    await press(page, "Sí, es otra estadía")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ana Soto")
    assert await there.fetchval("SELECT count(*) FROM ticket WHERE patient_id = $1", ana) == 2


async def test_what_was_typed_goes_again_with_its_key_and_is_done_once(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    ticket = await clinic.ticket(there)
    page: Page = await opened(f"/tickets/{ticket}", user=clinic.clinical)
    keys: list[str] = []

    async def lose(route: Route) -> None:
        """The service hears it, and the browser never hears the service."""
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/delays", lose)
    await press(page, "Demora")
    await fill(page, note="Falta la ambulancia")
    await page.get_by_role("dialog").locator(".reasons button").click()
    await expect(page.locator(".held-up li")).to_contain_text("Falta la ambulancia")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert await there.fetchval("SELECT count(*) FROM delay WHERE ticket_id = $1", ticket) == 1


async def test_two_who_change_the_same_see_both_versions(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    ticket = await clinic.ticket(there, bed_number="1-A")
    nurse: Page = await opened(f"/tickets/{ticket}", user=clinic.clinical)
    admin: Page = await opened(f"/tickets/{ticket}", user=clinic.admin)
    await press(nurse, "Cama y episodio")
    await fill(nurse, location="Recuperación")
    await press(admin, "Cama y episodio")
    await fill(admin, bed_number="2-C")
    await press(admin, "Guardar")
    await expect(nurse.locator(".pairs").first).to_contain_text("2-C")

    await press(nurse, "Guardar")
    versions = nurse.locator(".conflict")
    await expect(versions).to_contain_text("1-A")
    await expect(versions).to_contain_text("2-C")
    await press(nurse, "Dejarlo como está")
    await expect(nurse.locator("[name=location]")).to_have_value("Recuperación")
    await press(nurse, "Guardar")
    await press(nurse, "Escribir lo mío")
    await expect(nurse.get_by_role("dialog")).to_have_count(0)
    for page in (nurse, admin):
        await expect(page.locator(".pairs").first).to_contain_text("Recuperación")
        await expect(page.locator(".pairs").first).to_contain_text("2-C")
