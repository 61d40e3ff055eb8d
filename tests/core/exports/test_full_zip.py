"""The full zip: every table, no secret, every reference found, whatever is written meanwhile."""

import csv
import io
import json
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from sqlalchemy import LargeBinary

from core.access import ClinicScope
from core.db.models import metadata
from core.exports.child import full_zip
from core.exports.child.batches import batches, connect
from core.exports.export import NETWORK
from core.exports.job import Format
from core.exports.statements import tables
from core.exports.statements.tables import LEFT_OUT, OF_NO_CLINIC
from tests.core.exports.conftest import Make, job
from tests.core.exports.tickets import EVIL, many
from tests.factories import rows
from tests.factories.fixtures import Seed

SECRETS = ("password_hash", "token_hash", "body_digest")

ROLLUPS = (
    *("rolled_clinic", "rollup_change", "ticket_rollup", "doctor_rollup", "modified_ticket"),
    *("flow_rollup", "delayed_ticket"),
)
"""Counts of the tickets."""


def unpacked(made: bytes) -> dict[str, list[dict[str, str]]]:
    """Rows by table."""
    with ZipFile(io.BytesIO(made)) as packed:
        assert packed.testzip() is None
        return {
            name.removesuffix(".csv"): list(
                csv.DictReader(io.StringIO(packed.read(name).decode("utf-8-sig"), newline=""))
            )
            for name in packed.namelist()
            if name.endswith(".csv")
        }


def manifest(made: bytes) -> dict[str, object]:
    with ZipFile(io.BytesIO(made)) as packed:
        found: dict[str, object] = json.loads(packed.read(full_zip.MANIFEST))
        return found


async def test_every_table_but_sessions_and_kept_answers(make: Make, seed: Seed, connection: rows.Connection) -> None:
    ticket = await seed.sant.ticket(connection)
    await rows.modification(connection, seed.sant.id, ticket)
    made = await make(Format.FULL)
    found = unpacked(made)
    there = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    expected = {row["tablename"] for row in there} - {*LEFT_OUT, "alembic_version"}
    assert set(found) == expected == set(metadata.tables) - set(tables.LEFT_OUT)
    for name, lines in found.items():
        assert len(lines) == await connection.fetchval(f"SELECT count(*) FROM {name}"), name
    assert manifest(made)["rows"] == {name: len(lines) for name, lines in found.items()}
    assert manifest(made)["left_out"] == ["user_session", "idempotency_key", "cache_timeline", "canary", *ROLLUPS]


async def test_of_one_clinic_its_rows_and_global_ones(make: Make, seed: Seed, connection: rows.Connection) -> None:
    for clinic in (seed.sant, seed.maga):
        ticket = await clinic.ticket(connection)
        await rows.modification(connection, clinic.id, ticket)
        await connection.execute(
            "INSERT INTO action_audit (username, action, target_type, target_id, clinic_id)"
            " VALUES ('x', 'a', 't', '1', $1)",
            clinic.id,
        )
    made = await make(Format.FULL, ClinicScope(seed.sant.id))
    found = unpacked(made)
    assert set(found) == set(metadata.tables) - {*LEFT_OUT, *OF_NO_CLINIC}
    assert manifest(made)["left_out"] == [
        "user_session",
        "idempotency_key",
        "cache_timeline",
        "canary",
        *ROLLUPS,
        "legacy_map",
        "legacy_ticket",
    ]
    assert [row["id"] for row in found["clinic"]] == [str(seed.sant.id)]
    for name in ("surgery", "ticket", "fpa_modification", "patient", "app_user", "action_audit"):
        assert str(seed.sant.id) in {row["clinic_id"] for row in found[name]}, name
    for name, lines in found.items():
        assert {row.get("clinic_id", "") for row in lines} <= {str(seed.sant.id), "", "0"}, name
    assert {row["username"] for row in found["app_user"] if not row["clinic_id"]} == {seed.superuser}


