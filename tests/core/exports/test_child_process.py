"""The process that makes an export: light to start, gone when nobody wants its file, failures told without values."""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from core.db.transaction import Database
from core.errors import Unavailable
from core.exports import child_process
from core.exports.child.batches import FIRST, MORE
from core.exports.child.scratch import sweep
from core.exports.child_process import ChildProcess, ChildProcesses, ExportFailed
from core.exports.job import Format, Job
from core.runtime import open_runtime
from core.settings import Settings
from core.telemetry.log import configure
from tests.core.exports.conftest import clock, is_locked, job, left
from tests.core.exports.tickets import many
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.beat import beating
from tests.support.machine import first, until

pytestmark = pytest.mark.long

CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
AT_REST = """SELECT state, xact_start, backend_xmin FROM pg_stat_activity
WHERE application_name = 'slow export' AND state LIKE 'idle%' AND clock_timestamp() - state_change > interval '0.5 s'"""
"""Between two batches it is idle, too, for a moment: at rest is who waits for its reader."""
ENOUGH = 5 * MORE
"""Tickets whose csv is more than a pipe and a buffer hold: their export waits for its reader."""


@pytest.fixture
def children() -> ChildProcesses:
    return ChildProcesses()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the processes put what is not yet done."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
async def asked(database: Database, database_url: str, seed: Seed) -> Job:
    return job(Format.CSV, database_url, await clock(database))


def called(asked: Job, name: str) -> Job:
    """The job on a connection of that name."""
    return replace(asked, application=name)


async def whole(children: ChildProcesses, asked: Job) -> tuple[bytes, int | None]:
    async with children.run(asked) as made:
        found = b"".join([chunk async for chunk in made.chunks()])
        return found, made.rows


def ended(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


async def begun(made: ChildProcess) -> int:
    """Once its first bytes are there: its process's id."""
    chunks = made.chunks()
    assert (await anext(chunks)).startswith(b"\xef\xbb\xbfid,")
    await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator
    return made.process_id


def test_it_imports_nothing_that_takes_long() -> None:
    """First bytes within a second, also on a busy machine: SQLAlchemy and pydantic alone would take half of it."""
    script = "import sys, core.exports.child.__main__; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert {"asyncpg", "xlsxwriter"} <= set(done.stdout.split())
    assert not {"sqlalchemy", "pydantic", "fastapi", "reportlab", "openpyxl"} & set(done.stdout.split())


@pytest.mark.parametrize("format", list(Format))
async def test_a_whole_file(
    format: Format, database_url: str, database: Database, children: ChildProcesses, seed: Seed, folders: Path,  # noqa: A002
    connection: rows.Connection,
) -> None:  # fmt: skip
    await many(connection, seed.sant, FIRST + 1)
    made, number = await whole(children, job(format, database_url, await clock(database)))
    assert made.startswith(b"\xef\xbb\xbf" if format is Format.CSV else b"PK")
    assert number is not None
    assert number >= FIRST + 1
    assert left(folders) == []


async def test_who_leaves_early_ends_it(
    children: ChildProcesses, asked: Job, connection: rows.Connection, seed: Seed, folders: Path
) -> None:
    await many(connection, seed.sant, ENOUGH)
    async with children.run(called(asked, "left export")) as made:
        process_id = await begun(made)
        assert not ended(process_id)
        assert await connection.fetchval(CONNECTIONS, "left export") == 1
    assert ended(process_id)
    assert made.rows is None
    assert left(folders) == []

    async def is_gone() -> bool:
        return not await connection.fetchval(CONNECTIONS, "left export")

    await until(is_gone)


async def test_a_slow_client_holds_no_transaction_open(
    children: ChildProcesses, asked: Job, connection: rows.Connection, seed: Seed
) -> None:
    """Between two batches there is none: what the versions' poll compares with does not stand still."""
    await many(connection, seed.sant, ENOUGH)
    async with children.run(called(asked, "slow export")) as made:
        await begun(made)
        row = await first(lambda: connection.fetchrow(AT_REST))
    assert (row["state"], row["xact_start"], row["backend_xmin"]) == ("idle", None, None)


async def test_a_killed_server_leaves_nobody_behind(
    asked: Job, connection: rows.Connection, seed: Seed, folders: Path
) -> None:
    """Its standard input ends with whoever held the other end."""
    await many(connection, seed.sant, ENOUGH)
    process = await asyncio.create_subprocess_exec(*child_process.COMMAND, stdin=-1, stdout=-1, stderr=-1)
    made = ChildProcess(process)
    await made.begin(asked)
    await begun(made)
    assert process.stdin is not None
    process.stdin.close()
    await made.end()
    assert process.returncode == 1
    assert left(folders) == []


async def test_one_that_does_not_end_is_killed(
    children: ChildProcesses, asked: Job, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "ENDING", 0.2)
    await many(connection, seed.sant, ENOUGH)
    async with children.run(asked) as made:
        process_id = await begun(made)
        os.kill(process_id, signal.SIGSTOP)
    assert ended(process_id)


async def test_a_database_that_is_away_is_told(children: ChildProcesses, asked: Job) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    with pytest.raises(Unavailable):
        await whole(children, replace(asked, dsn=nowhere))


async def test_a_database_that_goes_away_meanwhile_is_told(
    children: ChildProcesses, asked: Job, connection: rows.Connection, seed: Seed
) -> None:
    await many(connection, seed.sant, ENOUGH)
    async with children.run(called(asked, "cut export")) as made:
        await begun(made)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut export'"
        )
        with pytest.raises(Unavailable):
            async for _ in made.chunks():
                pass


