from hypothesis import given
from hypothesis import strategies as st

from core.cache.tiers.seals import Seals

SEALS = Seals(["first-key", "old-key"])
KEY = "th:{c5}:dashboard:1"


@given(st.text(max_size=80), st.binary(max_size=300))
def test_a_value_comes_back_under_its_own_key(key: str, value: bytes) -> None:
    assert SEALS.unseal(key, SEALS.seal(key, value)) == value


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(SEALS.seal(KEY, b"y" * 50))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert SEALS.unseal(KEY, bytes(raw)) is None


@given(st.binary(max_size=300))
def test_foreign_bytes_are_nothing(raw: bytes) -> None:
    assert SEALS.unseal(KEY, raw) is None
    assert SEALS.unseal(KEY, b"th2 " + raw) is None


def test_what_is_cut_short_or_longer_is_nothing() -> None:
    raw = SEALS.seal(KEY, b"y" * 50)
    assert all(SEALS.unseal(KEY, raw[:length]) is None for length in range(len(raw)))
    assert SEALS.unseal(KEY, raw + b"y") is None
    assert SEALS.unseal(KEY, None) is None


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.binary(max_size=20))
def test_no_key_and_value_run_together_into_another_pair(one: str, more: str, value: bytes) -> None:
    head = len(SEALS.seal("", b""))
    assert SEALS.unseal(one, SEALS.seal(one + more, value)[:head] + more.encode() + value) is None
    assert SEALS.unseal(one + more, SEALS.seal(one, more.encode() + value)[:head] + value) is None


def test_the_first_key_seals_and_all_verify() -> None:
    old, new, foreign = Seals(["old-key"]), Seals(["first-key"]), Seals(["foreign-key"])
    assert SEALS.unseal(KEY, old.seal(KEY, b"1")) == b"1"
    assert new.unseal(KEY, SEALS.seal(KEY, b"1")) == b"1"
    assert old.unseal(KEY, SEALS.seal(KEY, b"1")) is None
    assert SEALS.unseal(KEY, foreign.seal(KEY, b"1")) is None


def test_keys_of_any_length_are_taken_and_differ_in_every_part() -> None:
    for secret in ("a", "a" * 32, "a" * 1000, "ñ" * 40):
        assert Seals([secret]).unseal(KEY, Seals([secret]).seal(KEY, b"1")) == b"1"
        assert Seals([secret + "b"]).unseal(KEY, Seals([secret]).seal(KEY, b"1")) is None
