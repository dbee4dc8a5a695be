"""Shapes of regions and agreements."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Code, Day, Line, Note, Patch, Shape, Whole, may_change

AgreementStatus = Literal["in_force", "suspended", "ended"]


class RegionAnswer(Answer):
    """A city, regency or province."""

    code: str = Field(examples=["35.05"])
    bps_code: str
    name: str = Field(examples=["Kabupaten Blitar"])
    level: str
    province: str
    island: str
    timezone: str = Field(examples=["Asia/Jakarta"])
    latitude: float
    longitude: float
    population: int
    price_zone: int
    role: str = Field(examples=["producer"])
    hub: str | None = Field(examples=["35.72"])
    trades_as: str
    collection_idr_per_kg: int
    collection_days: int
    note: str | None
    source: str
    version: int


class RegionPatch(Patch):
    """What the hub may change of a region."""

    hub: Code | None = may_change(description="the hub that gathers its supply; null takes it out")
    collection_idr_per_kg: Annotated[Whole, Field(ge=0, le=100_000)] = may_change()
    collection_days: Annotated[Whole, Field(ge=0, le=30)] = may_change()
    note: Note | None = may_change()


class AgreementAnswer(Answer):
    """An agreement between the hub and a region."""

    id: UUID
    code: str | None
    hub: str
    region: str
    instrument: str = Field(examples=["MoU"])
    signed_on: date
    valid_until: date | None
    commodities: list[str] | None = Field(description="null opens all commodities")
    status: AgreementStatus
    note: str | None
    source: str
    version: int


class AgreementDraft(Shape):
    """A new agreement."""

    region: Code = Field(examples=["35.71"])
    instrument: Line = Field(examples=["PKS"])
    signed_on: Day
    valid_until: Day | None = None
    commodities: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = None
    status: AgreementStatus = "in_force"
    note: Note | None = None
    source: Line = "hub"


class AgreementPatch(Patch):
    """What the hub may change of an agreement."""

    instrument: Line = may_change()
    signed_on: Day = may_change()
    valid_until: Day | None = may_change()
    commodities: Annotated[list[Code], Field(min_length=1, max_length=200)] | None = may_change()
    status: AgreementStatus = may_change()
    note: Note | None = may_change()
    source: Line = may_change()
