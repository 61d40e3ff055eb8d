"""Whose names are whose: what may be a slip of the keyboard, and what is another person."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.patients.same_person import is_same_person

ROJAS = {"first_name": "Ana María", "last_name": "Rojas"}


def named(first: str = "Ana", last: str = "Rodríguez", **more: Any) -> dict[str, Any]:
    return {"first_name": first, "last_name": last, **more}


@pytest.mark.parametrize(
    ("on_file", "typed"),
    [
        ("Rodríguez", "Rodriguez"),
        ("Rodríguez", "RODRÍGUEZ"),
        ("Rodríguez", "rodri\u0301guez"),
        ("O'Higgins", "O´Higgins"),
        ("O'Higgins", "OHiggins"),
        ("D’Angelo", "dangelo"),
        ("Pérez-Cotapos", "Perez Cotapos"),
        ("Pérez-Cotapos", "perezcotapos"),
        ("Núñez", "Nunez"),
        ("de la Fuente", "De  La Fuente"),
        ("Rodríguez", "Rodrigez"),
        ("Rodríguez", "Rodrríguez"),
        ("Rodríguez", "Rodrífuez"),
        ("Pérez-Cotapos", "Pérez-Cotpos"),
        ("Fernández Soto", "Fernadez Soto"),
    ],
)
def test_the_same_name(on_file: str, typed: str) -> None:
    assert is_same_person(named(last=on_file), named(last=typed))
    assert is_same_person(named(last=typed), named(last=on_file))
    assert is_same_person(named(on_file, "Rojas"), named(typed, "Rojas"))


@pytest.mark.parametrize(
    ("on_file", "typed"),
    [
        ("Juan", "Juana"),
        ("Pedro", "Pablo"),
        ("Rojas", "Rosas"),  # five letters
        ("Vargas", "Varas"),
        ("Fernando", "Fernanda"),
        ("Daniel", "Daniela"),
        ("González", "Gonzáles"),
        ("Rodríguez", "Rodgiruez"),
        ("Rodríguez", "Rdríguz"),  # two letters
        ("Rodríguez", "Rodíruez"),
        ("Rodríguez Soto", "Rodriguez"),
        ("Ana María", "Ana"),
        ("Marcela Andrea", "Marcella Andrrea"),
    ],
)
def test_another_name(on_file: str, typed: str) -> None:
    assert not is_same_person(named(last=on_file), named(last=typed))
    assert not is_same_person(named(typed, "Rojas"), named(on_file, "Rojas"))


def test_of_the_two_names_one_may_have_a_slip() -> None:
    assert not is_same_person(named("Marcela", "Rodríguez"), named("Marcella", "Rodrigez"))


@pytest.mark.parametrize(
    ("on_file", "typed", "same"),
    [
        ({"second_last_name": "Soto"}, {"second_last_name": "SOTO"}, True),
        ({"second_last_name": "Soto"}, {"second_last_name": "Lara"}, False),
        ({"second_last_name": "Sepúlveda"}, {"second_last_name": "Sepulveda"}, True),
        ({"second_last_name": "Soto"}, {"second_last_name": None}, True),
        ({"second_last_name": None}, {"second_last_name": "Lara"}, True),
        ({"middle_name": "María"}, {"middle_name": "Luisa"}, True),
        ({"sex": "F"}, {"sex": "M"}, False),
        ({"sex": "F"}, {"sex": "X"}, True),
        ({"sex": "X"}, {"sex": "M"}, True),
        ({"sex": None}, {"sex": "M"}, True),
        ({"age": 40}, {"age": 43}, True),
        ({"age": 43}, {"age": 40}, True),
        ({"age": 40}, {"age": 44}, False),
        ({"age": 80}, {"age": 20}, False),
        ({"age": None}, {"age": 20}, True),
        ({"age": 0}, {"age": 4}, False),
        ({"age": 0}, {}, True),
    ],
)
def test_what_else_is_known_may_contradict(on_file: dict[str, Any], typed: dict[str, Any], same: bool) -> None:
    assert is_same_person(ROJAS | on_file, ROJAS | typed) is same


def test_names_that_are_not_given_say_nothing() -> None:
    assert is_same_person(ROJAS, {})
    assert is_same_person(ROJAS, {"first_name": None, "age": 40})
    assert not is_same_person(ROJAS, {"last_name": "Soto"})


@given(st.text(alphabet="abcdef", min_size=6, max_size=9), st.integers(0, 7), st.sampled_from("abcdefg"), st.data())
def test_one_letter_but_the_last_is_a_slip(word: str, at: int, letter: str, data: st.DataObject) -> None:
    at = min(at, len(word) - 2)
    end = data.draw(st.sampled_from([at, at + 1]))
    assert is_same_person(named(last=word), named(last=word[:at] + letter + word[end:]))
