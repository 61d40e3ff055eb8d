"""The doctor where servers are away, hung, full or closed to us: it says so in time, and looks at the rest."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Finding, Verdict
from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.faults.processes.wall_clock import Faked
from tests.support import machine
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.servers.breakable import Breakable, command
from tests.support.servers.databases import administer

ENOUGH = 15.0
"""Seconds for a round with a server that says nothing."""


async def round_of(addresses: Addresses) -> dict[str, Finding]:
    began = machine.now()
    found = {finding.check: finding async for finding in examine(addresses)}
    assert machine.now() - began < machine.bound(ENOUGH, began)
    return found


def failures(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.verdict is Verdict.FAILED}


async def test_redis_killed(on_own_redis: Settings, redis_server: Breakable) -> None:
    addresses = Addresses.of(on_own_redis)
    assert failures(await round_of(addresses)) == set()
    await redis_server.kill()
    found = await round_of(addresses)
    assert failures(found) == {"Redis"}
    assert "does not answer" in found["Redis"].seen
    assert found["Triggers"].verdict is Verdict.OK


@pytest.mark.long
async def test_redis_hung(on_own_redis: Settings, redis_server: Breakable) -> None:
    await redis_server.hang()
    assert failures(await round_of(Addresses.of(on_own_redis))) == {"Redis"}


async def test_redis_with_another_password(on_own_redis: Settings, redis_server: Breakable) -> None:
    await command(redis_server.url, "CONFIG", "SET", "requirepass", "a secret")
    addresses = Addresses.of(on_own_redis)
    found = await round_of(addresses)
    assert failures(found) == {"Redis"}
    assert "password" in found["Redis"].seen
    wrong = redis_server.url.replace("unix://", "unix://:guessed@")
    found = await round_of(replace(addresses, redis_url=wrong))
    assert failures(found) == {"Redis"}
    assert "password" in found["Redis"].seen
    assert "guessed" not in str(found)
    right = redis_server.url.replace("unix://", "unix://:a%20secret@")
    assert failures(await round_of(replace(addresses, redis_url=right))) == set()


async def test_redis_full_and_evicting_nothing(on_own_redis: Settings, redis_server: Breakable) -> None:
    await command(redis_server.url, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    found = await round_of(Addresses.of(on_own_redis))
    assert (failures(found), found["Redis's memory"].verdict) == (set(), Verdict.WARNING)
    assert "allkeys-lru" in found["Redis's memory"].remedy
    await command(redis_server.url, "CONFIG", "SET", "maxmemory", "1")
    found = await round_of(Addresses.of(on_own_redis))
    assert failures(found) == {"Redis's answers"}
    assert "refuses writes" in found["Redis's answers"].seen
    await command(redis_server.url, "CONFIG", "SET", "maxmemory", "0")
    found = await round_of(Addresses.of(on_own_redis))
    assert "without a limit" in found["Redis's memory"].seen


async def test_redis_a_replica(on_own_redis: Settings, redis_server: Breakable) -> None:
    await command(redis_server.url, "REPLICAOF", "127.0.0.1", "1")
    found = await round_of(Addresses.of(on_own_redis))
    assert "a replica" in found["Redis"].seen
    assert failures(found) == {"Redis", "Redis's answers"}


async def test_redis_that_lets_us_do_too_little(on_own_redis: Settings, redis_server: Breakable) -> None:
    await command(redis_server.url, "ACL", "SETUSER", "few", "on", ">pw", "~*", "+@all", "-eval")
    few = redis_server.url.replace("unix://", "unix://few:pw@")
    found = await round_of(replace(Addresses.of(on_own_redis), redis_url=few))
    assert failures(found) == {"Redis's answers"}
    assert "scripting" in found["Redis's answers"].remedy


@pytest.mark.parametrize("denied", ["-eval", "-@scripting", "-info", "-set", "-get", "-del", "-time"])
async def test_redis_whose_user_lacks_a_command_is_not_said_to_be_away(
    on_own_redis: Settings, redis_server: Breakable, denied: str
) -> None:
    await command(redis_server.url, "ACL", "SETUSER", "few", "on", ">pw", "~*", "+@all", denied)
    few = redis_server.url.replace("unix://", "unix://few:pw@")
    found = await round_of(replace(Addresses.of(on_own_redis), redis_url=few))
    (name,) = failures(found)
    assert "may not do" in found[name].seen
    assert "ACL SETUSER" in found[name].remedy


@pytest.mark.parametrize("words", ["unknown command 'HELLO', with args beginning with: '3'", "NOPROTO sorry"])
@pytest.mark.parametrize("login", ["", "default:pw@"])
async def test_redis_that_speaks_the_old_protocol_only(
    on_own_redis: Settings, redis_server: Breakable, words: str, login: str
) -> None:
    if login:
        await command(redis_server.url, "CONFIG", "SET", "requirepass", "pw")
    async with without_hello(redis_server.url, words) as path:
        old = f"unix://{login}{path}"
        found = await round_of(replace(Addresses.of(on_own_redis), redis_url=old))
        assert failures(found) == {"Redis"}
        assert "protocol=2" in found["Redis"].remedy
        found = await round_of(replace(Addresses.of(on_own_redis), redis_url=f"{old}?protocol=2"))
        assert failures(found) == set()


@asynccontextmanager
async def without_hello(url: str, words: str) -> AsyncIterator[str]:
    """A socket that leads to the server, where HELLO is answered with an error of these words."""
    behind = url.partition("://")[2].partition("?")[0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(behind)

        async def back() -> None:
            while given := await from_server.read(65536):
                writer.write(given)
            writer.close()

        answering = asyncio.create_task(back())
        while given := await reader.read(65536):
            if b"HELLO" in given:
                writer.write(f"-ERR {words}\r\n".encode() if "NOPROTO" not in words else f"-{words}\r\n".encode())
            else:
                to_server.write(given)
        to_server.close()
        await answering

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = f"{folder}/redis"
        server = await asyncio.start_unix_server(serve, path)
        try:
            yield path
        finally:
            server.close()


@pytest.mark.parametrize("url", [None, "redis", "nothing://at/all", "redis+cluster://"])
async def test_redis_without_an_address(on_own_redis: Settings, url: str | None) -> None:
    found = await round_of(replace(Addresses.of(on_own_redis), redis_url=url))
    assert failures(found) == {"Redis"}
    assert "address" in found["Redis"].seen


async def test_postgres_killed(on_own_postgres: Settings, postgres_server: Breakable) -> None:
    async with postgres_server.killed():
        found = await round_of(Addresses.of(on_own_postgres))
    assert failures(found) == {"PostgreSQL"}
    assert found["The database"].verdict is Verdict.SKIPPED
    assert found["Redis"].verdict is Verdict.OK
    assert "Redis's is" in found["Clocks"].seen


async def test_postgres_hung(on_own_postgres: Settings, postgres_server: Breakable) -> None:
    async with postgres_server.hung():
        found = await round_of(Addresses.of(on_own_postgres))
    assert failures(found) == {"PostgreSQL"}
    assert "no answer in time" in found["PostgreSQL"].seen


async def test_postgres_killed_in_the_middle(on_own_postgres: Settings, postgres_server: Breakable) -> None:
    found: dict[str, Finding] = {}
    try:
        async for finding in examine(Addresses.of(on_own_postgres)):
            found[finding.check] = finding
            if finding.check == "Functions":
                await postgres_server.kill()
    finally:
        await postgres_server.start()
    assert {"Triggers", "Versions"} <= failures(found)
    assert found["Redis"].verdict is Verdict.OK


async def refuses(url: str) -> bool:
    """Whether a password is asked for there: the server reads its rules anew when it comes to it."""
    try:
        await (await asyncpg.connect(url, password="guessed")).close()
    except asyncpg.InvalidPasswordError:
        return True
    return False


@pytest.fixture
async def with_password(own_database: str, postgres_folder: Path, postgres_server: Breakable) -> AsyncIterator[str]:
    """The address for a role that must give its password."""
    rules = next(postgres_folder.glob("**/pg_hba.conf"))  # noqa: ASYNC240  nothing else runs meanwhile
    before = rules.read_text()
    rules.write_text(f"local all careful scram-sha-256\n{before}")
    await administer(own_database, "CREATE ROLE careful SUPERUSER LOGIN PASSWORD 'a secret'", "SELECT pg_reload_conf()")
    url = make_url(own_database).set(username="careful")
    await machine.until(lambda: refuses(url.render_as_string()))
    yield url.set(password="a secret").render_as_string(hide_password=False)
    rules.write_text(before)
    await administer(own_database, "DROP ROLE careful", "SELECT pg_reload_conf()")


async def test_postgres_with_another_password(on_own_postgres: Settings, with_password: str) -> None:
    addresses = replace(Addresses.of(on_own_postgres), database_url=with_password)
    assert failures(await round_of(addresses)) == set()
    wrong = make_url(with_password).set(password="guessed").render_as_string(hide_password=False)
    found = await round_of(replace(addresses, database_url=wrong))
    assert failures(found) == {"PostgreSQL"}
    assert 'password authentication failed for user "careful"' in found["PostgreSQL"].seen
    assert "guessed" not in str(found)


@pytest.mark.parametrize("jump", [3600, -3600], ids=["an hour ahead", "an hour back"])
async def test_this_machines_clock_is_wrong(settings: Settings, seed: Seed, tmp_path: Path, jump: int) -> None:
    """Of the doctor's process alone, its C libraries included; the servers' are right."""
    faked = Faked(tmp_path)
    faked.set_off(jump)
    doctor = await asyncio.create_subprocess_exec(
        *(TICKET_HOME, "doctor"), env=environment(settings) | faked.environment, stdout=asyncio.subprocess.PIPE
    )
    lines = (await doctor.communicate())[0].decode().splitlines()
    [line] = [line for line in lines if "Clocks: " in line]
    assert line.startswith("warning")
    for server in ("PostgreSQL", "Redis"):
        assert re.search(f"{server}'s is {'behind' if jump > 0 else 'ahead'} by 3(600|599)", line), line
    assert doctor.returncode == 0, "nothing depends on it"
