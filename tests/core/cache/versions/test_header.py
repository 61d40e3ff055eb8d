from hypothesis import given
from hypothesis import strategies as st

from core.cache.versions.header import VersionHeader

WIRE = VersionHeader(["first-key", "old-key"])
ROWS = [(5, "tickets", 42), (5, "figures", 7), (0, "clinics", 1)]


def test_what_a_write_made_comes_back() -> None:
    assert WIRE.parse(WIRE.format(ROWS), 5) == {(5, "tickets"): 42, (5, "figures"): 7, (0, "clinics"): 1}
    assert WIRE.parse(WIRE.format(ROWS), None) == {(5, "tickets"): 42, (5, "figures"): 7, (0, "clinics"): 1}


def test_another_clinics_versions_are_ignored() -> None:
    assert WIRE.parse(WIRE.format(ROWS), 6) == {(0, "clinics"): 1}


def test_an_invented_version_is_ignored() -> None:
    honest = WIRE.format([(5, "figures", 7)])
    assert WIRE.parse(honest.replace("=7", "=700"), 5) == {}
    assert WIRE.parse("5/figures=99999999999999999999.0000000000000000", 5) == {}


def test_an_old_key_still_verifies() -> None:
    assert VersionHeader(["new", "first-key"]).parse(WIRE.format(ROWS), 5) != {}
    assert VersionHeader(["new"]).parse(WIRE.format(ROWS), 5) == {}


@given(st.text(max_size=200))
def test_garbage_is_ignored(header: str) -> None:
    assert WIRE.parse(header, 5) == {}
