"""What a command runs on: the configured servers, or the data folder's own."""

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from core.db.schema.compatibility import refuse_other_schema
from core.db.schema.migrate import upgrade
from core.db.schema.old_application import refuse_old_application
from core.operations.embedded import CannotStart, EmbeddedServers, start_servers
from core.operations.embedded.files import Kind
from core.operations.embedded.restarts import RestartedServers
from core.settings import Settings

SECRET_BYTES = 32

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the embedded servers keep their data (TICKET_HOME_DATA_DIR; .data).", show_default=False),
]
"""The option that every command has."""


@contextmanager
def installation(
    data_dir: Path | None = None,
    *,
    bound: bool = False,
    migrated: bool = False,
    at_any_revision: bool = False,
    whosesoever: bool = False,
) -> Iterator[Settings]:
    """Settings with both addresses.

    Locally, PostgreSQL and Valkey are started (or joined) where no address is configured, and end with this block;
    `bound` ones do so even while another process has joined them, which starts them again if it is itself bound.
    Their database is migrated, a configured one only where it is asked for. What was found out is put
    into this process's environment, where its workers read it.

    Raises core.operations.embedded.CannotStart; pydantic.ValidationError for refused settings; OldApplication where
    the configured database is that application's, unless `whosesoever`; OtherSchema where this code does not fit the
    configured one's schema, unless `at_any_revision` or `whosesoever`. A database that is away is not waited for.
    """
    if data_dir is not None:
        os.environ["TICKET_HOME_DATA_DIR"] = str(data_dir.absolute())
    configured = Settings()
    if configured.database_url is not None and not whosesoever:
        asyncio.run(refuse_old_application(configured.require_database_url()))
    fits = at_any_revision or whosesoever
    if configured.is_production:
        if not fits:
            asyncio.run(refuse_other_schema(configured.require_database_url()))
        yield configured
        return
    with _servers(configured, bound=bound):
        if "secret_keys" not in configured.model_fields_set:
            os.environ["SECRET_KEYS"] = local_secret(configured.data_dir)
        settings = Settings()
        if migrated or configured.database_url is None:
            upgrade(settings.require_direct_url())
        elif not fits:
            asyncio.run(refuse_other_schema(settings.require_database_url()))
        yield settings


@contextmanager
def _servers(settings: Settings, *, bound: bool) -> Iterator[None]:
    wanted: set[Kind] = set()
    if settings.database_url is None:
        wanted.add("postgres")
    if settings.redis_url is None:
        wanted.add("valkey")
    if not wanted:
        yield
        return

    def start(kinds: Set[Kind]) -> EmbeddedServers:
        return start_servers(settings.data_dir, bound=bound, postgres="postgres" in kinds, valkey="valkey" in kinds)

    restarted = RestartedServers(wanted, start, _end_without_servers) if bound else None
    started = restarted.servers if restarted is not None else start(wanted)
    try:
        if started.postgres is not None:
            os.environ["DATABASE_URL"] = started.database_url
        if started.valkey is not None:
            os.environ["REDIS_URL"] = started.redis_url
        yield
    finally:
        (restarted or started).stop()


def _end_without_servers(error: CannotStart) -> None:
    """Nobody would start them any more, and whoever supervises this process can see that it has ended."""
    typer.echo(
        f"ticket-home: the servers of the data folder ended with the process that had started them. {error}", err=True
    )
    os.kill(os.getpid(), signal.SIGTERM)


def local_secret(data_dir: Path) -> str:
    """This data folder's own key, made once: what a developer's machine signs is worth nothing elsewhere."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / "secret"
    if not path.exists():
        unfinished = data_dir / f"secret.{os.getpid()}"
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_urlsafe(SECRET_BYTES))
        if os.geteuid() == 0:
            # As all else in the folder: root may have started in somebody's checkout.
            os.chown(unfinished, data_dir.stat().st_uid, data_dir.stat().st_gid)
        try:
            # Of two processes that get here at once one wins, and both use its key.
            path.hardlink_to(unfinished)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink()
    return path.read_text().strip()
