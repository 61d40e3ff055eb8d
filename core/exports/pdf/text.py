"""Text on paper: in letters that the fonts have, and how much of it fits."""

import unicodedata
from functools import cache
from pathlib import Path

from anyascii import anyascii
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "NotoSans-Regular", "NotoSans-Bold"
"""Latin, Greek and Cyrillic letters, with every accent; part of the service, so that every machine prints alike. Other
scripts are told in Latin letters: fonts of all of them would be larger than the service."""
FOLDER = Path(__file__).parent / "fonts"
ELLIPSIS = "…"


@cache
def letters() -> frozenset[str]:
    """The letters that the fonts have. The first call registers the fonts."""
    fonts = [TTFont(name, FOLDER / f"{name}.ttf") for name in (REGULAR, BOLD)]
    for font in fonts:
        registerFont(font)
    return frozenset.intersection(*(frozenset(map(chr, font.face.charToGlyph)) for font in fonts))


def plain(text: str) -> str:
    """On one line, of letters that the fonts have; where they lack an accented one, its base, or else what says it in
    Latin letters (`漢` is `Han`, an emoji its name). What is no letter of anybody's is left out."""
    known = letters()
    composed = unicodedata.normalize("NFC", " ".join(text.split()))
    told = "".join(letter if letter in known else _like(letter, known) for letter in composed)
    return " ".join(told.split())


def _like(letter: str, known: frozenset[str]) -> str:
    if unicodedata.category(letter) in ("Cc", "Cf"):
        return ""
    base = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in base if part in known) or anyascii(letter)


def fitted(text: str, font: str, size: float, width: float, lines: int) -> list[str]:
    """At most so many lines of at most that width, in points; `…` stands for what is left out."""
    found: list[str] = []
    words = plain(text).split(" ")
    while words and len(found) < lines:
        line, words = _line(words, font, size, width)
        found.append(line)
    if words:
        found[-1] = _shortened(found[-1], font, size, width)
    return found


def _line(words: list[str], font: str, size: float, width: float) -> tuple[str, list[str]]:
    """As many words as fit, and the others. A word wider than a line is broken."""
    line = ""
    for number, word in enumerate(words):
        longer = f"{line} {word}" if line else word
        if stringWidth(longer, font, size) <= width:
            line = longer
            continue
        if line:
            return line, words[number:]
        cut = next(end for end in range(len(word), 0, -1) if end == 1 or stringWidth(word[:end], font, size) <= width)
        return word[:cut], [rest for rest in (word[cut:], *words[number + 1 :]) if rest]
    return line, []


def _shortened(line: str, font: str, size: float, width: float) -> str:
    while line and stringWidth(line + ELLIPSIS, font, size) > width:
        # Whole words, while there are some.
        line = line.rpartition(" ")[0] or line[:-1]
    return line.rstrip(" ,;:.-") + ELLIPSIS
