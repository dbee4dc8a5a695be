"""Rows of shipments, receipts and disputes."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Sequence, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base

#: counts the shipments of all years
NUMBERS = Sequence("shipment_numbers", metadata=Base.metadata)


class Shipment(Base):
    """Orders loaded on a departure, or handed over at the hub on a day."""

    __tablename__ = "shipments"
    __table_args__ = (
        CheckConstraint("status IN ('loading', 'in_transit', 'arrived')", name="status"),
        CheckConstraint("(status = 'loading') = (dispatched_at IS NULL)", name="dispatched"),
        CheckConstraint("(status = 'arrived') = (arrived_at IS NOT NULL)", name="arrived"),
        CheckConstraint("crates_out BETWEEN 0 AND 1000000", name="crates_out"),
        Index("ix_shipments_created", "created_at", "id"),
        Index("ix_shipments_day", "day", "id"),
        Index("ix_shipments_departure", "departure_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    #: what people quote: SJ-2026-000001, by the hub's year
    number: Mapped[str] = mapped_column(unique=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: NULL where the buyer fetches at the hub
    departure_id: Mapped[UUID | None] = mapped_column(ForeignKey("departures.id"))
    #: day on which it leaves the hub, hub time
    day: Mapped[date]
    status: Mapped[str]
    #: returnable crates and trays that left with it
    crates_out: Mapped[int] = mapped_column(default=0)
    dispatched_at: Mapped[Instant | None]
    arrived_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]


class ShipmentLine(Base):
    """What a shipment carries of one order line."""

    __tablename__ = "shipment_lines"
    __table_args__ = (
        CheckConstraint("quantity >= 1", name="quantity"),
        CheckConstraint("net_weight_g >= 1", name="net_weight"),
        UniqueConstraint("shipment_id", "order_line_id"),
        Index("ix_shipment_lines_order_line", "order_line_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"))
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"))
    #: base units
    quantity: Mapped[Big]
    #: weighed per producer at loading, grams; NULL until dispatch
    net_weight_g: Mapped[Big | None]


class Receipt(Base):
    """What arrived of one order in one shipment."""

    __tablename__ = "receipts"
    __table_args__ = (
        CheckConstraint("broken_g >= 0 AND refused_g >= 0 AND broken_g + refused_g <= net_weight_g", name="weights"),
        CheckConstraint("refused_g = 0 OR reason IS NOT NULL", name="reason"),
        CheckConstraint("crates_back BETWEEN 0 AND 1000000", name="crates_back"),
        UniqueConstraint("shipment_id", "order_id"),
        UniqueConstraint("id", "order_id"),
        Index("ix_receipts_order", "order_id"),
        Index("ix_receipts_waiting", "dispute_until", postgresql_where=text("final_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    shipment_id: Mapped[UUID] = mapped_column(ForeignKey("shipments.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    #: all that came, grams; accepted is what of it is neither broken nor refused
    net_weight_g: Mapped[Big]
    broken_g: Mapped[Big]
    refused_g: Mapped[Big]
    #: why it was refused
    reason: Mapped[str | None]
    #: returnable crates and trays that go back with the vehicle
    crates_back: Mapped[int]
    received_at: Mapped[Instant]
    #: when the buyer agreed to it
    acknowledged_at: Mapped[Instant | None]
    #: until then it may be disputed
    dispute_until: Mapped[Instant]
    #: when its payable weight was fixed
    final_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def accepted_g(self) -> int:
        """What came and is good, grams."""
        return self.net_weight_g - self.broken_g - self.refused_g


class Dispute(Base):
    """A party's objection to a receipt, and what the hub decided."""

    __tablename__ = "disputes"
    __table_args__ = (
        ForeignKeyConstraint(["receipt_id", "order_id"], ["receipts.id", "receipts.order_id"]),
        CheckConstraint("status IN ('open', 'resolved')", name="status"),
        CheckConstraint("outcome IN ('upheld', 'rejected', 'split')", name="outcome"),
        CheckConstraint(
            "(status = 'resolved') = (outcome IS NOT NULL) AND (status = 'resolved') = (resolved_at IS NOT NULL)"
            " AND (status = 'resolved') = (payable_g IS NOT NULL)",
            name="resolved",
        ),
        CheckConstraint("payable_g >= 0", name="payable"),
        UniqueConstraint("receipt_id"),
        Index("ix_disputes_order", "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    receipt_id: Mapped[UUID]
    order_id: Mapped[UUID]
    #: the party that objects
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    note: Mapped[str]
    status: Mapped[str]
    outcome: Mapped[str | None]
    outcome_note: Mapped[str | None]
    #: the weight of the receipt that is paid, grams
    payable_g: Mapped[Big | None]
    opened_at: Mapped[Instant]
    resolved_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)


class ReceiptLine(Base):
    """What of one order line is paid after a receipt: written when the receipt becomes final, never changed."""

    __tablename__ = "receipt_lines"
    __table_args__ = (
        CheckConstraint("loaded_g >= 1 AND payable_g BETWEEN 0 AND loaded_g", name="payable"),
        Index("ix_receipt_lines_order_line", "order_line_id"),
    )

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipts.id"), primary_key=True)
    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id"), primary_key=True)
    #: weighed at loading, grams
    loaded_g: Mapped[Big]
    #: grams
    payable_g: Mapped[Big]
