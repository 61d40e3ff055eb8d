"""The Chilean RUT: its check and its one normal form."""

from stdnum.cl import rut as chilean
from stdnum.exceptions import ValidationError

SHORTEST = 6
"""Digits without the verifier, leading zeros aside: the lowest RUTs of living people have as many."""


def normal_rut(text: str) -> str | None:
    """`12345678-5`, upper-case K, no leading zeros; None for what is no RUT or fails modulo 11."""
    compact = chilean.compact(text)
    if not compact.isascii():
        return None
    digits, verifier = compact[:-1].lstrip("0"), compact[-1:]
    # The check wants eight characters at least; leading zeros change nothing in it.
    padded = digits.zfill(7) + verifier
    try:
        chilean.validate(padded)
    except ValidationError:
        return None
    return f"{digits}-{verifier}" if len(digits) >= SHORTEST else None
