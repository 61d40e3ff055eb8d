"""Whether the names that somebody typed are those on file: two people must not be made one unseen. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from core.text import DASHES, folded, joined

LONG = 6
"""Letters of a word in which one may be mistyped. Shorter ones are other names: Juan and Juana, Elsa and Else."""
YEARS = 3
"""By which a typed age may differ."""

_between = re.compile(f"[ {DASHES}]+")


def is_same_person(on_file: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether what is `given` may be said of whom is `on_file`; both by patients' fields, null and absent say nothing.

    Given name and surname are equal, case, accents, apostrophes, hyphens and spaces aside, or one of the two has one
    slip in it (`_slipped`); second surname, sex and age do not contradict.
    """
    differing = [name for name in ("first_name", "last_name") if _differs(on_file, given, name)]
    if len(differing) > 1 or not all(_slipped(on_file[name], given[name]) for name in differing):
        return False
    return not (
        _differs(on_file, given, "second_last_name")
        or {on_file.get("sex"), given.get("sex")} == {"F", "M"}
        or _years_between(on_file.get("age"), given.get("age")) > YEARS
    )


def _differs(on_file: Mapping[str, Any], given: Mapping[str, Any], name: str) -> bool:
    here, there = on_file.get(name), given.get(name)
    return bool(here) and bool(there) and joined(str(here)) != joined(str(there))


def _years_between(here: int | None, there: int | None) -> int:
    return 0 if here is None or there is None else abs(here - there)


def _slipped(here: str, there: str) -> bool:
    """One letter changed, missing or too many, in one word of six or more whose last letter is the same: `Rodrigez`."""
    ours, theirs = (_between.split(folded(text).replace("'", "")) for text in (here, there))
    if len(ours) != len(theirs):
        return False
    differing = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    if len(differing) != 1:
        return False
    [(one, other)] = differing
    return min(len(one), len(other)) >= LONG and one[-1] == other[-1] and _one_letter_apart(one, other)


def _one_letter_apart(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    at = next((n for n, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return shorter[at + (len(shorter) == len(longer)) :] == longer[at + 1 :]
