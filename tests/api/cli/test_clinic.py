"""`ticket-home clinic`, as a process."""

from core.catalogs.delay_reasons import DELAY_REASONS
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits
from tests.support.processes.commands import environment, refused, run

READ = "SELECT reason FROM standardized_reason WHERE category = 'delay' AND clinic_id = $1 ORDER BY id"


NINE = "iqui elqu valp prov sant vita ranc mayo maga".upper().split()


async def test_clinics_are_made_without_demo_data_and_once(
    settings: Settings, connection: rows.Connection, database_url: str
) -> None:
    operator = environment(settings)
    zone = ("--timezone", "America/Punta_Arenas", "--thresholds", "1", "3", "6")
    done = run(operator, "clinic", "create", "Clínica RedSalud Ñuñoa", "Hospital del Sur", *zone)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Created NUNO, Clínica RedSalud Ñuñoa.", "Created HOSP, Hospital del Sur."]
    made = await connection.fetch(
        "SELECT c.timezone, t.red_hours, t.yellow_hours, t.green_hours,"
        " (SELECT count(*) FROM standardized_reason r WHERE r.clinic_id = c.id AND r.category = 'delay') AS delays"
        " FROM clinic c JOIN urgency_threshold t ON t.clinic_id = c.id"
    )
    assert [tuple(row) for row in made] == [("America/Punta_Arenas", 1, 3, 6, len(DELAY_REASONS))] * 2
    assert await connection.fetchval("SELECT count(*) FROM app_user") == 0
    actions = [one["action"] for one in await audits(connection)]
    assert actions.count("clinic.created") == actions.count("thresholds.changed") == 2
    nine = run(operator, "clinic", "create", "hospital DEL sur", "--redsalud")
    assert nine.stdout.splitlines()[0] == "hospital DEL sur is there already."
    zones = await connection.fetch("SELECT prefix, timezone FROM clinic WHERE id > 2 ORDER BY id")
    assert [row["prefix"] for row in zones] == NINE
    assert {row["prefix"] for row in zones if row["timezone"] != "America/Santiago"} == {"MAGA"}
    again = run(operator, "clinic", "create", "--redsalud")
    assert again.stdout.count("is there already.") == 9
    # A clinic without thresholds of its own has the global ones.
    assert await connection.fetchval("SELECT count(*) FROM urgency_threshold WHERE clinic_id IS NOT NULL") == 2
    for refused_of, told in (
        ((), "--redsalud"),
        (("x" * 121,), "name"),
        (("Otra", "--timezone", "Mars/Olympus"), "timezone"),
        (("Otra", "--thresholds", "3", "2", "1"), "yellow_hours"),
    ):
        assert told in refused(run(operator, "clinic", "create", *refused_of))
    assert await connection.fetchval("SELECT count(*) FROM clinic") == 11


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
    _, *added = [row[0] for row in await connection.fetch(READ, seed.sant.id)]
    assert added == list(DELAY_REASONS)
    # What the clinic has, in whatever spelling, and took out of use, stays so.
    kept = "SELECT is_active FROM standardized_reason WHERE reason = $1"
    assert await connection.fetchval(kept, there["reason"]) is False
    assert len(await audits(connection, "reason.created")) == 2 * len(DELAY_REASONS) - 1
    again = run(operator, "clinic", "delays", "--clinic", "sant")
    assert again.stdout.strip() == "SANT has them all."
    assert "NOPE" in refused(run(operator, "clinic", "delays", "--clinic", "nope"))
