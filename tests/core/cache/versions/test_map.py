"""The version map without a database: what a poll may and may not do to what this process knows."""

import pytest

from core import times
from core.cache.policy import Policy
from core.cache.versions import clock as clock_module
from core.cache.versions import map as versions_module
from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import VersionSnapshot
from core.cache.versions.vector import at_least

FIGURES = (5, "figures")


class Clock:
    """CLOCK_BOOTTIME in the test's hand: hours pass without waiting."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (versions_module, clock_module):
        monkeypatch.setattr(module, "boottime", made)
    return made


def polled(
    versions: VersionMap, clock: Clock, rows: list[tuple[int, str, int]], *, full: bool = False, now: float = 0
) -> None:
    versions.read_ended(VersionSnapshot(rows, "1", now, full), versions.read_started(), clock.at)


def test_the_lease_counts_from_when_the_poll_was_sent(clock: Clock) -> None:
    versions = VersionMap()
    assert not versions.is_fresh()
    learnt = versions.read_started()
    sent_at = clock.at
    clock.at += 1.5
    versions.read_ended(VersionSnapshot([], "1", 0.0, True), learnt, sent_at)
    assert versions.is_fresh()
    clock.at = sent_at + times.VERSION_LEASE
    assert not versions.is_fresh()


def test_a_notification_never_renews_the_lease(clock: Clock) -> None:
    versions = VersionMap()
    polled(versions, clock, [])
    clock.at += times.VERSION_LEASE
    versions.learn([(5, "figures", 7)])
    assert not versions.is_fresh()
    assert versions.get(*FIGURES) == 7


def test_what_was_learnt_while_a_poll_was_in_flight_keeps_the_higher_value(clock: Clock) -> None:
    versions = VersionMap()
    polled(versions, clock, [(5, "figures", 10)])
    learnt = versions.read_started()
    versions.learn([(5, "figures", 20)])
    versions.read_ended(VersionSnapshot([(5, "figures", 10)], "1", 0.0, True), learnt, clock.at)
    assert versions.get(*FIGURES) == 20


def test_a_poll_that_another_overtook_does_not_take_the_map_back(clock: Clock) -> None:
    """A request's own read began after the listener's poll and ended before it: the poll's snapshot is older."""
    versions = VersionMap()
    emptied: list[bool] = []
    versions.on_restored.append(lambda: emptied.append(True))
    slow, slow_sent_at = versions.read_started(), clock.at
    clock.at += 0.1
    polled(versions, clock, [(5, "figures", 20)], full=True)
    versions.read_ended(VersionSnapshot([(5, "figures", 10)], "1", 0.0, True), slow, slow_sent_at)
    assert versions.get(*FIGURES) == 20
    assert emptied == []


def test_an_old_version_learnt_in_flight_does_not_keep_a_restored_databases_from_lowering(clock: Clock) -> None:
    versions = VersionMap()
    polled(versions, clock, [(5, "figures", 30)], full=True)
    learnt = versions.read_started()
    versions.learn([(5, "figures", 9)])  # a fill from the restored database
    versions.read_ended(VersionSnapshot([(5, "figures", 9)], "1", 0.0, True), learnt, clock.at)
    assert versions.get(*FIGURES) == 9


def test_a_poll_under_way_does_not_renew_a_lease_that_was_ended_meanwhile(clock: Clock) -> None:
    versions = VersionMap()
    learnt, sent_at = versions.read_started(), clock.at
    clock.at += 0.1
    versions.distrust()
    versions.read_ended(VersionSnapshot([], "1", 0.0, True), learnt, sent_at)
    assert not versions.is_fresh()
    polled(versions, clock, [])
    assert versions.is_fresh()


def test_a_row_learnt_in_flight_survives_a_full_poll_that_could_not_see_it(clock: Clock) -> None:
    versions = VersionMap()
    learnt = versions.read_started()
    versions.learn([(9, "figures", 3)])
    versions.read_ended(VersionSnapshot([], "1", 0.0, True), learnt, clock.at)
    assert versions.get(9, "figures") == 3