async def test_a_fault_of_ours_is_told_without_values(
    children: ChildProcesses, asked: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked.tickets is not None
    wrong = replace(asked, tickets=replace(asked.tickets, sql="SELECT 'Ana Rojas'::integer WHERE $1 = $2"))
    with pytest.raises(ExportFailed):
        await whole(children, wrong)
    said = capsys.readouterr().out
    assert "export failed" in said
    assert "Ana" not in said.replace("'Ana Rojas'::integer", "")


async def test_a_killed_process_is_a_fault(
    children: ChildProcesses, asked: Job, connection: rows.Connection, seed: Seed
) -> None:
    """Not the end of a short file."""
    await many(connection, seed.sant, ENOUGH)
    async with children.run(asked) as made:
        process_id = await begun(made)
        os.kill(process_id, signal.SIGKILL)
        with pytest.raises(ExportFailed):
            async for _ in made.chunks():
                pass


async def test_only_so_many_at_once(asked: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "TURN", 0.1)
    children = ChildProcesses(at_once=1)
    async with children.run(asked):
        with pytest.raises(Unavailable):
            await whole(children, asked)
    assert (await whole(children, asked))[1] == 0


@pytest.mark.alone
@pytest.mark.parametrize("format", [Format.XLSX, Format.CSV])
async def test_the_event_loop_goes_on(
    format: Format, database_url: str, database: Database, children: ChildProcesses, seed: Seed,  # noqa: A002
    connection: rows.Connection,
) -> None:  # fmt: skip
    """While 20,000 rows are exported, nobody else's request waits for them: the work is another process's, and it is
    awaited, so that the loop turns all the time."""
    await many(connection, seed.sant, 20_000)
    asked = job(format, database_url, await clock(database))
    async with beating() as pauses:
        ours, theirs, began = time.thread_time(), children_time(), time.monotonic()
        _, number = await whole(children, asked)
        ours, theirs, took = time.thread_time() - ours, children_time() - theirs, time.monotonic() - began
    assert number == 20_000
    assert ours < theirs / 4
    assert max(pauses) < took / 2


def children_time() -> float:
    """Seconds of a processor that child processes used which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- what lies on disk meanwhile: patients' rows


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def made_with(children: ChildProcesses, asked: Job, meanwhile: Callable[[int], Awaitable[None]]) -> None:
    """The whole file; `meanwhile` is given its process's id first."""
    async with children.run(asked) as made:
        await meanwhile(made.process_id)
        async for _ in made.chunks():
            pass


STAGES: dict[str, Callable[[Path], bool]] = {
    "its folder is there": lambda folder: any(is_locked(path) for path in left(folder)),
    "its first file is there": lambda folder: bool(files(folder)),
    "rows are in it": lambda folder: any(path.stat().st_size > 500_000 for path in files(folder)),
    "it is packed": lambda folder: any(path.name == "tickets.xlsx" for path in files(folder)),
}


async def stage(folder: Path, name: str, process_id: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(FileNotFoundError):  # between two looks
                if STAGES[name](folder):
                    return
            assert not ended(process_id), f"it ended before {name}"
            await asyncio.sleep(0)


@pytest.fixture
async def workbook(database: Database, database_url: str, connection: rows.Connection, seed: Seed) -> Job:
    await many(connection, seed.sant, ENOUGH)
    return job(Format.XLSX, database_url, await clock(database))


@pytest.mark.parametrize("name", STAGES)
async def test_a_killed_export_leaves_nothing_behind(
    children: ChildProcesses, workbook: Job, folders: Path, name: str
) -> None:
    async def kill(process_id: int) -> None:
        await stage(folders, name, process_id)
        os.kill(process_id, signal.SIGKILL)

    with pytest.raises(ExportFailed):
        await made_with(children, workbook, kill)
    assert left(folders) == []


@pytest.mark.parametrize("name", STAGES)
async def test_an_export_ends_with_its_serving_process_and_leaves_nothing_behind(
    workbook: Job, folders: Path, name: str
) -> None:
    """Its standard input ends with whoever held the other end."""
    made = ChildProcess(await asyncio.create_subprocess_exec(*child_process.COMMAND, stdin=-1, stdout=-1, stderr=-1))
    await made.begin(workbook)
    await stage(folders, name, made.process_id)
    await made.end()
    assert left(folders) == []


@pytest.mark.parametrize("name", STAGES)
async def test_what_was_killed_with_its_serving_process_is_swept_by_the_next_one(
    workbook: Job, folders: Path, name: str, settings: Settings
) -> None:
    process = await asyncio.create_subprocess_exec(*child_process.COMMAND, stdin=-1, stdout=-1, stderr=-1)
    made = ChildProcess(process)
    await made.begin(workbook)
    await stage(folders, name, made.process_id)
    assert sweep() == 0, "it is alive"
    os.kill(made.process_id, signal.SIGKILL)
    await made.end()
    assert len(left(folders)) == 1
    elsewhere = folders / "somebody-elses"
    elsewhere.mkdir()
    async with open_runtime(settings):

        async def is_swept() -> bool:
            return left(folders) == [elsewhere]

        await until(is_swept)


@pytest.mark.parametrize("format", [Format.CSV, Format.FULL])
async def test_what_is_written_as_it_is_read_has_no_file(
    format: Format, database_url: str, database: Database, connection: rows.Connection, seed: Seed, folders: Path,  # noqa: A002
    children: ChildProcesses,
) -> None:  # fmt: skip
    await many(connection, seed.sant, ENOUGH)
    async with children.run(job(format, database_url, await clock(database))) as made:
        chunks = made.chunks()
        await anext(chunks)
        assert left(folders) == []
        await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator


@pytest.mark.parametrize("size", [0, 1, 4096, 100_000, 1_000_000])
async def test_a_disk_without_room_is_told_as_what_it_is(
    children: ChildProcesses, workbook: Job, folders: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    """By a limit on files' sizes, which every writer meets as it would meet the end of a disk."""
    configure("json")

    async def fill_up(process_id: int) -> None:
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size, size))

    with pytest.raises(Unavailable) as refused:
        await made_with(children, workbook, fill_up)
    assert refused.value.detail == child_process.NO_ROOM
    assert left(folders) == []
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "no room" in line]
    assert line["errno"] in ("EFBIG", "ENOENT")


