"""Pure rules of dashboards: which period, which statuses a stage counts, how a cell is written."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from app.kit.problems import invalid
from app.kit.text import Text

#: the default period: four weeks back, and as far ahead as anybody may post
DAYS_BACK = 28
DAYS_AHEAD = 35
LONGEST_DAYS = 400


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


#: stage -> statuses of the matches that have come at least so far; nothing is delivered before shipments exist
STATUSES: Mapping[Stage, Sequence[str]] = {
    Stage.PROPOSED: ("proposed", "confirmed"),
    Stage.ORDERED: ("confirmed",),
    Stage.DELIVERED: (),
}


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
    """Return the period asked for. Raises Invalid (422) when it is reversed or longer than 400 days."""
    period = Period(first or today - timedelta(days=DAYS_BACK), last or today + timedelta(days=DAYS_AHEAD))
    if not 0 <= (period.last - period.first).days < LONGEST_DAYS:
        raise invalid(
            "until",
            "period",
            Text("until tidak boleh sebelum from; paling lama 400 hari.", "until is before from, or over 400 days on."),
        )
    return period


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, semicolons: bool) -> str:
    """Write rows as CSV with a header; a text that a spreadsheet would take for a formula gets an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if semicolons else ",", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return file.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
