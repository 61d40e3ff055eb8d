"""Numbers as text, looked up: to format one fraction costs as much as all else of a prepared hit's head."""

from typing import Final

WHOLE: Final = [b"%d" % number for number in range(4000)]
TENTHS: Final = [b"%.1f" % (number / 10) for number in range(4000)]
HUNDREDTHS: Final = [b"%.2f" % (number / 100) for number in range(1000)]


def whole(number: int) -> bytes:
    """A whole number that is not negative, in decimal digits."""
    return WHOLE[number] if number < 4000 else b"%d" % number


def tenths(number: float) -> bytes:
    """A number that is not negative, in decimal digits with one place."""
    ten = int(number * 10)
    return TENTHS[ten] if ten < 4000 else b"%d.%d" % divmod(ten, 10)


def milliseconds(seconds: float) -> bytes:
    """Seconds that are not negative, as milliseconds in decimal digits with two places."""
    number = int(seconds * 100_000)
    return HUNDREDTHS[number] if number < 1000 else b"%.2f" % (seconds * 1000)
