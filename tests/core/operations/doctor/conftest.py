"""The doctor's rounds on the test's own database."""

from collections.abc import Awaitable, Callable

import pytest

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.examine import examine
from core.operations.doctor.finding import Finding, Verdict
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed

Round = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture
def addresses(settings: Settings) -> Addresses:
    return Addresses.of(settings)


@pytest.fixture
async def round_of(addresses: Addresses, seed: Seed, connection: rows.Connection) -> Round:
    """`await round_of()` → what each check found, over two clinics with a ticket; `repair=True` repairs."""
    for clinic in (seed.sant, seed.maga):
        ticket = await clinic.ticket(connection)
        await rows.modification(connection, clinic.id, ticket)
    await connection.execute("INSERT INTO ticket_counter SELECT clinic_id, year, max(number) FROM ticket GROUP BY 1, 2")

    async def made(given: Addresses = addresses, *, repair: bool = False) -> dict[str, Finding]:
        return {finding.check: finding async for finding in examine(given, repair=repair)}

    return made


def of(found: dict[str, Finding], *verdicts: Verdict) -> set[str]:
    """Names of the checks with these verdicts."""
    return {name for name, finding in found.items() if finding.verdict in verdicts}


def unwell(found: dict[str, Finding]) -> set[str]:
    return of(found, Verdict.FAILED, Verdict.WARNING, Verdict.SKIPPED)
