"""Cursors by themselves: what they carry, whose they are, and for how long they are good."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from api.pagination import GOOD_FOR, next_cursor, position_of
from api.sealed import Seal
from core.errors import Invalid
from core.settings import Settings
from core.tickets.reads.pages import Position

NEW, OLD = SecretStr("new " * 10), SecretStr("old " * 10)
SETTINGS = Settings(secret_keys=(NEW, OLD))
NOW = datetime(2026, 4, 5, 3, 30, 0, 123_457, tzinfo=UTC)
QUESTION: dict[str, str | int | None] = {"of": "tickets", "clinic_id": 5, "q": None}
BEFORE_SIV = (
    "X-mZTf2tccvjQpFNy8Z1jhACm8zrd0YijnIaONIxcfVbDxixL4N1_8wZm94HMFofmrv61O0tlVTq6680hecHOoEp8OHXyHxNR2_ghyOl"
    "pEEcqqJOBQK27dB3pDYO67cm5ioCwfylz64BzWb28O1iQWd2g7Wl1wU"
)
POSITION = Position(NOW, (0, NOW - timedelta(microseconds=1), "núñez\x1f", "TH-SANT-2026-001"))


def refused(settings: Settings, question: Mapping[str, str | int | None], cursor: str, *, now: datetime = NOW) -> str:
    with pytest.raises(Invalid) as caught:
        position_of(settings, question, cursor, now=now.timestamp())
    [error] = caught.value.errors
    assert error.path == "cursor"
    return error.code


def cursor(settings: Settings = SETTINGS) -> str:
    made = next_cursor(settings, QUESTION, POSITION)
    assert made is not None
    return made


def test_a_position_comes_back_to_the_microsecond() -> None:
    assert position_of(SETTINGS, QUESTION, cursor(), now=NOW.timestamp()) == POSITION
    assert position_of(SETTINGS, QUESTION, None, now=NOW.timestamp()) is None
    assert next_cursor(SETTINGS, QUESTION, None) is None


def test_it_is_good_for_its_own_question() -> None:
    assert refused(SETTINGS, QUESTION | {"clinic_id": 6}, cursor()) == "other_parameters"
    # A parameter that is not given and one that is null are the same question.
    assert position_of(SETTINGS, {"of": "tickets", "clinic_id": 5}, cursor(), now=NOW.timestamp()) == POSITION


def test_it_is_good_for_a_day() -> None:
    last = NOW + timedelta(seconds=GOOD_FOR)
    assert position_of(SETTINGS, QUESTION, cursor(), now=last.timestamp()) == POSITION
    assert refused(SETTINGS, QUESTION, cursor(), now=last + timedelta(seconds=1)) == "expired"


def test_keys_rotate() -> None:
    by_old = cursor(Settings(secret_keys=(OLD,)))
    assert position_of(SETTINGS, QUESTION, by_old, now=NOW.timestamp()) == POSITION
    assert refused(Settings(secret_keys=(OLD,)), QUESTION, cursor()) == "invalid"


def test_it_shows_nothing_of_the_patient() -> None:
    made = cursor()
    shown = made.encode() + urlsafe_b64decode(made + "=" * (-len(made) % 4))
    for part in ("núñez".encode(), b"nez", b"SANT", b"2026"):
        assert part not in shown
    nobody = next_cursor(SETTINGS, QUESTION, Position(NOW, (0, NOW, "otros\x1f\x1f", "TH-SANT-2026-002")))
    assert nobody is not None
    assert made[:20] != nobody[:20], "what begins alike does not show it"


@pytest.mark.parametrize("other", ["", "A", "====", "ñ" * 40, "A" * 21, "A" * 22, "A" * 23, "A" * 4000, "W10"])
def test_what_is_none_of_ours_is_refused(other: str) -> None:
    assert refused(SETTINGS, QUESTION, other) == "invalid"


def test_it_has_one_spelling() -> None:
    made = cursor()
    padded = made + "=" * (-len(made) % 4)
    spare = made[:-1] + chr(ord(made[-1]) + 1)
    others = [f" {made}", f"{made} ", f"{made}\n", f"{made[:9]}.{made[9:]}", f"{made}!", f"{made}====", spare]
    others += [made.replace("-", "+").replace("_", "/") + "=", *([padded] if padded != made else [])]
    for other in others:
        assert refused(SETTINGS, QUESTION, other) == "invalid", other


def test_a_cursor_of_the_cipher_before_is_refused_as_any_broken_one() -> None:
    """The same position under the same keys, as releases before AES-SIV sealed it."""
    assert refused(SETTINGS, QUESTION, BEFORE_SIV) == "invalid"


def test_another_purpose_is_no_cursor() -> None:
    stranger = Seal([NEW.get_secret_value()], b"something else").sealed(b"[]")
    assert refused(SETTINGS, QUESTION, stranger) == "invalid"


def test_every_letter_is_proved() -> None:
    made = cursor()
    for place in range(len(made) - 1):  # the last one's spare bits say nothing
        other = made[:place] + ("A" if made[place] != "A" else "B") + made[place + 1 :]
        assert refused(SETTINGS, QUESTION, other) == "invalid"
