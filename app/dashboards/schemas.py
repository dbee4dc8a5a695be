"""Shapes of dashboards: tidy rows, codes with their names."""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

RowType = TypeVar("RowType", bound=BaseModel)


class PeriodAnswer(BaseModel):
    """Days, both included."""

    model_config = ConfigDict(validate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="until")


class Meta(BaseModel):
    """What the rows are about; `generated_at` is when anything last changed, so that polling gets 304 until then."""

    period: PeriodAnswer
    timezone: str
    generated_at: datetime | None
    units: dict[str, str]
    source: str


class Dashboard(BaseModel, Generic[RowType]):
    """One dashboard."""

    meta: Meta
    items: list[RowType]


class SummaryRow(BaseModel):
    """One figure, and the same over the period of equal length before; null where there is none."""

    metric: Literal[
        "traded_value",
        "producers_value",
        "traded_quantity",
        "trades",
        "fill_rate",
        "open_listings",
        "open_demands",
        "unanswered_proposals",
    ]
    value: int | None
    unit: Literal["IDR", "kg", "permille", "count"]
    previous: int | None


class BalanceRow(BaseModel):
    """Supply of a region, need of a region and what of it is matched, kilograms in a week."""

    week: date
    commodity: str
    commodity_name: str
    region: str
    region_name: str
    supply: int
    demand: int
    matched: int
    uncovered: int
    household_need: int | None


class PriceRow(BaseModel):
    """Average prices of a commodity and grade in a city, rupiah per base unit, beside the consumer's reference."""

    on: date
    commodity: str
    commodity_name: str
    grade: str
    region: str
    region_name: str
    producer_idr: int
    delivered_idr: int
    reference_min_idr: int | None
    reference_max_idr: int | None


class FlowRow(BaseModel):
    """What goes from a hub to a city over a lane; no lane where buyers fetch."""

    on: date
    commodity: str
    commodity_name: str
    grade: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    lane: str | None
    stage: str
    quantity_kg: int
    value_idr: int
    orders: int
