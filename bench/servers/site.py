"""PostgreSQL and Valkey with demo clinics, and the environment in which our server finds them."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.servers.serving import folder
from core.db.schema.migrate import upgrade
from core.operations.demo.filling import fill_demo
from core.operations.embedded import EmbeddedServers, start_servers
from core.sessions.token import Tokens
from core.settings import Settings

SESSION_COOKIE = Settings().session_cookie
PASSWORD = "a-bench-needs-one"
MADE = """
INSERT INTO user_session (token_hash, user_id, clinic_id, client, expires_at, idle_seconds)
SELECT hash, u.id, u.clinic_id, $3, now() + interval '12 hours', 3600
FROM unnest($1::bytea[], $2::text[]) AS made (hash, name) JOIN app_user u ON u.username = name
"""


@dataclass(frozen=True)
class Site:
    folder: Path
    embedded: EmbeddedServers
    environment: dict[str, str]
    prefixes: Sequence[str]
    """Of the clinics, lower case: `admin_{prefix}` is a user."""

    def postmaster(self) -> int:
        """PostgreSQL's first process, of which all its others are children."""
        return asyncio.run(_postmaster(self.embedded.database_url))

    async def sessions(self, usernames: Sequence[str]) -> list[dict[str, str]]:
        """A session of each, as an Authorization header: made as signing in makes them, but for the password's hash."""
        return [{"Authorization": f"Bearer {token}"} for token in await self._tokens(usernames, "mobile")]

    async def cookies(self, usernames: Sequence[str]) -> list[dict[str, str]]:
        """The same, as browsers have them."""
        return [{"Cookie": f"{SESSION_COOKIE}={token}"} for token in await self._tokens(usernames, "web")]

    async def _tokens(self, usernames: Sequence[str], client: str) -> list[str]:
        tokens = Tokens([self.environment["SECRET_KEYS"]])
        made = [tokens.issue() for _ in usernames]
        connection = await asyncpg.connect(self.embedded.database_url)
        await connection.execute(MADE, [digest for _, digest in made], list(usernames), client)
        await connection.close()
        return [token for token, _ in made]

    def sessions_of_all(self, per_clinic: int = 1) -> list[dict[str, str]]:
        """Of each clinic's administrator, `per_clinic` times over."""
        return asyncio.run(self.sessions([f"admin_{prefix}" for prefix in self.prefixes] * per_clinic))


@contextmanager
def site(clinics: int, tickets: int, *, durable: bool = False) -> Iterator[Site]:
    """`clinics` may be none. `durable`: whether a commit waits for the disk, where commits are what is measured."""
    with folder() as data, folder() as logs:
        embedded = start_servers(Path(data) / "data", durable=durable)
        try:
            upgrade(embedded.database_url)
            prefixes = asyncio.run(_fill(embedded.database_url, clinics, tickets)) if clinics else []
            yield Site(Path(logs), embedded, environment_of(embedded, Path(data)), prefixes)
        finally:
            embedded.stop()


async def _postmaster(url: str) -> int:
    connection = await asyncpg.connect(url)
    folder = await connection.fetchval("SHOW data_directory")
    await connection.close()
    return int(Path(folder, "postmaster.pid").read_text().splitlines()[0])  # noqa: ASYNC240  a line


def environment_of(embedded: EmbeddedServers, folder: Path) -> dict[str, str]:
    """In which `ticket-home serve` uses these servers."""
    return {
        "DATABASE_URL": embedded.database_url,
        "REDIS_URL": embedded.redis_url,
        "SECRET_KEYS": "a-secret-that-only-a-bench-has-42",
        "TICKET_HOME_DATA_DIR": str(folder / "unused"),
        "LOG_FORMAT": "json",
    }


async def _fill(url: str, clinics: int, tickets: int) -> list[str]:
    await fill_demo(url, clinics=clinics, tickets=tickets, seed=1, password=PASSWORD, progress=False)
    connection = await asyncpg.connect(url)
    try:
        return [str(row["prefix"]).lower() for row in await connection.fetch("SELECT prefix FROM clinic ORDER BY id")]
    finally:
        await connection.close()
