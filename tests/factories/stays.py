"""Tickets that a test knows as well as the database does: inserted by plain SQL, and asked in plain Python."""

import random
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from core.tickets.state import State, Thresholds, state_at
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed
from tests.factories.serial import serial

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)

FIRST = ("Ana", "José", "Íñigo", "MARÍA", "ñusta", "Jose\u0301")
LAST = ("Núñez", "Nunez", "Nuzo", "Rojas", "Rojas Díaz", "O'Higgins", "Ávila", "avila", "Zúñiga")
SURGERIES = ("Muñeca", "Munición", "Músculo", "Úlcera", "apendicectomía", "Apéndice", "Zeta", "úvula")
DISTANCES = (0, 1, 2, 3, 4, 8, 24, 71, 72, 73, 200)


@dataclass(frozen=True)
class Person:
    first_name: str = "Ana"
    last_name: str = "Rojas"
    middle_name: str | None = None
    second_last_name: str | None = None
    document: str = ""


@dataclass(frozen=True)
class Stay:
    """A row of `ticket`, imported, so that no constraint minds its times; without a patient where there is none."""

    id: str
    clinic_id: int
    surgery_id: int | None
    current_fpa: datetime
    admission_at: datetime
    created_at: datetime
    person: Person | None = None
    status: str = "active"
    discharged_at: datetime | None = None
    annulled_at: datetime | None = None
    surgery_name: str = "Surgery"
    bed_number: str | None = None
    location: str | None = None
    episode_id: str | None = None
    created_by_id: int | None = None
    doctor_id: int | None = None
    surgery_at: datetime | None = None
    ready_at: datetime | None = None
    ready_by: str | None = None

    def state(self, now: datetime, limits: Thresholds) -> State:
        return state_at(
            now,
            status=self.status,
            admission_at=self.admission_at,
            current_fpa=self.current_fpa,
            thresholds=limits,
        ).state

    def is_on_the_board(self, now: datetime) -> bool:
        ended_at = self.annulled_at or self.discharged_at
        return ended_at is None or ended_at > now - 72 * HOUR

    def found_by(self, words: Iterable[str]) -> bool:
        texts = [self.id, self.bed_number, self.location, self.episode_id]
        if self.person:
            document = self.person.document
            texts += [*(getattr(self.person, field.name) for field in fields(self.person)), letters(document)]
            # Of documents and of names the letters alone are known too.
            names = (getattr(self.person, field.name) for field in fields(self.person))
            bare_texts = [letters(plain(text)) for text in names if text]
        else:
            bare_texts = []
        known = [plain(text) for text in texts if text]

        def stands(word: str) -> bool:
            bare = letters(word)
            return any(word in text for text in known) or (bool(bare) and any(bare in text for text in bare_texts))

        return all(stands(plain(word)) for word in words)

    @property
    def patient_key(self) -> tuple[str, ...]:
        if self.person is None:
            return ("",)
        person = self.person
        names = (person.last_name, person.second_last_name, person.first_name, person.middle_name, person.document)
        return tuple(spanish(name or "") for name in names)


def plain(text: str) -> str:
    """Without accents, in lower case."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).lower()


def spanish(text: str) -> str:
    """A key of the Spanish order: `plain`, but ñ after every other letter that stands behind an n."""
    return plain(unicodedata.normalize("NFC", text).lower().replace("ñ", "n\U0010ffff"))


def letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def stay(clinic: ClinicSeed, now: datetime, fpa: timedelta = 20 * HOUR, **values: object) -> Stay:
    """Active, admitted before `now`, its FPA so far from it."""
    defaults: dict[str, object] = {
        "id": f"TH-{clinic.prefix}-2026-{serial()}",
        "clinic_id": clinic.id,
        "surgery_id": clinic.surgery_id,
        "current_fpa": now + fpa,
        "admission_at": now - 100 * HOUR,
        "created_at": now - 101 * HOUR,
    }
    return Stay(**(defaults | values))  # type: ignore[arg-type]


async def insert(connection: rows.Connection, stays: Sequence[Stay]) -> None:
    for one in stays:
        patient_id = None
        if one.person is not None:
            given = {name: value for name, value in vars(one.person).items() if value}
            patient_id = await rows.patient(connection, one.clinic_id, **given)
        values = {name: value for name, value in vars(one).items() if name not in ("person", "current_fpa")}
        if one.surgery_at is None:
            del values["surgery_at"]
        values |= {"patient_id": patient_id, "imported": True}
        await rows.ticket(connection, fpa=one.current_fpa, **values)


def at_random(dice: random.Random, clinics: Sequence[ClinicSeed], now: datetime, number: int) -> list[Stay]:
    """With every state, times at and beside every limit, and many ties."""

    def near() -> timedelta:
        return dice.choice((-1, 1)) * dice.choice(DISTANCES) * HOUR + dice.choice((-1, 0, 0, 1)) * TICK

    def one() -> Stay:
        clinic = dice.choice(clinics)
        status = dice.choice(("active", "active", "active", "discharged", "annulled"))
        number = serial()
        person = Person(
            first_name=dice.choice(FIRST),
            last_name=dice.choice(LAST),
            middle_name=dice.choice((None, "Luz")),
            second_last_name=dice.choice((None, "Soto")),
            document=dice.choice((f"{number}-K", f"AB {number}/7")),
        )
        ready_at = dice.choice((None, None, now - HOUR))
        return stay(
            clinic,
            now,
            near(),
            ready_at=ready_at,
            ready_by=None if ready_at is None else "x",
            admission_at=now + near(),
            created_at=now - dice.choice(DISTANCES) * HOUR,
            person=dice.choice((person, person, person, None)),
            status=status,
            discharged_at=now + near() if status == "discharged" else None,
            annulled_at=now + near() if status == "annulled" else None,
            surgery_name=dice.choice(SURGERIES),
            bed_number=dice.choice((None, "12-B", "7")),
            location=dice.choice((None, "Piso 3", "100%_\\")),
            episode_id=dice.choice((None, f"E-{number}")),
        )

    return [one() for _ in range(number)]
