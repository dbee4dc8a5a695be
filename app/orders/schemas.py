"""Shapes of orders."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.catalog.rules import HIGHEST_PRICE
from app.kit.validation import Answer, Code, Day, Line, Quantity, Shape, Whole
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


class DealLineDraft(Shape):
    """What one producer sells: of a listing, or stated here and listed with it."""

    listing_id: UUID | None = Field(None, description="or `producer` and `grade`")
    producer: UUID | None = None
    grade: Code | None = Field(None, description="where no listing is named", examples=["II"])
    best_before: Day | None = Field(None, description="where no listing is named; default the commodity's shelf life")
    quantity: Quantity = Field(examples=[40])
    unit: Code | None = Field(None, description="default: the base unit", examples=["peti-15"])
    unit_base_quantity: Quantity | None = None
    producer_price_idr: Annotated[Whole, Field(ge=1, le=HIGHEST_PRICE)] = Field(
        description="agreed at the gate, per base unit", examples=[26500]
    )


class DealDraft(Shape):
    """A deal made at the desk, by word or by telephone."""

    demand_id: UUID | None = Field(None, description="or `buyer`, for whom a demand is published with the deal")
    buyer: UUID | None = None
    commodity: Code | None = Field(None, description="default: the demand's", examples=["telur-ayam-ras"])
    region: Code | None = Field(None, description="where it goes; default: the buyer's", examples=["32.76"])
    departure_id: UUID | None = Field(None, description="null where the buyer fetches at the hub")
    on: Day | None = Field(None, description="day of fetching at the hub; default tomorrow")
    payment_terms: Terms | None = Field(None, description="default: the buyer's")
    down_payment_percent: Annotated[Whole, Field(ge=1, le=99)] | None = Field(
        None, description="with payment_terms down_payment; default 30"
    )
    tolerance_percent: Annotated[Whole, Field(ge=0, le=100)] | None = Field(None, description="default 1")
    lines: Annotated[list[DealLineDraft], Field(min_length=1, max_length=50)]
