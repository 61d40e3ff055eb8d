"""How many statements something costs, told from those that nobody asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.cache.versions.map import VersionMap
from core.telemetry.trace import Trace, current_trace


@contextmanager
def traced(*maps: VersionMap) -> Iterator[Trace]:
    """What is done within as one request's trace, its `db_queries` among it.

    The leases of these maps hold meanwhile: on a busy machine one may lapse, or its poll be due, and whoever reads then
    has version rows read, too.
    """
    trace = Trace()
    with pytest.MonkeyPatch.context() as holding:
        for versions in maps:
            holding.setattr(versions, "is_fresh", lambda: True)
            holding.setattr(versions, "is_fresh_at", lambda _moment: True)
        token = current_trace.set(trace)
        try:
            yield trace
        finally:
            current_trace.reset(token)
