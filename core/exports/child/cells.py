"""Text as a spreadsheet must take it: for a text, never for a formula.

A csv says nothing of its cells' types, so a program that opens it guesses: what begins with `=`, `+`, `-` or `@` is a
formula, also behind quotes and blanks that it trims. An apostrophe in front makes it a text. Excel splits at semicolons
or tabs where the language is Spanish, whatever the quotes say, so the same holds for what follows one inside of a text.
Numbers and times that are ours are written as they are.
"""

import re

SEPARATORS = ";\t\r\n"
"""What another program may take for the end of a cell or line."""
SIGNS = "=+@＝＋－＠﹢﹣﹦﹫−-"
"""Full-width ones too: Excel takes them where the language has them."""
QUOTES = "\"'`´‘’‚“”„«»‹›"
INVISIBLE = "\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"

_FORMULA = re.compile(f"(?:^|(?<=[{SEPARATORS}]))(?=[{INVISIBLE}{QUOTES}]*[{SIGNS}])|^(?=[{SEPARATORS}])")


def guarded(text: str) -> str:
    """With an apostrophe before whatever would start a formula."""
    return _FORMULA.sub("'", text)
