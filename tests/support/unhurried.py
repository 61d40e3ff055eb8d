"""What a request and its waits have on a machine that is busy with other tests: for tests that are not about time.

A folder of such tests imports the fixture into its conftest.py.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from core import times
from core.db.transaction import Database

T = TypeVar("T")

BUDGETS = (
    *("REQUEST", "DATABASE", "CONNECT", "DIRECT_READ", "SESSION_READ", "FILL"),
    *("REDIS", "REDIS_CONNECT", "REDIS_PROBE"),
)
"""Of core.times: what, once it is over, is taken for a server that is away."""
LONG = 20.0
"""Seconds in place of two at most and a tenth at least: by itself the service would say that its servers are away."""


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request has ten times what it has otherwise."""
    once = Database._run

    async def run(self: Database, work: Callable[[], Awaitable[T]], budget: float, **options: bool) -> T:
        return await once(self, work, max(budget, LONG), **options)

    monkeypatch.setattr(Database, "_run", run)
    for name in BUDGETS:
        monkeypatch.setattr(times, name, LONG)
