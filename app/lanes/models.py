"""Rows of lanes, closures and departures."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, SMALLINT
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit.columns import Big, Instant
from app.kit.db import Base


class Lane(Base):
    """A way from a hub to a city."""

    __tablename__ = "lanes"
    __table_args__ = (
        CheckConstraint("freight_idr_per_kg BETWEEN 0 AND 100000000", name="freight"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 60 AND closes_days_before BETWEEN 0 AND 30", name="days"),
        CheckConstraint("capacity_kg BETWEEN 0 AND 1000000000", name="capacity"),
        CheckConstraint("departure_weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]", name="weekdays"),
        CheckConstraint("temperature IN ('ambient', 'chilled')", name="temperature"),
        CheckConstraint("status IN ('active', 'paused')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: sorts as text: the order in which ties prefer lanes
    code: Mapped[str] = mapped_column(unique=True)
    origin: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    destination: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    mode: Mapped[str]
    via: Mapped[str | None]
    vehicle: Mapped[str | None]
    distance_km: Mapped[int | None]
    lead_time_days: Mapped[int]
    freight_idr_per_kg: Mapped[int]
    #: ISO weekdays, 1 is Monday
    departure_weekdays: Mapped[list[int]] = mapped_column(ARRAY(SMALLINT))
    closes_days_before: Mapped[int]
    #: of one departure
    capacity_kg: Mapped[Big]
    temperature: Mapped[str]
    status: Mapped[str]
    note: Mapped[str | None]
    source: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[Instant]


class Closure(Base):
    """Days on which a lane does not run: a holiday, a strike, high water."""

    __tablename__ = "lane_closures"
    __table_args__ = (CheckConstraint("closed_until >= closed_from", name="days"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lane_id: Mapped[UUID] = mapped_column(ForeignKey("lanes.id"), index=True)
    closed_from: Mapped[date]
    closed_until: Mapped[date]
    reason: Mapped[str]
    created_at: Mapped[Instant]


class Departure(Base):
    """One day's capacity of a lane."""

    __tablename__ = "departures"
    __table_args__ = (
        UniqueConstraint("lane_id", "departs_on"),
        CheckConstraint("booked_g BETWEEN 0 AND capacity_kg * 1000", name="booked"),
        CheckConstraint("arrives_on >= departs_on AND closes_on <= departs_on", name="days"),
        CheckConstraint("status IN ('scheduled', 'closed')", name="status"),
        Index("ix_departures_departs_on", "departs_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    lane_id: Mapped[UUID] = mapped_column(ForeignKey("lanes.id"))
    departs_on: Mapped[date]
    #: local day of the destination
    arrives_on: Mapped[date]
    #: the last day, hub time, on which a run may use it
    closes_on: Mapped[date]
    capacity_kg: Mapped[Big]
    #: proposed and ordered goods both book
    booked_g: Mapped[Big] = mapped_column(default=0)
    status: Mapped[str]
    #: added or changed by an operator: it no longer follows the lane's weekdays
    by_hand: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    lane: Mapped[Lane] = relationship(lazy="raise")
