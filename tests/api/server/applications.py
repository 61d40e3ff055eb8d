"""Small applications behind the protocol."""

import asyncio
import json

from starlette.types import ASGIApp, Receive, Scope, Send

Lines = list[tuple[bytes, bytes]]


async def body_of(receive: Receive) -> bytes | None:
    """None where the client left before it was whole."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message["body"]
        body += piece
        if not message["more_body"]:
            return body


async def respond(send: Send, body: bytes, status: int = 200, headers: Lines | None = None) -> None:
    if headers is None:
        headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """What was asked, as JSON in one line of its own."""
    body = await body_of(receive)
    if body is None:
        return
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "version": scope["http_version"],
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]],
        "client": scope["client"][0],
        "root_path": scope["root_path"],
        "body": body.decode("latin-1"),
    }
    await respond(send, json.dumps(seen).encode() + b"\n")


def echoed(came: bytes) -> list[dict[str, object]]:
    """What `echo` saw of each request, from the answers in `came`."""
    return [json.loads(line) for line in came.splitlines() if line.startswith(b"{") and b'"raw_path"' in line]


def constant(body: bytes = b"Hello", status: int = 200, headers: Lines | None = None) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, body, status, headers)

    return app


def streaming(*parts: bytes) -> ASGIApp:
    """Of a length that nobody says beforehand."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})

    return app
