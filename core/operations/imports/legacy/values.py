"""Values of the old application in the new one's form. Pure.

Times there are naive: what the application stamped is UTC, and what people typed, or it computed from that, is the
clinic's wall clock.
"""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.access import Role
from core.clock import FIRST_YEAR, LAST_YEAR
from core.text import clean

Note = Callable[[str], None]
"""Told what was repaired."""

MERGED = "two of one name: one here"
UNNAMED = "without a name: got one"
CUT = "a text longer than its column: cut"
SHIFTED = "a local time that the clock skips: shifted forward"
UNKNOWN = "(unknown)"

ROLES = {
    "admin": Role.ADMIN,
    "clinical": Role.CLINICAL,
    "visualizador": Role.VIEWER,
    "viewer": Role.VIEWER,
    "superuser": Role.SUPERUSER,
    "superusuario": Role.SUPERUSER,
}
SEXES = {
    **dict.fromkeys(("m", "male", "masculino", "hombre", "varon"), "M"),
    **dict.fromkeys(("f", "female", "femenino", "mujer"), "F"),
    **dict.fromkeys(("x", "other", "otro", "otra", "no binario", "indeterminado", "intersexual"), "X"),
}
CATEGORIES = {"modif": "modification", "anul": "annulment", "annul": "annulment", "inic": "initial", "init": "initial"}
"""By how the word begins, in either language."""
STATUSES = {"vigente": "active", "anulado": "annulled"}


def text(value: Any) -> str | None:
    """In the one form in which text is stored; None for nothing, or nothing that can be seen."""
    return None if value is None else _clean(str(value)) or None


_clean = lru_cache(maxsize=1 << 15)(clean)
"""Names, beds and reasons are mostly the same few thousand."""


def fitting(value: Any, most: int, note: Note) -> str | None:
    """Text of at most so many characters."""
    found = text(value)
    if found is not None and len(found) > most:
        note(CUT)
        found = found[:most].rstrip()
    return found


def named(value: Any, legacy_id: object, most: int, notes: list[str]) -> str:
    """A row's name; one is made up for a row that has none, since others may point at it."""
    found = fitting(value, most, notes.append)
    if found is None:
        notes.append(UNNAMED)
    return found or f"(unnamed {legacy_id})"


def word(value: Any) -> str:
    """In lower case, without accents: what codes are looked up by."""
    return _word(text(value) or "")


@lru_cache(maxsize=1024)
def _word(written: str) -> str:
    plain = unicodedata.normalize("NFKD", written)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()


def whole(value: Any) -> int | None:
    """An integer; None for nothing, or what is no whole number."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return int(str(value)) if isinstance(value, str) else int(value)
    except (ValueError, OverflowError):
        return None


def within(value: Any, least: int, most: int) -> int | None:
    """An integer between the two, inclusive; None for anything else."""
    found = whole(value)
    return found if found is not None and least <= found <= most else None


def yes(value: Any) -> bool:
    """A flag; the old application took null for no."""
    return value is True or value == 1


def role_of(value: Any) -> Role | None:
    """By the old application's word; None for an unknown one."""
    return ROLES.get(word(value))


def sex_of(value: Any) -> str | None:
    """`M`, `F` or `X`, by the old application's word; None for an unknown one."""
    return SEXES.get(word(value))


def category_of(value: Any) -> str | None:
    """`modification`, `annulment` or `initial`, by how the old application's word begins; None for an unknown one."""
    known = word(value)
    return next((category for begins, category in CATEGORIES.items() if known.startswith(begins)), None)


def instant_utc(value: Any) -> datetime | None:
    """A time that was written as UTC; None for none, or one that nobody meant."""
    if not isinstance(value, datetime) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def instant_local(value: Any, local: ZoneInfo, note: Note) -> datetime | None:
    """A wall-clock time, as an instant in UTC; None likewise. One that comes twice is its first."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime) or not FIRST_YEAR <= value.year <= LAST_YEAR:
        return None
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    instant, shifted = _local(value, local)
    if shifted:
        note(SHIFTED)
    return instant


@lru_cache(maxsize=4096)
def _local(value: datetime, local: ZoneInfo) -> tuple[datetime, bool]:
    """A ticket's FPAs are mostly the same one."""
    # By the offset from before the change: that is the shift forward.
    instant = value.replace(tzinfo=local, fold=0).astimezone(UTC)
    return instant, instant.astimezone(local).replace(tzinfo=None) != value
