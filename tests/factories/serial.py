"""Numbers that no test sets and no counter of the service reaches: what a factory makes is unique by construction."""

from itertools import count

FIRST = 1_000_000
"""Seven digits, so that texts with a number in them are in the order in which they were made."""
_numbers = count(FIRST)


def serial() -> int:
    """Another one each time, of one count for all factories of this process."""
    return next(_numbers)


def is_serial(number: int) -> bool:
    return number >= FIRST