def test_a_restored_database_lowers_versions_and_empties_memory(clock: Clock) -> None:
    versions = VersionMap()
    emptied: list[bool] = []
    versions.on_restored.append(lambda: emptied.append(True))
    polled(versions, clock, [(5, "figures", 10), (5, "tickets", 4)], full=True)
    assert emptied == []
    polled(versions, clock, [(5, "figures", 9)], full=True)
    assert versions.get(*FIGURES) == 9
    assert versions.get(5, "tickets") == 0
    assert emptied == [True]


def test_an_incremental_poll_keeps_rows_that_it_does_not_name(clock: Clock) -> None:
    versions = VersionMap()
    polled(versions, clock, [(5, "figures", 10)], full=True)
    polled(versions, clock, [(6, "figures", 11)])
    assert versions.get(*FIGURES) == 10


def test_the_clock_is_the_databases_at_the_middle_of_the_poll(clock: Clock) -> None:
    versions = VersionMap()
    learnt = versions.read_started()
    sent_at = clock.at
    clock.at += 0.2
    versions.read_ended(VersionSnapshot([], "1", 5000.0, True), learnt, sent_at)
    assert versions.now() == pytest.approx(5000.1)
    clock.at += 10
    assert versions.now() == pytest.approx(5010.1)


def test_a_slow_poll_does_not_spoil_the_clock_and_a_quick_one_mends_it(clock: Clock) -> None:
    versions = VersionMap()
    learnt, sent_at = versions.read_started(), clock.at
    clock.at += 1.0
    versions.read_ended(VersionSnapshot([], "1", 5000.0, True), learnt, sent_at)
    assert versions.now() == pytest.approx(5000.5)  # the middle; in truth the answer took no time
    learnt, sent_at = versions.read_started(), clock.at
    clock.at += 0.002
    versions.read_ended(VersionSnapshot([], "1", 5000.001, False), learnt, sent_at)
    assert versions.now() == pytest.approx(5000.002, abs=0.0021)
    learnt, sent_at = versions.read_started(), clock.at
    clock.at += 1.9
    versions.read_ended(VersionSnapshot([], "1", 5001.9, False), learnt, sent_at)
    assert versions.now() == pytest.approx(5001.902, abs=0.0021)


def test_a_database_whose_clock_was_set_is_followed(clock: Clock) -> None:
    versions = VersionMap()
    polled(versions, clock, [], now=5000.0)
    polled(versions, clock, [], now=8600.0)
    assert versions.now() == pytest.approx(8600.0)


def test_the_networks_token_follows_every_clinic_and_equals_that_of_the_rows_read(clock: Clock) -> None:
    policy = Policy("p", 60, "s", ("figures",), ("clinics",))
    versions = VersionMap()
    polled(versions, clock, [(1, "figures", 10), (2, "figures", 20), (0, "clinics", 3), (1, "users", 8)], full=True)
    before = policy.token_now(versions, None)
    assert policy.token(policy.vector(versions.rows, None), None) == before
    versions.learn([(1, "users", 9)])
    assert policy.token_now(versions, None) == before
    versions.learn([(2, "figures", 21)])
    assert policy.token_now(versions, None) != before
    assert policy.token(policy.vector(versions.rows, None), None) == policy.token_now(versions, None)


def test_a_clinics_token_ignores_other_clinics(clock: Clock) -> None:
    policy = Policy("p", 60, "s", ("figures",), ("clinics",))
    versions = VersionMap()
    polled(versions, clock, [(1, "figures", 10)], full=True)
    before = policy.token_now(versions, 1)
    versions.learn([(2, "figures", 21)])
    assert policy.token_now(versions, 1) == before
    versions.learn([(0, "clinics", 1)])
    assert policy.token_now(versions, 1) != before


def test_at_least_wants_every_version() -> None:
    assert at_least({FIGURES: 2}, {FIGURES: 2})
    assert not at_least({FIGURES: 2}, {FIGURES: 3})
    assert not at_least({}, {FIGURES: 1})
    assert at_least({FIGURES: 2}, {})