async def test_a_temporary_folder_that_goes_away_meanwhile_is_told_as_what_it_is(
    children: ChildProcesses, workbook: Job, folders: Path
) -> None:
    async def take_away(process_id: int) -> None:
        await stage(folders, "its first file is there", process_id)
        os.kill(process_id, signal.SIGSTOP)
        for folder in left(folders):
            shutil.rmtree(folder)
        os.kill(process_id, signal.SIGCONT)

    with pytest.raises(Unavailable) as refused:
        await made_with(children, workbook, take_away)
    assert refused.value.detail == child_process.NO_ROOM


@pytest.mark.parametrize("there_is", ["nothing", "a file", "a folder that takes nothing"])
async def test_a_temporary_folder_that_cannot_be_written_to_is_told_as_what_it_is(
    children: ChildProcesses, workbook: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there_is: str
) -> None:
    place = {
        "nothing": tmp_path / "missing",
        "a file": tmp_path / "file",
        "a folder that takes nothing": Path("/proc"),
    }[there_is]
    (tmp_path / "file").touch()
    monkeypatch.setenv("TMPDIR", str(place))
    with pytest.raises(Unavailable) as refused:
        await whole(children, workbook)
    assert refused.value.detail == child_process.NO_ROOM
    # What needs no file goes on.
    assert await whole(children, replace(workbook, format=Format.CSV))
