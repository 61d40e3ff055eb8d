"""`ticket-home user` and `housekeeping`, as processes: on operator servers, and on the data folder's own."""

import os
import pty
import subprocess
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits
from tests.support.processes.commands import TICKET_HOME, WITHIN, environment, refused, run, run_beside
from tests.support.signing_in import ME, log_in

PASSWORD = "four words of my own"


async def test_the_first_superuser_is_made_and_signs_in(
    operator: dict[str, str], client: httpx.AsyncClient, connection: rows.Connection
) -> None:
    made = run(operator, "user", "create", "jefa", "--email", "jefa@example.org", typed=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    row = await connection.fetchrow("SELECT role, clinic_id, is_active FROM app_user WHERE username = 'jefa'")
    assert tuple(row or ()) == ("superuser", None, True)
    assert await log_in(client, "jefa", PASSWORD) == 200
    (audit,) = await audits(connection, "user.created")
    assert (audit["username"], audit["changes"]["role"]) == ("(command line)", [None, "superuser"])
    again = run(operator, "user", "create", "JEFA", "--email", "x@example.org", typed=f"{PASSWORD}\n")
    assert "taken" in refused(again)


async def test_a_user_without_a_password_is_made_for_single_sign_on(
    operator: dict[str, str], client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    options = ("--email", "otra@example.org", "--role", "viewer", "--clinic", "sant", "--sso")
    made = run(operator, "user", "create", "otra", *options)
    assert made.returncode == 0, made.stderr
    row = await connection.fetchrow("SELECT role, clinic_id, is_active FROM app_user WHERE username = 'otra'")
    assert tuple(row or ()) == ("viewer", seed.sant.id, True)
    for password in ("!", PASSWORD, "sso-user-no-password"):
        assert await log_in(client, "otra", password) == 401


@pytest.mark.long
async def test_a_user_of_a_clinic_is_made_by_its_prefix(
    operator: dict[str, str], connection: rows.Connection, seed: Seed
) -> None:
    options = ("--email", "otra@example.org", "--role", "admin")
    assert run(operator, "user", "create", "otra", *options, "--clinic", "sant", typed=PASSWORD).returncode == 0
    assert await connection.fetchval("SELECT clinic_id FROM app_user WHERE username = 'otra'") == seed.sant.id
    assert "NOPE" in refused(run(operator, "user", "create", "x", *options, "--clinic", "nope", typed=PASSWORD))
    assert "clinic" in refused(run(operator, "user", "create", "x", *options, typed=PASSWORD))


@pytest.mark.long
async def test_what_is_refused_is_told_in_a_sentence(operator: dict[str, str], seed: Seed) -> None:
    create = ("user", "create", "otra", "--email", "otra@example.org")
    assert "12 characters" in refused(run(operator, *create, typed="short\n"))
    assert "empty" in refused(run(operator, *create))
    assert "username" in refused(run(operator, "user", "create", "a b", "--email", "a@example.org", typed=PASSWORD))
    assert "email" in refused(run(operator, "user", "create", "ab", "--email", "nobody", typed=PASSWORD))
    for command in ("password", "deactivate"):
        assert "nobody" in refused(run(operator, "user", command, "nobody", typed=PASSWORD))
    assert "last active superuser" in refused(run(operator, "user", "deactivate", "superuser"))


async def test_a_new_password_ends_the_users_sessions(
    operator: dict[str, str], sign_in: SignIn, client: httpx.AsyncClient, seed: Seed
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    ended = await run_beside(operator, "user", "password", seed.sant.viewer.upper(), typed=f"{PASSWORD}\r\n")
    assert ended.returncode == 0, ended.stderr
    assert (await viewer.get(ME)).status_code == 401
    assert await log_in(client, seed.sant.viewer, PASSWORD) == 200


async def test_a_deactivated_user_is_out(
    operator: dict[str, str], sign_in: SignIn, client: httpx.AsyncClient, seed: Seed
) -> None:
    viewer = await sign_in(seed.sant.viewer)
    assert (await run_beside(operator, "user", "deactivate", seed.sant.viewer)).returncode == 0
    assert (await viewer.get(ME)).status_code == 401
    assert await log_in(client, seed.sant.viewer, rows.PASSWORD) == 401


def at_a_terminal(operator: dict[str, str], *arguments: str, first: str, second: str) -> tuple[int, bytes]:
    """Its exit code, and all that the terminal showed. Where it asks again, whoever types gives up."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [TICKET_HOME, *arguments], env=operator, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = unanswered = b""
    # The space after a question comes once the terminal shows no more what is typed.
    answers = [(b"Password: ", f"{first}\n"), (b"confirmation: ", f"{second}\n"), (b"Password: ", "\x04")]
    while True:
        try:
            chunk = os.read(ours, 1024)
        except OSError:
            break  # Linux: the other side is closed
        if not chunk:
            break
        shown += chunk
        unanswered += chunk
        if answers and answers[0][0] in unanswered:
            unanswered = b""
            os.write(ours, answers.pop(0)[1].encode())
    code = process.wait(WITHIN)
    os.close(ours)
    return code, shown


@pytest.mark.parametrize(("second", "code"), [(PASSWORD, 0), ("something else", 1)])
async def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(
    operator: dict[str, str], client: httpx.AsyncClient, seed: Seed, second: str, code: int
) -> None:
    ended, shown = at_a_terminal(operator, "user", "password", seed.sant.viewer, first=PASSWORD, second=second)
    assert ended == code, shown
    assert b"Repeat" in shown
    assert PASSWORD.encode() not in shown
    assert await log_in(client, seed.sant.viewer, PASSWORD) == (401 if code else 200)


async def test_housekeeping_tells_what_it_deleted(
    operator: dict[str, str], connection: rows.Connection, sign_in: SignIn, seed: Seed
) -> None:
    await sign_in(seed.sant.viewer)
    await sign_in(seed.sant.admin)
    await connection.execute(
        "UPDATE user_session SET created_at = now() - interval '1 day', expires_at = now()"
        " WHERE user_id = (SELECT id FROM app_user WHERE username = $1)",
        seed.sant.viewer,
    )
    ended = run(operator, "housekeeping")
    assert (ended.returncode, ended.stdout) == (0, "Deleted 1 sessions and 0 idempotency keys.\n")
    assert await connection.fetchval("SELECT count(*) FROM user_session") == 1


def test_without_given_servers_the_data_folders_own_serve(tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    create = ("user", "create", "jefa", "--email", "jefa@example.org", "--data-dir", folder)
    made = run(environment(), *create, typed=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout) == (0, "Created superuser jefa.\n"), made.stderr
    assert "taken" in refused(run(environment(), *create, typed=f"{PASSWORD}\n"))


async def test_who_guessed_too_often_is_unlocked_and_it_is_audited(
    settings: Settings, client: httpx.AsyncClient, connection: rows.Connection, seed: Seed
) -> None:
    username = seed.sant.viewer
    for _ in range(10):
        await log_in(client, username, "a wrong password")
    assert await log_in(client, username, rows.PASSWORD) == 429
    there = environment(settings)
    unlocked = await run_beside(there, "user", "unlock", f"{username}@example.org".upper())
    assert unlocked.returncode == 0, unlocked.stderr
    assert await log_in(client, username, rows.PASSWORD) == 200
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", username)
    found = await connection.fetch("SELECT target_id, clinic_id FROM action_audit WHERE action = 'user.unlocked'")
    assert [tuple(row) for row in found] == [(str(user_id), seed.sant.id)]
    assert (await run_beside(there, "user", "unlock", "--address", "127.0.0.1")).returncode == 0


async def test_what_cannot_be_unlocked_is_told(operator: dict[str, str], seed: Seed) -> None:
    assert "Nobody is called nobody." in refused(await run_beside(operator, "user", "unlock", "nobody"))
    assert "no IP address" in refused(await run_beside(operator, "user", "unlock", "--address", "the ward"))
    assert "Name a user" in refused(await run_beside(operator, "user", "unlock"))
    away = operator | {"REDIS_URL": "redis://127.0.0.1:1"}
    assert "Redis is away" in refused(await run_beside(away, "user", "unlock", seed.sant.viewer))
