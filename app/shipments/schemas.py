"""Shapes of shipments, receipts and disputes. Weights are whole grams."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.catalog.rules import LARGEST_QUANTITY
from app.kit.validation import Answer, Day, Line, Note, Patch, Shape, Whole
from app.shipments.rules import Outcome

ShipmentStatus = Literal["loading", "in_transit", "arrived"]
Grams = Annotated[Whole, Field(ge=0, le=10**15)]
Crates = Annotated[Whole, Field(ge=0, le=10**6)]


class LoadLine(Shape):
    """What is loaded of one order line."""

    order_line_id: UUID
    quantity: Annotated[Whole, Field(ge=1, le=LARGEST_QUANTITY)] = Field(description="base units")


class ShipmentDraft(Shape):
    """Order lines to be loaded: of several orders, each as far as it fits."""

    departure_id: UUID | None = Field(None, description="null where the buyers fetch at the hub")
    on: Day | None = Field(None, description="day of leaving; default the departure's, or today")
    lines: Annotated[list[LoadLine], Field(min_length=1, max_length=200)]


class Weight(Shape):
    """What one producer's goods weighed at loading."""

    order_line_id: UUID
    net_weight_g: Annotated[Grams, Field(ge=1)]


class Dispatch(Shape):
    """The weight of every line, and the returnable crates and trays that leave."""

    weights: Annotated[list[Weight], Field(min_length=1, max_length=200)]
    crates_out: Crates = 0


class ReceiptDraft(Shape):
    """What arrived of one order."""

    order_id: UUID
    net_weight_g: Grams = Field(description="all that came; broken and refused included")
    broken_g: Grams = 0
    refused_g: Grams = 0
    reason: Line | None = Field(None, description="why it was refused")
    crates_back: Crates = 0


class DisputeDraft(Shape):
    """What a party objects to."""

    note: Annotated[Note, Field(min_length=1)] = Field(examples=["Timbangan kami 1.962 kg"])
    receipt_id: UUID | None = Field(None, description="default: the only one that may still be disputed")
    organization: UUID | None = Field(None, description="the party for which the hub objects")


class Decision(Patch):
    """What the hub decides."""

    outcome: Outcome
    note: Note | None = None
    payable_g: Grams | None = Field(None, description="weight that is paid; required for split, absent for rejected")


class CarriedLine(Answer):
    """What a shipment carries of one order line; quantity in base units."""

    order_line_id: UUID
    order_id: UUID
    order_number: str
    producer: str
    commodity: str
    grade: str
    quantity: int
    net_weight_g: int | None


class DisputeAnswer(Answer):
    """An objection to a receipt."""

    id: UUID
    order_id: UUID
    receipt_id: UUID
    opened_by: UUID
    note: str
    status: Literal["open", "resolved"]
    outcome: Outcome | None
    outcome_note: str | None
    payable_g: int | None
    opened_at: datetime
    resolved_at: datetime | None
    version: int


class PayableLine(Answer):
    """What of one order line is paid, once the receipt is final."""

    order_line_id: UUID
    loaded_g: int
    payable_g: int


class ReceiptAnswer(Answer):
    """What arrived of one order in one shipment."""

    id: UUID
    shipment_id: UUID
    order_id: UUID
    loaded_g: int
    net_weight_g: int
    broken_g: int
    refused_g: int
    accepted_g: int
    reason: str | None
    crates_back: int
    received_at: datetime
    acknowledged_at: datetime | None
    dispute_until: datetime
    final_at: datetime | None
    lines: list[PayableLine] = Field(description="empty until the receipt is final")
    dispute: DisputeAnswer | None
    version: int


class ShipmentAnswer(Answer):
    """A shipment, as far as it is the caller's."""

    id: UUID
    number: str = Field(examples=["SJ-2026-000001"])
    status: ShipmentStatus
    hub: str
    departure_id: UUID | None
    lane_id: UUID | None
    lane_code: str | None
    on: date
    crates_out: int
    crates_back: int
    lines: list[CarriedLine]
    receipts: list[ReceiptAnswer]
    dispatched_at: datetime | None
    arrived_at: datetime | None
    created_at: datetime
    version: int
