"""`ticket-home clinic`, as a process."""

from core.catalogs.delay_reasons import DELAY_REASONS
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits
from tests.support.processes.commands import environment, refused, run

READ = "SELECT reason FROM standardized_reason WHERE category = 'delay' AND clinic_id = $1 ORDER BY id"


async def test_clinics_are_given_the_usual_reasons_for_delays_once(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    operator = environment(settings)
    there = {"reason": "ESPERA DE IMAGENES", "is_active": False}
    await rows.reason(connection, seed.maga.id, "delay", **there)
    done = run(operator, "clinic", "delays")
    assert done.returncode == 0, done.stderr
    assert f"SANT: {len(DELAY_REASONS)} reasons were added." in done.stdout
    assert f"MAGA: {len(DELAY_REASONS) - 1} reasons were added." in done.stdout
    assert [row[0] for row in await connection.fetch(READ, seed.sant.id)] == list(DELAY_REASONS)
    # What the clinic has, in whatever spelling, and took out of use, stays so.
    kept = "SELECT is_active FROM standardized_reason WHERE reason = $1"
    assert await connection.fetchval(kept, there["reason"]) is False
    assert len(await audits(connection, "reason.created")) == 2 * len(DELAY_REASONS) - 1
    again = run(operator, "clinic", "delays", "--clinic", "sant")
    assert again.stdout.strip() == "SANT has them all."
    assert "NOPE" in refused(run(operator, "clinic", "delays", "--clinic", "nope"))
