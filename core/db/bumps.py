"""Which cache versions a transaction bumps, and what they are after its COMMIT (docs/design/cache.md, "Versions")."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.telemetry.trace import VersionRow

PENDING = text("SELECT split_part(coalesce(current_setting('ticket_home.pending', true), ''), '|', 2)")
"""What the triggers remember to bump at COMMIT: `5/figures 5/tickets`; a star stands for every clinic or topic."""
COLUMNS = "clinic_id, topic, version, (SELECT id FROM cache_timeline) AS timeline"
MADE = text(
    f"SELECT {COLUMNS} FROM cache_version"  # noqa: S608
    " JOIN unnest(CAST(:clinics AS integer[]), CAST(:topics AS text[])) AS bumped (clinic_id, topic)"
    " USING (clinic_id, topic)"
)
MADE_EVERYWHERE = text(f"SELECT {COLUMNS} FROM cache_version")  # noqa: S608


class MadeVersions(NamedTuple):
    """The versions that a transaction has made."""

    versions: list[VersionRow]
    timeline: str | None
    """The id of the timeline that they are of; None where there are none."""


async def pending_bumps(session: AsyncSession) -> str:
    """What the COMMIT of the session's transaction will bump, in the form that `versions_of` takes."""
    await session.flush()
    pending: str = (await session.execute(PENDING)).scalar_one()
    return pending


async def versions_of(connection: AsyncConnection | AsyncSession, pending: str) -> MadeVersions:
    """The versions that `pending` names (as `pending_bumps` gives it), as they are now.

    After that transaction's COMMIT these are the ones that it made, or newer ones.
    """
    keys = [(clinic, topic) for clinic, _, topic in (key.partition("/") for key in pending.split())]
    if any("*" in key for key in keys):
        everything = _made((await connection.execute(MADE_EVERYWHERE)).all())
        return MadeVersions(
            [row for row in everything.versions if any(_meant(key, row) for key in keys)], everything.timeline
        )
    parameters = {"clinics": [int(clinic) for clinic, _ in keys], "topics": [topic for _, topic in keys]}
    return _made((await connection.execute(MADE, parameters)).all())


def _made(rows: Sequence[Row[Any]]) -> MadeVersions:
    versions = [(row.clinic_id, row.topic, row.version) for row in rows]
    return MadeVersions(versions, rows[0].timeline if rows else None)


def _meant(key: tuple[str, str], row: VersionRow) -> bool:
    return key[0] in ("*", str(row[0])) and key[1] in ("*", row[1])