async def test_nothing_that_lets_somebody_in(make: Make, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute(
        "INSERT INTO user_session (token_hash, user_id, client, expires_at)"
        " SELECT sha256('x'), id, 'mobile', now() + interval '1 hour' FROM app_user LIMIT 1"
    )
    made = await make(Format.FULL)
    found = unpacked(made)
    assert found["app_user"][0].keys() == {"id", "username", "email", "role", "clinic_id", "is_active", "created_at"}
    with ZipFile(io.BytesIO(made)) as packed:
        everything = b"".join(packed.read(name) for name in packed.namelist()).decode()
    assert "argon2" not in everything
    assert not [name for name in SECRETS if name in everything]


def test_a_new_column_that_looks_secret_is_left_out_or_this_fails() -> None:
    """Whoever adds a table of keys or tokens decides here, not after an export."""
    for table in tables.tables(NETWORK):
        for column in table.columns:
            assert not any(word in column for word in ("hash", "password", "secret", "token")), (table.name, column)
            assert not isinstance(metadata.tables[table.name].c[column].type, LargeBinary), (table.name, column)


async def test_values_are_told_as_they_are(make: Make, seed: Seed, connection: rows.Connection) -> None:
    moment = datetime(2025, 1, 15, 15, 30, tzinfo=UTC)
    ticket = await seed.sant.ticket(connection, location=EVIL, created_at=moment)
    await connection.execute(
        "INSERT INTO action_audit (username, action, target_type, target_id, changes)"
        """ VALUES ('x', 'a', 't', '1', '{"bed": [null, "é"]}')"""
    )
    found = unpacked(await make(Format.FULL))
    (row,) = found["ticket"]
    assert row["id"] == ticket
    assert row["location"] == "'" + EVIL
    assert row["created_at"] == "2025-01-15T15:30:00+00:00"
    assert row["imported"] == "false"
    assert row["episode_id"] == ""
    assert "search" not in row
    assert json.loads(found["action_audit"][0]["changes"]) == {"bed": [None, "é"]}


async def test_more_rows_than_a_batch(make: Make, seed: Seed, connection: rows.Connection) -> None:
    await many(connection, seed.sant, 5000)
    ids = [row["id"] for row in unpacked(await make(Format.FULL))["ticket"]]
    assert sorted(ids) == sorted(f"TH-SANT-2020-{n}" for n in range(1, 5001))


def references() -> list[tuple[str, list[str], str, list[str]]]:
    return [
        (table.name, [c.name for c in key.columns], key.referred_table.name, [e.column.name for e in key.elements])
        for table in metadata.tables.values()
        if table.name not in tables.LEFT_OUT
        for key in table.foreign_key_constraints
    ]


async def test_every_reference_is_found_whatever_is_written_meanwhile(
    make: Make, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """A new patient with a new ticket and a modification, before each table's turn."""
    beside = await connect(job(Format.FULL, database_url))
    turns = 0

    async def disturbed(*arguments: object, **options: bool):  # type: ignore[no-untyped-def]  # noqa: ANN202
        nonlocal turns
        turns += 1
        patient = await rows.patient(beside, seed.sant.id)
        ticket = await rows.ticket(beside, seed.sant.id, patient, seed.sant.surgery_id)
        await rows.modification(beside, seed.sant.id, ticket)
        async for found in batches(*arguments, **options):  # type: ignore[arg-type]
            yield found

    monkeypatch.setattr(full_zip, "batches", disturbed)
    found = unpacked(await make(Format.FULL))
    await beside.close()
    assert turns == len(found)
    assert 0 < len(found["ticket"]) < turns
    for table, columns, referred, their in references():
        known = {tuple(row[name] for name in their) for row in found[referred]}
        for row in found[table]:
            key = tuple(row[name] for name in columns)
            assert key in known or "" in key, (table, row, referred)
