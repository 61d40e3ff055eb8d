"""One request and its answer, as uvicorn has them, where uvicorn leaves open who may keep the connection."""

import socket
from collections.abc import Callable

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from api.server.heads import Lines

NO_BODY = (204, 304)
STREAM = (b"content-type", b"text/event-stream")
UNTAKEN = 16384
"""Bytes of a stream of events that wait for its client here, and again in the kernel, at most."""
UNTAKEN_SECONDS = 30
"""For which they may: then the client is taken for gone, also where it has left without a word."""


class Cycle(RequestResponseCycle):
    """uvicorn's exchange of one request and its answer, which tells of the answer's head, and whether the connection
    ends with it."""

    is_stream = False
    """Of events: it has no end of its own, and its client is told newest things alone."""
    is_last = False
    """The answer has said `Connection: close`."""
    on_head: Callable[[int, Lines], None] | None = None
    """Called with the status and the headers of the answer, the server's own left out."""
    _until_close = False
    """The end of the connection is the end of the body: an HTTP/1.0 client knows no chunks."""

    async def send(self, message: ASGISendEvent) -> None:
        if self.response_started:
            if self._until_close and message["type"] == "http.response.body":
                self.expected_content_length = len(message.get("body", b""))
            await super().send(message)
        elif message["type"] == "http.response.start":
            await self._send_head(message)
        else:
            await super().send(message)  # which says what is wrong

    async def _send_head(self, message: HTTPResponseStartEvent) -> None:
        headers = list(message.get("headers", ()))
        if self.more_body:
            # Whoever is answered before the body has come may send it or not: nobody knows where the next head begins.
            self.keep_alive = False
        if self.scope["http_version"] == "1.0":
            headers = [line for line in headers if line[0].lower() != b"transfer-encoding"]
            self._until_close = message["status"] not in NO_BODY and all(
                line[0].lower() != b"content-length" for line in headers
            )
            if self._until_close:
                self.chunked_encoding = False
        if STREAM in headers:
            self._bound_stream()
        if self.on_head is not None:
            self.on_head(message["status"], headers)
        await super().send({**message, "headers": headers})
        # The protocol closes: what the client is still sending would reset the connection, and take the answer along.
        self.is_last, self.keep_alive = not self.keep_alive, True

    def _bound_stream(self) -> None:
        self.is_stream = True
        self.transport.set_write_buffer_limits(high=UNTAKEN)
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNTAKEN)
            if hasattr(socket, "TCP_USER_TIMEOUT") and connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_SECONDS * 1000)
