"""Whoever could sign in there can here, with the same password, and with no more rights."""

import httpx
import pytest

from core.operations.imports.legacy.report import Outcome
from tests.core.operations.imports.conftest import Hospital, Import
from tests.core.operations.imports.imported import users
from tests.core.operations.imports.legacy.old_database import PBKDF2, SCRYPT
from tests.factories import rows
from tests.support.signing_in import log_in


async def test_hashes_work_at_the_first_sign_in_and_are_replaced(
    hospital: Hospital, run_import: Import, connection: rows.Connection, client: httpx.AsyncClient
) -> None:
    await hospital.user("scrypt", password=SCRYPT)
    await hospital.user("pbkdf2")
    await run_import()
    stored = await users(connection)
    assert (stored["scrypt"]["password_hash"], stored["pbkdf2"]["password_hash"]) == (SCRYPT, PBKDF2)
    for name, password in (("scrypt", "my-test-password-123"), ("pbkdf2", "contraseña 1")):
        assert await log_in(client, name, password + "x") == 401
        assert await log_in(client, name, password) == 200
        assert (await users(connection))[name]["password_hash"].startswith("$argon2id$")
        assert await log_in(client, name, password) == 200


async def test_plain_passwords_are_hashed_and_nowhere_to_be_read(
    hospital: Hospital,
    run_import: Import,
    connection: rows.Connection,
    client: httpx.AsyncClient,
    capfd: pytest.CaptureFixture[str],
) -> None:
    plain = "  clave-en-claro ñ "
    for number in range(5):
        await hospital.user(f"plain{number}", password=f"{plain}{number}")
    # Begins like a hash, and is none.
    await hospital.user("almost", password="scrypt:is my favourite")
    report = await run_import()
    assert report.count(Outcome.REPAIRED, "user", "a password in plain text: hashed") == 7
    assert await log_in(client, "plain3", f"{plain}3") == 200
    assert await log_in(client, "plain3", f"{plain}3".strip()) == 401
    assert await log_in(client, "almost", "scrypt:is my favourite") == 200
    assert "clave-en-claro" not in str(report)
    output = capfd.readouterr()
    assert "clave-en-claro" not in output.out + output.err
    for row in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200"):
        found = await connection.fetchval(
            f"SELECT count(*) FROM {row['relname']} t WHERE t::text LIKE '%clave-en-claro%'"
        )
        assert found == 0, row["relname"]


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "sha256$salt$75ec07ade5fe726229d616ff0a3a5bb62eddaf6ac80754877e9ce9f695072add",
        "md5$x$5f4dcc3b5aa765d61d8327deb882cf99",
        "$2b$12$KIXQ0WZ0j7nH6Jd0lQv5..abcdefghijklmnopqrstuv",
        SCRYPT[:-2],
    ],
)
async def test_an_unknown_kind_of_hash_lets_nobody_in_least_of_all_its_reader(
    hospital: Hospital, run_import: Import, client: httpx.AsyncClient, stored: str | None
) -> None:
    await hospital.user("berta", password=stored)
    report = await run_import()
    assert await log_in(client, "berta", stored or "x") == 401
    repairs = {one.what for one in report.findings() if one.table == "user" and one.outcome is Outcome.REPAIRED}
    assert {what for what in repairs if "new password" in what or "needs a new one" in what}


