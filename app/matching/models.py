"""Rows of clearing runs, their documents, matches and counter-offers."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base


class ClearingRun(Base):
    """One clearing: what was asked, and what came of it."""

    __tablename__ = "clearing_runs"
    __table_args__ = (
        CheckConstraint("status IN ('completed')", name="status"),
        Index("ix_clearing_runs_created", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: in the order in which runs were recorded, which is not that in which they were asked for
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    status: Mapped[str]
    dry_run: Mapped[bool]
    #: the instant at which the books were read
    as_of: Mapped[Instant]
    commodities: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    requested_by: Mapped[UUID]
    #: engine and version that decided
    engine: Mapped[str]
    input_sha256: Mapped[str]
    output_sha256: Mapped[str]
    #: of the previous binding run, so that the runs form a chain
    previous_sha256: Mapped[str | None]
    certificate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    matches: Mapped[int]
    unmatched: Mapped[int]
    duration_ms: Mapped[int]
    created_at: Mapped[Instant]


class ClearingDocument(Base):
    """The canonical input and output of a run, compressed: what a replay needs."""

    __tablename__ = "clearing_documents"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_runs.id"), primary_key=True)
    #: zlib-compressed canonical JSON
    input: Mapped[bytes] = mapped_column(LargeBinary)
    output: Mapped[bytes] = mapped_column(LargeBinary)


class ClearedPool(Base):
    """Totals of one pool in a run."""

    __tablename__ = "cleared_pools"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_runs.id"), primary_key=True)
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"), primary_key=True)
    listings: Mapped[int]
    demands: Mapped[int]
    matched_quantity: Mapped[Big]
    surplus_idr: Mapped[Big]


class PoolClaim(Base):
    """A pool that a run is clearing: taken until the run ends or its lease does."""

    __tablename__ = "pool_claims"

    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"), primary_key=True)
    run_id: Mapped[UUID]
    leased_until: Mapped[Instant]


class Match(Base):
    """A proposal, later an agreement: this listing, this demand, this quantity, this departure, these prices."""

    __tablename__ = "matches"
    __table_args__ = (
        UniqueConstraint(
            "run_id",
            "listing_id",
            "demand_id",
            "departure_id",
            "departs_on",
            postgresql_nulls_not_distinct=True,
            name="uq_matches_once",
        ),
        ForeignKeyConstraint(["listing_id", "listing_organization_id"], ["listings.id", "listings.organization_id"]),
        ForeignKeyConstraint(["demand_id", "demand_organization_id"], ["demands.id", "demands.organization_id"]),
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("status IN ('dry_run', 'proposed', 'confirmed', 'declined', 'lapsed')", name="status"),
        CheckConstraint(
            "producer_price_idr + collection_idr + freight_idr + scarcity_idr = delivered_price_idr", name="price"
        ),
        CheckConstraint(
            "producer_price_idr >= ask_idr AND delivered_price_idr <= limit_idr AND scarcity_idr >= 0", name="gain"
        ),
        Index("ix_matches_listing", "listing_id", "status"),
        Index("ix_matches_demand", "demand_id", "status"),
        Index("ix_matches_listing_organization", "listing_organization_id", "created_at", "id"),
        Index("ix_matches_demand_organization", "demand_organization_id", "created_at", "id"),
        Index("ix_matches_departure", "departure_id"),
        Index("ix_matches_created", "created_at", "id"),
        Index("ix_matches_arrives_on", "arrives_on"),
        Index("ix_matches_expiring", "expires_at", postgresql_where=text("status = 'proposed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_runs.id"))
    listing_id: Mapped[UUID]
    listing_organization_id: Mapped[UUID]
    demand_id: Mapped[UUID]
    demand_organization_id: Mapped[UUID]
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"))
    #: grade of the goods
    grade: Mapped[str]
    quantity: Mapped[Big]
    #: NULL where the buyer fetches at the hub
    departure_id: Mapped[UUID | None] = mapped_column(ForeignKey("departures.id"))
    departs_on: Mapped[date]
    arrives_on: Mapped[date]
    producer_price_idr: Mapped[Big]
    collection_idr: Mapped[Big]
    freight_idr: Mapped[Big]
    scarcity_idr: Mapped[Big]
    delivered_price_idr: Mapped[Big]
    #: ask and limit as they stood when it was proposed: a proposal keeps its terms
    ask_idr: Mapped[Big]
    limit_idr: Mapped[Big]
    #: smallest fills as they stood: least totals of the two orders in this run
    listing_min_quantity: Mapped[Big]
    demand_min_quantity: Mapped[Big]
    status: Mapped[str]
    listing_confirmed_at: Mapped[Instant | None]
    demand_confirmed_at: Mapped[Instant | None]
    decline_reason: Mapped[str | None]
    expires_at: Mapped[Instant]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class CounterOffer(Base):
    """Other terms that one side of a match proposes, once; prices are rupiah per base unit."""

    __tablename__ = "counter_offers"
    __table_args__ = (
        CheckConstraint("side IN ('listing', 'demand')", name="side"),
        CheckConstraint("status IN ('open', 'accepted', 'declined', 'lapsed')", name="status"),
        CheckConstraint("(status = 'open') = (answered_at IS NULL)", name="answered"),
        CheckConstraint("quantity >= 1", name="quantity"),
        UniqueConstraint("match_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    match_id: Mapped[UUID] = mapped_column(ForeignKey("matches.id"))
    #: the side that offers, and so has confirmed at these terms
    side: Mapped[str]
    #: base units
    quantity: Mapped[Big]
    departure_id: Mapped[UUID | None] = mapped_column(ForeignKey("departures.id"))
    departs_on: Mapped[date]
    arrives_on: Mapped[date]
    producer_price_idr: Mapped[Big]
    freight_idr: Mapped[Big]
    scarcity_idr: Mapped[Big]
    delivered_price_idr: Mapped[Big]
    #: open, accepted or declined; lapsed with its match, or when the match was answered without it
    status: Mapped[str]
    created_at: Mapped[Instant]
    answered_at: Mapped[Instant | None]


class Unmatched(Base):
    """An order with quantity left over after a run, and why."""

    __tablename__ = "unmatched"
    __table_args__ = (
        UniqueConstraint("run_id", "order_id"),
        Index("ix_unmatched_organization", "organization_id", "run_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_runs.id"))
    #: "listing" or "demand"
    side: Mapped[str]
    order_id: Mapped[UUID]
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    commodity: Mapped[str]
    quantity: Mapped[Big]
    reason: Mapped[str]
    #: exact figures; rounded at the edge for all but their owner and the hub
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ClearingPrice(Base):
    """The price of one grade and freshness step at one place on one day with trade."""

    __tablename__ = "clearing_prices"
    __table_args__ = (
        UniqueConstraint(
            "run_id",
            "commodity",
            "grade",
            "min_remaining_shelf_life_days",
            "region",
            "level",
            "day",
            name="uq_clearing_prices_place",
        ),
        Index("ix_clearing_prices_commodity_day", "commodity", "day"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("clearing_runs.id"))
    commodity: Mapped[str]
    grade: Mapped[str]
    min_remaining_shelf_life_days: Mapped[int]
    region: Mapped[str]
    #: "delivered" or "hub"
    level: Mapped[str]
    day: Mapped[date]
    price_idr: Mapped[Big]
    traded_quantity: Mapped[Big]
