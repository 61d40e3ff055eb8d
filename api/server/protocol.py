"""One connection's requests. What uvicorn's protocol leaves open is decided here, for every request alike.

A wish for another protocol (`Upgrade`) is ignored, and the body kept. Heads, trailers and what surrounds chunks are
bounded in bytes; timing.py bounds everything in time. Requests are answered in the order in which they came,
refusals too. Whoever closes one half of the connection is answered on the other. server.py says what draining is.
"""

import asyncio
from collections import deque
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from api.middleware.sharing import SHARING
from api.server import refusals
from api.server.bounds import make_room
from api.server.cycle import Cycle
from api.server.heads import check_framing, check_version, not_a_proxy, target, without_upgrade
from api.server.refusals import Refused
from api.server.timing import LINGER, Reading, TimedConnection

SLICE = 8192
"""Bytes that the parser gets at once. How many pipelined requests they hold is known only afterwards; few bytes keep
the queue of them short."""
CHUNK_LINES = 16
"""Bytes around a chunk that nobody counts: its size in hexadecimal and two line ends."""

THROWN_AWAY = 4 * 1024 * 1024
"""Bytes that are read and dropped after the last answer, so that a client that is still sending gets to read it."""


class DrainingProtocol(TimedConnection):
    """uvicorn's connection over httptools, which refuses what is ambiguous (RFC 9112), bounds what is read and how long
    it may take, and at shutdown answers whatever was asked before it closes."""

    pipeline: deque[tuple[Cycle, ASGI3Application]]  # type: ignore[assignment]  # all are ours

    _size = 0
    """Bytes since the last message or head that are no body's."""
    _unread = b""
    """Read, but not parsed: requests wait for their turn."""
    _is_asked_again = False
    """The parser is given a head for the second time, without its wish for another protocol."""
    _has_ended = False
    """The client sends nothing more."""
    _farewell: Refused | None = None
    """The last answer, once all before it are given."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections and not make_room(self.connections, self):  # type: ignore[arg-type]  # all are ours
            self._reading = Reading.OVER
            self.transport.write(refusals.answer(refusals.overloaded(), self.server_state.default_headers))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn closes
        """Whether the connection stays open: for the answers to what was asked."""
        self._has_ended = True
        self.flow.hold()
        if self._running is not None and self._running.is_stream:
            return False  # it is asked for nothing more, and has no end: most who do so are gone
        if self._reading is Reading.BODY:
            self.refuse(refusals.malformed("The body is shorter than its head says."))
        elif self._running is not None and not self._running.response_started:
            self._running.keep_alive = False
        return self.is_busy or self._farewell is not None

    def data_received(self, data: bytes) -> None:
        if self._reading is Reading.OVER:
            self._size += len(data)
            if self._size > THROWN_AWAY:
                self.close()
        elif self._unread:
            self._unread += data
        elif len(data) <= SLICE and self._size + len(data) <= self.bounds.head_bytes:
            self._parse(data)
        else:
            self._parse_in_slices(data)

    def _parse_in_slices(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._reading is not Reading.OVER:
            if self.pipeline:
                self._unread = data[at:]
                self.flow.hold()
                return
            room = SLICE if self._reading is Reading.BODY else min(SLICE, self.bounds.head_bytes - self._size)
            self._parse(data[at : at + room])
            at += room

    def _parse(self, data: bytes) -> None:
        self._size += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            why = error.__context__
            self.refuse(why if isinstance(why, Refused) else refusals.malformed("This is not HTTP/1.1."))
        else:
            if self._size < 0:
                self._size = 0
            elif self._size >= self.bounds.head_bytes:
                self.refuse(refusals.too_large(self.bounds.head_bytes))
                return
            if self._reading is Reading.HEAD:
                self._look_in(self.bounds.head)
            elif self._reading is Reading.BODY:
                self._look_in(self.bounds.body)

    def _feed(self, data: bytes) -> None:
        """Where another protocol could begin the parser takes no body: it is given the head again without that wish."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                data = data[stopped.args[0] :]
            else:
                return
            head = without_upgrade(self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers)
            # One that has read `Connection: close` reads no second head.
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def on_message_begin(self) -> None:
        self.url, self.headers = b"", []
        self._reading = Reading.HEAD
        self.last_used = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Blanks after a value are not of it (RFC 9112, 5.1); the parser leaves them there.
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Raises Refused, which the parser carries to whoever feeds it."""
        method, version, headers = self.parser.get_method(), self.parser.get_http_version(), self.headers
        check_version(version)
        if method == b"CONNECT":
            raise not_a_proxy()
        if self.parser.should_upgrade():
            self._is_asked_again = True
            return
        url = httptools.parse_url(target(method, self.url, version, headers))
        check_framing(version, headers)
        super().on_message_begin()  # which makes the scope
        self.scope["headers"] = headers
        self.expect_100_continue = version == "1.1" and (b"expect", b"100-continue") in (
            (name, value.lower()) for name, value in headers
        )
        path = url.path.decode("ascii")
        self.scope["method"] = method.decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        self.scope["raw_path"] = self.root_path.encode("ascii") + url.path
        self.scope["query_string"] = url.query or b""
        # Trailers come when the application has long read the headers: they are nobody's.
        self.headers = []
        self._reading, self._size, self.last_used = Reading.BODY, 0, self.loop.time()
        self._queue(self._cycle(keep_alive=version == "1.1" and self.parser.should_keep_alive()))

    def _cycle(self, *, keep_alive: bool) -> Cycle:
        return Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive and not self.is_draining,
            on_response=self.on_response_complete,
        )

    def _queue(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self._was_asked = True
        if self.is_busy:
            self.flow.hold()
            self.pipeline.appendleft((cycle, self.app))
        else:
            self._start_asgi_task(cycle, self.app)

    def _start_asgi_task(self, cycle: Cycle, app: ASGI3Application) -> None:  # type: ignore[override]
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._size -= len(body)
        if not self.cycle.response_complete:
            self.cycle.body += body
            if len(self.cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            self.cycle.message_event.set()

    def on_chunk_header(self) -> None:
        self._size -= CHUNK_LINES

    def on_message_complete(self) -> None:
        if self._is_asked_again:
            self._is_asked_again = False
            return
        self._reading, self._size, self.last_used = Reading.NOTHING, 0, self.loop.time()
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.last_used = self.loop.time()
        if self._running is not None and self._running.is_last:
            self._end()
        elif self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._farewell is not None:
            self._say_farewell(self._farewell)
        elif self._has_ended:
            self.close()
        elif self.is_draining:
            self._look_in(LINGER)
        if self.flow.read_paused and not self.pipeline and not self._has_ended and self._reading is not Reading.OVER:
            unread, self._unread = self._unread, b""
            self.flow.release()
            self._parse_in_slices(unread)

    def refuse(self, why: Refused) -> None:
        """Nothing more is read; `why` is the connection's last answer, after those to what was asked before."""
        was, self._reading = self._reading, Reading.OVER
        if was is Reading.BODY and self.pipeline:
            self.pipeline.popleft()
        elif was is Reading.BODY and self.cycle.response_started:
            self.transport.abort()
            return
        elif was is Reading.BODY:
            # The application waits for the rest of this body: it learns that there is none, and answers nobody.
            self.cycle.disconnected, self.cycle.waiting_for_100_continue = True, False
            self.cycle.message_event.set()
            self._running = None
        head = self.cycle.scope["headers"] if was is Reading.BODY else self.headers or ()
        why.headers += refusals.told_to_page(head, self.app_state.get(SHARING))
        self._farewell = why
        if not self.is_busy:
            self._say_farewell(why)

    def _say_farewell(self, why: Refused) -> None:
        self._farewell = None
        self.transport.write(refusals.answer(why, self.server_state.default_headers))
        self._end()

    def _end(self) -> None:
        """The client closes first: what it still sends would reset a closed connection, and take the answer along."""
        self._reading, self._unread, self.last_used = Reading.OVER, b"", self.loop.time()
        if self._has_ended or not self.transport.can_write_eof():
            self.close()
            return
        self.transport.write_eof()
        self.flow.release()
        self._look_in(LINGER)

    def shutdown(self) -> None:
        self.is_draining = True
        if self.cycle is None or self.cycle.response_complete:
            self.last_used = self.loop.time()
            self._look_in(LINGER)
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False
        # What has begun to answer has promised to go on: its next request is the last.
