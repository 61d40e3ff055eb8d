"""One demo clinic, in one transaction: it is there with everything, or not at all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from core.catalogs.delay_reasons import CATEGORY as DELAY
from core.catalogs.delay_reasons import DELAY_REASONS
from core.clock import zone
from core.db.bulk_copy import Connection, copy, copy_with_ids, reserve, trust_references
from core.operations.demo.catalog import (
    ANNULMENT_REASONS,
    DOCTORS_PER_SPECIALTY,
    MODIFICATION_REASONS,
    RETIRED_REASON,
    SPECIALTIES,
)
from core.operations.demo.flow import DelayRow
from core.operations.demo.people import PATIENT_COLUMNS, DemoPeople
from core.operations.demo.rhythm import beginning
from core.operations.demo.stays import Stays
from core.operations.demo.ward import AUDIT_COLUMNS, MODIFICATION_COLUMNS, TICKET_COLUMNS, Batch, Offer, Staff, Ward
from core.settings import DEMO_DOMAIN

BATCH = 5000
"""Tickets that are in memory at once, twice: while one batch is copied, the next one is made up."""
ROLES = ("clinical", "admin", "viewer")
OWN_THRESHOLDS = ((3, 6, 12), (1, 3, 6))
"""Red, yellow, green hours of those clinics that have their own."""


@dataclass(frozen=True, slots=True)
class PlannedClinic:
    """A clinic of the demo before it is made."""

    index: int
    """Among the clinics asked for."""
    name: str
    prefix: str
    timezone: str
    tickets: int


def email_of(username: str) -> str:
    """The address of a demo user, under DEMO_DOMAIN."""
    return f"{username}@{DEMO_DOMAIN}"


async def make_clinic(
    connection: Connection,
    planned: PlannedClinic,
    *,
    seed: int,
    now: datetime,
    password_hash: str,
    advance: Callable[[int], None],
) -> None:
    """`advance` gets the number of tickets that were just copied."""
    rng = Random(f"{seed} {planned.name}")  # noqa: S311  demo data, the same for the same seed
    async with connection.transaction():
        await trust_references(connection)
        ward, people = await _furnish(connection, planned, rng, now, password_hash)
        stays = Stays(rng, ward, people, planned.tickets)
        batch = await _next(connection, stays, beside=None)
        while batch is not None:
            following = await _next(connection, stays, beside=batch)
            advance(len(batch.tickets))
            batch = following
        counters = [(ward.clinic_id, year, number) for year, number in stays.numbers.items()]
        await copy(connection, "ticket_counter", ["clinic_id", "year", "last_number"], counters)


async def _next(connection: Connection, stays: Stays, *, beside: Batch | None) -> Batch | None:
    """The next batch, made while `beside` copies the one before it."""
    ids = await reserve(connection, "patient", BATCH)
    ids.reverse()  # they are taken from the end, in order
    making = asyncio.create_task(asyncio.to_thread(stays.batch, ids))
    try:
        if beside is not None:
            await _store(connection, beside)
    finally:
        # A thread cannot be cancelled: whoever stops here waits for it, and it takes no longer than a batch.
        made = await making
    return made


async def _store(connection: Connection, batch: Batch) -> None:
    await copy(connection, "patient", PATIENT_COLUMNS, batch.patients)
    await copy(connection, "ticket", TICKET_COLUMNS, batch.tickets)
    await copy(connection, "fpa_modification", MODIFICATION_COLUMNS, batch.modifications)
    await copy(connection, "delay", DelayRow._fields, batch.delays)
    await copy(connection, "action_audit", AUDIT_COLUMNS, batch.audits)


async def _furnish(
    connection: Connection, planned: PlannedClinic, rng: Random, now: datetime, password_hash: str
) -> tuple[Ward, DemoPeople]:
    """The clinic with its users and catalogs, from before its first ticket."""
    local = zone(planned.timezone)
    since = beginning(now, local) - timedelta(days=1)
    columns = ["name", "prefix", "timezone", "created_at"]
    row = (planned.name, planned.prefix, planned.timezone, since)
    [clinic_id] = await copy_with_ids(connection, "clinic", columns, [row])

    usernames = [f"{role}_{planned.prefix.lower()}" for role in ROLES]
    columns = ["username", "email", "password_hash", "role", "clinic_id", "created_at"]
    users = [
        (username, email_of(username), password_hash, role, clinic_id, since)
        for username, role in zip(usernames, ROLES, strict=True)
    ]
    user_ids = await copy_with_ids(connection, "app_user", columns, users)
    if planned.index % 4 == 1:
        columns = ["clinic_id", "red_hours", "yellow_hours", "green_hours"]
        await copy_with_ids(connection, "urgency_threshold", columns, [(clinic_id, *rng.choice(OWN_THRESHOLDS))])

    people = DemoPeople(rng, clinic_id)
    offers = await _catalog(connection, clinic_id, people)
    reasons = [(clinic_id, text, "modification", True) for text in MODIFICATION_REASONS]
    reasons += [(clinic_id, text, "annulment", True) for text in ANNULMENT_REASONS]
    reasons.append((clinic_id, RETIRED_REASON, "modification", False))
    reasons += [(clinic_id, text, DELAY, True) for text in DELAY_REASONS]
    columns = ["clinic_id", "reason", "category", "is_active"]
    reason_ids = await copy_with_ids(connection, "standardized_reason", columns, reasons)
    ward = Ward(
        clinic_id=clinic_id,
        prefix=planned.prefix,
        local=local,
        now=now,
        offers=offers,
        staff=(Staff(user_ids[0], usernames[0]), Staff(user_ids[1], usernames[1])),
        modification_reasons=list(zip(reason_ids, MODIFICATION_REASONS, strict=False)),
        annulment_reasons=list(ANNULMENT_REASONS),
        delay_reasons=list(zip(reason_ids[-len(DELAY_REASONS) :], DELAY_REASONS, strict=True)),
    )
    return ward, people


async def _catalog(connection: Connection, clinic_id: int, people: DemoPeople) -> list[Offer]:
    names = list(SPECIALTIES)
    rows = [(clinic_id, name) for name in names]
    specialty_ids = dict(
        zip(names, await copy_with_ids(connection, "specialty", ["clinic_id", "name"], rows), strict=True)
    )

    doctors = [
        (clinic_id, *people.doctor(), specialty_ids[name], True) for name in names for _ in range(DOCTORS_PER_SPECIALTY)
    ]
    # One who has left.
    doctors.append((clinic_id, *people.doctor(), specialty_ids[names[0]], False))
    columns = ["clinic_id", "name", "rut", "specialty_id", "is_active"]
    doctor_ids = await copy_with_ids(connection, "doctor", columns, doctors)
    operating: dict[int, list[int]] = {}
    for doctor_id, (_, _, _, specialty_id, is_active) in zip(doctor_ids, doctors, strict=True):
        if is_active:
            operating.setdefault(specialty_id, []).append(doctor_id)

    kinds = [(specialty_ids[name], kind) for name in names for kind in SPECIALTIES[name]]
    surgeries = [
        (
            clinic_id,
            kind.name,
            specialty_id,
            kind.hours,
            kind.applies,
            kind.cutoff is not None,
            kind.cutoff,
            kind.is_active,
        )
        for specialty_id, kind in kinds
    ]
    columns = [
        *("clinic_id", "name", "specialty_id", "base_stay_hours", "applies_ticket_home"),
        *("is_ambulatory", "ambulatory_cutoff_hour", "is_active"),
    ]
    surgery_ids = await copy_with_ids(connection, "surgery", columns, surgeries)
    return [
        Offer(surgery_id, kind, operating[specialty_id])
        for surgery_id, (specialty_id, kind) in zip(surgery_ids, kinds, strict=True)
    ]
