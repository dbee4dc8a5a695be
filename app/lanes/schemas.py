"""Shapes of lanes and departures."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Code, Day, Line, Note, Patch, Shape, Whole, may_change

Weekdays = Annotated[list[Annotated[Whole, Field(ge=1, le=7)]], Field(max_length=7, description="1 is Monday")]
Freight = Annotated[Whole, Field(ge=0, le=1_000_000)]
LeadTime = Annotated[Whole, Field(ge=0, le=60)]
ClosingDays = Annotated[Whole, Field(ge=0, le=30)]
Capacity = Annotated[Whole, Field(ge=0, le=1_000_000_000)]
Temperature = Literal["ambient", "chilled"]
LaneStatus = Literal["active", "paused"]
DepartureStatus = Literal["scheduled", "closed"]


class LaneAnswer(Answer):
    """A way from the hub to a city."""

    id: UUID
    code: str = Field(examples=["LN-08"])
    origin: str
    destination: str
    mode: str = Field(examples=["truck+roro+truck"])
    via: str | None
    vehicle: str | None
    distance_km: int | None
    freight_idr_per_kg: int
    lead_time_days: int
    departure_weekdays: list[int]
    closes_days_before: int
    capacity_kg: int
    temperature: Temperature
    status: LaneStatus
    note: str | None
    source: str
    version: int


class LaneDraft(Shape):
    """A new lane from your hub."""

    code: Code = Field(examples=["LN-20"])
    destination: Code = Field(examples=["35.71"])
    mode: Line = Field(examples=["truck"])
    via: Line | None = None
    vehicle: Line | None = None
    distance_km: Annotated[Whole, Field(ge=0, le=20_000)] | None = None
    freight_idr_per_kg: Freight
    lead_time_days: LeadTime
    departure_weekdays: Weekdays
    closes_days_before: ClosingDays = 1
    capacity_kg: Capacity
    temperature: Temperature = "ambient"
    status: LaneStatus = "active"
    note: Note | None = None
    source: Line = "hub"


class LanePatch(Patch):
    """What the hub may change of a lane; departures without bookings follow."""

    mode: Line = may_change()
    via: Line | None = may_change()
    vehicle: Line | None = may_change()
    distance_km: Annotated[Whole, Field(ge=0, le=20_000)] | None = may_change()
    freight_idr_per_kg: Freight = may_change()
    lead_time_days: LeadTime = may_change()
    departure_weekdays: Weekdays = may_change()
    closes_days_before: ClosingDays = may_change()
    capacity_kg: Capacity = may_change()
    temperature: Temperature = may_change()
    status: LaneStatus = may_change()
    note: Note | None = may_change()
    source: Line = may_change()


class ClosureDraft(Shape):
    """Days on which a lane does not run."""

    from_: Day = Field(alias="from", examples=["2026-12-24"])
    until: Day = Field(examples=["2026-12-26"])
    reason: Line = Field(examples=["libur Natal"])


class ClosureAnswer(Answer):
    """A closure, and what it leaves on the lane."""

    id: UUID
    lane_id: UUID
    from_: date = Field(alias="from")
    until: date
    reason: str
    booked_departures: int = Field(description="departures in these days that carry bookings already: see to them")


class DepartureAnswer(Answer):
    """One day's capacity of a lane."""

    id: UUID
    lane_id: UUID
    departs_on: date
    arrives_on: date
    closes_on: date
    capacity_kg: int
    booked_kg: int
    free_kg: int
    status: DepartureStatus
    version: int


class DepartureDraft(Shape):
    """An added departure; what is not said follows from the lane."""

    departs_on: Day
    arrives_on: Day | None = None
    closes_on: Day | None = None
    capacity_kg: Capacity | None = None


class DeparturePatch(Patch):
    """What the hub may change of a departure."""

    capacity_kg: Capacity = may_change(description="not below what is booked")
    closes_on: Day = may_change()
    status: DepartureStatus = may_change()
