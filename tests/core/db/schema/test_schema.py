"""A schema that this code does not fit is refused in a sentence that says what to do; one that it fits is served on,
also while another release is rolled out, or was rolled back."""

import secrets

import pytest
from alembic.script import ScriptDirectory

from core.db.schema.compatibility import Schema, newest, oldest_code, revisions
from core.db.schema.migrate import config
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.support.machine import until
from tests.support.migrations import downgrade
from tests.support.processes.commands import refused, run, run_beside

MIGRATE = "run ticket-home migrate"
STATUS = ("cache", "status")


def test_the_names_of_its_files_tell_which_migrations_the_code_knows() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert revisions() == {one.revision for one in scripts.walk_revisions()}
    assert scripts.get_heads() == [newest()]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (Schema(None), "The database is empty: run ticket-home migrate."),
        (Schema("0019"), f"The database is at revision 0019, this release needs {newest()}: {MIGRATE}."),
        (Schema(newest()), None),
        (Schema(newest(), oldest="0019"), None),
        (Schema("9998"), None),
        (Schema("9998", oldest=newest()), None),
        (Schema("9998", oldest="9997"), "deploy the newer release, or restore the backup"),
    ],
    ids=str,
)
def test_what_is_behind_the_code_is_refused_and_what_is_ahead_only_where_a_migration_says_so(
    schema: Schema, expected: str | None
) -> None:
    assert schema.refusal == expected or (expected is not None and expected in (schema.refusal or ""))


async def ahead(connection: rows.Connection, oldest: str | None) -> None:
    """Have a newer release's migrations run, as far as code can see them."""
    await connection.execute("UPDATE alembic_version SET version_num = '9998'")
    await connection.execute(oldest_code(oldest) if oldest else "COMMENT ON TABLE alembic_version IS NULL")


async def test_commands_refuse_what_they_do_not_fit(operator: dict[str, str], connection: rows.Connection) -> None:
    await connection.execute("UPDATE alembic_version SET version_num = '0019'")
    assert MIGRATE in refused(run(operator, *STATUS))
    await connection.execute("UPDATE alembic_version SET version_num = $1", newest())
    assert run(operator, *STATUS).returncode == 0
    for oldest in (None, newest()):
        await ahead(connection, oldest)
        assert run(operator, *STATUS).returncode == 0, oldest
        migrated = run(operator, "migrate")
        assert (migrated.returncode, "nothing is to be done" in migrated.stdout) == (0, True), migrated.stderr
    await ahead(connection, "9997")
    for command in (STATUS, ("migrate",)):
        assert "deploy the newer release" in refused(run(operator, *command))


async def test_production_does_not_start_on_it(operator: dict[str, str], connection: rows.Connection) -> None:
    production = operator | {"TICKET_HOME_ENV": "production", "SECRET_KEYS": secrets.token_hex(32)}
    await connection.execute("UPDATE alembic_version SET version_num = '0019'")
    assert MIGRATE in refused(run(production, "serve", "--port", "0"))
    await ahead(connection, "9997")
    assert "deploy the newer release" in refused(run(production, "serve", "--port", "0"))


async def test_what_could_not_be_looked_at_in_time_keeps_a_process_from_being_ready_until_it_is_migrated(
    settings: Settings, operator: dict[str, str], database_url: str
) -> None:
    await downgrade(database_url, "0019")
    async with running(settings.model_copy(update={"env": "production"})) as (_, client):
        answer = await client.get("/readyz")
        assert (answer.status_code, MIGRATE in answer.json()["detail"]) == (503, True)
        ended = await run_beside(operator, "migrate")
        assert ended.returncode == 0, ended.stderr

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(is_ready)
