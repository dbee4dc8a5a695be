"""Shapes of clearing runs, matches, reasons, prices, options."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Code, Instant, Note, Shape, Whole
from app.matching.rules import Side

MatchStatus = Literal["dry_run", "proposed", "confirmed", "declined", "lapsed"]


class RunDraft(Shape):
    """What to clear."""

    commodities: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = Field(
        None, description="null clears all pools", examples=[["telur-ayam-ras", "beras"]]
    )
    dry_run: bool = Field(default=False, strict=True, description="show what would come of it, bind nothing")
    as_of: Instant | None = Field(None, description="another instant; with dry_run only")


class PoolAnswer(Answer):
    """Totals of one pool; the surplus is for the hub only, since with few orders it would tell asks and limits."""

    commodity: str
    listings: int
    demands: int
    matched_quantity: int
    surplus_idr: int | None


class CertificateAnswer(Answer):
    """What the audit proved."""

    status: Literal["optimal", "bounded"]
    gap_idr: int
    lp_gap_idr: int
    surplus_idr: int | None
    checked: list[str]


class RunAnswer(Answer):
    """One clearing run; the hashes are for the hub only, since the figures of a small book could be guessed by them."""

    id: UUID
    status: str
    dry_run: bool
    as_of: datetime
    commodities: list[str]
    engine: str
    input_sha256: str | None
    output_sha256: str | None
    previous_sha256: str | None
    pools: list[PoolAnswer]
    certificate: CertificateAnswer
    matches: int
    unmatched: int
    duration_ms: int


class Record(Answer):
    """How a party has kept its word with the hub: orders delivered or paid, on time, refused."""

    orders: int
    on_time: int
    refused: int


class Counterparty(Answer):
    """The other side; the telephone follows both confirmations."""

    name: str
    region: str
    record: Record
    telephone: str | None


class CounterOfferAnswer(Answer):
    """Other terms that one side proposes; `lapsed` when the match was answered without them."""

    side: Side
    quantity: int
    departure_id: UUID | None
    departs_on: date
    arrives_on: date
    producer_price_idr: int
    freight_idr: int
    scarcity_idr: int
    delivered_price_idr: int
    status: Literal["open", "accepted", "declined", "lapsed"]
    created_at: datetime
    answered_at: datetime | None


class MatchAnswer(Answer):
    """A proposal, later an agreement; a figure that would tell the other side's ask or limit is null."""

    id: UUID
    run_id: UUID
    listing_id: UUID
    demand_id: UUID
    commodity: str
    grade: str
    quantity: int
    unit: str
    departure_id: UUID | None
    lane_id: UUID | None
    lane_code: str | None
    departs_on: date
    arrives_on: date
    producer_price_idr: int
    collection_idr: int
    freight_idr: int
    scarcity_idr: int
    delivered_price_idr: int
    producer_gain_idr: int | None
    buyer_saving_idr: int | None
    counterparty: Counterparty | None = Field(description="null for the hub, which sees both in `producer` and `buyer`")
    producer: Counterparty | None
    buyer: Counterparty | None
    status: MatchStatus
    confirmed_by: list[Side]
    decline_reason: str | None
    counter_offer: CounterOfferAnswer | None
    expires_at: datetime
    version: int


class UnmatchedAnswer(Answer):
    """An order with quantity left over, and why."""

    side: Side
    id: UUID
    organization: UUID = Field(description="whose order it is")
    commodity: str
    quantity: int
    reason: str
    detail: dict[str, Any]
    message: str


class PriceAnswer(Answer):
    """The price of one grade and freshness step at one place on one day with trade."""

    commodity: str
    grade: str
    min_remaining_shelf_life_days: int
    region: str
    level: Literal["delivered", "hub"]
    on: date
    price_idr: int
    traded_quantity: int


class Confirmation(Shape):
    """What is confirmed, and for whom."""

    quantity: Annotated[Whole, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="base units; less than proposed, down to the smallest fill"
    )
    side: Side | None = Field(None, description="the hub names the side it acts for")


class CounterOfferDraft(Shape):
    """Other terms, at least one of them; you are bound by them until they are answered or the match lapses."""

    producer_price_idr: Annotated[Whole, Field(ge=1, le=10**8)] | None = Field(
        None, description="at the gate, per base unit; collection and freight come on top"
    )
    quantity: Annotated[Whole, Field(ge=1, le=1_000_000_000)] | None = Field(None, description="base units")
    departure_id: UUID | None = None
    side: Side | None = Field(None, description="the hub names the side it acts for")


class CounterOfferReply(Shape):
    """For whom a counter-offer is answered."""

    side: Side | None = Field(None, description="the hub names the side it acts for")


class Confirmations(Shape):
    """Many confirmations: all or none."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    side: Side | None = None


class Refusal(Shape):
    """Why a match is declined, and whether the quantity is withdrawn for good."""

    reason: Note | None = None
    withdraw: bool = Field(default=False, strict=True)
    side: Side | None = Field(None, description="the hub names the side it acts for")


class MatchesAnswer(Answer):
    """Confirmed matches, in the order asked for."""

    items: list[MatchAnswer]


class OptionAnswer(Answer):
    """Supply that could serve a demand, with its price built up; no listing is named."""

    grade: str
    hub: str
    departure_id: UUID | None
    departs_on: date | None
    arrives_on: date | None
    quantity: int
    landed_price_idr: int = Field(description="rounded up to Rp 100 except for the hub")
    collection_idr: int
    freight_idr: int
    fits: bool
    why_not: str | None


class OutlookAnswer(Answer):
    """A need that a listing could serve, with what it would pay at the gate at most; no buyer is named."""

    min_grade: str
    region: str
    departure_id: UUID | None
    departs_on: date | None
    arrives_on: date | None
    quantity: int
    producer_price_idr: int = Field(description="at most, at the gate; rounded down to Rp 100 except for the hub")
    collection_idr: int
    freight_idr: int
    fits: bool
    why_not: str | None


class RungAnswer(Answer):
    """One step of the ladder."""

    landed_price_idr: int
    quantity: int
    cumulative_quantity: int


class QuoteAnswer(Answer):
    """At which landed prices a quantity could be had now; a clearing decides."""

    commodity: str
    min_grade: str
    region: str
    unit: str
    quantity: int
    available_quantity: int
    items: list[RungAnswer]
