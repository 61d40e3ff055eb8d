"""Tickets as they would have come about: created, their FPA modified, the patient gone, or still there."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from pydantic_core import to_json

from core.audit.record import Changes
from core.clock import in_zone
from core.operations.demo.catalog import AMBULATORY_WARD, JUSTIFICATIONS, MATERNITY, WARDS
from core.operations.demo.flow import flow
from core.operations.demo.people import DemoPeople, pick
from core.operations.demo.rhythm import creations, surgery_time
from core.operations.demo.ward import Batch, Offer, Staff, Ward
from core.tickets.fpa import Stay, block_end, overnight_stays, stay
from core.tickets.numbering import ticket_id
from core.tickets.verbs.modify_fpa import MODIFICATION_LIMIT

ANNULLED = 0.035
MODIFIED = 0.3
MODIFIED_AGAIN = 0.35
STEPS = (-4, -2, -2, 2, 2, 4, 4, 6, 8, 12, 24, 24, 48)
"""Hours by which an FPA is moved."""
UNRECORDED = (
    *((timedelta(hours=36), 6), (timedelta(hours=72), 20)),
    *((timedelta(days=10), 40), (timedelta(days=365), 1200)),
)
"""Of patients whose FPA passed within that time the first of every so many was not discharged: they are overdue, and
after three days forgotten."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Stays:
    """One clinic's tickets in the order of their creation. The same seed and moment give the same."""

    def __init__(self, rng: Random, ward: Ward, people: DemoPeople, wanted: int) -> None:
        self._rng = rng
        self._ward = ward
        self._people = people
        self._creations: Iterator[datetime] = creations(rng, wanted, ward.now, ward.local)
        self._offers = [offer for offer in ward.offers for _ in range(offer.kind.share)]
        self._passed = [0] * len(UNRECORDED)
        self.numbers: dict[int, int] = {}
        """The last number by clinic-local year."""

    def batch(self, patient_ids: list[int]) -> Batch | None:
        """The next tickets, one for each id at most; None where there are no more."""
        made = Batch()
        for created_at in islice(self._creations, len(patient_ids)):
            self._ticket(created_at, patient_ids, made)
        return made if made.tickets else None

    def _ticket(self, created_at: datetime, patient_ids: list[int], made: Batch) -> None:
        rng, ward = self._rng, self._ward
        offer = self._offers[int(rng.random() * len(self._offers))]
        surgery_at = surgery_time(rng, created_at, ward.local)
        planned = stay(surgery_at, offer.kind.hours, ward.local)
        kind = offer.kind
        patient = self._people.returning(kind.ages, kind.sex, created_at) or self._people.new(
            patient_ids.pop, kind.ages, kind.sex, created_at, made.patients
        )
        year = in_zone(created_at, ward.local).year
        number = self.numbers[year] = self.numbers.get(year, 0) + 1
        ticket = ticket_id(ward.prefix, year, number)
        by = self._somebody()
        doctor_id = pick(rng, offer.doctor_ids) if rng.random() < 0.93 else None
        bed, location, episode = self._place(offer, planned, created_at)
        given = {
            "patient_id": patient.id,
            "surgery_id": offer.id,
            "doctor_id": doctor_id,
            "surgery_at": self._shown(surgery_at),
            "current_fpa": self._shown(planned.fpa),
            "bed_number": bed,
            "location": location,
            "episode_id": episode,
        }
        changes: dict[str, list[Any]] = {name: [None, value] for name, value in given.items() if value is not None}
        self._audit(made, created_at, by, "ticket.created", ticket, changes)

        annulled_at = self._annulment(created_at, planned.fpa)
        fpa, moved_at, revision = self._modify(made, ticket, planned, created_at, annulled_at or ward.now)
        discharged_at = None if annulled_at else self._discharge(planned.admission_at, fpa, moved_at)
        nights = planned.overnight_stays if revision == 1 else overnight_stays(planned.admission_at, fpa, ward.local)
        ready_at, ready_by = None, None
        if annulled_at is None:
            since = max(created_at, planned.admission_at + HOUR, moved_at)
            ready_at, ready_by, delay, entries = flow(rng, ward, ticket, self._somebody, since, fpa, discharged_at)
            made.delays += [] if delay is None else [delay]
            for at, who, action, said in entries:
                self._audit(made, at, who, action, ticket, said)
            revision += len(entries)
        status, annulled_by, reason = "active", None, None
        if annulled_at is not None:
            status, reason = "annulled", pick(rng, ward.annulment_reasons)
            annulled_by = self._audit_annulment(made, annulled_at, ticket, reason)
        elif discharged_at is not None:
            status = "discharged"
            changes = {"status": ["active", status], "discharged_at": [None, self._shown(discharged_at)]}
            self._audit(made, discharged_at, self._somebody(), "ticket.discharged", ticket, changes)
        self._people.remember(patient, max(fpa, discharged_at or fpa))
        made.tickets.append(
            (
                *(ticket, ward.clinic_id, year, number, patient.id, offer.id, doctor_id, kind.name, kind.hours),
                *(surgery_at, planned.admission_at, planned.fpa, planned.fpa, fpa, nights, planned.overnight_stays),
                *(bed, location, episode, status, ready_at, ready_by, discharged_at, annulled_at, annulled_by, reason),
                *(created_at, by.id, by.username, revision + (status != "active")),
            )
        )

    def _annulment(self, created_at: datetime, fpa: datetime) -> datetime | None:
        """When the ticket was annulled, before its FPA; None: it was not."""
        if self._rng.random() >= ANNULLED:
            return None
        annulled_at = created_at + (min(fpa, self._ward.now) - created_at) * self._rng.uniform(0.1, 0.95)
        return annulled_at if annulled_at > created_at else None

    def _audit_annulment(self, made: Batch, at: datetime, ticket: str, reason: str) -> str:
        """Who annulled."""
        by = self._somebody()
        changes: Changes = {
            "status": ["active", "annulled"],
            "annulled_at": [None, self._shown(at)],
            "annulled_by": [None, by.username],
            "annulment_reason": [None, reason],
        }
        self._audit(made, at, by, "ticket.annulled", ticket, changes)
        return by.username

    def _modify(
        self, made: Batch, ticket: str, planned: Stay, created_at: datetime, limit: datetime
    ) -> tuple[datetime, datetime, int]:
        """FPA, when it was last moved, and the revision after all of its modifications, which are before `limit`."""
        rng, ward = self._rng, self._ward
        fpa, since, revision = planned.fpa, max(created_at, planned.admission_at), 1
        for done in range(MODIFICATION_LIMIT):
            if rng.random() >= (MODIFIED_AGAIN if done else MODIFIED) or fpa - since < HOUR:
                break
            at = since + (fpa - since) * rng.uniform(0.1, 0.95)
            if at >= limit:
                break
            wall = in_zone(fpa + HOUR * pick(rng, STEPS), ward.local)
            new_fpa = block_end(wall.date(), wall.hour, ward.local)
            if new_fpa <= at or new_fpa == fpa:
                break
            by = self._somebody()
            reason_id, reason = pick(rng, ward.modification_reasons)
            why = pick(rng, JUSTIFICATIONS) if rng.random() < 0.4 else None
            made.modifications.append(
                (ward.clinic_id, ticket, fpa, new_fpa, reason_id, reason, why, at, by.id, by.username)
            )
            changes: dict[str, list[Any]] = {"current_fpa": [self._shown(fpa), self._shown(new_fpa)]}
            nights = [overnight_stays(planned.admission_at, end, ward.local) for end in (fpa, new_fpa)]
            if nights[0] != nights[1]:
                changes["overnight_stays"] = list(nights)
            changes["reason"] = [None, reason]
            if why is not None:
                changes["justification"] = [None, why]
            self._audit(made, at, by, "ticket.fpa_modified", ticket, changes)
            fpa, since, revision = new_fpa, at, revision + 1
        return fpa, since, revision

    def _discharge(self, admission_at: datetime, fpa: datetime, moved_at: datetime) -> datetime | None:
        """When the patient left: mostly within the block, some early, some late. None: not as far as we know."""
        rng, now = self._rng, self._ward.now
        kind = rng.random()
        if kind < 0.1:
            left = fpa - 2 * HOUR - (fpa - admission_at) * 0.25 * rng.random()
        elif kind < 0.8:
            left = fpa - 2 * HOUR * rng.random()
        elif kind < 0.96:
            left = fpa + 3 * HOUR * rng.random()
        else:
            left = fpa + HOUR * (3 + 17 * rng.random())
        left = max(left, admission_at + HOUR, moved_at + 5 * MINUTE)
        if fpa <= now:
            for index, (within, every) in enumerate(UNRECORDED):
                if now - fpa <= within:
                    self._passed[index] += 1
                    if self._passed[index] % every == 1:
                        return None
                    break
        return left if left <= now else None

    def _place(self, offer: Offer, planned: Stay, created_at: datetime) -> tuple[str | None, str | None, str | None]:
        """Bed, location, episode: known once the patient is there, the episode mostly before."""
        rng = self._rng
        episode = f"{8_000_000 + int(rng.random() * 1_999_999)}" if rng.random() < 0.9 else None
        if planned.admission_at > max(created_at + 12 * HOUR, self._ward.now):
            return None, None, episode if rng.random() < 0.5 else None
        if offer.kind.cutoff is not None:
            return f"CMA-{1 + int(rng.random() * 16)}", AMBULATORY_WARD, episode
        index = MATERNITY if offer.kind.sex == "F" else int(rng.random() * MATERNITY)
        return f"{index + 2}{1 + int(rng.random() * 24):02d}-{'AB'[rng.random() < 0.5]}", WARDS[index], episode

    def _somebody(self) -> Staff:
        """One of the staff, at random; the last one, the admin, seldom."""
        return self._ward.staff[self._rng.random() < 0.1]

    def _shown(self, instant: datetime) -> str:
        return in_zone(instant, self._ward.local).isoformat(timespec="seconds")

    def _audit(self, made: Batch, at: datetime, by: Staff, action: str, ticket: str, changes: Changes) -> None:
        encoded = to_json(changes).decode()
        made.audits.append((at, by.id, by.username, self._ward.clinic_id, action, "ticket", ticket, encoded))
