"""What requests leave is freed as they end, and not once the collector looks for circles: so that it seldom has to
(api/server/application.py).

Statements that are put together for a request are circles of SQLAlchemy's own; of them, and of nothing else, some is
left where a request has any.
"""

import gc
import json
import types
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf
from typing import Any

import pytest
from fastapi import FastAPI
from uvicorn.server import ServerState

from api.server.application import COLLECTED_AFTER, application
from api.server.prepared.hits import HITS, Hits
from core.settings import Settings
from core.telemetry.log_lines import LINES
from tests.api.server.in_memory import InMemoryConnection, config_of, connect
from tests.api.server.prepared.side_by_side import DATE, STATUS, head
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD
from tests.support.processes.commands import installation
from tests.support.signing_in import credentials

TIMES = 3
STATEMENTS = 3_000
"""Objects of a request's statements, at most: a search's are most of them."""
Ask = Callable[[], Awaitable[bytes]]


@contextmanager
def kept_garbage() -> Iterator[list[Any]]:
    """What only the collector finds of what is made within."""
    gc.collect()
    found: list[Any] = []
    was = gc.get_debug()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(was)
        gc.garbage.clear()
        gc.enable()


def is_of_a_statement(one: object) -> bool:
    """SQLAlchemy's own, and the plain things that it is made of."""
    if isinstance(one, BaseException | types.FrameType | types.TracebackType | types.CoroutineType):
        return False
    place = one.__module__ if isinstance(one, types.FunctionType) else type(one).__module__
    return place.partition(".")[0] in ("builtins", "collections", "sqlalchemy", "weakref", "datetime", "enum")


class Asking:
    """Requests, each on a connection of its own that is closed then."""

    def __init__(self, app: FastAPI, token: str) -> None:
        self._config, self._state = config_of(app), ServerState()
        self._state.default_headers = [DATE]
        self._shared = {HITS: Hits(app.state.runtime, app.state.request_stats)}
        self._authorization = f"Authorization: {token}"

    def connected(self) -> InMemoryConnection:
        return connect(self._config, self._state, self._shared)

    async def ask(self, target: str, *lines: str, method: str = "GET", body: Any = None, signed: bool = True) -> bytes:
        more = [self._authorization] if signed else []
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        if body is not None:
            more += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        connection = self.connected()
        answer = await connection.ask(head(target, *more, *lines, method=method) + content)
        connection.protocol.connection_lost(None)
        return answer

    async def vanish(self, target: str) -> bytes:
        """The client is gone before it is answered."""
        connection = self.connected()
        connection.protocol.data_received(head(target, self._authorization))
        connection.transport.close()
        connection.protocol.connection_lost(None)
        await connection.settled()
        return b""


async def test_a_worker_seldom_looks_for_circles(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in installation(settings).items():
        monkeypatch.setenv(name, value)
    for one, name in ((LINES, "start"), (LINES, "close"), (gc, "freeze")):
        monkeypatch.setattr(one, name, lambda *_: None)  # of this process, which goes on with other tests
    before = gc.get_threshold()
    app = application(None)
    try:
        async with app.router.lifespan_context(app):
            assert gc.isenabled()
            assert gc.get_threshold() == COLLECTED_AFTER
    finally:
        gc.set_threshold(*before)


@pytest.mark.long
async def test_what_requests_leave_is_freed_as_they_end(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection
) -> None:
    token = str((await sign_in(seed.sant.admin)).headers["authorization"])
    # Nothing happens by itself: what asyncio leaves of a closed connection is not of a request.
    await app.state.runtime.background.cancel(5.0)
    app.state.runtime.versions._trusted_until = inf
    ticket = f"/v1/tickets/{await seed.sant.ticket(connection)}"
    to, days = Asking(app, token), count(1)
    ask = to.ask

    def miss() -> str:
        return f"/v1/dashboard?date_from=2010-01-{next(days):02}"

    new = {"surgery_id": seed.sant.surgery_id, "surgery_at": f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:00}"}
    by_nobody = {"document_type": "passport", "first_name": "Ana", "last_name": "Soto", "age": 50}
    nothing: dict[str, tuple[int | None, Ask]] = {
        "a hit": (200, lambda: ask("/v1/dashboard")),
        "a routed hit": (200, lambda: ask("/v1/dashboard", "Range: bytes=0-")),
        "a catalog": (200, lambda: ask("/v1/specialties")),
        "fastapi-cache2's": (200, lambda: ask("/v1/urgency-thresholds")),
        "a miss": (200, lambda: ask(miss())),
        "a miss that nobody waits for": (None, lambda: to.vanish(miss())),
        "a ticket": (200, lambda: ask(ticket)),
        "the board": (200, lambda: ask("/v1/nursing-board")),
        "the list": (200, lambda: ask("/v1/tickets")),
        "events": (200, lambda: ask("/v1/events")),
        "events that nobody waits for": (None, lambda: to.vanish("/v1/events")),
        "a stranger": (401, lambda: ask("/v1/dashboard", signed=False)),
        "an unknown path": (404, lambda: ask("/v1/nothing")),
        "an unknown ticket": (404, lambda: ask("/v1/tickets/TH-NONE-2026-1")),
        "a wrong method": (405, lambda: ask("/v1/dashboard", method="DELETE")),
        "a wrong date": (422, lambda: ask("/v1/dashboard?date_from=never")),
        "a wrong body": (422, lambda: ask("/v1/tickets", method="POST", body={"surgery_at": "never"})),
        "no JSON": (400, lambda: ask("/v1/tickets", method="POST", body=b"{")),
        "an old revision": (412, lambda: ask(ticket, 'If-Match: "99"', method="PATCH", body={"bed_number": "1"})),
        "no HTTP": (400, lambda: ask("/", "no header")),
        "too long a head": (431, lambda: ask("/", f"X: {'y' * 40_000}")),
    }
    statements: dict[str, tuple[int | None, Ask]] = {
        "a search": (200, lambda: ask("/v1/tickets?q=ana")),
        "a board that is searched": (200, lambda: ask("/v1/nursing-board?q=ana")),
        "a sign-in": (
            200,
            lambda: ask("/v1/auth/login", method="POST", body=credentials(seed.sant.viewer), signed=False),
        ),
        "a wrong password": (
            401,
            lambda: ask("/v1/auth/login", method="POST", body=credentials(seed.sant.viewer, f"not {PASSWORD}")),
        ),
        "a creation": (
            201,
            lambda: ask(
                "/v1/tickets",
                method="POST",
                body=new | {"patient": by_nobody | {"document": f"P{next(days)}"}},
            ),
        ),
    }
    for name, (status, asked) in (nothing | statements).items():
        answers = [await asked()]
        if status is not None:
            assert STATUS.findall(answers[0])[0].split()[1] == str(status).encode(), (name, answers[0])
        with kept_garbage() as garbage:
            for _ in range(TIMES):
                await asked()
        if name in nothing:
            assert not garbage, (name, [type(one) for one in garbage[:20]])
        else:
            others = [one for one in garbage if not is_of_a_statement(one)]
            assert not others, (name, others[:20])
            assert len(garbage) < STATEMENTS * TIMES, name
