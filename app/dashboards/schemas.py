"""Shapes of dashboards: tidy rows, codes with their names."""

from datetime import date, datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

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
        "on_the_road",
        "late_orders",
        "open_disputes",
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


class PriceHistoryRow(BaseModel):
    """A band of prices, rupiah per base unit: of daily averages in trade, or of references seen (observed) or set.

    A set price stands on the first day of the period on which it holds; null grade, region or zone: it holds for all.
    """

    on: date
    commodity: str
    commodity_name: str
    grade: str | None
    region: str | None
    region_name: str | None
    price_zone: int | None
    kind: Literal["trade", "observed", "het", "hpp", "hap"]
    level: str
    low_idr: int
    average_idr: int
    high_idr: int
    quantity_kg: int | None


class FreshnessRow(BaseModel):
    """Stock by the day from which it can leave; days are averages by weight, below 0 where the last day is over."""

    on: date
    commodity: str
    commodity_name: str
    grade: str
    region: str
    region_name: str
    stage: str
    quantity_kg: int
    at_risk_kg: int = Field(description="a third of its shelf life is left, or less")
    age_days: int
    shelf_life_days: int
    remaining_days: int


class LaneRow(BaseModel):
    """Departures of a lane by the day they arrive: room, what they carry, what it costs."""

    on: date
    lane: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    stage: str
    departures: int
    full_departures: int
    capacity_kg: int
    carried_kg: int
    free_kg: int = Field(description="not booked, whatever stage and commodity")
    freight_idr: int
    scarcity_idr: int


class DataQualityRow(BaseModel):
    """Records of one kind, and those that lack what the check is about."""

    on: date
    check: Literal[
        "stock_has_its_papers",
        "stock_holds_its_price",
        "need_holds_its_price",
        "need_has_a_household_figure",
        "trade_has_a_farm_gate_reference",
        "trade_has_a_city_reference",
    ]
    commodity: str
    commodity_name: str
    region: str
    region_name: str
    records: int
    missing: int
    missing_permille: int


class ServiceLevelRow(BaseModel):
    """How orders kept what was promised for a day: once it is over, or they have arrived."""

    on: date
    commodity: str
    commodity_name: str
    region: str
    region_name: str
    party: UUID | None = Field(description="for the hub, by buyer or producer; null by city")
    party_name: str | None
    orders: int
    on_time: int = Field(description="all of it arrived by the promised day")
    late: int
    on_time_permille: int
    ordered_kg: int
    accepted_kg: int = Field(description="weighed on arrival, neither broken nor refused")
    broken_kg: int
    refused_kg: int
    fill_permille: int | None


class BenefitRow(BaseModel):
    """What trade brings both ends against the references of its day; null where there is none.

    farmer gain + collection + freight + scarcity + city saving = value at the city's reference - at the farm gate's.
    The quantity is what the stage counts, ordered or received: what was lost on the way stands in bills, not here.
    """

    on: date
    commodity: str
    commodity_name: str
    region: str
    region_name: str
    stage: str
    quantity_kg: int
    farm_gate_kind: str | None = Field(description="observed, or hpp or hap where nothing was seen in time")
    farm_gate_level: str | None
    farm_gate_reference: UUID | None = Field(description="id of the price reference")
    farm_gate_price_idr: int | None = Field(description="its upper end, so that no gain is flattered")
    city_kind: str | None
    city_level: str | None
    city_reference: UUID | None
    city_price_idr: int | None = Field(description="its lower end, so that no saving is flattered")
    farm_gate_idr: int | None
    farmer_gain_idr: int | None
    producers_idr: int
    collection_idr: int
    freight_idr: int
    scarcity_idr: int = Field(description="paid to the producers loaded")
    delivered_idr: int
    city_saving_idr: int | None
    city_idr: int | None
