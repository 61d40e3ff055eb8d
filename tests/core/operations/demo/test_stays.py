"""One clinic's stays, made up without a database."""

from datetime import UTC, datetime
from random import Random

import pytest

from core.catalogs.delay_reasons import DELAY_REASONS
from core.clock import zone
from core.operations.demo.catalog import ANNULMENT_REASONS, MODIFICATION_REASONS, SPECIALTIES
from core.operations.demo.people import DemoPeople
from core.operations.demo.stays import Stays
from core.operations.demo.ward import Batch, Offer, Staff, Ward

KINDS = [kind for kinds in SPECIALTIES.values() for kind in kinds]


def batches(seed: int, wanted: int, size: int, now: datetime) -> list[Batch]:
    ward = Ward(
        clinic_id=5,
        prefix="SANT",
        local=zone("America/Santiago"),
        now=now,
        offers=[Offer(number, kind, [1, 2, 3]) for number, kind in enumerate(KINDS, 1)],
        staff=(Staff(1, "clinical_sant"), Staff(2, "admin_sant")),
        modification_reasons=list(enumerate(MODIFICATION_REASONS, 1)),
        annulment_reasons=list(ANNULMENT_REASONS),
        delay_reasons=list(enumerate(DELAY_REASONS, 20)),
    )
    rng = Random(seed)
    stays = Stays(rng, ward, DemoPeople(rng, 5), wanted)
    made = []
    while (batch := stays.batch(list(range(size)))) is not None:
        made.append(batch)
    return made


NOON = datetime(2026, 6, 10, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(("wanted", "sizes"), [(0, []), (100, [100]), (250, [100, 100, 50])])
def test_no_ticket_is_lost_between_batches(wanted: int, sizes: list[int]) -> None:
    made = batches(1, wanted, 100, NOON)
    assert [len(batch.tickets) for batch in made] == sizes
    ids = [row[0] for batch in made for row in batch.tickets]
    assert len(set(ids)) == wanted


def test_the_same_seed_and_moment_give_the_same() -> None:
    assert batches(1, 300, 100, NOON) == batches(1, 300, 100, NOON)
    assert batches(1, 300, 100, NOON) != batches(2, 300, 100, NOON)


def test_numbers_start_anew_with_the_local_year() -> None:
    january = datetime(2027, 1, 20, 12, 0, tzinfo=UTC)
    ids = [str(row[0]) for batch in batches(1, 400, 100, january) for row in batch.tickets]
    first = ids.index("TH-SANT-2027-001")
    assert ids[0] == "TH-SANT-2026-001"
    assert ids[first - 1] == f"TH-SANT-2026-{first:03d}"
    assert ids[-1] == f"TH-SANT-2027-{400 - first:03d}"
