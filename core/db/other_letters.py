"""Texts that are searched and have other characters in them than a search for short words looks beside."""

from typing import Any

from sqlalchemy import ColumnElement, literal_column

OTHER_LETTERS = r"'[^a-z0-9\x1e\x1f ''.,/-]'"
"""SQL: as the indexes of migration 0028 have it, and as `short_word_patterns` does."""


def has_other_letters(search: Any) -> ColumnElement[bool]:
    """What those indexes answer, of a search text."""
    found: ColumnElement[bool] = search.op("~", is_comparison=True)(literal_column(OTHER_LETTERS))
    return found
