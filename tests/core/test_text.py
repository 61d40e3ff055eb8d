"""One form for each text, whatever keyboard, file or clipboard it came from."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import ACCENTS, clean, folded, joined
from tests.factories.characters import CHARACTERS, SOME

UNSEEN_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"
"""Unicode calls them letters and symbols; nobody sees them."""


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Peñalolén", "Peñalolén"),
        (unicodedata.normalize("NFD", "Peñalolén"), "Peñalolén"),
        ("  Ana \t María\u00a0\u2003 Rojas\n", "Ana María Rojas"),
        ("Ana\r\nRojas", "Ana Rojas"),
        ("\u200bAna\u200b", "Ana"),
        ("Ro\u00adjas", "Rojas"),
        ("\ufeffAna", "Ana"),
        ("\u202eAna\u202c \u2066Rojas\u2069", "Ana Rojas"),
        ("A\ufe0fna", "Ana"),
        ("An\x01a\x7f\x9b", "Ana"),
        ("\u0301Ana \u0303 Rojas", "Ana Rojas"),
        ("e\u200b\u0301", "é"),
        ("O´Higgins", "O´Higgins"),
        ("\ue000Ana\U0010fffd\uffff", "Ana"),
        ("\u200b", ""),
        ("\u0301", ""),
        (" \u00ad\u2060\t", ""),
        ("\u3164", ""),
        ("\u2800", ""),
    ],
)
def test_text_has_one_form(typed: str, stored: str) -> None:
    assert clean(typed) == stored


def test_of_all_characters_those_that_nobody_sees_are_left_out_and_no_others() -> None:
    wrong = []
    for character in CHARACTERS:
        category = unicodedata.category(character)
        left = clean(f"a{character}b")
        if category in ("Cc", "Cf", "Co") or character in UNSEEN_LETTERS:
            right = left in ("ab", "a b")
        elif category in ("Zs", "Zl", "Zp"):
            right = left == "a b"
        elif category[0] in "LNPS":
            right = left == unicodedata.normalize("NFC", f"a{character}b")
        else:
            right = True
        if not right:
            wrong.append(f"{ord(character):04X} {left!a}")
    assert wrong == []


def test_cleaning_and_folding_twice_is_doing_it_once() -> None:
    for character in SOME:
        for text in (character, f"a{character}", f"{character}a", f"a {character}b", f"a{character}\u0301"):
            once = clean(text)
            assert clean(once) == once
            assert unicodedata.is_normalized("NFC", once)
            assert folded(folded(text)) == folded(text)


@given(st.text())
def test_cleaned_text_has_single_spaces_and_nothing_around_it(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once == once.strip()
    assert "  " not in once


@given(st.text(alphabet=ACCENTS.replace("-", "") + "aéñ´’ -\u200b", max_size=40))
def test_spelled_otherwise_it_is_the_same_name(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, text)) == folded(text)
    assert folded(text.upper()) == folded(text)


def test_every_apostrophe_is_one() -> None:
    for apostrophe in "'’´`‘‛ʼʹ′＇":
        assert folded(f"O{apostrophe}Higgins") == "o'higgins"
        assert joined(f"D{apostrophe}Angelo") == "dangelo"


def test_joined_leaves_out_hyphens_and_spaces_too() -> None:
    for between in ("-", "‐", "–", "—", " ", " - ", "\u00ad", ""):
        assert joined(f"Pérez{between}Cotapos") == "perezcotapos"


def test_a_heap_of_marks_costs_by_its_number_and_not_by_its_square() -> None:
    def seconds(number: int) -> float:
        heap = "a" + "\u0301\u0316" * number
        started = time.process_time()
        clean(heap)
        return time.process_time() - started

    seconds(1000)
    few, many = (min(seconds(number) for _ in range(3)) for number in (2_000, 16_000))
    # Eight times as many: the square would be 64 times as long.
    assert many < 30 * few
