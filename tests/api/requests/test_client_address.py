"""Where a request comes from, as a trusted proxy tells it: an IP address, or nothing."""

import ipaddress

import httpx
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.conftest import BASE_URL
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.serial import serial

ADDRESSES = {
    "203.0.113.7": "203.0.113.7",
    "203.0.113.7:51234": "203.0.113.7",
    "[2001:db8::7]:51234": "2001:db8::7",
    "[2001:db8::7]": "2001:db8::7",
    "2001:DB8:0:0:0:0:0:7": "2001:db8::7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "fe80::7%eth0": "fe80::7",
    "fe80::7%" + "z" * 300: "fe80::7",
    "198.51.100.1, 203.0.113.7": "203.0.113.7",
}
NONE = [
    "unknown",
    "_hidden",
    "_SEVKISEK",
    "localhost",
    "proxy.example.org",
    "203.0.113",
    "203.0.113.7.8",
    "203.0.113.256",
    "0x7f000001",
    "2130706433",
    "203.0.113.07",
    "203.0.113.7/24",
    "[203.0.113.7",
    "[2001:db8::7",
    "2001:db8::7::1",
    "2001:db8::7]:443",
    'for="203.0.113.7"',
    '"203.0.113.7"',
    "203.0.113.7;proto=https",
    "%eth0",
    "x" * 46,
    "x" * 5000,
    "1" * 400,
    "٢٠٣.٠.١١٣.٧",
    "é",
]


async def stored(app: FastAPI, connection: rows.Connection, seed: Seed, lines: list[str]) -> set[str | None]:
    """What sign-ins, failed ones and writes of a new user at that client leave in the database."""
    username = f"admin_{serial()}"
    user_id = await rows.user(connection, username, "admin", seed.sant.id)
    behind = ProxyHeadersMiddleware(app, trusted_hosts=["127.0.0.1"])  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=behind, client=("127.0.0.1", 1), raise_app_exceptions=False)  # type: ignore[arg-type]
    forwarded = [(b"x-forwarded-for", line.encode()) for line in lines]
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=forwarded) as client:
        login = {"username": username, "password": rows.PASSWORD, "client": "mobile"}
        assert (await client.post("/v1/auth/login", json=login | {"password": "wrong"})).status_code == 401
        signed_in = await client.post("/v1/auth/login", json=login)
        assert signed_in.status_code == 200, signed_in.text
        client.headers["authorization"] = f"Bearer {signed_in.json()['token']}"
        hours = {"clinic_id": seed.sant.id, "red_hours": 1, "yellow_hours": 2, "green_hours": 3 + user_id % 60}
        assert (await client.put("/v1/urgency-thresholds", json=hours)).status_code == 200
        sessions = await client.get("/v1/auth/sessions")
        assert sessions.status_code == 200
    found = await connection.fetch(
        "SELECT ip FROM login_audit WHERE username = $1 UNION ALL SELECT ip FROM action_audit WHERE username = $1"
        " UNION ALL SELECT ip FROM user_session WHERE user_id = $2",
        username,
        user_id,
    )
    assert len(found) >= 4
    return {row["ip"] for row in found} | {one["ip"] for one in sessions.json()["items"]}


async def test_an_address_is_stored_in_its_usual_form(app: FastAPI, connection: rows.Connection, seed: Seed) -> None:
    for forwarded, address in ADDRESSES.items():
        assert await stored(app, connection, seed, [forwarded]) == {address}, forwarded
        assert ipaddress.ip_address(address)


async def test_what_is_no_address_is_none(app: FastAPI, connection: rows.Connection, seed: Seed) -> None:
    for forwarded in NONE:
        assert await stored(app, connection, seed, [forwarded]) == {None}, forwarded


async def test_the_last_line_that_is_no_proxy_s_is_the_client_s(
    app: FastAPI, connection: rows.Connection, seed: Seed
) -> None:
    lines = ["198.51.100.1", "203.0.113.7", "127.0.0.1"]
    assert await stored(app, connection, seed, lines) == {"203.0.113.7"}
