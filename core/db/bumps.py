"""Which cache versions a transaction bumps, and what they are after its COMMIT (docs/design/cache.md, "Versions")."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.trace import VersionRow

PENDING = text("SELECT split_part(coalesce(current_setting('ticket_home.pending', true), ''), '|', 2)")
"""What the triggers remember to bump at COMMIT: `5/figures 5/tickets`; a star stands for every clinic or topic."""
MADE = text(
    "SELECT clinic_id, topic, version FROM cache_version"
    " JOIN unnest(CAST(:clinics AS integer[]), CAST(:topics AS text[])) AS bumped (clinic_id, topic)"
    " USING (clinic_id, topic)"
)
MADE_EVERYWHERE = text("SELECT clinic_id, topic, version FROM cache_version")


async def pending_bumps(session: AsyncSession) -> str:
    """What the COMMIT of the session's transaction will bump, in the form that `versions_of` takes."""
    await session.flush()
    pending: str = (await session.execute(PENDING)).scalar_one()
    return pending


async def versions_of(connection: AsyncConnection | AsyncSession, pending: str) -> list[VersionRow]:
    """The versions that `pending` names (as `pending_bumps` gives it), as they are now.

    After that transaction's COMMIT these are the ones that it made, or newer ones.
    """
    keys = [(clinic, topic) for clinic, _, topic in (key.partition("/") for key in pending.split())]
    if any("*" in key for key in keys):
        everything = [(row.clinic_id, row.topic, row.version) for row in await connection.execute(MADE_EVERYWHERE)]
        return [row for row in everything if any(_meant(key, row) for key in keys)]
    parameters = {"clinics": [int(clinic) for clinic, _ in keys], "topics": [topic for _, topic in keys]}
    result = await connection.execute(MADE, parameters)
    return [(row.clinic_id, row.topic, row.version) for row in result]


def _meant(key: tuple[str, str], row: VersionRow) -> bool:
    return key[0] in ("*", str(row[0])) and key[1] in ("*", row[1])
