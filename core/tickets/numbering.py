"""Ticket numbers: per clinic and clinic-local year of creation, without gaps or duplicates."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert

from core.clock import in_zone
from core.db.transaction import WriteSession
from core.tickets.models import TicketCounter


def ticket_id(prefix: str, year: int, number: int) -> str:
    """`TH-SANT-2025-001`; at least three digits, more past 999."""
    return f"TH-{prefix}-{year}-{number:03d}"


def year_of(now: datetime, local: ZoneInfo) -> int:
    """The year in which a ticket made now is numbered: the clinic's own, on New Year's Eve another than UTC's."""
    return in_zone(now, local).year


async def next_number(session: WriteSession, clinic_id: int, year: int) -> int:
    """The next number. The clinic's next create waits for this transaction; a rollback gives the number back."""
    statement = (
        insert(TicketCounter)
        .values(clinic_id=clinic_id, year=year, last_number=1)
        .on_conflict_do_update(
            index_elements=[TicketCounter.clinic_id, TicketCounter.year],
            set_={"last_number": TicketCounter.last_number + 1},
        )
        .returning(TicketCounter.last_number)
    )
    return (await session.execute(statement)).scalar_one()
