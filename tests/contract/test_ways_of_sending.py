"""Every route that takes a body × every way of sending one × every wish for another protocol: it is read each time."""

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from core.settings import Settings
from tests.api.server.sending import WAYS, WISHES
from tests.factories.fixtures import Seed
from tests.support.processes.services import workers
from tests.support.signing_in import bearer

SNAPSHOT = json.loads((Path(__file__).parent / "openapi.json").read_text())
ROUTES = [
    (method.upper(), path)
    for path, item in SNAPSHOT["paths"].items()
    for method, operation in item.items()
    if method in ("post", "put", "patch", "delete") and "requestBody" in operation
]
FIELD = "a_field_that_no_route_knows"
BODY = json.dumps({FIELD: "GET /v1/doctors HTTP/1.1\r\nHost: a\r\n\r\n"}).encode()
FILE = f"name,{FIELD}\r\nGET /v1/doctors HTTP/1.1,Host: a\r\n".encode()
ASKED_AGAIN = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def exchanged(port: int, segments: list[bytes]) -> bytes:
    """All bytes that the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        for segment in segments:
            wire.sendall(segment)
        came = b""
        while part := wire.recv(65536):
            came += part
    return came


def target(method: str, path: str, seed: Seed, ticket: str) -> str:
    """The path, with ids of rows that there are: a foreign ticket's answer would be 404 before its body is read."""
    names = [one["name"] for one in SNAPSHOT["paths"][path][method.lower()].get("parameters", ())]
    filled = re.sub(r"{\w+}", "1", path.replace("{ticket_id}", ticket))
    asked = {"clinic_id": seed.sant.id, "filename": "specialties.csv"}
    query = [f"{name}={value}" for name, value in asked.items() if name in names and f"{{{name}}}" not in path]
    return f"{filled}?{'&'.join(query)}" if query else filled


def body(method: str, path: str) -> tuple[str, bytes]:
    """Its Content-Type, and the body: JSON, or a file where the route takes one."""
    taken = SNAPSHOT["paths"][path][method.lower()]["requestBody"]["content"]
    return ("application/json", BODY) if "application/json" in taken else ("text/csv", FILE)


def discharged_at(came: bytes) -> str:
    """The moment of discharge in the first answer."""
    ticket, _ = json.JSONDecoder().raw_decode(came.partition(b"\r\n\r\n")[2].decode())
    return str(ticket["discharged_at"])


@pytest.mark.long
async def test_every_body_is_read_however_it_is_sent(
    settings: Settings, seed: Seed, connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    assert len(ROUTES) > 20
    ticket = await seed.sant.ticket(connection)
    with workers(settings, 1, tmp_path / "log") as served:
        authorization = bearer(served.url, seed.superuser)["Authorization"]
        unread = []
        for method, path in ROUTES:
            asked = f"{method} {target(method, path, seed, ticket)}"
            said, content = body(method, path)
            lines = ["Host: a", f"Authorization: {authorization}", f"Content-Type: {said}", 'If-Match: "1"']
            for way in WAYS:
                for wish in WISHES:
                    came = exchanged(served.port, [*WAYS[way](asked, [*lines, *WISHES[wish]], content), ASKED_AGAIN])
                    follows = b"HTTP/1.1 200 OK" in came or wish == "closing"
                    if FIELD.encode() not in came or b"HTTP/1.1 422 " not in came or not follows:
                        unread.append(f"{method} {path}, {way}, {wish}: {came!r}")
        assert unread == []


async def test_a_discharge_is_at_the_moment_that_the_body_says(
    settings: Settings, seed: Seed, connection: "asyncpg.Connection[asyncpg.Record]", tmp_path: Path
) -> None:
    """Without its body the route takes now."""
    wishes = [wish for wish in WISHES if wish != "closing"]
    moment = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
    body = json.dumps({"discharged_at": moment.isoformat()}).encode()
    with workers(settings, 1, tmp_path / "log") as served:
        headers = bearer(served.url, seed.sant.clinical)
        lines = ["Host: a", f"Authorization: {headers['Authorization']}", "Content-Type: application/json"]
        for number, wish in enumerate(wishes):
            ticket = await seed.sant.ticket(connection)
            asked = f"POST /v1/tickets/{ticket}/discharge"
            way = WAYS["one segment" if number % 2 else "head and body"]
            came = exchanged(served.port, [*way(asked, [*lines, 'If-Match: "1"', *WISHES[wish]], body), ASKED_AGAIN])
            assert b"HTTP/1.1 200 OK" in came, came
            assert datetime.fromisoformat(discharged_at(came)) == moment, wish
