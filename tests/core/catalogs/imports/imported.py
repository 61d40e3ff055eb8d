"""What an import has brought into a clinic's catalogs."""

import re
from typing import Any

from tests.factories import rows


async def catalog(connection: rows.Connection, clinic_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """Of a clinic, beside what the seed made."""
    queries = {
        "specialties": "SELECT name, is_active FROM specialty WHERE clinic_id = $1",
        "surgeries": "SELECT s.name, p.name, base_stay_hours, applies_ticket_home, is_ambulatory,"
        " ambulatory_cutoff_hour, s.is_active FROM surgery s JOIN specialty p ON p.id = s.specialty_id"
        " WHERE s.clinic_id = $1",
        "doctors": "SELECT d.name, p.name, d.rut, d.is_active FROM doctor d"
        " LEFT JOIN specialty p ON p.id = d.specialty_id WHERE d.clinic_id = $1",
        "reasons": "SELECT reason, category, is_active FROM standardized_reason WHERE clinic_id = $1",
    }
    found = {}
    for kind, query in queries.items():
        there = [tuple(row) for row in await connection.fetch(query, clinic_id)]
        by_seed = re.compile(r"(Specialty|Surgery|Dr\.|Reason) [0-9]+")
        found[kind] = sorted((row for row in there if not by_seed.fullmatch(row[0])), key=str)
    return found
