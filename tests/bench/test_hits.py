"""The bench itself, in its shortest form: every row is measured, none is void."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_round_measures_every_row_and_finds_nothing_amiss() -> None:
    words = (sys.executable, "-m", "bench.hits", "--quick", "--rounds", "1", "--seconds", "0.1")
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "answers were not as meant" not in ran.stdout
    assert "ours: a ticket's creation" in ran.stdout
