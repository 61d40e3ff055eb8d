"""Clinics full of tickets whose times lie at and beside every limit that a dashboard has, and whose counts tie."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.core.dashboard.oracle import DAY, HOUR, MINUTE, block_end, full_hour
from tests.factories import rows
from tests.factories.serial import serial

TICK = timedelta(microseconds=1)
ZONES = ("America/Santiago", "America/Punta_Arenas", "Pacific/Easter")
NAMES = ("alfa", "Zeta", "Ábaco", "ñandú", "alfa 2", "ＡＢ", "😀", "Álamo", "beta")
"""Two collations order them in two ways; in UTF-16 and in code points the last ones differ, too."""


@dataclass(frozen=True)
class MadeClinic:
    id: int
    zone: ZoneInfo
    surgeries: Sequence[int]
    doctors: Sequence[int]
    reasons: Sequence[int]
    """Of delays, more than the list shows."""


async def made_clinic(connection: rows.Connection, zone: str, *, is_active: bool = True) -> MadeClinic:
    """A clinic with more surgeries and doctors than the lists show; doctors' names come twice."""
    clinic_id = await rows.clinic(connection, made_prefix(), timezone=zone, is_active=is_active)
    specialty = await rows.specialty(connection, clinic_id)
    surgeries = [await rows.surgery(connection, clinic_id, specialty, name=name) for name in NAMES[:8]]
    doctors = [await rows.doctor(connection, clinic_id, name=name) for name in NAMES[:7] * 2]
    reasons = [
        await rows.reason(connection, clinic_id, "delay", reason=f"{name} {n}") for n in "ab" for name in NAMES[:6]
    ]
    return MadeClinic(clinic_id, ZoneInfo(zone), surgeries, doctors, reasons)


def made_prefix() -> str:
    """Four letters, the first of them a Z: those that tests set begin with another."""
    number = serial()
    return "Z" + "".join(chr(65 + number // 26**power % 26) for power in range(3))


async def network(connection: rows.Connection) -> list[MadeClinic]:
    """One clinic in each zone; the last one is closed, and counts all the same."""
    return [await made_clinic(connection, zone, is_active=zone != ZONES[-1]) for zone in ZONES]


def days_around(now: datetime, zone: ZoneInfo) -> list[datetime]:
    """Where local days begin, or nearly: today's, tomorrow's, this week's, this month's and others."""
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    days = [today + timedelta(days=days) for days in (-32, -30, -29, -7, -6, -2, -1, 0, 1)]
    days += [today - timedelta(days=today.weekday()), today.replace(day=1)]
    return [day.replace(tzinfo=zone).astimezone(UTC) for day in days]


def stays(dice: random.Random, clinic: MadeClinic, now: datetime, number: int) -> list[dict[str, Any]]:
    midnights = days_around(now, clinic.zone)
    hour = full_hour(now, clinic.zone)

    def beside(moment: datetime) -> datetime:
        return moment + dice.choice((-1, 0, 1)) * TICK

    def fpa() -> datetime:
        limits = (now, now + DAY, hour, hour + HOUR, hour + 47 * HOUR, hour + 48 * HOUR)
        if dice.random() < 0.5:
            return beside(dice.choice(limits))
        past_the_hour = dice.choice((0 * MINUTE, 29 * MINUTE, 30 * MINUTE - TICK, 30 * MINUTE, 59 * MINUTE))
        return hour + dice.randint(-80, 80) * HOUR + past_the_hour

    def discharge(planned: datetime) -> datetime:
        moments = (beside(block_end(planned, clinic.zone)), beside(dice.choice(midnights)), planned)
        return dice.choice((*moments, planned + dice.randint(-4000, 4000) * MINUTE))

    def one() -> dict[str, Any]:
        own = serial()
        status = dice.choice(("active", "active", "discharged", "discharged", "annulled"))
        planned = fpa()
        discharged_at = discharge(planned) if status == "discharged" else None
        base_hours = dice.choice((1, 7, 24, 48))
        # A long stay from its FPA on, from now on, or from some other moment; ready before that, or not at all.
        admission_at = (
            dice.choice((planned, beside(now), planned - dice.randint(0, 3000) * MINUTE)) - 2 * base_hours * HOUR
        )
        ready_at = dice.choice((None, planned - dice.randint(-90, 900) * MINUTE - 7 * TICK))
        if ready_at is not None and discharged_at is not None:
            ready_at = min(ready_at, discharged_at)
        return {
            "id": f"TH-{clinic.id}-2026-{dice.choice(('', 'a', 'A', '0'))}{own}",
            "clinic_id": clinic.id,
            "year": 2026,
            "number": own,
            "surgery_id": dice.choice((None, *clinic.surgeries)),
            "doctor_id": dice.choice((None, *clinic.doctors)),
            "surgery_name": f"As it was called {own % 3}",
            "surgery_base_hours": base_hours,
            "admission_at": admission_at,
            **dict.fromkeys(("surgery_at", "system_fpa", "initial_fpa"), planned - DAY),
            "ready_at": ready_at,
            "ready_by": None if ready_at is None else "somebody",
            "current_fpa": planned,
            "overnight_stays": 1,
            "initial_overnight_stays": 1,
            "status": status,
            "discharged_at": discharged_at,
            "discharge_assumed": status == "discharged" and dice.random() < 0.2,
            "annulled_at": planned if status == "annulled" else None,
            "imported": True,
            "created_at": beside(dice.choice((now, now - HOUR, *midnights))),
            "created_by": "somebody",
        }

    return [one() for _ in range(number)]


async def fill(
    connection: rows.Connection, dice: random.Random, clinics: Sequence[MadeClinic], now: datetime, number: int = 90
) -> None:
    """Imported tickets, so that no constraint minds their times; four in ten modified."""
    for clinic in clinics:
        tickets = stays(dice, clinic, now, number)
        await connection.copy_records_to_table(
            "ticket", columns=list(tickets[0]), records=[tuple(ticket.values()) for ticket in tickets]
        )
        modified = [ticket["id"] for ticket in tickets for _ in range(dice.choice((0, 0, 0, 1, 2, 5)))]
        columns = ["clinic_id", "ticket_id", "previous_fpa", "new_fpa", "reason", "modified_by"]
        records = [(clinic.id, ticket, now, now, "Reason", "somebody") for ticket in modified]
        await connection.copy_records_to_table("fpa_modification", columns=columns, records=records)
        await delay(connection, dice, clinic, tickets)


async def delay(
    connection: rows.Connection, dice: random.Random, clinic: MadeClinic, tickets: Sequence[dict[str, Any]]
) -> None:
    """One ticket in two, for up to three reasons each; some ended by themselves, also after the discharge."""
    columns = ["clinic_id", "ticket_id", "reason_id", "reason", "set_at", "set_by", "ended_at", "ended_by"]
    records = []
    for ticket in tickets:
        for reason in dice.sample(clinic.reasons, dice.choice((0, 0, 1, 3))):
            set_at = ticket["current_fpa"] - dice.randint(-50, 900) * MINUTE - dice.randint(0, 90) * TICK
            # Of a ticket that is there.
            set_at = max(set_at, ticket["created_at"])
            ended_at = dice.choice((None, set_at + dice.randint(0, 1000) * MINUTE))
            by = None if ended_at is None else "somebody"
            records.append((clinic.id, ticket["id"], reason, "Delay", set_at, "somebody", ended_at, by))
    await connection.copy_records_to_table("delay", columns=columns, records=records)
