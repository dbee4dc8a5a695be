"""Shapes of commodities and price references."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Code, Day, Line, Note, Patch, Shape, Whole, may_change

Kind = Literal["het", "hpp", "hap", "observed"]
Level = Literal["farm_gate", "producer", "mill", "bulog_store", "wholesale", "retail", "consumer", "delivered"]
Price = Annotated[Whole, Field(ge=1, le=100_000_000)]


class GradeAnswer(Answer):
    """A quality; rank 1 is best."""

    code: str
    rank: int
    scheme: str


class UnitAnswer(Answer):
    """A unit people trade in."""

    code: str
    name: str
    base_quantity: str = Field(description="base units, decimal")
    fixed: bool = Field(description="by law; otherwise a listing may state its own package weight")


class ShelfLife(Answer):
    """Days of shelf life."""

    ambient: int
    chilled: int | None


class CommodityAnswer(Answer):
    """A good that is traded."""

    code: str = Field(examples=["telur-ayam-ras"])
    name: str
    name_en: str
    category: str
    hs_code: str | None
    base_unit: str
    unit_weight_g: int
    grades_substitute: bool
    grades: list[GradeAnswer]
    units: list[UnitAnswer]
    shelf_life_days: ShelfLife
    cold_storage: str | None
    required_papers: str | None
    source: str


class PriceReferenceAnswer(Answer):
    """A ceiling, floor, reference or observed price per base unit."""

    id: UUID
    commodity: str
    grade: str | None
    kind: Kind
    level: Level
    region: str | None
    price_zone: int | None
    min_idr: int
    max_idr: int
    valid_from: date
    valid_until: date | None
    place: str | None
    regulation: str | None
    note: str | None
    source: str
    version: int


class PriceReferenceDraft(Shape):
    """A new price reference; observers post observed prices of their own region."""

    commodity: Code = Field(examples=["telur-ayam-ras"])
    grade: Code | None = None
    kind: Kind = "observed"
    level: Level = "retail"
    region: Code | None = Field(None, description="default: the region of who posts it, where kind is observed")
    price_zone: Annotated[Whole, Field(ge=1, le=3)] | None = None
    min_idr: Price
    max_idr: Price | None = Field(None, description="default: min_idr")
    valid_from: Day | None = Field(None, description="default: today")
    valid_until: Day | None = Field(None, description="default: valid_from where kind is observed")
    place: Line | None = None
    regulation: Line | None = None
    note: Note | None = None
    source: Line = Field(examples=["survei Pasar Pon"])


class PriceReferencePatch(Patch):
    """What may be changed of a price reference."""

    min_idr: Price = may_change()
    max_idr: Price = may_change()
    valid_from: Day = may_change()
    valid_until: Day | None = may_change()
    place: Line | None = may_change()
    regulation: Line | None = may_change()
    note: Note | None = may_change()
    source: Line = may_change()


class PriceNote(Answer):
    """Where a price stands against a regulated one; it warns, it never blocks."""

    kind: Kind
    level: Level
    min_idr: int
    max_idr: int
    position: Literal["below", "at", "within", "above"]
