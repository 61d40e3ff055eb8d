"""One request and its answer, as uvicorn has them, where uvicorn leaves open who may keep the connection."""

from collections.abc import Callable

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from api.server.heads import Lines

NO_BODY = (204, 304)


class Cycle(RequestResponseCycle):
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
        if self.on_head is not None:
            self.on_head(message["status"], headers)
        await super().send({**message, "headers": headers})
        # The protocol closes: what the client is still sending would reset the connection, and take the answer along.
        self.is_last, self.keep_alive = not self.keep_alive, True
