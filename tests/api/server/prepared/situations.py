"""What can have changed since an answer was prepared, each by itself: a context in which requests are asked."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from core.access import Role
from core.clock import boottime
from tests.api.server.prepared.side_by_side import SideBySide
from tests.factories import rows
from tests.factories.fixtures import Seed

HOUR = 3600.0
LAPSED = float("-inf")


@dataclass(frozen=True)
class Here:
    side: SideBySide
    seed: Seed
    connection: rows.Connection

    @property
    def sent_back(self) -> str:
        """The `Cache-Version` of the clinic's last write, whether this process knows of it or not."""
        return self._sent_back

    _sent_back: str = ""


Situation = Callable[[Here], AbstractAsyncContextManager[Here]]
SITUATIONS: dict[str, Situation] = {}


def situation(name: str) -> Callable[[Callable[[Here], AsyncIterator[Here]]], Situation]:
    def named(function: Callable[[Here], AsyncIterator[Here]]) -> Situation:
        made = asynccontextmanager(function)

        @asynccontextmanager
        async def put_back(here: Here) -> AsyncIterator[Here]:
            back = here.side.memory()
            async with made(here) as changed:
                yield changed
            back()
            await here.side.refresh()

        SITUATIONS[name] = put_back
        return put_back

    return named


@situation("nothing")
async def nothing(here: Here) -> AsyncIterator[Here]:
    yield here


@situation("the lease has lapsed")
async def lapsed(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.versions._trusted_until = LAPSED
    yield here


@situation("a ticket was written")
async def ticket_written(here: Here) -> AsyncIterator[Here]:
    await here.seed.sant.ticket(here.connection)
    await here.side.refresh()
    yield here


@situation("a ticket was written, and only its client knows")
async def unknown_write(here: Here) -> AsyncIterator[Here]:
    await here.seed.sant.ticket(here.connection)
    written = await here.connection.fetch(
        "SELECT clinic_id, topic, version FROM cache_version WHERE clinic_id = $1", here.seed.sant.id
    )
    sent_back = here.side.runtime.version_header.format([tuple(row) for row in written])
    yield replace(here, _sent_back=sent_back)


@situation("a ticket was written, and the lease has lapsed")
async def written_and_lapsed(here: Here) -> AsyncIterator[Here]:
    await here.seed.sant.ticket(here.connection)
    here.side.runtime.versions._trusted_until = LAPSED
    yield here


@situation("a user was deactivated")
async def deactivated(here: Here) -> AsyncIterator[Here]:
    names = [here.seed.sant.admin, here.seed.sant.viewer]
    await here.connection.execute("UPDATE app_user SET is_active = false WHERE username = ANY($1)", names)
    await here.side.refresh()
    yield here
    await here.connection.execute("UPDATE app_user SET is_active = true WHERE username = ANY($1)", names)


@situation("sessions were revoked")
async def revoked(here: Here) -> AsyncIterator[Here]:
    await here.connection.execute("UPDATE user_session SET revoked_at = now()")
    await here.side.refresh()
    yield here
    await here.connection.execute("UPDATE user_session SET revoked_at = NULL")


@situation("sessions are over")
async def over(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.versions.clock.shift(13 * HOUR)
    for held in here.side.runtime.sessions.held._held.values():
        held.seen = here.side.runtime.versions.now()
    yield here


@situation("sessions were not used for too long")
async def idle(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.versions.clock.shift(1.5 * HOUR)
    yield here


@situation("an hour has passed")
async def hour_passed(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.versions.clock.shift(HOUR)
    for held in here.side.runtime.sessions.held._held.values():
        held.seen = here.side.runtime.versions.now()
    yield here


@situation("memory has forgotten the entries")
async def forgotten(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.cache.memory.clear()
    yield here


@situation("memory has forgotten the sessions")
async def sessions_forgotten(here: Here) -> AsyncIterator[Here]:
    here.side.runtime.sessions.held._held.clear()
    yield here


@situation("sessions were read again, and their users' roles are others")
async def read_again(here: Here) -> AsyncIterator[Here]:
    # Without their versions: the copy that is held is another one, and that alone says so.
    for held in here.side.runtime.sessions.held._held.values():
        held.copy = replace(held.copy, role=Role.VIEWER)
    yield here


@situation("sessions were not used for minutes")
async def long_unused(here: Here) -> AsyncIterator[Here]:
    for held in here.side.runtime.sessions.held._held.values():
        held.used_at = boottime() - HOUR
    yield here
