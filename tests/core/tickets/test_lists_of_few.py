"""A list of what nearly nobody is, or nearly everybody: it reads a few tickets for a page, however many there are."""

import json
from collections import Counter
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.dialects.postgresql import asyncpg

from core.access import ClinicScope
from core.tickets.models import Status
from core.tickets.reads import listing, pages
from core.tickets.reads.figures import Asked, Figure
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.listing import _statement
from core.tickets.reads.pages import Turn
from tests.factories import rows
from tests.factories.fixtures import Seed

TICKETS, THOSE, PAGE = 2_000, 3, 10
SORTS = ("-created_at", "created_at", "current_fpa", "patient", "surgery")
# Of the first clinic the oldest few are what is asked for, and the others are not; of the second all are.
MADE = """
WITH people AS (
    INSERT INTO patient (clinic_id, document_type, document, first_name, last_name)
    SELECT $1::integer, 'passport', 'X' || 10000000 + n, CASE WHEN n % 8 = 0 THEN 'Carmen' ELSE 'Ana' END,
        'Rojas ' || n * 7 % 997
    FROM generate_series(1, $4::integer) AS n RETURNING id, document
)
INSERT INTO ticket (
    id, clinic_id, year, number, patient_id, surgery_name, surgery_base_hours, surgery_at, admission_at, system_fpa,
    initial_fpa, current_fpa, overnight_stays, initial_overnight_stays, status, discharged_at, annulled_at, doctor_id,
    imported, created_at, created_by
)
SELECT 'P' || $1::integer || '-' || n, $1, 2020, n, people.id, 'Surgery ' || n * 11 % 89, 24, fpa, fpa, fpa, fpa, fpa,
    1, 1, CASE WHEN is_it AND n % 4 = 0 THEN 'annulled' ELSE 'discharged' END,
    CASE WHEN NOT is_it OR n % 4 <> 0 THEN fpa + CASE WHEN is_it THEN interval '-3 hours' ELSE interval '3 hours' END
    END, CASE WHEN is_it AND n % 4 = 0 THEN fpa END, CASE WHEN is_it THEN $2::integer ELSE $3::integer END,
    true, fpa - interval '1 day', 'test'
FROM (
    SELECT n, timestamptz '2020-01-01' + n * interval '10 minutes' AS fpa, n <= $5::integer AS is_it
    FROM generate_series(1, $4::integer) AS n
) AS planned JOIN people ON people.document = 'X' || 10000000 + n
"""
MODIFIED = """
INSERT INTO fpa_modification (clinic_id, ticket_id, previous_fpa, new_fpa, reason, modified_by)
SELECT clinic_id, id, current_fpa, current_fpa, 'Reason', 'test' FROM ticket
WHERE doctor_id = (SELECT min(doctor_id) FROM ticket t WHERE t.clinic_id = ticket.clinic_id)
"""


@pytest.fixture
async def doctors(connection: rows.Connection, seed: Seed) -> dict[int, int]:
    """Clinic → the doctor whose tickets are what is asked for: few in the first, all in the second."""
    found = {}
    for clinic, few in ((seed.sant.id, THOSE), (seed.maga.id, TICKETS)):
        its, other = [await rows.doctor(connection, clinic, name=name) for name in ("Asked for", "Other")]
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(MADE, clinic, its, other, TICKETS, few)
        await connection.execute("SET session_replication_role = origin")
        found[clinic] = its
    await connection.execute(MODIFIED)
    await connection.execute("VACUUM ANALYZE ticket, patient, fpa_modification, modified_ticket")
    return found


def read(plan: dict[str, Any]) -> dict[str, int]:
    """Rows of the tables of tickets, patients and modifications that a plan has looked at, by how."""
    found: Counter[str] = Counter()
    if plan.get("Relation Name") in ("ticket", "patient", "fpa_modification"):
        removed = (plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
        how = f"{plan['Node Type']} {plan.get('Index Name', plan['Relation Name'])}"
        found[how] = round((plan["Actual Rows"] + sum(removed)) * plan["Actual Loops"])
    for one in plan.get("Plans", ()):
        found.update(read(one))
    return found


async def looked_at(connection: rows.Connection, clinic: int, tickets: TicketFilter, sort: str) -> dict[str, int]:
    """What a page is read from."""
    statement = _statement(ClinicScope(clinic), tickets, Turn(sort, PAGE))
    compiled = statement.compile(dialect=asyncpg.dialect())  # type: ignore[no-untyped-call]
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    [(told,)] = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", *values)
    return read(json.loads(told)[0]["Plan"])


async def test_a_page_of_what_few_are_or_many_reads_few(connection: rows.Connection, doctors: dict[int, int]) -> None:
    with patch.object(listing, "FEW", 100), patch.object(pages, "COUNTED", 200):
        for clinic, doctor in doctors.items():
            asked = {
                "on time": TicketFilter(counted_in=Asked(Figure.ON_TIME)),
                "modified": TicketFilter(counted_in=Asked(Figure.MODIFIED)),
                "annulled": TicketFilter(status=Status.ANNULLED),
                "a doctor's": TicketFilter(doctor_id=doctor),
            }
            for what, tickets in asked.items():
                for sort in SORTS:
                    found = await looked_at(connection, clinic, tickets, sort)
                    assert sum(found.values()) < TICKETS / 2, (what, sort, clinic, found)
    # A name of one in eight is met along the order, and no further than it takes to fill a page.
    await connection.execute("SET enable_seqscan = off; SET enable_hashjoin = off")  # few rows are read one by one
    with patch.object(listing, "ALONG", 4), patch.object(listing, "LOOKED_AT", 50):
        for sort in SORTS[:3]:
            found = await looked_at(connection, min(doctors), TicketFilter(words=("carmen",)), sort)
            assert found["Index Scan pk_patient"], (sort, found)
            assert not found["Bitmap Heap Scan patient"], (sort, found)
