"""The protocol that serves: what is prepared it answers itself, and gives all else to the parser and the routes.

It looks at a segment that comes while nothing is under way. One that is the connection's last head once more, byte for
byte, is known already; any other is read by said.py.
"""

import asyncio
from functools import partial
from typing import cast

from starlette.types import Scope

from api.middleware.request_log import facts_of
from api.requests.prepare import PREPARE
from api.server.cycle import Cycle
from api.server.heads import Lines
from api.server.prepared.hits import HITS, Hits
from api.server.prepared.prepared import PlainHead
from api.server.prepared.said import Said, said_by
from api.server.protocol import DrainingProtocol
from api.server.timing import Reading
from core.telemetry.log import warn_seldom

NOTHING = Reading.NOTHING


class HitProtocol(DrainingProtocol):
    """A connection that answers prepared hits itself, without a task and without the routes; all else is as on any
    other."""

    _hits: Hits | None = None
    """None for an application that leaves nothing to prepare."""
    _last: PlainHead | None = None
    """The last segment, where it was answered here."""
    _said: Said | None = None
    """What the segment says that the parser is reading; None where its answer is not to be prepared."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        self._hits = self.app_state.get(HITS)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._hits is not None:
            self._hits.prepared.drop(self)
        super().connection_lost(exc)

    def forget_last(self) -> None:
        """There is no room for it any more."""
        self._last = None

    def data_received(self, data: bytes) -> None:
        hits = self._hits
        if hits is not None and self._is_between:
            head = self._last
            if head is None or head.segment != data:
                head = self._recognised(hits, data)
            if head is not None:
                if head.hit is not None and hits.answer(
                    head.hit, head.said, self.transport, self.server_state.default_headers
                ):
                    self._keep(hits, head)
                    return
                self._said = head.said
            # Something has changed. What the routes prepare next is in the table, and the last head would hide it.
            hits.prepared.drop(self)
        super().data_received(data)
        self._said = None

    @property
    def _is_between(self) -> bool:
        """Whether the next byte begins a request, no answer is owed, and the connection goes on."""
        return self._reading is NOTHING and not (
            (self._running is not None and not self._running.response_complete)
            or self.is_draining
            or self.flow.write_paused
            or self.transport.is_closing()
        )

    def _recognised(self, hits: Hits, segment: bytes) -> PlainHead | None:
        """What a segment says, and what is prepared for that; None where it is the parser's to read."""
        try:
            said = said_by(segment)
            return None if said is None else PlainHead(segment, said, hits.prepared.find(said.key))
        except Exception as error:  # noqa: BLE001  the parser reads it
            warn_seldom("a head could not be recognised", type(error).__name__, **facts_of(error))
            return None

    def _keep(self, hits: Hits, head: PlainHead) -> None:
        """Uvicorn's books for what was answered here, and the head, which may come again."""
        self.server_state.total_requests += 1
        # Blank lines before a head were of this request.
        self._size, self.last_used, self._was_asked = 0, self.loop.time(), True
        if head is not self._last:
            self._last = head
            hits.prepared.keep_last(self, len(head.segment))

    def _queue(self, cycle: Cycle) -> None:
        if self._hits is not None and self._said is not None:
            scope = cast("Scope", cycle.scope)
            scope[PREPARE] = []
            cycle.on_head = partial(_prepare, self._hits, self._said, scope)
        super()._queue(cycle)


def _prepare(hits: Hits, said: Said, scope: Scope, status: int, lines: Lines) -> None:
    """Of an answer that begins: keep its head where the route left what it decided. Whatever fails, it goes on."""
    try:
        for decided in scope[PREPARE]:
            hits.prepared.prepare(said, decided, scope["route"].path, status, lines)
    except Exception as error:  # noqa: BLE001  the answer is the routes', and whole
        warn_seldom("a hit could not be prepared", type(error).__name__, **facts_of(error))
