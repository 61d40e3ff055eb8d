"""The import as a whole: all or nothing, again the same, and the source as it was."""

from asyncio import gather
from datetime import timedelta

import asyncpg
import httpx
import pytest

from core.operations.imports.legacy import NotTheSource, import_legacy
from core.operations.imports.legacy.report import Outcome
from core.operations.imports.legacy.source import BATCH
from tests.core.operations.imports.conftest import Hospital, Import, Old, at
from tests.core.operations.imports.legacy.oddities import fill
from tests.core.operations.imports.legacy.old_database import checksums
from tests.factories import rows


async def test_everything_comes_over_and_the_report_adds_up(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await fill(hospital)
    report = await run_import()
    for table, counts in report.tables.items():
        there = await hospital.old.connection.fetchval(f'SELECT count(*) FROM "{table}"')
        assert counts.read == there, table
        assert counts.read == counts.imported + counts.present + counts.merged + counts.refused, table
        assert counts.present == 0, table
        assert counts.imported > 0, table
    here = {
        "clinic": "clinic", "user": "app_user", "surgery": "surgery", "doctor": "doctor", "patient": "patient",
        "standardized_reason": "standardized_reason", "ticket": "ticket", "fpa_modification": "fpa_modification",
        "login_audit": "login_audit",
    }  # fmt: skip
    for table, called in here.items():
        made_elsewhere = report.count(Outcome.REPAIRED, table, "a patient of another clinic's ticket: made there, too")
        expected = report.tables[table].imported + made_elsewhere
        assert await connection.fetchval(f"SELECT count(*) FROM {called}") == expected, table


async def test_a_second_run_finds_everything_and_changes_nothing(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await fill(hospital)
    first = await run_import(assume=timedelta(hours=72))
    before = await checksums(connection)
    second = await run_import(assume=timedelta(hours=72))
    assert await checksums(connection) == before
    assert second.imported == 0
    for table, counts in second.tables.items():
        assert counts.read == first.tables[table].read
        assert counts.refused == first.tables[table].refused, table
        assert counts.present == counts.read - counts.refused, table
    assert not [one for one in second.findings() if one.outcome is Outcome.REPAIRED]


async def test_what_was_renamed_or_changed_here_stays_so_and_is_found_again(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await fill(hospital)
    await run_import()
    await connection.execute("UPDATE clinic SET name = 'Renamed ' || id")
    await connection.execute("UPDATE app_user SET username = 'renamed-' || id, email = id || '@renamed.example'")
    for table in ("specialty", "surgery", "doctor"):
        await connection.execute(f"UPDATE {table} SET name = 'Renamed ' || id")
    await connection.execute("UPDATE standardized_reason SET reason = 'Renamed ' || id")
    await connection.execute("UPDATE patient SET document = 'RENAMED-' || id, first_name = 'Renamed'")
    await connection.execute("UPDATE ticket SET bed_number = 'renamed', revision = revision + 1")
    before = await checksums(connection)
    assert (await run_import()).imported == 0
    assert await checksums(connection) == before


async def test_what_the_old_application_added_since_comes_with_the_second_run(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await run_import()
    await hospital.ticket("TH-SANT-2025-002", created_at=at("2025-01-15 13:00"))
    late = {"ticket_id": "TH-SANT-2025-001", "new_fpa": at("2025-01-17 10:00"), "modified_at": at("2025-01-16 10:00")}
    await hospital.old.add("fpa_modification", **late)
    new = late | {"ticket_id": "TH-SANT-2025-002"}
    await hospital.old.add("fpa_modification", **new)
    report = await run_import()
    assert (report.of("ticket").imported, report.of("ticket").present) == (1, 1)
    # Nobody has touched the first one here since.
    assert (report.of("fpa_modification").imported, report.of("fpa_modification").refused) == (2, 0)
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 2
    found = await connection.fetchval("SELECT string_agg(ticket_id, ',' ORDER BY ticket_id) FROM fpa_modification")
    assert found == "TH-SANT-2025-001,TH-SANT-2025-002"


async def test_the_source_is_as_it_was_and_could_not_be_written(
    hospital: Hospital, run_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(hospital)
    before = await checksums(hospital.old.connection)
    await run_import()
    assert await checksums(hospital.old.connection) == before
    monkeypatch.setattr(
        "core.operations.imports.legacy.tickets.bring.QUERY", "DELETE FROM fpa_modification RETURNING *"
    )
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await run_import()
    assert await checksums(hospital.old.connection) == before


@pytest.mark.parametrize(
    "table", ["clinic", "app_user", "patient", "ticket", "fpa_modification", "action_audit", "legacy_map"]
)
async def test_a_row_that_fails_takes_everything_back(
    hospital: Hospital, run_import: Import, connection: rows.Connection, table: str
) -> None:
    await fill(hospital)
    await connection.execute(
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it fails'; END $$;"
        f"CREATE TRIGGER fail AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION fail()"
    )
    # Another trigger makes another timeline, which the import's own start would note.
    await connection.execute("SELECT cache_new_timeline()")
    empty = await checksums(connection)
    with pytest.raises(asyncpg.RaiseError, match="it fails"):
        await run_import()
    assert await checksums(connection) == empty
    await connection.execute(f"DROP TRIGGER fail ON {table}")
    report = await run_import()
    assert report.of("ticket").imported > 0


async def test_batches_meet_without_losing_a_row(
    hospital: Hospital, run_import: Import, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BATCH > 3
    monkeypatch.setattr("core.operations.imports.legacy.source.BATCH", 3)
    for number in range(1, 11):
        ticket = await hospital.ticket(f"TH-SANT-2025-{number:03d}")
        for hour in (14, 15):
            await hospital.old.add(
                "fpa_modification", ticket_id=ticket, new_fpa=at(f"2025-01-16 {hour}:00"),
                modified_at=at(f"2025-01-16 {hour}:00"), reason="Dolor", modified_by="ana",
            )  # fmt: skip
        await hospital.old.add("action_audit", action="create", timestamp=at("2025-01-15 12:00"), target_id=ticket)
        await hospital.old.add("patient", rut="7.654.321-6" if number % 2 else f"{number}", clinic_id=hospital.clinic)
    report = await run_import()
    assert report.of("ticket").imported == report.of("action_audit").imported == 10
    chains = await connection.fetch(
        "SELECT array_agg(previous_fpa ORDER BY id) AS before, array_agg(new_fpa ORDER BY id) AS after"
        " FROM fpa_modification GROUP BY ticket_id"
    )
    assert len(chains) == 10
    for chain in chains:
        assert chain["before"][1] == chain["after"][0]
    # One document five times, five of their own, and the hospital's first.
    assert (report.of("patient").imported, report.of("patient").merged) == (7, 4)


async def test_the_import_is_audited_once(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await run_import()
    await run_import()
    [row] = await connection.fetch("SELECT * FROM action_audit WHERE action = 'legacy.imported'")
    assert row["username"] == "(import)"
    assert '"ticket": [null, 1]' in row["changes"]


async def test_two_imports_at_once_are_one(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    await fill(hospital)
    reports = await gather(run_import(), run_import())
    assert sorted(report.of("clinic").imported for report in reports) == [0, 2]
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'legacy.imported'") == 1


async def test_another_applications_database_is_refused(old: Old, database_url: str) -> None:
    await old.connection.execute("DROP TABLE ticket CASCADE")
    with pytest.raises(NotTheSource, match="lacks ticket"):
        await import_legacy(old.url, database_url, assume_discharged_after=None, progress=False)
    with pytest.raises(NotTheSource, match="Ticket Home itself"):
        await import_legacy(database_url, database_url, assume_discharged_after=None, progress=False)
    for address in ("mysql://example.org/x", "host=example.org", "sqlite:///x.db"):
        with pytest.raises(NotTheSource):
            await import_legacy(address, database_url, assume_discharged_after=None, progress=False)


async def test_an_address_of_flasks_configuration_is_taken(hospital: Hospital, database_url: str) -> None:
    for driver in ("postgres", "postgresql+psycopg2"):
        address = hospital.old.url.replace("postgresql", driver, 1)
        report = await import_legacy(address, database_url, assume_discharged_after=None, progress=False)
        assert report.of("clinic").read == 1


async def test_an_older_schema_comes_over_and_what_is_unknown_is_told(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await hospital.old.connection.execute(
        "ALTER TABLE ticket DROP COLUMN surgery_base_hours_snapshot, DROP COLUMN initial_reason;"
        "ALTER TABLE ticket ADD COLUMN colour text;"
        "DROP TABLE urgency_threshold; CREATE TABLE parking (id integer)"
    )
    report = await run_import()
    assert report.of("ticket").imported == 1
    assert await connection.fetchval("SELECT surgery_base_hours FROM ticket") == 24
    remarks = "\n".join(report.remarks)
    assert "no table urgency_threshold" in remarks
    assert "no initial_reason, surgery_base_hours_snapshot" in remarks
    assert "ticket: colour" in remarks
    assert "not imported: parking" in remarks


async def test_the_report_reads_well_and_names_nobody(hospital: Hospital, run_import: Import) -> None:
    await fill(hospital)
    text = str(await run_import())
    for line in ("Repaired:", "Kept as it is:", "Refused:"):
        assert line in text
    assert "marked as unverified" in text
    # Who must not be made one is decided by names, which the operator's terminal shows at the end.
    findings, _, apart = text.partition("Not made one")
    for secret in ("12345678", "12.345.678", "Rojas", rows.PASSWORD, "@example"):
        assert secret not in findings
        assert secret not in apart or secret == "Rojas"


async def test_every_ticket_and_figure_can_be_read(
    hospital: Hospital, run_import: Import, connection: rows.Connection, client: httpx.AsyncClient
) -> None:
    """Also of clinics that are only there now: no process is started anew."""
    assert (await client.get("/v1/clinics")).status_code == 401
    await fill(hospital)
    await run_import(assume=timedelta(hours=72))
    body = {"username": "root", "password": "my-test-password-123", "client": "mobile"}
    signed_in = (await client.post("/v1/auth/login", json=body)).json()
    client.headers["Authorization"] = f"Bearer {signed_in['token']}"
    listed = (await client.get("/v1/tickets", params={"limit": 200})).json()["items"]
    assert len(listed) == await connection.fetchval("SELECT count(*) FROM ticket") > 0
    for one in listed:
        answer = await client.get(f"/v1/tickets/{one['id']}")
        assert answer.status_code == 200, answer.text
    figures = (await client.get("/v1/dashboard")).json()
    kpis = figures["kpis"]
    assert kpis["total"] == len(listed)
    assert kpis["discharged"] == await connection.fetchval("SELECT count(*) FROM ticket WHERE discharge_assumed") > 0
    assert (kpis["on_time_rate"], kpis["mean_delay_minutes"]) == (None, None)
    for path in ("clinics", "surgeries", "doctors", "users", "audit/actions", "audit/logins", "nursing-board"):
        assert (await client.get(f"/v1/{path}")).status_code == 200, path


async def test_a_bar_shows_how_far_it_is(
    hospital: Hospital, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await import_legacy(hospital.old.url, database_url, assume_discharged_after=None, progress=True)
    output = capsys.readouterr()
    total = 7
    assert f"{total}/{total}" in output.err
    assert output.out == ""


async def test_every_reference_leads_somewhere(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """Also the map's and the audits', which no foreign key holds."""
    await fill(hospital)
    await run_import()
    for kind in ("app_user", "specialty", "surgery", "doctor", "standardized_reason", "patient", "clinic"):
        lost = await connection.fetchval(
            f"SELECT count(*) FROM legacy_map m LEFT JOIN {kind} t ON t.id::text = m.id"
            " WHERE m.kind = $1 AND t.id IS NULL",
            kind,
        )
        assert lost == 0
    for audit in ("action_audit", "login_audit"):
        lost = await connection.fetchval(
            f"SELECT count(*) FROM {audit} a LEFT JOIN app_user u ON u.id = a.user_id"
            " WHERE a.user_id IS NOT NULL AND u.id IS NULL"
        )
        assert lost == 0
