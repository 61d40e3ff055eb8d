"""Unicode, for tests that something holds of every text: all of its characters, or some of every kind."""

import sys

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
ALIKE = ((0x3400, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xF900), (0x11000, 0xE0000), (0xE0200, sys.maxunicode + 1))
"""Blocks whose thousands of characters are all of one kind: one in 97 of them will do."""
SOME = [one for one in CHARACTERS if not any(a <= ord(one) < b for a, b in ALIKE) or ord(one) % 97 == 0]
