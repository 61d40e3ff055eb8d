"""What is broken fires the alert that says so, in a real Prometheus beside a real service; and it clears once all is
well again."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.faults.alerts.breakages import EVERY, TOGETHER, Breakage
from tests.faults.alerts.site import Site, site
from tests.support.servers.breakable import Breakable
from tests.support.servers.prometheus import alerts

pytestmark = pytest.mark.long


def test_something_is_broken_for_each_alert() -> None:
    assert sorted(alert for breakage in EVERY for alert in breakage.alerts) == sorted(alerts())


@pytest.mark.timeout(420)
async def test_what_is_broken_fires_and_clears(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable, redis_server: Breakable, tmp_path: Path
) -> None:
    settings = on_own_postgres.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    async with site(settings, postgres_server, redis_server, own_seed, tmp_path) as made:
        for together in TOGETHER:
            await asyncio.gather(*(fires(made, breakage) for breakage in together))
        await made.until_quiet()


async def fires(made: Site, breakage: Breakage) -> None:
    """What is broken fires its alerts, of none of which the condition holds before."""
    await made.until_quiet(*breakage.alerts)
    async with breakage.breaks(made):
        await made.until_firing(*breakage.alerts)
