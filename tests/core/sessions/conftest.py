"""Sessions in one process and another: what a token is worth, and not how soon a busy machine says so."""

from collections.abc import AsyncIterator

import pytest

from core.settings import Settings
from tests.core.sessions.processes import Process, process
from tests.factories.fixtures import Seed
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]


@pytest.fixture
async def one(settings: Settings, seed: Seed) -> AsyncIterator[Process]:
    async with process(settings) as made:
        yield made


@pytest.fixture
async def other(settings: Settings, seed: Seed) -> AsyncIterator[Process]:
    """A second process of the same installation."""
    async with process(settings) as made:
        yield made
