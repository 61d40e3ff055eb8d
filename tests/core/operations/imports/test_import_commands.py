"""`ticket-home import`, as processes."""

import asyncio
import csv
from pathlib import Path

import asyncpg
import pytest

from core.operations.imports.legacy.people.patients import NOBODYS
from tests.core.operations.imports.conftest import Hospital, at
from tests.core.operations.imports.legacy.oddities import fill
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.machine import until
from tests.support.processes.commands import TICKET_HOME, run


async def test_the_old_applications_data_comes_over_with_a_report(
    operator: dict[str, str], hospital: Hospital, connection: rows.Connection, tmp_path: Path
) -> None:
    await fill(hospital)
    report = tmp_path / "report.csv"
    done = run(
        operator, "import", "legacy", "--from", hospital.old.url, "--assume-discharged-after", "3d", "--report", report
    )
    assert done.returncode == 0, done.stderr
    assert "rows imported" in done.stdout
    assert "count as discharged at their FPA (assumed)" in done.stdout
    assert done.stderr == ""
    with report.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert {row["outcome"] for row in found} == {"repaired", "kept as it is", "refused"}
    unverified = [row["id"] for row in found if row["what"] == NOBODYS]
    assert unverified == ["3"]
    assert await connection.fetchval("SELECT count(*) FROM ticket WHERE discharge_assumed") > 0


async def importing(connection: rows.Connection, condition: str, *, sessions: int) -> None:
    """Wait until there are so many of the import's sessions."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ticket-home-import' {condition}"

    async def are_there() -> bool:
        found: int = await connection.fetchval(f"{query} AND datname = current_database()")
        return found == sessions

    await until(are_there)


async def test_one_that_is_killed_leaves_nothing_and_begins_anew(
    operator: dict[str, str], hospital: Hospital, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await hospital.old.add("fpa_modification", ticket_id="TH-SANT-2025-001", new_fpa=at("2025-01-17 10:00"))
    command = [TICKET_HOME, "import", "legacy", "--from", hospital.old.url]
    holder = await asyncpg.connect(operator["DATABASE_URL"])
    async with holder.transaction():
        # It has stored its tickets by the time that it waits here.
        await holder.execute("LOCK TABLE fpa_modification IN SHARE MODE")
        running = await asyncio.create_subprocess_exec(*command, env=operator)
        try:
            await importing(connection, "AND wait_event_type = 'Lock'", sessions=1)
        finally:
            running.kill()
            await running.wait()
    await holder.close()
    await importing(connection, "", sessions=0)
    for table in ("clinic", "app_user", "patient", "ticket", "legacy_map", "action_audit"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    done = run(operator, "import", "legacy", "--from", hospital.old.url)
    assert done.returncode == 0, done.stderr
    assert await connection.fetchval("SELECT count(*) FROM fpa_modification") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("--assume-discharged-after", "soon"), 2, "72h or 3d"),
        (("--report", "/nonexistent/report.csv"), 1, "No such file or directory"),
    ],
)
async def test_what_it_cannot_do_is_told_before_anything_is_done(
    operator: dict[str, str],
    hospital: Hospital,
    connection: rows.Connection,
    arguments: tuple[str, ...],
    code: int,
    expected: str,
) -> None:
    ended = run(operator, "import", "legacy", "--from", hospital.old.url, *arguments)
    assert (ended.returncode, "Traceback" in ended.stderr) == (code, False)
    assert expected in ended.stderr
    assert await connection.fetchval("SELECT count(*) FROM clinic") == 0


async def test_a_wrong_address_is_told_without_its_password(operator: dict[str, str], database_url: str) -> None:
    for address in ("mysql://somebody:hidden@localhost/x", database_url, "postgresql://somebody:hidden@127.0.0.1:9/x"):
        ended = run(operator, "import", "legacy", "--from", address)
        assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
        assert ended.stderr.startswith("ticket-home: ")
        assert "hidden" not in ended.stderr


async def test_a_catalog_comes_from_a_file(
    operator: dict[str, str], connection: rows.Connection, seed: Seed, tmp_path: Path
) -> None:
    path = tmp_path / "especialidades.csv"
    path.write_bytes("Nombre;Activo\nUrología;sí\n".encode("cp1252"))
    # What is logged meanwhile, of a Redis that is away, is no part of the answer.
    for environment in (operator, operator | {"REDIS_URL": "redis://127.0.0.1:9/0"}):
        tried = run(environment, "import", "catalog", path, "--clinic", "sant", "--dry-run")
        assert (tried.returncode, tried.stdout.splitlines()) == (
            0, ["specialties: 1 created, 0 updated, 0 unchanged", "Nothing was imported: it was a dry run."],
        )  # fmt: skip
    assert await connection.fetchval("SELECT count(*) FROM specialty WHERE name = 'Urología'") == 0
    done = run(operator, "import", "catalog", path, "--clinic", "sant")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "specialties: 1 created, 0 updated, 0 unchanged\n"
    assert await connection.fetchval("SELECT count(*) FROM specialty WHERE name = 'Urología'") == 1
    path.write_bytes(b"Nombre;Activo\nNefrologia;quizas\n")
    bad = run(operator, "import", "catalog", path, "--clinic", "SANT")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.splitlines()[-2:] == [
        "especialidades.csv, row 2, is_active: must be yes or no (sí or no, 1 or 0)",
        "1 problems: nothing was imported.",
    ]


async def test_a_catalog_that_cannot_be_read_is_told(operator: dict[str, str], seed: Seed, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for arguments, expected in (
        ((path, "--clinic", "SANT"), "No such file"),
        ((__file__, "--clinic", "SANT"), "does not tell"),
    ):
        ended = run(operator, "import", "catalog", *arguments)
        assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
        assert expected in ended.stderr
    path.write_text("name\nUrología\n")
    assert "No clinic has the prefix NONE." in run(operator, "import", "catalog", path, "--clinic", "NONE").stderr
