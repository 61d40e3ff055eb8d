"""The demo's administrators, signed in, and what they ask for."""

import asyncpg
import httpx

from bench.hits.cases import DASHBOARDS, Signed
from bench.servers.site import Site

CLINICS, TICKETS = 10, 20_000
OF_CLINICS = """
SELECT (SELECT id FROM ticket WHERE clinic_id = c.id AND status = 'active' ORDER BY id LIMIT 1) AS ticket,
    (SELECT id FROM surgery WHERE clinic_id = c.id AND is_active ORDER BY id LIMIT 1) AS surgery
FROM clinic c ORDER BY id
"""


async def signed_in(place: Site, port: int) -> Signed:
    """Each administrator with a token and with a cookie, as an application and a browser have it; `port` is ours."""
    usernames = [f"admin_{prefix}" for prefix in place.prefixes]
    bearers, cookies = await place.sessions(usernames), await place.cookies(usernames)
    connection = await asyncpg.connect(place.embedded.database_url)
    clinics = await connection.fetch(OF_CLINICS)
    await connection.close()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        answers = [await client.get(DASHBOARDS[0], headers=headers) for headers in (bearers[0], cookies[0])]
    if len({answer.raise_for_status().content for answer in answers}) > 1:
        raise SystemExit("a cookie gets another dashboard than a token")
    tickets, surgeries = ([clinic[name] for clinic in clinics] for name in ("ticket", "surgery"))
    return Signed(bearers, cookies, tickets, surgeries, answers[0].content)
