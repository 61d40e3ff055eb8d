"""A clinic's four letters (docs/design/domain.md, "Entities")."""

from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clinics.prefix import prefix_for
from core.errors import Conflict

THE_NINE = {
    "Iquique": "IQUI",
    "Elqui": "ELQU",
    "Valparaíso": "VALP",
    "Providencia": "PROV",
    "Santiago": "SANT",
    "Vitacura": "VITA",
    "Rancagua": "RANC",
    "Mayor Temuco": "MAYO",
    "Magallanes": "MAGA",
}


@pytest.mark.parametrize(("place", "prefix"), THE_NINE.items())
def test_the_networks_clinics(place: str, prefix: str) -> None:
    assert prefix_for(f"Clínica RedSalud {place}", set()) == prefix


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Clínica RedSalud Ñuñoa", "NUNO"),
        ("clinica redsalud  ñuñoa", "NUNO"),
        ("Los Ángeles 2", "LOSA"),
        ("Clínica Las Condes", "CLIN"),
        ("Lo", "LOAB"),
        ("Clínica RedSalud", "ABCD"),
        ("日本", "ABCD"),
    ],
)
def test_accents_and_what_is_no_letter_do_not_count(name: str, prefix: str) -> None:
    assert prefix_for(name, set()) == prefix


def test_a_clash_takes_the_next_free_letters() -> None:
    taken: set[str] = set()
    for expected in ("SANT", "SANI", "SANA", "SANG", "SANO"):
        assert prefix_for("Santiago", taken) == expected
        taken.add(expected)
    assert prefix_for("Santa Cruz", {"SANT"}) == "SANA"


@given(st.text(max_size=30), st.sets(st.text(ascii_uppercase, min_size=4, max_size=4), max_size=40))
def test_it_is_always_four_letters_that_nobody_has(name: str, taken: set[str]) -> None:
    found = prefix_for(name, taken)
    assert len(found) == 4
    assert set(found) <= set(ascii_uppercase)
    assert found not in taken


def test_it_says_when_nothing_is_left() -> None:
    class Everything(set[str]):
        def __contains__(self, _: object) -> bool:
            return True

    with pytest.raises(Conflict):
        prefix_for("Lo", Everything())
