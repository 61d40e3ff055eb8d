"""The key of one cached read, and what its request learns on the way: fastapi-cache2 passes a key and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi_cache import Backend

from core.cache.entry import Entry
from core.cache.policy import EntryId


class RouteKey(str):
    """`th:{c5}:thresholds:<shape>:<digest of the versions>:<digest of what is asked>`"""

    entry_id: EntryId
    """`parameters` is NO_PARAMETERS where nothing narrows what is asked: of that the last good answer is kept."""
    found: tuple[int, bytes | None] = (0, None)
    """What the backend gives the decorator for it: (seconds left, the answer's JSON), or (0, None) on a miss."""
    backend: Backend
    """The application's own. The library knows only one, of the application that was started last in this process."""
    is_current: Callable[[], bool]
    """Whether what lies under it may be the answer at this moment: its versions hold now, or a write overtook them less
    than `times.OVERTAKEN` after they were known to be right. Ask again after each await."""
    is_kept: bool
    """Whether what is computed may be stored: it is as new as its versions, or newer."""
    at: float
    """When those were read: epoch seconds on the database's clock. What is computed is as new, or newer."""
    started: float
    """When it was asked for, by `perf_counter`."""
    entry: Entry | None = None
    """The answer, once it was found or computed."""


@dataclass(slots=True)
class RouteReading:
    """What the route class (route.py) learns of a request through `request.state.reading`: what was asked for, and the
    key, once it could be made."""

    entry_id: EntryId | None = None
    key: RouteKey | None = None


def is_current(key: str) -> bool:
    """As `RouteKey.is_current`. A key that was made by hand has no versions."""
    return not isinstance(key, RouteKey) or key.is_current()
