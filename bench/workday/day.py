"""A clinic's working day as moments: who asks for what, and who writes. Its figures are what is assumed of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from core.operations.demo.rhythm import BY_HOUR

BEGINS, ENDS = 7, 19
"""Local hours."""
HOUR = 3600.0
PAGES = 8
"""Pages of the SPA that stay open, each of which asks for the dashboard every 30 s; every third looks at a month."""
PAGE_SECONDS = 30.0
FORM_SECONDS = 300.0
"""How often somebody at a page opens a form, which asks for the catalogs."""
MOBILES = 12
"""Applications, each opened every ten minutes: they ask for the catalogs, and three times for the dashboard."""
OPENED_SECONDS, OPEN_LOOKS, LOOK_SECONDS = 600.0, 3, 60.0
WRITES = 180
"""Tickets made, moved and discharged in a day, in the rhythm of the demo's hours."""
CATALOG_EDITS = 2

DASHBOARD, MONTH = "/v1/dashboard", "/v1/dashboard?date_from={month}"
CATALOGS = (
    *("/v1/surgeries", "/v1/doctors", "/v1/specialties", "/v1/reasons", "/v1/discharge-blocks"),
    *("/v1/urgency-thresholds", "/v1/clinics"),
)


@dataclass(frozen=True, order=True)
class Moment:
    at: float
    """Seconds since the day began."""
    clinic: int
    does: Literal["read", "write", "edit", "clock"]
    who: int = 0
    """A page or an application: each keeps the ETags that it has seen."""
    target: str = ""


def day(clinics: int, seed: int = 1) -> list[Moment]:
    """Of all clinics, in order."""
    rng = Random(seed)
    return sorted(moment for clinic in range(clinics) for moment in _of_clinic(clinic, rng))


def steady(clinics: int, seconds: float, every: float) -> list[Moment]:
    """A reader of each clinic's dashboard once a second, and a write in each every so many seconds."""
    reads = (
        Moment(at + clinic / clinics, clinic, "read", 0, DASHBOARD)
        for at in range(int(seconds))
        for clinic in range(clinics)
    )
    writes = (
        Moment(at * every + (clinic + 0.5) * every / clinics, clinic, "write")
        for at in range(int(seconds / every))
        for clinic in range(clinics)
    )
    return sorted((*reads, *writes))


def _of_clinic(clinic: int, rng: Random) -> Iterator[Moment]:
    length = (ENDS - BEGINS) * HOUR
    for page in range(PAGES):
        target = MONTH if page % 3 == 2 else DASHBOARD
        for at in _every(PAGE_SECONDS, length, rng):
            yield Moment(at, clinic, "read", page, target)
        for at in _every(FORM_SECONDS, length, rng):
            yield from (Moment(at, clinic, "read", page, catalog) for catalog in CATALOGS)
    for mobile in range(PAGES, PAGES + MOBILES):
        for opened in _every(OPENED_SECONDS, length, rng):
            yield from (Moment(opened, clinic, "read", mobile, catalog) for catalog in CATALOGS)
            for look in range(OPEN_LOOKS):
                yield Moment(opened + look * LOOK_SECONDS, clinic, "read", mobile, DASHBOARD)
    hours = rng.choices(range(BEGINS, ENDS), BY_HOUR[BEGINS:ENDS], k=WRITES)
    yield from (Moment((hour - BEGINS + rng.random()) * HOUR, clinic, "write") for hour in hours)
    yield from (Moment(rng.random() * length, clinic, "edit") for _ in range(CATALOG_EDITS))
    # FPAs are full hours: each one that passes ends the clinic's dashboards, whoever writes.
    yield from (Moment(hour * HOUR, clinic, "clock") for hour in range(1, ENDS - BEGINS))


def _every(seconds: float, length: float, rng: Random) -> Iterator[float]:
    """From a moment of its own on: nobody opened the page at seven sharp."""
    at = rng.random() * seconds
    while at < length:
        yield at
        at += seconds
