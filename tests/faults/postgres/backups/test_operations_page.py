"""docs/operations.md: its blocks of commands, as they stand and in their order, on a real server with PostgreSQL's own
programs; and every `ticket-home …` in its sentences is a command that there is."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from typer.main import get_command

from api.cli.main import command_line
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.postgres.backups.archived import WHOLE
from tests.faults.postgres.backups.restoring import PROGRAMS
from tests.faults.postgres.otherwise import StartedOtherwise
from tests.support.processes.commands import ROOT, TICKET_HOME, environment
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, database_named

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
RESTORED = "ticket_home_restored"
PROGRAMS_USED = {"psql", "pg_dump", "pg_basebackup", "createdb", "pg_restore", "ticket-home"}
DOCTORS = "SELECT count(*) FROM doctor"


@pytest.mark.timeout(180)
async def test_every_block_ends_well_in_its_order(
    on_own_postgres: Settings,
    own_database: str,
    own_seed: Seed,
    postgres_folder: Path,
    postgres_server: Breakable,
    tmp_path: Path,
) -> None:
    replicating = StartedOtherwise(postgres_folder)
    await postgres_server.kill()
    await replicating.start(WHOLE)
    try:
        idle, looking = await asyncpg.connect(own_database), await asyncpg.connect(own_database)
        name = f"{make_url(own_database).database}_restored"
        given = environment(
            on_own_postgres,
            DATABASE_LISTEN_URL=own_database,
            NEW_URL=database_named(own_database, name),
            PID=str(idle.get_server_pid()),
        )
        given["PATH"] = os.pathsep.join([str(PROGRAMS), str(Path(TICKET_HOME).parent), given["PATH"]])
        was = await looking.fetchval(DOCTORS)
        timeline = await looking.fetchval("SELECT id FROM cache_timeline")
        for block in BLOCKS:
            # Tests beside this one have databases of the same server.
            await asyncio.to_thread(run, block.replace(RESTORED, name), given, tmp_path)
            if "pg_dump" in block:
                await rows.doctor(looking, own_seed.sant.id, name="Dr. Lost")
        assert idle.is_closed()
        assert await looking.fetchval("SELECT id FROM cache_timeline") != timeline
        assert (tmp_path / "base-backup" / "backup_manifest").exists()
        assert await looking.fetchval(DOCTORS) == was
        restored = await asyncpg.connect(given["NEW_URL"])
        assert await restored.fetchval(DOCTORS) == was
        await asyncio.gather(restored.close(), looking.close())
        await administer(own_database, f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await replicating.stop()
        await postgres_server.start()
    assert {line.split()[0] for line in "".join(BLOCKS).splitlines()} - {"export"} == PROGRAMS_USED


def run(block: str, given: dict[str, str], folder: Path) -> None:
    command = ["bash", "-euo", "pipefail", "-c", block]
    ended = subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=False, timeout=90)
    assert ended.returncode == 0, block + ended.stdout + ended.stderr


def test_every_command_that_is_named_is_there_with_its_options() -> None:
    named = re.findall(r"`ticket-home ([^`]+)`", PAGE)
    assert len(named) > 8
    for words in named:
        command, rest = get_command(command_line()), words.split()
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]  # type: ignore[attr-defined]  # a group
        options = {option for each in command.params for option in each.opts}
        assert not hasattr(command, "commands"), words
        assert {word for word in rest if word.startswith("--")} <= options, words
