"""Shapes of orders."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Line, Shape
from app.parties.schemas import Terms

OrderStatus = Literal["confirmed", "scheduled", "in_transit", "delivered", "settled", "cancelled"]


class Party(Answer):
    """A party of an order, to be called: both sides have confirmed."""

    id: UUID
    name: str
    region: str
    place: str | None
    contact: str | None
    telephone: str | None


class OrderLineAnswer(Answer):
    """One producer's part of an order; quantities in `unit` of the order, prices per unit."""

    id: UUID
    match_id: UUID | None = Field(description="null for a deal")
    listing_id: UUID
    producer: Party
    grade: str
    quantity: int
    loaded_quantity: int
    received_quantity: int
    producer_price_idr: int
    collection_idr: int
    freight_idr: int
    scarcity_idr: int
    delivered_price_idr: int
    best_before: date


class OrderAnswer(Answer):
    """An order, as far as it is the caller's: a producer sees its own lines, and sums of them."""

    id: UUID
    number: str = Field(examples=["BTC-2026-000123"])
    status: OrderStatus
    source: Literal["clearing", "deal"]
    hub: str
    buyer: Party
    demand_id: UUID
    commodity: str
    unit: str
    quantity: int
    loaded_quantity: int
    received_quantity: int
    value_idr: int = Field(description="delivered price of the ordered quantity; what is paid goes by weight")
    region: str
    delivery: Literal["franco", "loco"]
    departure_id: UUID | None
    lane_id: UUID | None
    lane_code: str | None
    departs_on: date
    arrives_on: date
    delivered_on: date | None
    tolerance_percent: int
    payment_terms: Terms
    down_payment_percent: int
    cancel_reason: str | None
    lines: list[OrderLineAnswer]
    settled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class Step(Answer):
    """One thing that happened to an order: who did it, and for whom."""

    at: datetime
    event: str = Field(examples=["order.cancelled"])
    by: str | None = Field(
        description="who acted; null for the hub's clockwork, and for a producer that is none of yours"
    )
    acting_for: str | None = Field(description="the organisation for which the hub acted")
    facts: dict[str, Any]


class OrderWithHistory(OrderAnswer):
    """One order and everything that happened to it."""

    history: list[Step]


class Cancellation(Shape):
    """Why an order is cancelled."""

    reason: Line = Field(examples=["Truk mogok di Ngawi"])
    organization: UUID | None = Field(None, description="the party for which the hub cancels; null for the hub itself")
