import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cache.entry import GZIP_FROM, Entry, decode


def made(body: bytes = b'{"a":1}', **values: object) -> Entry:
    return Entry.make(body, computed_at=100.0, **values)  # type: ignore[arg-type]


def test_an_entry_comes_back_from_its_bytes() -> None:
    for body in (b'{"a":1}', b"x" * GZIP_FROM):
        entry = made(body, valid_until=200.0, meta={"sum": 3})
        assert decode(entry.encode()) == entry


def test_a_compressed_form_is_kept_from_one_kibibyte_up() -> None:
    assert made(b"x" * (GZIP_FROM - 1)).gzip is None
    packed = made(b"x" * GZIP_FROM).gzip
    assert packed is not None
    assert gzip.decompress(packed) == b"x" * GZIP_FROM


def test_the_etag_is_of_the_figures_and_of_valid_until_not_of_when_it_was_computed() -> None:
    one = Entry.make(b'{"f":1,"at":1}', computed_at=1.0, valid_until=9.0, etag_source=b'{"f":1}')
    two = Entry.make(b'{"f":1,"at":2}', computed_at=2.0, valid_until=9.0, etag_source=b'{"f":1}')
    later = Entry.make(b'{"f":1,"at":2}', computed_at=2.0, valid_until=10.0, etag_source=b'{"f":1}')
    assert one.etag == two.etag != later.etag
    assert one.etag.startswith('W/"')


@pytest.mark.parametrize(
    ("now", "serves"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False), (1e12, False)]
)
def test_an_entry_serves_from_its_computation_to_valid_until(now: float, serves: bool) -> None:
    assert made(valid_until=200.0).serves(now) is serves


@given(st.binary(max_size=300))
def test_foreign_bytes_are_a_miss_never_an_error(raw: bytes) -> None:
    assert decode(raw) is None


def test_a_truncated_entry_is_a_miss() -> None:
    raw = made(b"y" * 50).encode()
    assert all(decode(raw[:length]) is None for length in range(len(raw)))


WRONG = [None, True, -1, 1e300, float("nan"), float("inf"), "", "1", "\r\nSet-Cookie: a=b", [], {}, [1], {"a": 1}]
RIGHT: dict[str, list[object]] = {"valid_until": [None], "meta": [{}, {"a": 1}]}


@pytest.mark.parametrize("name", ["etag", "computed_at", "valid_until", "meta", "body", "gzip"])
@pytest.mark.parametrize("value", WRONG)
def test_a_header_of_another_type_or_out_of_bounds_is_a_miss(name: str, value: object) -> None:
    line, _, rest = made(b"y" * 50).encode().partition(b"\n")
    header = json.loads(line) | {name: value}
    found = decode(json.dumps(header).encode() + b"\n" + rest)
    assert (found is not None) is (value in RIGHT.get(name, []))


def test_a_header_that_lacks_a_part_is_a_miss() -> None:
    line, _, rest = made(b"y" * 50).encode().partition(b"\n")
    for name in json.loads(line):
        header = {key: value for key, value in json.loads(line).items() if key != name}
        assert decode(json.dumps(header).encode() + b"\n" + rest) is None
