"""A request without a server: the application's coroutine, run by hand."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI


def answered_at_once(app: FastAPI, client: httpx.AsyncClient, path: str, query: str = "") -> list[dict[str, Any]]:
    """The messages of a GET with the client's bearer token. It fails where anything on the way waits: a thread, a
    lock, a server."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"ticket-home.test"), (b"authorization", client.headers["authorization"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    request: Any = app(scope, receive, send)
    with pytest.raises(StopIteration):
        request.send(None)
    return sent
