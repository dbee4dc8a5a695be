"""Shapes of listings."""

from datetime import date
from typing import Annotated

from pydantic import Field

from app.allocations.schemas import PostingAnswer, PostingDraft, PostingPatch
from app.catalog.schemas import PriceNote
from app.kit.validation import Code, Day, Line, Patch, Rupiah, Shape, may_change

Papers = Annotated[dict[Code, Line], Field(max_length=20, examples=[{"nkv": "NKV-3505-001"}])]


class ListingDraft(PostingDraft):
    """A new listing; commodity, grade, quantity, unit and price are enough."""

    grade: Code = Field(examples=["II"])
    price_idr: Rupiah = Field(description="asked at the gate, per `price_unit`", examples=[397500])
    available_from: Day | None = Field(None, description="default: today")
    available_until: Day | None = Field(None, description="default: 7 days later")
    best_before: Day | None = Field(None, description="default: available_from + shelf life")
    best_before_chilled: Day | None = None
    papers: Papers = Field(default_factory=dict)


class ListingPatch(PostingPatch):
    """What the owner may change of a listing."""

    price_idr: Rupiah = may_change(description="per `price_unit`")
    available_from: Day = may_change()
    available_until: Day = may_change()
    best_before: Day = may_change()
    best_before_chilled: Day = may_change()
    papers: Papers = may_change()


class ListingRenewal(Patch):
    """One tap: the price holds on, changed or not."""

    price_idr: Rupiah = may_change(description="per the `price_unit` it was posted in")
    price_valid_until: Day = may_change(description="default: 7 days from today")


class ListingBatch(Shape):
    """Up to 1,000 listings."""

    items: Annotated[list[dict[str, object]], Field(min_length=1, max_length=1000)]


class ListingAnswer(PostingAnswer):
    """A listing, for its owner and the hub."""

    grade: str
    price_idr: int = Field(description="asked at the gate, per base unit")
    available_from: date
    available_until: date
    best_before: date
    best_before_chilled: date
    papers: dict[str, str]
    price_notes: list[PriceNote]
