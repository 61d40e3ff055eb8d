from collections.abc import AsyncIterator

import pytest

from core.settings import Settings
from tests.core.sessions.processes import Process, process
from tests.factories.fixtures import Seed


@pytest.fixture
async def one(settings: Settings, seed: Seed) -> AsyncIterator[Process]:
    async with process(settings) as made:
        yield made


@pytest.fixture
async def other(settings: Settings, seed: Seed) -> AsyncIterator[Process]:
    """A second process of the same installation."""
    async with process(settings) as made:
        yield made
