"""What is posted, field by field: the same names as in the contract, so that an editor completes them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, Required, TypedDict
from uuid import UUID

#: a whole or decimal number, never a float that only looks like one
Number = int | Decimal | str


class _Posting(TypedDict, total=False):
    organization: UUID | str
    commodity: Required[str]
    region: str
    quantity: Required[Number]
    unit: Required[str]
    unit_base_quantity: Number
    price_unit: str
    min_quantity: Number
    price_valid_until: date | None
    external_ref: str | None
    note: str | None


class ListingFields(_Posting, total=False):
    """A new listing: commodity, grade, quantity, unit and price are enough."""

    grade: Required[str]
    price_idr: Required[int]
    available_from: date
    available_until: date
    best_before: date
    best_before_chilled: date
    papers: Mapping[str, str]


class DemandFields(_Posting, total=False):
    """A new demand: commodity, lowest grade, quantity, unit and highest price are enough."""

    min_grade: Required[str]
    delivery: Literal["franco", "loco"]
    max_price_idr: Required[int]
    deliver_from: date
    deliver_by: date
    min_remaining_shelf_life_days: int


class _PostingChanges(TypedDict, total=False):
    quantity: Number
    unit: str
    unit_base_quantity: Number | None
    price_unit: str
    min_quantity: Number
    price_valid_until: date | None
    external_ref: str | None
    note: str | None


class ListingChanges(_PostingChanges, total=False):
    """What the owner may change of a listing."""

    price_idr: int
    available_from: date
    available_until: date
    best_before: date
    best_before_chilled: date
    papers: Mapping[str, str]


class DemandChanges(_PostingChanges, total=False):
    """What the owner may change of a demand."""

    max_price_idr: int
    deliver_from: date
    deliver_by: date
    min_remaining_shelf_life_days: int
