"""A commit that made more versions than one notification holds."""

import asyncpg
from fastapi import FastAPI

from core import times
from core.cache.versions.payload import CHANNEL
from tests.factories import rows
from tests.support import machine

CLINICS = 700
MAKE = """
INSERT INTO clinic (name, prefix)
SELECT 'Clinic ' || n, 'P' || chr(65 + n / 676) || chr(65 + n / 26 % 26) || chr(65 + n % 26)
FROM generate_series(1, $1::int) AS n RETURNING id
"""


async def test_a_payload_too_long_for_notify_says_poll_and_is_as_quick(
    app: FastAPI, connection: rows.Connection, database_url: str
) -> None:
    made = [row["id"] for row in await connection.fetch(MAKE, CLINICS)]
    heard: list[object] = []
    listening = await asyncpg.connect(database_url)
    try:
        await listening.add_listener(CHANNEL, lambda *notified: heard.append(notified[3]))
        versions = app.state.runtime.versions
        for _ in range(3):
            heard.clear()
            await connection.execute("SELECT cache_invalidate(NULL, NULL)")
            wanted = await connection.fetch("SELECT clinic_id, version FROM cache_version WHERE topic = 'figures'")
            known = {row["clinic_id"]: row["version"] for row in wanted}
            assert set(made) <= set(known)

            def is_known(known: dict[int, int] = known) -> bool:
                return all(versions.get(clinic, "figures") == version for clinic, version in known.items())

            # Waiting for the next poll would take half a second on average, three times in a row.
            await machine.until(is_known, within=times.POLL_EVERY / 3)
            assert heard == ["poll"]
    finally:
        await listening.close()
