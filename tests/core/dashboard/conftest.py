"""`desk`: dashboards at instants that the tests choose."""

from collections.abc import AsyncIterator

import pytest

from core.runtime import open_runtime
from core.settings import Settings
from tests.core.dashboard.desk import Desk
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with open_runtime(settings) as runtime:
        yield Desk(runtime)


@pytest.fixture
async def refreshing_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Of a process that refreshes ahead of its readers."""
    async with open_runtime(settings.model_copy(update={"cache_refresh_ahead": True})) as runtime:
        yield Desk(runtime)
