"""Ids of rows, as clients write them."""

MAX_ID = 2**31 - 1
"""PostgreSQL's `integer`."""


def row_id(text: str) -> int | None:
    """The id that a query or a path names: ASCII digits and nothing else. None for what no row can have."""
    digits = text.lstrip("0") if text.isascii() and text.isdigit() else ""
    # Its length first: Python refuses to read thousands of digits.
    return int(digits) if 0 < len(digits) <= len(str(MAX_ID)) and int(digits) <= MAX_ID else None
