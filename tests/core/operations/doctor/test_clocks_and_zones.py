"""Clocks that go apart, and time zone data that do: two releases of them, made by hand."""

import asyncio
import os
import shutil
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from core.operations.doctor.finding import Verdict
from core.operations.doctor.servers.clocks import ClockReading, compared, read
from core.operations.doctor.servers.timezones import changes_of
from tests.core.operations.doctor.conftest import Round, unwell
from tests.factories import rows
from tests.support import machine

CHILD = """
import asyncio, sys
from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine

async def main():
    async for finding in examine(Addresses(sys.argv[1], None, sys.argv[2])):
        print(finding.verdict.value, finding)

asyncio.run(main())
"""


def test_clocks_that_go_together_are_well() -> None:
    finding = compared({"PostgreSQL's is": ClockReading(0.4, 0.001), "Redis's is": ClockReading(-0.9, 0.001)})
    assert finding.verdict is Verdict.OK
    assert finding.seen == "against this machine's, PostgreSQL's is ahead by 0.400 s, Redis's is behind by 0.900 s"


@pytest.mark.parametrize("ahead", [1.5, -86400.0])
def test_more_than_a_second_apart_is_warned_and_no_failure(ahead: float) -> None:
    finding = compared({"PostgreSQL's is": ClockReading(0.0, 0.001), "Redis's is": ClockReading(ahead, 0.001)})
    assert finding.verdict is Verdict.WARNING
    assert "no answer" in finding.remedy


def test_a_slow_answer_is_not_taken_for_a_wrong_clock() -> None:
    assert compared({"PostgreSQL's is": ClockReading(1.4, 0.5)}).verdict is Verdict.OK


async def test_how_far_a_clock_is_ahead_is_measured_between_question_and_answer() -> None:
    async def ask() -> float:
        await asyncio.sleep(0.1)  # the question's way
        now = datetime.now(UTC).timestamp()
        await asyncio.sleep(0.1)  # the answer's way
        return now + 100

    began = machine.now()
    reading = await read(ask)
    assert abs(reading.ahead - 100) <= reading.within + 0.01
    assert 0.1 <= reading.within <= (machine.now() - began) / 2


async def test_servers_clocks_are_read(round_of: Round) -> None:
    seen = (await round_of())["Clocks"].seen
    assert "PostgreSQL's is" in seen
    assert "Redis's is" in seen


def test_changes_are_those_of_the_zone() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert changes_of("America/Santiago", start, start + timedelta(days=365)) == [
        (start, -3 * 3600),
        (datetime(2026, 4, 5, 3, tzinfo=UTC), -4 * 3600),
        (datetime(2026, 9, 6, 4, tzinfo=UTC), -3 * 3600),
    ]
    assert changes_of("America/Punta_Arenas", start, start + timedelta(days=365)) == [(start, -3 * 3600)]


async def test_of_every_clinics_zone_the_next_change_is_told(round_of: Round, connection: rows.Connection) -> None:
    await rows.clinic(connection, "LOND", timezone="Europe/London")
    found = await round_of()
    assert unwell(found) == set()
    assert found["Time zones"].seen.startswith("3 alike in Python (")
    assert "Europe/London on " in found["Time zones"].seen


async def test_a_zone_that_nobody_knows_is_told(round_of: Round, connection: rows.Connection) -> None:
    await rows.clinic(connection, "MOON", timezone="Moon/Tranquility")
    found = await round_of()
    assert unwell(found) == {"Time zones"}
    assert "Moon/Tranquility" in found["Time zones"].seen


async def test_an_older_release_of_the_zones_in_python_is_told(
    round_of: Round, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """As if Chile had decided to keep its summer time, and this machine had not heard of the contrary."""
    america = Path(str(files("tzdata.zoneinfo.America")))
    (tmp_path / "America").mkdir()
    for name in ("Santiago", "Punta_Arenas"):
        shutil.copy(america / "Punta_Arenas", tmp_path / "America" / name)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, database_url, redis_url),
        env={"PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[4]), "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    lines = (await child.communicate())[0].decode().splitlines()
    [line] = [line for line in lines if "Time zones" in line]
    assert line.startswith("FAILED Time zones: America/Santiago differs from ")
    assert "Punta_Arenas" not in line
    assert "tzdata" in line
