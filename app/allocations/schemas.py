"""Shapes that listings and demands share."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Code, Day, Line, Note, Patch, Quantity, Shape, may_change

State = Literal["open", "exhausted", "expired", "withdrawn"]
ExternalRef = Annotated[Line, Field(max_length=100)]


class PostingDraft(Shape):
    """What a new listing and a new demand have in common."""

    organization: UUID | None = Field(None, description="the hub names whom it acts for")
    commodity: Code = Field(examples=["telur-ayam-ras"])
    region: Code | None = Field(None, description="default: the organisation's", examples=["35.05"])
    quantity: Quantity = Field(examples=[400])
    unit: Code = Field(examples=["peti-15"])
    unit_base_quantity: Quantity | None = Field(
        None, description="own package weight in base units, where the unit is a trade habit"
    )
    price_unit: Code | None = Field(None, description="default: `unit` for packages, else the base unit")
    min_quantity: Quantity | None = Field(None, description="smallest fill in `unit`; default one base unit")
    price_valid_until: Day | None = Field(None, description="last day on which the price holds")
    external_ref: ExternalRef | None = Field(None, description="your own number; unique in your organisation")
    note: Note | None = None


class PostingPatch(Patch):
    """What the owner of a listing or demand may change in common."""

    quantity: Quantity = may_change(description="in `unit`; not below what is matched")
    unit: Code = may_change()
    unit_base_quantity: Quantity | None = may_change()
    price_unit: Code = may_change()
    min_quantity: Quantity = may_change(description="in `unit`")
    price_valid_until: Day | None = may_change()
    external_ref: ExternalRef | None = may_change()
    note: Note | None = may_change()


class Entered(Answer):
    """Quantity and price as typed."""

    quantity: str
    unit: str
    price_idr: int
    price_unit: str


class PostingAnswer(Answer):
    """What an answered listing and demand have in common; quantities in `unit`, the base unit."""

    id: UUID
    status: State
    organization: UUID
    commodity: str
    region: str
    hub: str
    unit: str
    quantity: int
    open_quantity: int
    proposed_quantity: int
    ordered_quantity: int
    withdrawn_quantity: int
    min_quantity: int
    entered: Entered
    price_valid_until: date | None
    external_ref: str | None
    note: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class BatchAnswer(Answer):
    """One result per item, in order."""

    items: list[dict[str, Any]] = Field(
        description="`{index, status: 201, id}` or `{index, status, problem}` with a problem document"
    )
