"""The device cookie, without servers: what it names, and what it never does."""

import time

import pytest
from itsdangerous import URLSafeTimedSerializer

from core.sessions.devices import LIFE, LONGEST, USERS, Devices

DEVICES = Devices(["new" * 20, "old" * 20])


def test_a_cookie_names_the_device_and_whoever_signed_in_there() -> None:
    device = DEVICES.read(None)
    assert not device.is_of(4)
    kept = DEVICES.read(DEVICES.write(device.used_by(4).used_by(7).used_by(4)))
    assert (kept.name, kept.users) == (device.name, (4, 7))
    assert kept.is_of(4)
    assert kept.is_of(7)
    assert not kept.is_of(9)
    assert not kept.is_of(None)


def test_a_ward_s_computer_remembers_the_last_of_many() -> None:
    device = DEVICES.read(None)
    for user in range(1, 3 * USERS):
        device = device.used_by(2**62 + user)
    cookie = DEVICES.write(device)
    assert len(cookie) <= LONGEST
    kept = DEVICES.read(cookie)
    assert len(kept.users) == USERS
    assert kept.is_of(2**62 + 3 * USERS - 1)
    assert not kept.is_of(2**62 + 1)


def test_keys_may_be_rotated() -> None:
    before = Devices(["old" * 20]).write(DEVICES.read(None).used_by(4))
    assert DEVICES.read(before).is_of(4)
    assert not Devices(["new" * 20]).read(before).is_of(4)


@pytest.mark.parametrize("spoil", [lambda c: c[:-1], lambda c: c.swapcase(), lambda c: c + "x", lambda c: c * 20,
                                   lambda c: "." + c, lambda c: c.partition(".")[2], lambda c: "é" + c])  # fmt: skip
def test_what_was_not_signed_by_us_is_a_device_that_nobody_knows(spoil: object) -> None:
    assert callable(spoil)
    cookie = DEVICES.write(DEVICES.read(None).used_by(4))
    assert not DEVICES.read(spoil(cookie)).is_of(4)


def test_a_session_s_signature_is_no_device_s_and_a_device_is_forgotten_after_a_year(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = URLSafeTimedSerializer("new" * 20, salt="ticket-home session").dumps(["name", 4])
    assert not DEVICES.read(str(other)).is_of(4)
    cookie = DEVICES.write(DEVICES.read(None).used_by(4))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LIFE - 60)
    assert DEVICES.read(cookie).is_of(4)
    monkeypatch.setattr(time, "time", lambda: now + LIFE + 60)
    assert not DEVICES.read(cookie).is_of(4)
