"""Text that people type, paste or import: the one form in which it is stored, and the form in which it is compared.

`clean` is what is stored, `folded` decides whether two names are one, `joined` whether two people are called the same.
The database has `folded` too (`folded_text`, migration 0011): uniqueness is decided there, whoever writes.
"""

import re
import unicodedata

SPACES = "\t\n\v\f\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
"""Whatever leaves a gap, the braille blank too; all of it is stored as one space."""
INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # control characters
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use: each machine shows something else
    "\ufdd0-\ufdef\ufffe\uffff"  # no characters at all
)
"""Unicode's Cc, Cf, Co, whatever it calls default ignorable (fillers, variation selectors, tags), and noncharacters."""
ACCENTS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""The blocks of combining marks that stand over and under letters of any script."""
APOSTROPHES = "'`\xb4\u02b9-\u02bf\u02c8\u02ca\u02cb\u0374\u0384\u055a\u05f3\u07f4\u07f5\u1fbd\u1fbf\u1fef\u1ffd\u1ffe"
APOSTROPHES += "\u2018-\u201b\u2032\u2035\ua78b\ua78c\uff07\uff40"
"""What keyboards, telephones and word processors put where O'Higgins has its apostrophe."""
DASHES = "\\-\u00ad\u058a\u05be\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"

MARKS_IN_A_ROW = 30
"""As Unicode's stream-safe text has it. More are no text, and cost the square of their number to sort."""

_plain = re.compile(r"[!-~]+(?: [!-~]+)*")
_spaces = re.compile(f"[{SPACES}]+")
_invisible = re.compile(f"[{INVISIBLE}]+")
_accents = re.compile(f"[{ACCENTS}]+")
_apostrophes = re.compile(f"[{APOSTROPHES}]")
_dashes = re.compile(f"[{DASHES}]")
_between = re.compile(f"[ {APOSTROPHES}{DASHES}]+")


def clean(text: str) -> str:
    """The form in which text is stored: Unicode NFC, outer spaces off, inner ones single, on one line.

    Without control and invisible characters (zero-width spaces, soft hyphens, marks of direction, variation selectors,
    private use), and without combining marks that have no letter to stand on. May be empty: then nothing was said.
    Cleaning twice is cleaning once. Text in which nothing is to be done costs a glance.
    """
    if _plain.fullmatch(text):
        return text
    seen = _spaces.sub(" ", _invisible.sub("", text))
    composed = unicodedata.normalize("NFC", _stream_safe(seen))
    return _spaces.sub(" ", _based(composed)).strip(" ")


def folded(text: str) -> str:
    """The form in which names are compared for uniqueness: cleaned, without case and accents.

    Every apostrophe is `'`, every dash `-`, and letters of another width are the ordinary ones (ñ is n, ﬁ is fi). Equal
    to what the database's `folded_text` gives. Not for showing.
    """
    written = _apostrophes.sub("'", clean(text))
    plain = _accents.sub("", unicodedata.normalize("NFKD", written))
    even = _dashes.sub("-", _apostrophes.sub("'", plain))
    # Letter by letter: a sigma at a word's end is a sigma.
    return clean("".join(map(str.lower, even)).replace("ς", "σ"))


def joined(text: str) -> str:
    """`folded`, without apostrophes, dashes and spaces: `dangelo`, and `perezcotapos` for Pérez-Cotapos."""
    return _between.sub("", folded(text))


def _stream_safe(text: str) -> str:
    """At most so many combining marks in a row."""
    if text.isascii():
        return text
    kept, row = [], 0
    for character in text:
        row = row + 1 if unicodedata.combining(character) else 0
        if row <= MARKS_IN_A_ROW:
            kept.append(character)
    return "".join(kept)


def _based(text: str) -> str:
    """Without marks at the beginning or after a space."""
    kept: list[str] = []
    for character in text:
        if unicodedata.category(character)[0] == "M" and (not kept or kept[-1] == " "):
            continue
        kept.append(character)
    return "".join(kept)
