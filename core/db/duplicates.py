"""What a unique index refuses, as clients are told of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from core.db.failures import is_duplicate
from core.errors import Conflict


@contextmanager
def refused_as_duplicate(detail: str) -> Iterator[None]:
    """Around one statement. Raises Conflict (`duplicate`) where a row like it is there."""
    try:
        yield
    except IntegrityError as error:
        if is_duplicate(error):
            raise Conflict(detail, code="duplicate") from error
        raise
