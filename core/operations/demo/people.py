"""Patients and doctors: names, and documents that pass their checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from core.operations.demo.names import MEN, SURNAMES, WOMEN, words
from core.rut import verifier_of

T = TypeVar("T")

PER_AGE = 275_000
"""RUTs for people of one age: they are given in the order of birth, about as many a year."""
NEWBORNS = 26_500_000
STEP = 104_729
"""Prime, and no divisor of PER_AGE: stepping by it meets each RUT of an age once, in no visible order."""
PASSPORTS = 0.03
RETURNING = 0.12
KNOWN = 2000
"""Earlier patients who may come back: memory does not grow with the tickets."""
RECOVERY = timedelta(days=3)

SEXES = "F" * 159 + "M" * 140 + "X"

PATIENT_COLUMNS = words(
    "id clinic_id document_type document first_name middle_name last_name second_last_name age sex created_at"
)


@dataclass(slots=True)
class DemoPatient:
    """A patient of the demo, who may come again."""

    id: int
    age: int
    sex: str
    busy_until: datetime | None = None
    """Nobody is operated on twice at once. None: new."""


def rut_of(number: int) -> str:
    """`12345678-5`, in the normal form."""
    return f"{number}-{verifier_of(number)}"


def pick(rng: Random, choices: Sequence[T]) -> T:
    """One of several, each as likely; a fifth of the cost of `rng.choice`."""
    return choices[int(rng.random() * len(choices))]


class DemoPeople:
    """One clinic's. No document comes twice."""

    def __init__(self, rng: Random, clinic_id: int) -> None:
        self._rng = rng
        self._clinic_id = clinic_id
        self._given: dict[int, tuple[int, int]] = {}
        self._passports = 0
        self._known: list[DemoPatient] = []
        self._seen = 0

    def doctor(self) -> tuple[str, str]:
        """Name and RUT."""
        rng = self._rng
        woman = rng.random() < 0.45
        given = pick(rng, WOMEN if woman else MEN)
        name = f"{'Dra.' if woman else 'Dr.'} {given} {pick(rng, SURNAMES)} {pick(rng, SURNAMES)}"
        return name, self._rut(rng.randint(30, 66)) or rut_of(NEWBORNS)

    def returning(self, ages: tuple[int, int], sex: str | None, created_at: datetime) -> DemoPatient | None:
        """An earlier patient who could have this operation and has recovered from the last one."""
        rng = self._rng
        if not self._known or rng.random() >= RETURNING:
            return None
        found = pick(rng, self._known)
        recovered = found.busy_until is not None and found.busy_until < created_at
        return found if recovered and ages[0] <= found.age <= ages[1] and sex in (None, found.sex) else None

    def new(
        self,
        new_id: Callable[[], int],
        ages: tuple[int, int],
        sex: str | None,
        created_at: datetime,
        rows: list[tuple[object, ...]],
    ) -> DemoPatient:
        """Somebody who comes for the first time, appended to `rows`."""
        rng = self._rng
        age = int(ages[0] + rng.random() * (ages[1] - ages[0] + 1))
        sex = sex or pick(rng, SEXES)
        first = WOMEN if sex == "F" or (sex == "X" and rng.random() < 0.5) else MEN
        patient_id = new_id()
        document_type, document = self._document(age)
        rows.append(
            (
                patient_id,
                self._clinic_id,
                document_type,
                document,
                pick(rng, first),
                pick(rng, first) if rng.random() < 0.8 else None,
                pick(rng, SURNAMES),
                pick(rng, SURNAMES) if rng.random() < 0.95 else None,
                age,
                sex,
                created_at,
            )
        )
        return DemoPatient(patient_id, age, sex)

    def remember(self, patient: DemoPatient, leaves: datetime) -> None:
        """Note that they may come back after they left; a sample of bounded size, each earlier one as likely in it."""
        returned = patient.busy_until is not None
        patient.busy_until = leaves + RECOVERY
        if returned:
            return
        self._seen += 1
        if len(self._known) < KNOWN:
            self._known.append(patient)
        elif (place := int(self._rng.random() * self._seen)) < KNOWN:
            self._known[place] = patient

    def _document(self, age: int) -> tuple[str, str]:
        found = None if self._rng.random() < PASSPORTS else self._rut(age)
        if found is not None:
            return "rut", found
        self._passports += 1
        return "passport", f"{pick(self._rng, ('AR', 'BR', 'CO', 'PE', 'VE'))}{self._passports:07d}"

    def _rut(self, age: int) -> str | None:
        """The next of that age; None where all are given away."""
        start, given = self._given.get(age) or (self._rng.randrange(PER_AGE), 0)
        if given == PER_AGE:
            return None
        self._given[age] = (start, given + 1)
        return rut_of(NEWBORNS - age * PER_AGE - (start + given * STEP) % PER_AGE)
