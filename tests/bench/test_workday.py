"""The working day that the bench plays: what is in it, and in which order."""

from collections import Counter

from bench.workday import day
from bench.workday.day import CATALOGS, DASHBOARD, MONTH


def test_a_day_has_its_writes_and_is_in_order() -> None:
    moments = day.day(2)
    does = Counter(moment.does for moment in moments)
    hours = day.ENDS - day.BEGINS
    assert (does["write"], does["edit"], does["clock"]) == (2 * day.WRITES, 2 * day.CATALOG_EDITS, 2 * (hours - 1))
    assert moments == sorted(moments)
    assert moments[0].at >= 0
    assert {moment.clinic for moment in moments} == {0, 1}


def test_every_catalog_is_asked_for_as_often_and_dashboards_more() -> None:
    read = Counter(moment.target for moment in day.day(1) if moment.does == "read")
    assert len({read[catalog] for catalog in CATALOGS}) == 1
    assert read[DASHBOARD] > read[MONTH] > 0
    assert day.day(1) == day.day(1)


def test_a_steady_minute_has_a_reader_a_second_and_a_write_every_ten() -> None:
    does = Counter((moment.clinic, moment.does) for moment in day.steady(3, 60, 10))
    assert does == {(clinic, kind): times for clinic in range(3) for kind, times in (("read", 60), ("write", 6))}
