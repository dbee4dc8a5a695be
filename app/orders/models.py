"""Rows of orders and their lines."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Sequence, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base

#: counts the orders of all years
NUMBERS = Sequence("order_numbers", metadata=Base.metadata)


class Order(Base):
    """What one buyer gets on one departure, or fetches on one day: one paper, one bill."""

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(["demand_id", "buyer_id"], ["demands.id", "demands.organization_id"]),
        CheckConstraint("delivery IN ('franco', 'loco') AND (delivery = 'loco') = (departure_id IS NULL)", name="way"),
        CheckConstraint("arrives_on >= departs_on", name="days"),
        CheckConstraint("source IN ('clearing', 'deal')", name="source"),
        CheckConstraint(
            "status IN ('confirmed', 'scheduled', 'in_transit', 'delivered', 'settled', 'cancelled')", name="status"
        ),
        CheckConstraint("status <> 'cancelled' OR cancel_reason IS NOT NULL", name="cancelled"),
        CheckConstraint("status NOT IN ('delivered', 'settled') OR delivered_on IS NOT NULL", name="delivered"),
        CheckConstraint("(status = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        CheckConstraint("tolerance_percent BETWEEN 0 AND 100", name="tolerance"),
        CheckConstraint("payment_terms IN ('cash', 'down_payment', 'net_7', 'net_14', 'net_30')", name="payment_terms"),
        CheckConstraint(
            "down_payment_percent BETWEEN 0 AND 99 AND (payment_terms = 'down_payment') = (down_payment_percent > 0)",
            name="down_payment",
        ),
        Index("ix_orders_buyer", "buyer_id", "created_at", "id"),
        Index("ix_orders_created", "created_at", "id"),
        Index("ix_orders_departure", "departure_id"),
        Index("ix_orders_demand", "demand_id"),
        Index("ix_orders_arrives_on", "arrives_on"),
        # what the worker looks at every round
        Index(
            "ix_orders_unsettled",
            "status",
            "id",
            postgresql_where=text("status IN ('scheduled', 'in_transit', 'delivered')"),
        ),
        # what is confirmed later for the same demand and departure joins the order that is still open
        Index(
            "uq_orders_open",
            "demand_id",
            "departure_id",
            "departs_on",
            unique=True,
            postgresql_where=text("status = 'confirmed' AND source = 'clearing'"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: what people quote: BTC-2026-000123, by the hub's year
    number: Mapped[str] = mapped_column(unique=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    buyer_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    demand_id: Mapped[UUID]
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"))
    #: destination: where the buyer needs it
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: franco (delivered) or loco (fetched at the hub): who bears the risk on the way
    delivery: Mapped[str]
    #: NULL where the buyer fetches at the hub
    departure_id: Mapped[UUID | None] = mapped_column(ForeignKey("departures.id"))
    departs_on: Mapped[date]
    #: promised, local day of the destination
    arrives_on: Mapped[date]
    #: clearing (both sides confirmed matches) or deal (recorded by the hub)
    source: Mapped[str]
    status: Mapped[str]
    cancel_reason: Mapped[str | None]
    #: loss of weight on the way, percent of the loaded weight, within which the loaded weight is paid
    tolerance_percent: Mapped[int]
    payment_terms: Mapped[str]
    #: percent of the bill that is due before dispatch; 0 unless the terms are down_payment
    down_payment_percent: Mapped[int]
    #: last local day on which some of it arrived
    delivered_on: Mapped[date | None]
    settled_at: Mapped[Instant | None]
    #: when it was counted in the record of its producers
    judged_at: Mapped[Instant | None]
    #: when it was counted in the record of its buyer: settled, or a bill's day was over and it was not paid
    buyer_judged_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class OrderLine(Base):
    """One producer's part of an order. Its prices are fixed, rupiah per base unit."""

    __tablename__ = "order_lines"
    __table_args__ = (
        ForeignKeyConstraint(["listing_id", "producer_id"], ["listings.id", "listings.organization_id"]),
        CheckConstraint(
            "received_quantity >= 0 AND received_quantity <= loaded_quantity AND loaded_quantity <= quantity",
            name="loaded",
        ),
        CheckConstraint("cut_quantity >= 0", name="cut"),
        CheckConstraint(
            "producer_price_idr + collection_idr + freight_idr + scarcity_idr = delivered_price_idr", name="price"
        ),
        CheckConstraint(
            "producer_price_idr >= 1 AND collection_idr >= 0 AND freight_idr >= 0 AND scarcity_idr >= 0",
            name="price_parts",
        ),
        UniqueConstraint("match_id"),
        Index("ix_order_lines_order", "order_id"),
        Index("ix_order_lines_producer", "producer_id"),
        Index("ix_order_lines_listing", "listing_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    #: the match that it was; NULL for a deal
    match_id: Mapped[UUID | None] = mapped_column(ForeignKey("matches.id"))
    listing_id: Mapped[UUID]
    producer_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    #: grade of the goods
    grade: Mapped[str]
    #: base units; falls to what is loaded when the rest is cancelled
    quantity: Mapped[Big]
    #: what shipments carry of it, base units
    loaded_quantity: Mapped[Big] = mapped_column(default=0)
    #: what receipts were written for, base units
    received_quantity: Mapped[Big] = mapped_column(default=0)
    #: what was cancelled of it after a part of its order was loaded, unless for the buyer: promised, and it never
    #: came; base units
    cut_quantity: Mapped[Big] = mapped_column(default=0, server_default="0")
    producer_price_idr: Mapped[Big]
    collection_idr: Mapped[Big]
    freight_idr: Mapped[Big]
    scarcity_idr: Mapped[Big]
    delivered_price_idr: Mapped[Big]
    best_before: Mapped[date]

    @property
    def unloaded_quantity(self) -> int:
        """What no shipment carries yet, base units."""
        return self.quantity - self.loaded_quantity
