"""Rollups that count other tickets than there are."""

from core.operations.doctor.finding import Verdict
from tests.core.operations.doctor.conftest import Round, unwell
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.bumps import bumps

CHECK = "Rollups"


async def test_rollups_that_are_not_filled_are_told_and_nothing_is_wrong(round_of: Round) -> None:
    found = await round_of()
    assert unwell(found) == set()
    assert "2 clinics' are not filled yet" in found[CHECK].seen


async def test_a_wrong_count_is_told_and_counted_anew(round_of: Round, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute("SELECT cache_new_timeline()")
    assert await connection.fetchval("SELECT bool_and(rollup_fill(id)) FROM clinic")
    assert unwell(await round_of()) == set()
    await connection.execute(
        "UPDATE ticket_rollup SET discharged = discharged + 1 WHERE span = 'month' AND clinic_id = $1", seed.maga.id
    )
    found = await round_of()
    assert unwell(found) == {CHECK}
    assert found[CHECK].seen.startswith("MAGA count other tickets")
    async with bumps(connection) as noted:
        assert (await round_of(repair=True))[CHECK].verdict is Verdict.REPAIRED
    assert noted.seen == {(seed.maga.id, "figures")}
    assert unwell(await round_of()) == set()
