"""Cursors: where a page ended, for the client to bring back with the same question.

They stand in URLs, and those in histories and in proxies' logs. A page may end at a patient's name, so they are sealed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field
from pydantic_core import from_json, to_json

from api.requests.fields import Digits, Opaque
from api.sealed import Broken, Seal
from core.cache.keys import Parameters, digest
from core.errors import Invalid
from core.settings import Settings
from core.tickets.reads.pages import MOST, Position, SortKey

LONGEST = 4096
GOOD_FOR = 24 * 3600.0
"""Seconds: how old the first page of a turn through pages may be. All its pages keep to the first one's moment."""
PURPOSE = b"ticket-home cursor"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Limit = Annotated[int, Field(ge=1, le=MOST), Digits, Query(description=f"Items on a page, at most {MOST}.")]
Cursor = Annotated[
    Opaque | None,
    Query(max_length=LONGEST, description="`next` of the page before, sent with the same other parameters."),
]


def next_cursor(settings: Settings, parameters: Parameters, position: Position | None) -> str | None:
    """What answers of a page have as `next`; None where no page follows. `parameters` are all that decides which items
    there are and in which order, the clinic too."""
    return None if position is None else cursor_of(settings, parameters, (position.now, *position.after))


def position_of(settings: Settings, parameters: Parameters, cursor: str | None, *, now: float) -> Position | None:
    """Where the page before ended; None for the first page. `now` is the database's clock, epoch seconds.

    Raises Invalid for a cursor that is not ours, that came with other parameters, or whose first page is older than
    GOOD_FOR: a board kept to that moment would cover more and more time.
    """
    keys: Any = keys_of(settings, parameters, cursor)
    if keys is None:
        return None
    if keys[0].timestamp() < now - GOOD_FOR:
        raise Invalid.field("cursor", "expired", "Begin again with the first page.")
    return Position(keys[0], keys[1:])


def cursor_of(settings: Settings, parameters: Parameters, keys: Sequence[SortKey]) -> str:
    """The cursor of any list: `keys` are those that it is ordered by, as the page's last row has them; `parameters` are
    all that decides which rows there are."""
    return _seal(settings.secret_keys).sealed(to_json([digest(parameters), *map(_written, keys)]))


def keys_of(settings: Settings, parameters: Parameters, cursor: str | None) -> tuple[SortKey, ...] | None:
    """The keys that `cursor_of` was given, of the same types; None for the first page. Raises Invalid for a cursor that
    is not ours, or that came with other parameters."""
    if cursor is None:
        return None
    try:
        of, *keys = from_json(_seal(settings.secret_keys).opened(cursor))
    except Broken as error:
        raise Invalid.field("cursor", "invalid", "This is no cursor of ours.") from error
    if of != digest(parameters):
        raise Invalid.field("cursor", "other_parameters", "This cursor belongs to other parameters.")
    return tuple(map(_read, keys))


def _written(key: SortKey) -> Any:
    """As JSON has it: a time is a list of its microseconds since 1970, which no other key is."""
    return [(key - EPOCH) // MICROSECOND] if isinstance(key, datetime) else key


def _read(key: Any) -> SortKey:
    found: SortKey = _read_time(key) if isinstance(key, list) else key
    return found


def _read_time(key: list[int]) -> datetime:
    return EPOCH + key[0] * MICROSECOND


@lru_cache(maxsize=4)
def _seal(keys: Sequence[Any]) -> Seal:
    return Seal([key.get_secret_value() for key in keys], PURPOSE)
