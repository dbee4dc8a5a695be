"""The only place that reads the time. Services receive `now`; days are local to a region."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the present instant."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands where it is put: for tests, and for telling the opening scenario again."""

    #: the instant it tells, aware
    at: datetime

    def now(self) -> datetime:
        """Return the instant it stands at, in UTC."""
        return self.at.astimezone(UTC)


def local_day(now: datetime, timezone: str) -> date:
    """Return the calendar day of `now` in an IANA time zone such as Asia/Makassar."""
    return now.astimezone(ZoneInfo(timezone)).date()


def monotonic() -> float:
    """Return seconds that only ever grow: for measuring, never for dates."""
    return time.monotonic()
