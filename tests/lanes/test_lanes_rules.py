"""Timetables and what a run may use: rules without a database."""

from datetime import date

import pytest

from app.lanes.rules import Timetable, is_usable, planned

MONDAY = date(2026, 11, 23)
WEEK = {"first": MONDAY, "last": date(2026, 11, 29)}


def test_a_timetable_gives_its_weekdays_without_its_closures() -> None:
    closures = [(date(2026, 11, 25), date(2026, 11, 26))]
    found = list(planned(Timetable((1, 3, 5), 9, 2, 18000, closures), **WEEK))
    assert [departure.departs_on.day for departure in found] == [23, 27]
    assert (found[0].closes_on, found[0].arrives_on) == (date(2026, 11, 21), date(2026, 12, 2))


@pytest.mark.parametrize(
    ("departs", "closes", "status", "usable"),
    [
        (25, 24, "scheduled", True),
        (25, 23, "scheduled", False),
        (24, 24, "scheduled", False),
        (25, 24, "closed", False),
    ],
)
def test_a_run_uses_what_leaves_tomorrow_or_later_and_closes_today_or_later(
    departs: int,
    closes: int,
    status: str,
    usable: bool,  # noqa: FBT001 - a row of the table
) -> None:
    days = {"departs_on": date(2026, 11, departs), "closes_on": date(2026, 11, closes)}
    assert is_usable(**days, status=status, today=date(2026, 11, 24)) is usable
