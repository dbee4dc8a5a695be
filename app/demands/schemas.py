"""Shapes of demands."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from app.allocations.schemas import PostingAnswer, PostingDraft, PostingPatch
from app.catalog.schemas import PriceNote
from app.kit.validation import Code, Day, Patch, Rupiah, Shape, Whole, may_change

Delivery = Literal["franco", "loco"]
Life = Annotated[Whole, Field(ge=0, le=3650)]


class DemandDraft(PostingDraft):
    """A new demand; commodity, lowest grade, quantity, unit and highest price are enough."""

    min_grade: Code = Field(description="the lowest grade that will do", examples=["II"])
    delivery: Delivery = Field("franco", description="franco: delivered; loco: you fetch it at the hub")
    max_price_idr: Rupiah = Field(
        description="the most you pay per `price_unit`: delivered, or at the hub when loco", examples=[28400]
    )
    deliver_from: Day | None = Field(None, description="default: tomorrow")
    deliver_by: Day | None = Field(None, description="default: 14 days from today")
    min_remaining_shelf_life_days: Life = 0


class DemandPatch(PostingPatch):
    """What the owner may change of a demand."""

    max_price_idr: Rupiah = may_change(description="per `price_unit`")
    deliver_from: Day = may_change()
    deliver_by: Day = may_change()
    min_remaining_shelf_life_days: Life = may_change()


class DemandRenewal(Patch):
    """One tap: the price holds on, changed or not."""

    max_price_idr: Rupiah = may_change(description="per the `price_unit` it was posted in")
    price_valid_until: Day = may_change(description="default: 7 days from today")


class DemandBatch(Shape):
    """Up to 1,000 demands."""

    items: Annotated[list[dict[str, object]], Field(min_length=1, max_length=1000)]


class DemandAnswer(PostingAnswer):
    """A demand, for its owner and the hub."""

    min_grade: str
    delivery: Delivery
    max_price_idr: int = Field(description="the most it pays per base unit")
    deliver_from: date
    deliver_by: date
    min_remaining_shelf_life_days: int
    price_notes: list[PriceNote]
