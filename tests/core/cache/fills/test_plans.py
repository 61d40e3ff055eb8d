"""Planning a dashboard's statement takes longer than running it: a connection does it once."""

from datetime import UTC, datetime

from sqlalchemy import text

from core.cache.fills.fill import read_versions
from core.dashboard.stats import Filters, read_stats
from core.db.transaction import Database, ReadSession
from tests.factories.fixtures import Seed

PLANS = text(
    "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
    " WHERE statement LIKE '%top_surgeries%' AND statement NOT LIKE '%generic_plans%'"
)
MODE = text("SELECT current_setting('plan_cache_mode')")


async def test_a_fill_plans_a_statement_once_for_all_values(database: Database, seed: Seed) -> None:
    clinics = (seed.sant, seed.maga, seed.sant)

    async def fill(session: ReadSession) -> tuple[int, int]:
        await read_versions(session, seed.sant.id)
        for clinic in clinics:
            await read_stats(
                session, [clinic.id], datetime.now(UTC), Filters(surgery_id=clinic.surgery_id), is_whole=True
            )
        generic, custom = (await session.execute(PLANS)).one()
        return generic, custom

    async def mode(session: ReadSession) -> str:
        return str(await session.scalar(MODE))

    await database.read(mode)
    assert await database.snapshot(fill) == (len(clinics), 0)
    assert await database.read(mode) == "auto", "what others run on that connection is planned as ever"
