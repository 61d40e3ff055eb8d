"""Whether the consistency check would notice: each deliberately broken cache must be told."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.chaos.history.checker import table_of
from tests.faults.chaos.run import Chaos
from tests.faults.chaos.site import site
from tests.faults.chaos.variants import STATEMENTS

SEED = 20261124
SECONDS = 150.0
"""At most: a run ends with the first violation of the kind that is looked for."""
SLOWEST_FILL = 0.02
READERS = {"joins of finished tasks": 24}
"""Variant that keeps a process to itself → connections to each process, so that two are there at the wrong moment."""

SEEN_AS = {
    "joins of finished tasks": "did not answer /livez",
    "changes untold": "told late",
    "versions told that were never made": "which was never made",
}
"""What is found wrong, where it is not that an answer is old."""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("variant", "faults"),
    [
        ("no bump", ()),
        ("bump by one", ("PostgreSQL restored from a backup",)),
        ("lease as a timer's flag", ("a process stopped, its notifications lost",)),
        ("flight keyed without versions", ()),
        ("poll plainly replaces the map", ("slow listening connections",)),
        ("versions read after the data", ()),
        ("restores unseen", ("PostgreSQL: all tables' rows replaced by older ones",)),
        ("refreshed under newer versions", ()),
        ("joins of finished tasks", ("PostgreSQL: cut again and again",)),
        ("changes untold", ()),
        ("versions told that were never made", ()),
    ],
)
async def test_a_broken_cache_is_told(tmp_path: Path, variant: str, faults: Sequence[str]) -> None:
    broken_by, wrong = STATEMENTS.get(variant, ""), SEEN_AS.get(variant, "old, where")
    async with site(
        tmp_path, processes=2, clinics=3, variant=variant, broken_by=broken_by, slowest_fill=SLOWEST_FILL
    ) as made:
        verdict = await Chaos(made, SEED, faults, until_violated=wrong, readers=READERS.get(variant, 3)).run(SECONDS)
    assert any(wrong in violation.why for violation in verdict.violations), table_of(verdict)
