"""What stands around every request: its trace and deadline before it, its headers, log line and counts after it.

The outermost middleware and the last catch: an error that nobody expected becomes a problem 500, its stack in the log
and not in the answer.
"""

import re
from dataclasses import dataclass
from random import getrandbits
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.middleware.added_headers import AddedHeaders
from api.middleware.request_log import facts_of, facts_of_request, write_request
from api.middleware.request_stats import RequestStats
from api.problems import problem
from api.requests.headers.request_headers import headers_of
from core.deadline import Deadline, current_deadline
from core.telemetry.log import logger
from core.telemetry.trace import Trace, current_trace

WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""Request ids of clients and proxies that are taken over; any other is replaced by one of ours."""
QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds by machines: counted, and logged only when they fail."""
UNMATCHED = "unmatched"
LEFT = 499
"""nginx's number for a client that left before its answer began: in logs and metrics only, for nobody gets it."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer: what the application behind receives, and what it sends."""

    receive: Receive
    send: Send
    added: AddedHeaders
    trace: Trace
    deadline: Deadline
    origin: str | None
    """Of the page that asks, where a browser says so."""
    started: float
    """perf_counter"""
    status: int = 0
    """0: no answer has begun."""
    client_left: bool = False
    """Before its answer began."""

    async def received(self) -> Message:
        waited_from = perf_counter()
        message = await self.receive()
        # A slow client's own time is not held against it.
        self.deadline.extend(perf_counter() - waited_from)
        if message["type"] == "http.disconnect" and not self.status:
            self.client_left = True
        return message

    async def sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.deadline.until = None
            self.status = message["status"]
            self.added.add(message, self.trace, self.origin, (perf_counter() - self.started) * 1000)
        await self.send(message)


class Envelope:
    """ASGI middleware around every request: its id and trace, the headers that each answer has, its time, its line in
    the log, and the answer of last resort."""

    def __init__(self, app: ASGIApp, *, stats: RequestStats, added: AddedHeaders) -> None:
        self._app = app
        self._stats = stats
        self._added = added

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers = headers_of(scope)
        sent_id = headers.request_id
        # Told apart from others, and no secret: asking the system for random bytes would take longer than all of this.
        request_id = sent_id if sent_id and WELL_FORMED.fullmatch(sent_id) else f"{getrandbits(128):032x}"
        trace = Trace(request_id=request_id)
        deadline = Deadline()
        exchange = Exchange(receive, send, self._added, trace, deadline, headers.origin, started)
        outer_trace, outer_deadline = current_trace.set(trace), current_deadline.set(deadline)
        try:
            await self._app(scope, exchange.received, exchange.sent)
        except ClientDisconnect:
            # Its body came in part, or it takes no more of its answer: no error of ours. The server cuts that short.
            if exchange.status:
                raise
        except Exception as error:
            # Nothing may pass here: what reaches the server's loop is a torn connection to the client.
            logger.error("unexpected error", request_id=trace.request_id, **facts_of(error))
            if exchange.status:
                raise
            answer = problem(500, "internal", "Something went wrong here; it was noted.")
            await answer(scope, exchange.received, exchange.sent)
        finally:
            self._note(scope, exchange)
            current_deadline.reset(outer_deadline)
            current_trace.reset(outer_trace)

    def _note(self, scope: Scope, exchange: Exchange) -> None:
        """In metrics and log. The route's template and not the path: a search in it may name a patient."""
        method, ms, status = scope["method"], (perf_counter() - exchange.started) * 1000, exchange.status
        outcome = LEFT if not status or (exchange.client_left and status < 500) else status
        route = exchange.trace.route = getattr(scope.get("route"), "path", UNMATCHED)
        self._stats.series(method, route, outcome).count(ms / 1000)
        if route not in QUIET or outcome >= 400:
            write_request(facts_of_request(exchange.trace, method, outcome, ms))
