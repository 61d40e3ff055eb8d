"""A clinic's prefix: the four letters that its tickets' ids carry (docs/design/domain.md, "Entities")."""

import unicodedata
from collections.abc import Container
from itertools import combinations
from string import ascii_uppercase

from core.errors import Conflict

LENGTH = 4
CHAIN = "CLINICAREDSALUD"
"""What the names of the chain share, as letters; it tells nothing apart."""


def letters_of(name: str) -> str:
    """Its letters A–Z, accents stripped, upper case: `Ñuñoa 2` → `NUNOA`."""
    plain = unicodedata.normalize("NFKD", name.upper())
    return "".join(character for character in plain if character in ascii_uppercase)


def prefix_for(name: str, taken: Container[str]) -> str:
    """The prefix of a clinic of this name where others are taken.

    A clash takes the next free letters: later letters of the name in their order, the last place first (SANT, SANI,
    SANA…), then the alphabet's, which also fill up a name of fewer than four. Raises Conflict where nothing is left.
    """
    letters = letters_of(name).replace(CHAIN, "", 1)
    for chosen in combinations(letters + ascii_uppercase, LENGTH):
        prefix = "".join(chosen)
        if prefix not in taken:
            return prefix
    raise Conflict("No prefix is left for a clinic of this name.", code="duplicate")
