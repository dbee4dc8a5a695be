"""Pure rules of lanes: which departures follow from weekdays and closures, and what a run may use."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from app.lanes.errors import ArrivesEarly, ClosesLate

#: departures are kept this many days ahead
KEPT_AHEAD_DAYS = 35


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a lane leaves, how long it takes, what it carries."""

    weekdays: Collection[int]
    lead_time_days: int
    closes_days_before: int
    capacity_kg: int
    #: first and last days on which it does not run
    closures: Collection[tuple[date, date]]


@dataclass(frozen=True, slots=True)
class PlannedDeparture:
    """One departure as the timetable has it."""

    departs_on: date
    arrives_on: date
    closes_on: date
    capacity_kg: int


def planned(timetable: Timetable, *, first: date, last: date) -> Iterator[PlannedDeparture]:
    """Return the departures between two days: the lane's ISO weekdays, without its closures."""
    for offset in range((last - first).days + 1):
        departs_on = first + timedelta(days=offset)
        if departs_on.isoweekday() in timetable.weekdays and not is_closed(timetable.closures, departs_on):
            yield PlannedDeparture(
                departs_on=departs_on,
                arrives_on=departs_on + timedelta(days=timetable.lead_time_days),
                closes_on=departs_on - timedelta(days=timetable.closes_days_before),
                capacity_kg=timetable.capacity_kg,
            )


def is_closed(closures: Collection[tuple[date, date]], day: date) -> bool:
    """Tell whether a lane does not run on a day."""
    return any(first <= day <= last for first, last in closures)


def check_days(*, departs_on: date, arrives_on: date, closes_on: date) -> None:
    """Refuse a departure that arrives before it leaves or closes after it left. Raises Invalid (422) naming the day."""
    if arrives_on < departs_on:
        raise ArrivesEarly
    if closes_on > departs_on:
        raise ClosesLate


def is_usable(*, departs_on: date, closes_on: date, status: str, today: date) -> bool:
    """Tell whether a run may use a departure: it leaves tomorrow or later and closes today or later (rule 6)."""
    return status == "scheduled" and departs_on > today and closes_on >= today
