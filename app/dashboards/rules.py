"""Pure rules of dashboards: which period, which statuses a stage counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.catalog.rules import HORIZON_DAYS, Reference
from app.kit.problems import invalid
from app.kit.text import Text

#: the default period: four weeks back, and as far ahead as anybody may post
DAYS_BACK = 28
DAYS_AHEAD = HORIZON_DAYS
LONGEST_DAYS = 400
#: stock is at risk from when this part of its shelf life is left: a third
AT_RISK_SHARE = 3
#: far from the ends of the calendar, so that the period before exists too
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class Granularity(StrEnum):
    """Into what days are summed."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Stage(StrEnum):
    """How far goods have come."""

    PROPOSED = "proposed"
    ORDERED = "ordered"
    DELIVERED = "delivered"


class Kept(StrEnum):
    """By whom promises were kept: everybody sees cities, the hub also its parties."""

    CITY = "city"
    BUYER = "buyer"
    PRODUCER = "producer"


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both included."""

    first: date
    last: date

    @property
    def before(self) -> "Period":
        """The period of equal length that ends the day before."""
        length = self.last - self.first
        last = self.first - timedelta(days=1)
        return Period(last - length, last)


def period_of(first: date | None, last: date | None, *, today: date) -> Period:
    """Return the period asked for; without days four weeks back to 35 days ahead, with one day as long a period.

    Raises Invalid (422) when it is reversed, longer than 400 days, or outside 2000 to 2199.
    """
    for name, day in (("from", first), ("until", last)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise invalid(name, "out_of_range", Text("Harus antara 2000 dan 2199.", "It must lie in 2000 to 2199."))
    usual = timedelta(days=DAYS_BACK + DAYS_AHEAD)
    if first is None:
        first = today - timedelta(days=DAYS_BACK) if last is None else last - usual
    period = Period(first, first + usual if last is None else last)
    if not 0 <= (period.last - period.first).days < LONGEST_DAYS:
        raise invalid(
            "until",
            "period",
            Text("until tidak boleh sebelum from; paling lama 400 hari.", "until is before from, or over 400 days on."),
        )
    return period


def hub_timezone(reference: Reference) -> str:
    """Return the zone in which the hub counts its days: of the first by code where there are several."""
    hubs = sorted(region.code for region in reference.regions.values() if region.hub == region.code)
    return reference.regions[hubs[0]].timezone if hubs else "Asia/Jakarta"


def shown_timezone(reference: Reference, regions: Sequence[str] | None) -> str:
    """Return the zone of the regions asked for where they share one, else the hub's."""
    zones = {reference.regions[code].timezone for code in regions or ()}
    return zones.pop() if len(zones) == 1 else hub_timezone(reference)
