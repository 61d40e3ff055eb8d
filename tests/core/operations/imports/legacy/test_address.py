"""DATABASE_URL of the old application: every command says so, touches nothing, and tells what to do instead."""

from pathlib import Path

import pytest

from tests.core.operations.imports.conftest import Hospital
from tests.core.operations.imports.legacy.old_database import checksums
from tests.support.processes.commands import run

TOLD = "This is the old application's database"
COMMANDS = [
    ("migrate",),
    ("serve", "--port", "0"),
    ("demo", "--clinics", "1", "--tickets", "0"),
    ("user", "create", "root", "--email", "root@example.org", "--role", "superuser"),
    ("user", "deactivate", "root"),
    ("cache", "status"),
    ("cache", "invalidate"),
    ("import", "catalog", "{file}", "--clinic", "SANT"),
    ("import", "legacy", "--from", "{old}"),
    ("housekeeping",),
    ("doctor",),
]


VARIANTS = {
    "migrated by Flask": "CREATE TABLE alembic_version (version_num varchar(32));"
    " INSERT INTO alembic_version VALUES ('3f2a91c0b7de')",
    "without some columns": "ALTER TABLE ticket DROP COLUMN pavilion_end_time",
}
CASES = [("", command) for command in COMMANDS]
CASES += [(variant, command) for variant in VARIANTS for command in (("migrate",), ("doctor",))]


@pytest.mark.parametrize(("variant", "command"), CASES, ids=lambda one: one if isinstance(one, str) else " ".join(one))
async def test_a_command_says_that_it_is_the_old_applications_and_how_to_import_it(
    operator: dict[str, str], hospital: Hospital, tmp_path: Path, variant: str, command: tuple[str, ...]
) -> None:
    if variant:
        await hospital.old.connection.execute(VARIANTS[variant])
    before = await checksums(hospital.old.connection)
    catalog = tmp_path / "specialties.csv"
    catalog.write_text("name\nUrología\n")
    arguments = [part.format(file=catalog, old=hospital.old.url) for part in command]
    done = run(operator | {"DATABASE_URL": hospital.old.url}, *arguments, typed="a password of mine\n")
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, output
    assert TOLD.lower() in output.lower()
    assert "ticket-home import legacy --from" in output
    assert "Traceback" not in output
    assert "is empty" not in output
    assert await checksums(hospital.old.connection) == before
