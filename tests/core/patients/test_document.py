"""The normal form of documents: one text for one person, however it was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.patients.document import Document, DocumentType, identifies_nobody, parse
from core.rut import normal_rut, verifier_of
from core.text import clean


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
        *((f"12345678{dash}5", "12345678-5") for dash in "‐‑‒–—−－"),  # as pasted from a document
        ("12.345.678\u200b-5", "12345678-5"),
        ("72041-0", "72041-0"),
        ("72.041-0", "72041-0"),
        ("100.000.000-7", "100000000-7"),
        ("100000000-7", "100000000-7"),
        ("104567891-8", "104567891-8"),
        ("104.567.891-8", "104567891-8"),
    ],
)
def test_a_rut_has_one_normal_form(typed: str, normal: str) -> None:
    assert normal_rut(typed) == normal


@pytest.mark.parametrize(
    "typed",
    [
        *("12.345.678-4", "00000001-K", "0000000-0", "1-9", "12345678", "abc", "", "-", "12345678-55", "٣٤٥٦٧٨٩-٤"),
        *("1234-5678-5", "12345678--5", "-123456785", "12345678-5-", "7204-1", f"{'9' * 40}-9"),
    ],
)
def test_what_fails_the_check_is_no_rut(typed: str) -> None:
    assert normal_rut(typed) is None


@given(number=st.integers(10_000, 9_999_999_999), dots=st.booleans(), lower=st.booleans(), zeros=st.integers(0, 3))
def test_any_spelling_of_a_rut_gives_the_same(number: int, dots: bool, lower: bool, zeros: int) -> None:
    verifier = verifier_of(number)
    digits = f"{number:,}".replace(",", ".") if dots else str(number)
    typed = f"{'0' * zeros}{digits}-{verifier.lower() if lower else verifier}"
    assert normal_rut(typed) == f"{number}-{verifier}"


@given(number=st.integers(10_000, 9_999_999_999), wrong=st.sampled_from("0123456789K"))
def test_only_one_verifier_is_right(number: int, wrong: str) -> None:
    assert (normal_rut(f"{number}-{wrong}") is not None) == (wrong == verifier_of(number))


def test_the_verifiers_are_those_that_were_given() -> None:
    given = {12_345_678: "5", 6_000_000: "K", 11_111_111: "1", 72_041: "0", 100_000_000: "7", 104_567_891: "8", 1: "9"}
    assert {number: verifier_of(number) for number in given} == given


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("  ab 12\t 34c ", "AB1234C"),
        ("ab-12.34/c", "AB1234C"),
        ("AB–1234 C", "AB1234C"),
        ("ñ-1", "Ñ1"),
        ("n\u0303-1", "Ñ1"),
        ("a\u200bb", "AB"),
        ("ＡＢ１２３４", "AB1234"),
        # Digits of another script are digits: without them two people would have one document.
        *((f"A{digits}", "A12345") for digits in ("١٢٣٤٥", "۱۲۳۴۵", "१२३४५", "๑๒๓๔๕", "𝟏𝟐𝟑𝟒𝟓", "①②③④⑤")),
    ],
)
def test_other_documents_are_upper_case_without_spaces_and_punctuation(typed: str, normal: str) -> None:
    for kind in (DocumentType.PASSPORT, DocumentType.OTHER):
        assert parse(kind, typed, "document") == Document(kind, normal, verified=True)


def test_a_rut_that_fails_is_kept_as_typed_and_unverified() -> None:
    document = parse(DocumentType.RUT, " 00.100.001  - k ", "document")
    assert document == Document(DocumentType.RUT, "00.100.001 - k", verified=False)


@pytest.mark.parametrize("kind", list(DocumentType))
@pytest.mark.parametrize(
    "typed",
    [
        *("RN", "rn", "R.N.", "Rn\u200b", "NN", "N/N", "S/N", "SN", "S/R", "s/r", "SIN RUT", "sin  rut", "Sin-Rut"),
        *("SIN DOCUMENTO", "RECIEN NACIDO", "Recién nacido", "recie\u0301n nacido", "11.111.111-1", "22222222-2"),
        *("0", "00000000-0", "9999", "-", "...", "?"),
    ],
)
def test_what_identifies_nobody_is_kept_as_typed(kind: DocumentType, typed: str) -> None:
    document = parse(kind, typed, "document")
    assert document == Document(kind, clean(typed), verified=False, is_nobodys=True)


@pytest.mark.parametrize("typed", ["011.111.111-1", "0022222222-2", "00055555-5", "000"])
def test_zeros_before_digits_that_are_all_alike_make_them_nobody_elses(typed: str) -> None:
    assert parse(DocumentType.RUT, typed, "document") == Document(DocumentType.RUT, typed, False, is_nobodys=True)


@pytest.mark.parametrize("typed", ["1-9", "1.234-3", "00000001-K", "19", "1", "0012-4"])
def test_a_rut_of_fewer_than_five_digits_identifies_nobody(typed: str) -> None:
    assert identifies_nobody("rut", typed)
    assert not identifies_nobody("passport", typed) or len(set(typed) & set("0123456789")) == 1


@pytest.mark.parametrize(
    "typed", ["12.345.678-5", "12.345.678-4", "72041-0", "11.111.112-K", "RNA 12", "RN de Ana Soto"]
)
def test_what_may_be_somebodys_is_no_nobodys(typed: str) -> None:
    assert not identifies_nobody("rut", typed)


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "x" * 41, "ß" * 21])
def test_a_document_has_1_to_40_characters(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(DocumentType.OTHER, typed, "patient.document")
    assert refused.value.errors[0].path == "patient.document"
