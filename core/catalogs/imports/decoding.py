"""Text of a csv file, whatever wrote it: UTF-8, UTF-16 and Windows-1252 are read, all else is refused and not guessed.

A file of DOS (code page 850) or of an old Macintosh decodes as Windows-1252 without an error, to `Cirug¡a` or
`Cirug’a`. So what is no UTF-8 is taken for Windows-1252 only where every character beyond ASCII is one that Spanish
texts have, at a place where they have it, and where the file would make no text in Spanish in one of the other two.
"""

from core.catalogs.imports.report import NoCatalog

MARKED = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
"""What a byte order mark says."""
OTHERS = ("cp850", "mac_roman")
LOWER, UPPER = frozenset("áéíóúüñ"), frozenset("ÁÉÍÓÚÜÑ")
FOREIGN_LOWER, FOREIGN_UPPER = frozenset("àèìòùâêîôûäëïöçãå"), frozenset("ÀÈÌÒÙÂÊÎÔÛÄËÏÖÇÃÅØ")
"""Of names such as Sjögren, Menière or Öhman."""


NAMES = {
    "utf-8-sig": "utf-8",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
    "cp1252": "windows-1252",
}
"""What people call an encoding whose name here is another."""


def decoded(content: bytes, name: str) -> str:
    """The text. Raises NoCatalog, with what to do about it, for what is none of these encodings."""
    return content.decode(encoding_of(content, name))


def encoding_of(content: bytes, name: str) -> str:
    """In which encoding the content is a text: it decodes by that without an error. Raises NoCatalog as `decoded`."""
    for mark, encoding in MARKED:
        if content.startswith(mark):
            return _strictly(content, encoding, name)
    if unmarked := _utf_16(content):
        return _strictly(content, unmarked, name)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        _require_windows(content, name)
        return "cp1252"
    return "utf-8"


def _strictly(content: bytes, encoding: str, name: str) -> str:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        raise NoCatalog("broken_text", name=name, encoding=encoding[:6].upper()) from error
    return encoding


def _utf_16(content: bytes) -> str | None:
    """Without a mark: of every two bytes of Latin letters one is zero, and always the same one."""
    half = len(content) // 2
    if half and len(content) % 2 == 0:
        even, odd = content[::2].count(0), content[1::2].count(0)
        if odd > half * 0.7 and even == 0:
            return "utf-16-le"
        if even > half * 0.7 and odd == 0:
            return "utf-16-be"
    return None


def _require_windows(content: bytes, name: str) -> None:
    """Raises NoCatalog for what is no text of Windows-1252 in Spanish, or may be another."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = "\ufffd"
    strange = _strange(text)
    if strange is not None:
        raise NoCatalog("unknown_encoding", name=name, word=strange)
    for other in OTHERS:
        alike = content.decode(other)
        if _strange(alike) is None and not (FOREIGN_LOWER | FOREIGN_UPPER).intersection(alike):
            place = next(index for index, letter in enumerate(text) if letter > "\x7f")
            raise NoCatalog("two_encodings", name=name, word=_word(text, place), other=_word(alike, place))


def _strange(text: str) -> str | None:
    """The first word that no Spanish text has; None where there is none."""
    for place, letter in enumerate(text):
        if letter > "\x7f":
            if not _fits(letter, text[max(place - 2, 0) : place], text[place + 1 : place + 80]):
                return _word(text, place)
        elif letter == "\x7f" or (letter < " " and letter not in "\t\r\n"):
            return _word(text, place)
    return None


def _fits(letter: str, before: str, after: str) -> bool:
    """Whether a text in Spanish may have it there; two characters before it are known."""
    return (
        _letter_fits(letter, before, after)
        if letter.isalpha() and letter not in "ºªµ"
        else _sign_fits(letter, before, after)
    )


def _letter_fits(letter: str, before: str, after: str) -> bool:
    left, right = before[-1:], after[:1]
    if letter in LOWER | FOREIGN_LOWER:
        # Small letters do not stand among capitals, and other languages' do not begin a word.
        among_capitals = right.isupper() or (len(before) == 2 and before.isupper() and not right.isalpha())
        return not among_capitals and (letter in LOWER or (left.isalpha() and left < "\x7f" and right < "\x7f"))
    if letter in UPPER:
        # Capitals begin a word or stand among capitals: no name is PÚrez, which DOS would make of Pérez.
        return not left.islower() and not (left.isalpha() and right.islower())
    return letter in FOREIGN_UPPER and not left.isalpha() and right.islower()


def _sign_fits(letter: str, before: str, after: str) -> bool:
    left, right = before[-1:], after[:1]
    apart = not left.isalpha() and not right.isalpha()
    fits = {
        "¿": not left.isalnum() and right.isalpha() and "?" in after,
        "¡": not left.isalnum() and right.isalpha() and "!" in after,
        # O’Higgins, d’Angelo.
        "’": left.isalpha() and right.isalpha() and (right.isupper() or not before[:-1].isalpha()),
        "µ": not left.isalpha() and right in ("g", "l", "L", "m") and not after[1:2].isalpha(),
        "\u00a0": True,
        **dict.fromkeys("“‘«", not left.isalnum() and bool(right.strip())),
        **dict.fromkeys("”»", bool(left.strip()) and not right.isalnum()),
        **dict.fromkeys("–—½¼¾±×÷€•·", apart),
        **dict.fromkeys("™®©…", not left.isdigit() and not right.isalpha()),
        **dict.fromkeys("°ºª²³", left.isalnum() and not right.isalpha()),
    }
    return fits.get(letter, False)


def _word(text: str, place: int) -> str:
    """What stands around, without line ends and delimiters."""
    first = last = place
    while first > 0 and place - first < 20 and text[first - 1] not in '\r\n,;\t" ':
        first -= 1
    while last + 1 < len(text) and last - place < 20 and text[last + 1] not in '\r\n,;\t" ':
        last += 1
    return "".join(letter if letter.isprintable() else "�" for letter in text[first : last + 1])
