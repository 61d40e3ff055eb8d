"""`ticket-home cache`: what the admin routes tell and do, for an operator at the machine."""

from dataclasses import replace

from rich.table import Table
from sqlalchemy import select

from core.access import Actor, Role
from core.cache.stats.admin import Status, invalidate, status
from core.clinics.models import Clinic
from core.db.transaction import WriteSession
from core.errors import NotFound
from core.runtime import open_runtime
from core.settings import Settings

OPERATOR = Actor(
    user_id=0, username="(command line)", email="", role=Role.SUPERUSER, clinic_id=None, session_id=0, client="web"
)
"""In the audit; no user has this id, and none a name with parentheses."""


async def cache_status(settings: Settings) -> Status:
    """Of the serving processes: this one, which serves nobody, is not counted."""
    async with open_runtime(settings) as runtime:
        found = await status(runtime.published, runtime.redis)
    return replace(found, figures=replace(found.figures, processes=found.figures.processes - 1))


async def cache_invalidate(settings: Settings, prefix: str | None, topic: str | None) -> None:
    """Raises NotFound for a prefix that no clinic has, Invalid for an unknown topic, Unavailable."""

    async def work(session: WriteSession) -> None:
        clinic_id: int | None = None
        if prefix is not None:
            clinic_id = (await session.execute(select(Clinic.id).where(Clinic.prefix == prefix.upper()))).scalar()
            if clinic_id is None:
                raise NotFound(f"No clinic has the prefix {prefix.upper()}.")
        await invalidate(session, OPERATOR, clinic_id, topic)

    async with open_runtime(settings) as runtime:
        await runtime.database.write(work)


def table(report: Status) -> Table:
    headings = ("policy", "tier", "hits", "misses", "collapsed", "stale", "errors", "hit rate", "entries", "bytes")
    made = Table(
        title=f"{report.figures.processes} serving {'process' if report.figures.processes == 1 else 'processes'}"
    )
    for heading in headings:
        made.add_column(heading, justify="left" if heading in ("policy", "tier") else "right")
    for row in report.rows:
        figures = (row.hits, row.misses, row.collapsed, row.stale, row.errors)
        rate = "" if row.hit_rate is None else f"{row.hit_rate:.1%}"
        held = ("?" if value is None else f"{value:,}" for value in (row.entries, row.bytes))
        made.add_row(row.policy, row.tier, *(f"{figure:,}" for figure in figures), rate, *held)
    return made
