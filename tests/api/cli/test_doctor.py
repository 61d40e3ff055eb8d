"""`ticket-home doctor`, as a process: what it prints, what it hides, its exit code, and what it leaves running."""

from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.processes.commands import environment, run

SECRET = "a-secret-of-more-than-forty-characters-at-least"


@pytest.fixture
def operator(operator: dict[str, str]) -> dict[str, str]:
    return operator | {"SECRET_KEYS": SECRET}


def lines(output: str, word: str) -> list[str]:
    """Those that begin with the verdict."""
    return [line for line in output.splitlines() if line.startswith(f"{word} ")]


async def test_all_is_well(operator: dict[str, str], seed: Seed) -> None:
    ended = run(operator, "doctor")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert not lines(ended.stdout, "FAILED")
    assert len(lines(ended.stdout, "ok")) >= 20
    assert unquote(operator["DATABASE_URL"]) in ended.stdout
    assert SECRET not in ended.stdout
    assert "LOG_FORMAT                 json  (by default)" in ended.stdout


async def test_what_is_broken_fails_it_until_it_is_repaired(
    operator: dict[str, str], seed: Seed, connection: rows.Connection
) -> None:
    await connection.execute("ALTER TABLE ticket DISABLE TRIGGER cache_stamp_update")
    ended = run(operator, "doctor")
    assert ended.returncode == 1
    [triggers, _] = lines(ended.stdout, "FAILED")
    assert triggers.endswith("→ run ticket-home doctor --repair")
    ended = run(operator, "doctor", "--repair")
    assert ended.returncode == 0, ended.stdout
    [repaired] = lines(ended.stdout, "repaired")
    assert "put back cache_stamp_update on ticket" in repaired
    assert run(operator, "doctor").returncode == 0


async def test_with_both_servers_away_it_still_says_what_it_can(operator: dict[str, str]) -> None:
    away = operator | {"DATABASE_URL": f"postgresql://app:{SECRET}@127.0.0.1:1/th", "REDIS_URL": "redis://127.0.0.1:1"}
    ended = run(away, "doctor")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert [line.split(":")[0].split()[-1] for line in lines(ended.stdout, "FAILED")] == ["PostgreSQL", "Redis"]
    assert len(lines(ended.stdout, "ok")) == 1, "the settings"
    assert "postgresql://app:***@127.0.0.1:1/th" in ended.stdout
    assert SECRET not in ended.stdout + ended.stderr


async def test_refused_settings_are_told_and_the_servers_looked_at(operator: dict[str, str], seed: Seed) -> None:
    unsafe = operator | {"TICKET_HOME_ENV": "production", "SECRET_KEYS": "too-short", "CACHE_MEMORY_BYTES": "much"}
    ended = run(unsafe, "doctor")
    assert ended.returncode == 1
    assert "CACHE_MEMORY_BYTES" in ended.stdout
    assert "too-short" not in ended.stdout + ended.stderr
    assert [line for line in lines(ended.stdout, "ok") if "Triggers" in line], ended.stdout
    unsafe["CACHE_MEMORY_BYTES"] = ""
    assert "SECRET_KEYS needs keys of at least 32" in run(unsafe, "doctor").stdout


def test_without_given_servers_the_data_folders_own_are_looked_at(tmp_path: Path) -> None:
    ended = run(environment(), "doctor", "--data-dir", str(tmp_path / "data"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    [warned] = lines(ended.stdout, "warning")
    assert "ticket-home user create" in warned
    assert not (tmp_path / "data" / "postgres" / "postmaster.pid").exists()


def test_servers_that_cannot_start_are_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    ended = run(environment(), "doctor", "--data-dir", str(tmp_path / "data"))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert [line for line in lines(ended.stdout, "FAILED") if "Embedded servers" in line], ended.stdout
