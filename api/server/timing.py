"""One connection's time: what is awaited of the client, until when, and what happens then.

There is one timer. It is moved only to an earlier moment; when it fires it looks how much time is left. A request that
comes in one piece and is answered at once moves nothing: it writes `last_used`.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.server.bounds import Bounds
from api.server.cycle import Cycle
from api.server.refusals import Refused, too_slow

LINGER = 1.0
"""Seconds that a connection stays open: after SIGTERM for the first byte of a request, and after the last answer for a
client that is still sending."""
TAKEN = 16384
"""Bytes of an answer that a client must take within `Bounds.body`, or else all that is left of it."""


class ServingConfig(Config):
    bounds: Bounds


class Reading(Enum):
    """What the client's next byte belongs to."""

    NOTHING = auto()
    """The next request."""
    HEAD = auto()
    BODY = auto()
    OVER = auto()
    """It is thrown away: the connection ends."""


class HoldableFlowControl(FlowControl):
    """uvicorn's, but whoever waits for a body does not read on while requests wait for their turn."""

    is_held = False

    def hold(self) -> None:
        self.is_held = True
        self.pause_reading()

    def release(self) -> None:
        self.is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class TimedConnection(HttpToolsProtocol):
    """A connection of which each part of a request has its time: a head, a body, the pause between two, an answer that
    nobody takes."""

    config: ServingConfig
    cycle: Cycle
    """Of the head that was read last."""
    flow: HoldableFlowControl

    is_draining = False
    last_used = 0.0
    """When the client's last head began or ended, when its last body ended, its last answer; by the loop's clock."""

    bounds: Bounds
    _running: Cycle | None = None
    """Whose answer is the next."""
    _reading = Reading.NOTHING
    _was_asked = False
    """A head has been read whole."""
    _unsent = 0
    """Bytes that were written and not taken by the client, when that was last looked at."""
    _unsent_at = 0.0
    """When that was."""
    _timer: asyncio.TimerHandle | None = None
    _fires_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        self.bounds = self.config.bounds
        super().connection_made(transport)
        self.flow = HoldableFlowControl(transport)
        self.last_used = self.loop.time()
        self._look_in(self.bounds.head)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_busy(self) -> bool:
        return self._running is not None and not self._running.response_complete

    @property
    def is_idle(self) -> bool:
        is_between = self._reading is Reading.NOTHING or self._reading is Reading.HEAD
        return is_between and not self.is_busy and not self.transport.is_closing()

    def close(self) -> None:
        """Once what was written is sent, or is not taken."""
        if not self.transport.is_closing():
            self.transport.close()
            self._watch_sending()

    def refuse(self, why: Refused) -> None:
        raise NotImplementedError

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_sending()

    def _watch_sending(self) -> None:
        self._unsent, self._unsent_at = self.transport.get_write_buffer_size(), self.loop.time()
        self._look_in(self.bounds.body)

    def _look_in(self, seconds: float) -> None:
        at = self.loop.time() + seconds
        if self._timer is not None:
            if self._fires_at <= at:
                return
            self._timer.cancel()
        self._fires_at = at
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.transport.is_closing() or self.flow.write_paused:
            self._look_at_sending()
            return
        allowed, out_of_time = self._bound()
        left = self.last_used + allowed - self.loop.time()
        if left <= 0:
            out_of_time()
        if not self.transport.is_closing():
            self._look_in(left if left > 0 else allowed)

    def _bound(self) -> tuple[float, Callable[[], object]]:
        """(seconds after `last_used` within which the client must have sent what it is waited for; what is done if it
        has not)."""
        bounds, reading = self.bounds, self._reading
        if reading is Reading.HEAD and not self.flow.read_paused:
            return bounds.head, partial(self.refuse, too_slow(bounds.head, "head"))
        if reading is Reading.BODY and not self.flow.read_paused:
            return bounds.body, partial(self.refuse, too_slow(bounds.body, "body"))
        if self.is_busy:
            # The application has bounds of its own, and the client's time does not run while nothing is read of it.
            return bounds.body, self._use
        if reading is Reading.OVER or self.is_draining:
            return LINGER, self.close
        return bounds.keep_alive if self._was_asked else bounds.head, self.close

    def _use(self) -> None:
        self.last_used = self.loop.time()

    def _look_at_sending(self) -> None:
        left = self._unsent_at + self.bounds.body - self.loop.time()
        if left > 0:
            self._look_in(left)
        elif self.transport.get_write_buffer_size() > max(0, self._unsent - TAKEN):
            self.transport.abort()
        else:
            self._watch_sending()