async def test_roles_come_in_any_case_and_an_unknown_one_gives_no_rights(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    given = {"a": "ADMIN", "b": "Clinical", "c": "VISUALIZADOR", "d": "SuperUser", "e": "superusuario", "f": "jefe"}
    for name, role in given.items():
        await hospital.user(name, role=role)
    await hospital.user("g", role=None)
    report = await run_import()
    found = await users(connection)
    assert {name: found[name]["role"] for name in "abcdefg"} == {
        "a": "admin", "b": "clinical", "c": "viewer", "d": "superuser", "e": "superuser", "f": "viewer", "g": "viewer",
    }  # fmt: skip
    assert [name for name in "abcdefg" if not found[name]["is_active"]] == ["f", "g"]
    assert {found[name]["clinic_id"] for name in "de"} == {None}
    assert report.count(Outcome.REPAIRED, "user", "an unknown role: an inactive viewer here") == 2
    assert report.count(Outcome.REPAIRED, "user", "a superuser with a clinic: has none here") == 2


async def test_the_table_of_superusers_names_those_without_a_clinic(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.user("root", role="admin", clinic_id=None)
    await hospital.user("bound", role="admin")
    await hospital.user("lost", role="admin", clinic_id=None)
    for email in ("ROOT@example.org", "bound@example.org", "gone@example.org"):
        await hospital.old.add("superuser", email=email)
    report = await run_import()
    found = await users(connection)
    assert found["root"]["role"] == "superuser"
    assert (found["bound"]["role"], found["bound"]["clinic_id"] is None) == ("admin", False)
    assert "lost" not in found
    assert (report.of("superuser").imported, report.of("superuser").refused) == (1, 2)
    assert report.count(Outcome.REFUSED, "user", "without a clinic, and no superuser") == 1


async def test_names_and_emails_are_unique_in_any_case(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.user("ANA", email="First@example.org", is_active=False)
    await hospital.user("bea", email="first@EXAMPLE.org")
    for number, name in enumerate(("ana", "ANA", "Ana"), start=1):
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", created_by=name)
    await run_import()
    found = await users(connection)
    # The one who works here keeps the name, and so with the email.
    assert set(found) == {"ana", "ANA-2", "bea"}
    assert found["bea"]["email"] == "first@EXAMPLE.org"
    assert found["ANA-2"]["email"] == "user-2@legacy.invalid"
    made_by = await connection.fetch(
        "SELECT u.username FROM ticket JOIN app_user u ON u.id = created_by_id ORDER BY number"
    )
    assert [row["username"] for row in made_by] == ["ana", "ANA-2", "ana"]


async def test_a_user_name_is_no_email(
    hospital: Hospital, run_import: Import, connection: rows.Connection, client: httpx.AsyncClient
) -> None:
    """Else somebody could be called what another one signs in by."""
    await hospital.user("carla@example.org", email=None)
    await hospital.user("bea", email="bea@example.org")
    await hospital.user("bea@example.org", email="other@example.org")
    await run_import()
    found = await users(connection)
    assert found["carla"]["email"] == "carla@example.org"
    assert not [name for name in found if "@" in name]
    assert await log_in(client, "carla@example.org", "contraseña 1") == 200


@pytest.mark.parametrize("email", [None, "", "no at", "two words@example.org", "x" * 300 + "@example.org"])
async def test_an_invalid_email_becomes_a_placeholder(
    hospital: Hospital, run_import: Import, connection: rows.Connection, email: str | None
) -> None:
    await hospital.user("berta", email=email)
    report = await run_import()
    assert (await users(connection))["berta"]["email"] == "user-2@legacy.invalid"
    assert report.count(Outcome.REPAIRED, "user", "without a valid email: got a placeholder") == 1


async def test_what_no_user_can_be_without(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    await hospital.user(None, email=None)
    await hospital.user(" ", email="dora@example.org", created_at=None, is_active=None)
    await hospital.user("y" * 100)
    report = await run_import()
    found = await users(connection)
    assert report.count(Outcome.REFUSED, "user", "without a user name") == 1
    assert not found["dora"]["is_active"]
    assert found["y" * 80]["created_at"].isoformat() == "2024-05-01T03:00:00+00:00"


async def test_users_of_the_target_are_not_touched(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """Of the same clinic they are the same person; of another one, somebody else, who keeps the name."""
    clinic = await rows.clinic(connection, "SANT", name="CLÍNICA REDSALUD SANTIAGO")
    other = await rows.clinic(connection, "OTHE")
    same = await rows.user(connection, "Ana", "admin", clinic, email="here@example.org")
    await rows.user(connection, "bea", "viewer", other, email="bea@example.org")
    await hospital.user("Bea", email="BEA@example.org")
    await hospital.user("carla", email="here@EXAMPLE.org")
    await hospital.ticket("TH-SANT-2025-001", created_by="Bea")
    await hospital.ticket("TH-SANT-2025-002", created_by="ana")
    before = await connection.fetch("SELECT * FROM app_user ORDER BY id")
    report = await run_import()
    assert (await connection.fetch("SELECT * FROM app_user ORDER BY id"))[: len(before)] == before
    assert report.count(Outcome.REFUSED, "user", "somebody else has this user name here") == 1
    assert report.count(Outcome.KEPT, "user", "has another role here: left as it is here") == 1
    assert (await users(connection))["carla"]["email"] == "user-3@legacy.invalid"
    assert await connection.fetchval("SELECT count(*) FROM clinic") == 2
    made_by = await connection.fetch("SELECT created_by, created_by_id FROM ticket ORDER BY id")
    # Not linked to a namesake of another clinic.
    assert [tuple(row) for row in made_by] == [("Bea", None), ("ana", same)]
