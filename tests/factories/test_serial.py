"""What factories make is unique by construction: beside what a test sets, beside what the service numbers itself."""

from typing import Any

import pytest

from tests.core.dashboard.at_random import made_prefix
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.serial import FIRST, is_serial, serial


async def test_rows_of_the_factories_and_of_a_test_never_meet(connection: rows.Connection, seed: Seed) -> None:
    """However many there were before: the numbers that tests set, and those of counters, are others."""
    clinic = seed.sant
    numbers = [1, 2, 999, 1000, 9048, FIRST - 1]
    ids = []
    for number in numbers:
        ids.append(await clinic.ticket(connection))
        mine: dict[str, Any] = {"id": f"TH-SANT-2026-{number:03d}", "number": number}
        ids.append(await clinic.ticket(connection, **mine))
    found = [row["number"] for row in await connection.fetch("SELECT number FROM ticket ORDER BY number")]
    assert found[: len(numbers)] == numbers
    assert all(is_serial(number) for number in found[len(numbers) :])
    assert len(set(ids)) == 2 * len(numbers)


async def test_a_test_that_sets_a_number_of_theirs_is_told(connection: rows.Connection, seed: Seed) -> None:
    with pytest.raises(AssertionError, match="the factories' own"):
        await rows.ticket(connection, seed.sant.id, None, None, number=serial() + 10)  # type: ignore[arg-type]


async def test_texts_with_a_number_are_in_the_order_in_which_they_were_made(
    connection: rows.Connection, seed: Seed
) -> None:
    made = [await seed.sant.ticket(connection) for _ in range(12)]
    assert sorted(made) == made


async def test_clinics_made_at_random_are_never_those_that_tests_name(connection: rows.Connection, seed: Seed) -> None:
    prefixes = {made_prefix() for _ in range(500)}
    named = {row["prefix"] for row in await connection.fetch("SELECT prefix FROM clinic")}
    assert len(prefixes) == 500
    assert not prefixes & named
