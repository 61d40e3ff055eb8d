"""The Chilean RUT: its check and its one normal form."""

import re

from core.text import DASHES, clean

SHORTEST, LONGEST = 5, 10
"""Digits before the verifier, leading zeros aside. Modulo 11 is the rule whatever their number: the oldest RUTs have
five, provisional ones from 100.000.000 on nine. Fewer identify nobody (`1-9`)."""

_between = re.compile(r"[ .]+")
_dashes = re.compile(f"[{DASHES}]")
_written = re.compile(rf"0*([1-9][0-9]{{{SHORTEST - 1},{LONGEST - 1}}})-?([0-9K])")


def normal_rut(text: str) -> str | None:
    """`12345678-5`, upper-case K, no leading zeros; None for what is no RUT or fails modulo 11.

    Taken with or without dots, blanks and the dash, of whatever length, before the verifier.
    """
    written = _written.fullmatch(_dashes.sub("-", _between.sub("", clean(text))).upper())
    if written is None:
        return None
    digits, verifier = written.groups()
    return f"{digits}-{verifier}" if verifier_of(int(digits)) == verifier else None


def verifier_of(number: int) -> str:
    """The verifier of a RUT's number, by modulo 11: a digit, or K for ten."""
    total, factor = 0, 2
    while number:
        number, digit = divmod(number, 10)
        total += digit * factor
        factor = 2 if factor == 7 else factor + 1
    return "0123456789K"[-total % 11]
