"""Databases of tests' own, copied from templates: one is made and another dropped while a test runs."""

import asyncio
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import asyncpg
from sqlalchemy.engine import make_url


def database_named(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def administer(url: str, *statements: str) -> None:
    """Run statements that cannot stand in a transaction, from the database `postgres`."""
    connection = await asyncpg.connect(database_named(url, "postgres"))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def copy_of(template: str, name: str) -> str:
    return f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"


class Copies:
    """Of the templates of one server. A thread makes and drops them, one after the other, over one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, "databases", initializer=self._connect)
        self._ahead: dict[str, Future[str]] = {}
        """The next one of each template that was asked for."""
        self._dropped: list[Future[None]] = []

    def __enter__(self) -> "Copies":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.submit(self._disconnect).result()
        self._thread.shutdown()
        for dropped in self._dropped:
            dropped.result()  # raises what went wrong

    async def take(self, template: str, *, quiet: bool = False) -> str:
        """The address of a new one; nobody else has it. With `quiet` the thread rests then."""
        taken = None if quiet else self._ahead.pop(template, None)
        taken = taken or self._thread.submit(self._make, template)  # after whatever is under way
        if not quiet:
            self._ahead[template] = self._thread.submit(self._make, template)
        return database_named(self._url, await asyncio.wrap_future(taken))

    def drop(self, url: str) -> None:
        """Whoever is still connected to it is thrown out."""
        self._dropped.append(self._thread.submit(self._run, f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))

    def _make(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        self._run(copy_of(template, name))
        return name

    # The rest runs in the thread.
    def _connect(self) -> None:
        self._loop = asyncio.Runner()
        self._connection = self._loop.run(asyncpg.connect(database_named(self._url, "postgres")))

    def _run(self, statement: str) -> None:
        self._loop.run(self._connection.execute(statement))

    def _disconnect(self) -> None:
        self._loop.run(self._connection.close())
        self._loop.close()
