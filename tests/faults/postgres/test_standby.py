"""After a fail-over the address leads to a standby, the old primary: nothing of it is told as current."""

from pathlib import Path

import asyncpg
import pytest

from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.faults.postgres.standby import Demoted
from tests.faults.reader import Reader
from tests.support import machine
from tests.support.answers import assert_stale, assert_unavailable
from tests.support.servers.breakable import Breakable
from tests.support.signing_in import LOGIN, credentials, sign_in

pytestmark = pytest.mark.timeout(60)


async def test_a_demoted_primary_s_rows_are_never_told_as_current(
    on_own_postgres: Settings, own_seed: Seed, postgres_folder: Path, postgres_server: Breakable
) -> None:
    async with running(on_own_postgres) as (app, client):
        await sign_in(client, own_seed.sant.viewer)
        signed = Reader(app.state.runtime, client)
        assert (await client.get("/v1/doctors")).status_code == 200
        async with Demoted(postgres_folder, postgres_server) as standby:
            await machine.until(lambda: not signed.runtime.versions.is_fresh())
            assert_stale(await signed.decided("/v1/doctors"))
            for path in ("/v1/specialties", "/v1/tickets", "/v1/nursing-board", "/v1/tickets/TH-SANT-2025-001"):
                assert_unavailable(await signed.decided(path))
            assert_unavailable(await client.post(LOGIN, json=credentials(own_seed.sant.viewer)))
            await standby.promote()
            await signed.recovered("/v1/specialties")
            assert (await client.get("/v1/tickets")).status_code == 200
        await signed.recovered("/v1/doctors")


async def test_a_promotion_is_another_timeline_for_it_may_have_lost_what_leaves_no_stamp(
    own_database: str, own_seed: Seed, postgres_folder: Path, postgres_server: Breakable
) -> None:
    """A user and a login move no version. So does recovery to a point in time, which ends with a promotion, too."""

    async def timeline() -> tuple[str, bool]:
        connection = await asyncpg.connect(own_database)
        try:
            fingerprint = await connection.fetchval("SELECT cache_fingerprint()")
            return fingerprint, await connection.fetchval("SELECT cache_new_timeline()")
        finally:
            await connection.close()

    before, _ = await timeline()
    assert await timeline() == (before, False)
    async with Demoted(postgres_folder, postgres_server) as standby:
        # As a standby it tells no other one: what reads there is refused.
        connection = await asyncpg.connect(own_database)
        assert await connection.fetchval("SELECT cache_fingerprint()") is not None
        await connection.close()
        await standby.promote()
        after, is_new = await timeline()
        assert after != before
        assert is_new
        assert await timeline() == (after, False)
