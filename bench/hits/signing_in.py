"""The demo's administrators, signed in."""

import asyncio

import asyncpg
import httpx

from bench.hits.cases import DASHBOARDS, Signed
from core.operations.demo.filling import fill_demo

PASSWORD = "a-bench-needs-one"
CLINICS, TICKETS = 10, 20_000
OF_CLINICS = """
SELECT lower(prefix) AS prefix,
    (SELECT id FROM ticket WHERE clinic_id = c.id AND status = 'active' ORDER BY id LIMIT 1) AS ticket,
    (SELECT id FROM surgery WHERE clinic_id = c.id AND is_active ORDER BY id LIMIT 1) AS surgery
FROM clinic c ORDER BY id
"""


def fill(database_url: str) -> "list[asyncpg.Record]":
    """Demo clinics: their prefixes, an active ticket and a surgery of each."""

    async def made() -> "list[asyncpg.Record]":
        await fill_demo(database_url, clinics=CLINICS, tickets=TICKETS, seed=1, password=PASSWORD, progress=False)
        connection = await asyncpg.connect(database_url)
        try:
            return list(await connection.fetch(OF_CLINICS))
        finally:
            await connection.close()

    return asyncio.run(made())


def sign_in(port: int, clinics: "list[asyncpg.Record]") -> Signed:
    """Each administrator with a token and with a cookie, as an application and a browser have it."""
    bearers, cookies = [], []
    for clinic in clinics:
        username = f"admin_{clinic['prefix']}"
        bearers.append({"Authorization": bearer(port, username)})
        answer = _login(port, username, "web")
        cookies.append({"Cookie": "; ".join(f"{name}={value}" for name, value in answer.cookies.items())})
    body = httpx.get(f"http://127.0.0.1:{port}{DASHBOARDS[0]}", headers=bearers[0]).raise_for_status().content
    tickets, surgeries = ([clinic[name] for clinic in clinics] for name in ("ticket", "surgery"))
    return Signed(bearers, cookies, tickets, surgeries, body)


def bearer(port: int, username: str) -> str:
    """The value of an Authorization header."""
    return f"Bearer {_login(port, username, 'mobile').json()['token']}"


def _login(port: int, username: str, client: str) -> httpx.Response:
    body = {"username": username, "password": PASSWORD, "client": client}
    return httpx.post(f"http://127.0.0.1:{port}/v1/auth/login", json=body, timeout=20).raise_for_status()
