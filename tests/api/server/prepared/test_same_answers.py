"""What is prepared is answered as the routes would, whatever was asked and whatever has changed meanwhile."""

import random

import pytest

from tests.api.server.prepared.differing import differences, etag_of
from tests.api.server.prepared.requests import at_random, plain_heads
from tests.api.server.prepared.situations import SITUATIONS, Here

SEED = 20261128


async def test_the_answers_are_those_of_the_routes(here: Here) -> None:
    async for difference in differences(here):
        pytest.fail(difference)
    assert here.side.answered > 4 * len(plain_heads(here))


async def test_requests_at_random(here: Here) -> None:
    await differing(here, 300)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_very_many_requests_at_random(here: Here) -> None:
    await differing(here, 6_000)


async def differing(here: Here, number: int) -> None:
    dice = random.Random(SEED)
    etag = await etag_of(here)
    for _ in range(number):
        if dice.random() < 0.05:
            async with SITUATIONS[dice.choice(list(SITUATIONS))](here) as now:
                segments = at_random(now, dice, etag)
                assert await now.side.differ(*segments) is None
        else:
            assert await here.side.differ(*at_random(here, dice, etag)) is None
    assert here.side.answered > number / 8
