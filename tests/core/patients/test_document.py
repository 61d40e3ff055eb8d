"""The normal form of documents: one text for one person, however it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cl import rut

from core.errors import Invalid
from core.patients.document import DocumentType, parse
from core.rut import normal_rut


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("12.345.678-5", "12345678-5"),
        ("12345678-5", "12345678-5"),
        ("123456785", "12345678-5"),
        (" 12 345 678 - 5 ", "12345678-5"),
        ("012.345.678-5", "12345678-5"),
        ("6.000.000-k", "6000000-K"),
        ("6000000K", "6000000-K"),
        ("06000000-K", "6000000-K"),
        ("12345678‐5", "12345678-5"),  # a typographic hyphen, as pasted from a document
    ],
)
def test_a_rut_has_one_normal_form(typed: str, normal: str) -> None:
    assert normal_rut(typed) == normal


@pytest.mark.parametrize(
    "typed", ["12.345.678-4", "00000001-K", "0000000-0", "1-9", "12345678", "abc", "", "-", "12345678-55", "٣٤٥٦٧٨٩-٤"]
)
def test_what_fails_the_check_is_no_rut(typed: str) -> None:
    assert normal_rut(typed) is None


@given(number=st.integers(100_000, 99_999_999), dots=st.booleans(), lower=st.booleans(), zeros=st.integers(0, 1))
def test_any_spelling_of_a_rut_gives_the_same(number: int, dots: bool, lower: bool, zeros: int) -> None:
    verifier = rut.calc_check_digit(str(number))
    digits = f"{number:,}".replace(",", ".") if dots else str(number)
    typed = f"{'0' * zeros if number < 10_000_000 else ''}{digits}-{verifier.lower() if lower else verifier}"
    assert normal_rut(typed) == f"{number}-{verifier}"


@given(number=st.integers(100_000, 99_999_999), wrong=st.sampled_from("0123456789K"))
def test_only_one_verifier_is_right(number: int, wrong: str) -> None:
    assert (normal_rut(f"{number}-{wrong}") is not None) == (wrong == rut.calc_check_digit(str(number)))


def test_other_documents_are_trimmed_and_upper_case() -> None:
    assert parse(DocumentType.PASSPORT, "  ab 12\t 34c ", "document").text == "AB 12 34C"
    assert parse(DocumentType.OTHER, "ñ-1", "document").text == "Ñ-1"


def test_a_rut_that_fails_is_kept_as_typed_and_unverified() -> None:
    document = parse(DocumentType.RUT, " 00000001-k ", "document")
    assert (document.text, document.verified) == ("00000001-K", False)


@pytest.mark.parametrize("typed", ["", "   ", "x" * 41, "ß" * 21])
def test_a_document_has_1_to_40_characters(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(DocumentType.OTHER, typed, "patient.document")
    assert refused.value.errors[0].path == "patient.document"
