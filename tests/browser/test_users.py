"""Users by hand: made, changed, shut out and let in again, each with what the service refuses at its field."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.by_hand import answer, fill, press
from tests.browser.conftest import Opened, sign_in
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed

pytestmark = pytest.mark.long

SESSIONS = "SELECT count(*) FROM user_session WHERE user_id = $1 AND revoked_at IS NULL"


async def more(page: Page, user: str, verb: str) -> None:
    await page.get_by_role("button", name=f"Más de {user}").click()
    await page.get_by_role("button", name=verb, exact=True).click()


async def test_an_admin_looks_after_the_users_of_its_clinic(
    opened: Opened, clinic: ClinicSeed, there: rows.Connection
) -> None:
    carla = f"carla.{clinic.prefix.lower()}"
    page: Page = await opened("/users", user=clinic.admin)
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(3)
    own = lines.filter(has_text="(tú)")
    await expect(own).to_contain_text(clinic.admin)
    await expect(own.get_by_role("button")).to_have_count(0)

    # What is refused stands at its field; what was typed stays.
    await press(page, "Nuevo usuario")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("[name=role] option")).to_have_text(["Visualizador", "Clínico"])
    await expect(dialog.locator("[name=clinic_id]")).to_have_count(0)
    await fill(page, username="car la", email="carla", password="corta")
    await press(page, "Crear")
    refused = dialog.locator("[data-refused] [name]")
    await expect(refused).to_have_count(2)
    assert [await one.get_attribute("name") for one in await refused.all()] == ["username", "email"]
    await fill(page, username=clinic.viewer.upper(), email=f"{carla}@example.org")
    await press(page, "Crear")
    await expect(dialog.locator("[data-refused]")).to_contain_text("Demasiado corta.")
    await press(page, "Otra")
    await press(page, "Crear")
    await expect(dialog.locator("[data-refused]")).to_contain_text(["Alguien ya tiene", "Alguien ya tiene"])
    password = await page.locator("[name=password]").input_value()
    await fill(page, username=carla)
    await press(page, "Crear")
    await expect(dialog.locator("dd")).to_have_text([carla, password])
    await answer(page, "Listo")
    await expect(lines).to_have_count(4)
    await expect(page.get_by_text(password)).to_have_count(0)

    # The password is the right one; what takes something away ends the session that it opened.
    other: Page = await opened("/account")
    await sign_in(other, carla, password)
    await more(page, carla, "Quitar el acceso…")
    await answer(page, "Quitar")
    await expect(lines.filter(has_text=carla)).to_contain_text("Sin acceso")
    await expect(other.get_by_text("La sesión terminó. Entra de nuevo")).to_be_visible()
    await page.get_by_role("button", name="Deshacer").click()
    await expect(lines.filter(has_text=carla)).to_contain_text("Activo")
    await sign_in(other, carla, password)
    await page.get_by_role("button", name=f"Cambiar a {carla}").click()
    await dialog.locator("[name=role]").select_option("viewer")
    await expect(dialog.get_by_role("status")).to_contain_text("Sus sesiones terminan al guardar")
    await press(page, "Guardar")
    await expect(lines.filter(has_text=carla)).to_contain_text("Visualizador")
    await expect(other.get_by_text("La sesión terminó. Entra de nuevo")).to_be_visible()

    await more(page, carla, "Código para una pantalla…")
    await expect(dialog).to_contain_text("/wall")
    assert len((await dialog.locator("dd").inner_text()).replace("-", "")) >= 12
    await answer(page, "Listo")
    carla_id = await rows.user_id(there, carla)
    assert await there.fetchval(SESSIONS, carla_id) == 1
    await more(page, carla, "Terminar sus sesiones…")
    await answer(page, "Terminar")
    await expect(page.get_by_text(f"Las sesiones de {carla} terminaron.")).to_be_visible()
    assert await there.fetchval(SESSIONS, carla_id) == 0
    await more(page, carla, "Nueva contraseña…")
    await fill(page, password=f"{carla}@example.org")
    await press(page, "Guardar")
    await expect(dialog.locator("[data-refused]")).to_contain_text("Es el usuario o el correo.")
    await press(page, "Otra")
    await press(page, "Guardar")
    await expect(dialog.locator("dd").first).to_have_text(carla)
    await answer(page, "Listo")

    await page.get_by_role("searchbox").fill("CARLA")
    await expect(lines).to_have_count(1)
    assert "q=CARLA" in page.url

    # What was typed about one, when the session ended, is not taken for another.
    await page.get_by_role("button", name=f"Cambiar a {carla}").click()
    await fill(page, username="otra")
    await there.execute("DELETE FROM user_session WHERE user_id = $1", await rows.user_id(there, clinic.admin))
    await expect(page.get_by_text("La sesión terminó. Entra de nuevo")).to_be_visible()
    await sign_in(page, clinic.admin)
    await page.get_by_role("searchbox").fill("")
    for user, typed in ((clinic.viewer, clinic.viewer), (carla, "otra")):
        await page.get_by_role("button", name=f"Cambiar a {user}").click()
        await expect(page.locator("[name=username]")).to_have_value(typed)
        await answer(page, "Cancelar")


async def test_a_superuser_has_them_all_on_a_phone(opened: Opened, clinic: ClinicSeed, there: rows.Connection) -> None:
    async def with_sso(route: Route) -> None:
        await route.fulfill(json={"password": True, "sso": True})

    page: Page = await opened("/account", user="superuser", width=360)
    await page.route("**/v1/auth/methods", with_sso)
    await page.locator(".places").get_by_role("button", name="Más").click()
    await page.locator(".places").get_by_role("link", name="Usuarios").click()
    await page.get_by_label("Clínica", exact=True).select_option(str(clinic.id))
    lines = page.locator("tbody tr")
    await expect(lines).to_have_count(3)
    await expect(page.get_by_role("button", name=f"Cambiar a {clinic.admin}")).to_be_visible()

    ines = f"ines-{clinic.prefix.lower()}"
    await press(page, "Nuevo usuario")
    await fill(page, username=ines, email=f"{ines}@example.org")
    await page.get_by_role("dialog").locator("[name=role]").select_option("admin")
    await page.locator("[name=way]").select_option("sso")
    await expect(page.locator("[name=password]")).to_have_count(0)
    await expect(page.locator("[name=clinic_id]")).to_have_value(str(clinic.id))
    await page.locator("[name=clinic_id]").select_option("")
    await press(page, "Crear")
    await expect(page.get_by_role("dialog").locator("[data-refused]")).to_contain_text("Falta.")
    await page.locator("[name=clinic_id]").select_option(str(clinic.id))
    await press(page, "Crear")
    await expect(lines.filter(has_text=ines)).to_contain_text("Sin contraseña")

    await page.get_by_role("button", name=f"Cambiar a {ines}").click()
    await page.get_by_role("dialog").locator("[name=role]").select_option("superuser")
    await expect(page.locator("[name=clinic_id]")).to_have_count(0)
    await press(page, "Guardar")
    await expect(lines).to_have_count(3)
    await page.get_by_role("button", name="Deshacer").click()
    await expect(lines).to_have_count(4)
    await more(page, clinic.clinical, "Quitar la contraseña…")
    await answer(page, "Quitar")
    await expect(lines.filter(has_text=clinic.clinical)).to_contain_text("Sin contraseña")
