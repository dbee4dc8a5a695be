"""HTTP of dashboards: public, from any origin, as JSON or CSV."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from app.catalog.errors import unknown_commodity
from app.catalog.router import ReferenceData
from app.dashboards import queries, service
from app.dashboards.rules import Granularity, Kept, Stage, hub_timezone, period_of, shown_timezone
from app.dashboards.schemas import (
    BalanceRow,
    BenefitRow,
    Dashboard,
    DataQualityRow,
    FlowRow,
    FreshnessRow,
    LaneRow,
    Meta,
    PeriodAnswer,
    PriceHistoryRow,
    PriceRow,
    ServiceLevelRow,
    SummaryRow,
)
from app.dashboards.service import Asked
from app.kit.auth import Credentials, SessionToken, caller
from app.kit.clock import local_day
from app.kit.http import KEYED, documented, router
from app.kit.problems import Forbidden
from app.kit.sessions import Now, Session
from app.kit.spreadsheet import CSV as CSV_TYPE
from app.kit.spreadsheet import CsvFile
from app.kit.validation import Day
from app.regions.errors import unknown_region

api = router("dashboards")

SOURCE = "Blitar Trade Center: clearing runs, listings and demands; price references of Bapanas"
Row = TypeVar("Row", bound=BaseModel)
Read = Callable[[Session, Asked], Awaitable[Sequence[dict[str, Any]]]]


class View:
    """What is asked for, and how it is to be written."""

    def __init__(
        self,
        reference: ReferenceData,
        now: Now,
        region: Annotated[
            list[str] | None,
            Query(max_length=50, description="either end of a trade; a city's part stands for the city"),
        ] = None,
        commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
        from_: Annotated[
            Day | None, Query(alias="from", description="default: 28 days ago, or 63 before until")
        ] = None,
        until: Annotated[Day | None, Query(description="default: 35 days ahead, or 63 after from")] = None,
        stage: Stage = Stage.PROPOSED,
        file_format: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
        dialect: Annotated[Literal["plain", "excel-id"], Query(description="excel-id: semicolons")] = "plain",
    ) -> None:
        """Read the parameters that all dashboards share. Raises Invalid (422) for unknown codes and bad periods."""
        for code in commodity or ():
            if code not in reference.commodities:
                raise unknown_commodity("commodity", code)
        for code in region or ():
            if code not in reference.regions:
                raise unknown_region("region", code)
        self.timezone = shown_timezone(reference, region)
        self.today = local_day(now, hub_timezone(reference))
        self.period = period_of(from_, until, today=self.today)
        self.regions = [reference.regions[code].trades_as for code in region] if region else None
        self.stage, self.commodities = stage, commodity
        self.is_csv, self.semicolons = file_format == "csv", dialect == "excel-id"

    def asked(self, granularity: Granularity) -> Asked:
        """Return what the service is asked for."""
        return Asked(self.period, granularity, self.stage, self.commodities, self.regions, self.today)


Shared = Annotated[View, Depends(View, scope="function")]
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


async def _answer(
    session: Session, view: View, read: Read, granularity: Granularity, shape: type[Row], units: dict[str, str]
) -> Response | Dashboard[Row]:
    # told before the rows are read, so that they hold every change until then
    changed_at = await queries.last_change(session)
    rows = await read(session, view.asked(granularity))
    if view.is_csv:
        file = CsvFile(list(shape.model_fields), semicolons=view.semicolons)
        file.write([row[name] for name in shape.model_fields] for row in rows)
        with file.finish() as content:
            content.seek(0)
            return Response(content.read(), media_type=CSV_TYPE)
    meta = Meta(
        period=PeriodAnswer(first=view.period.first, last=view.period.last),
        timezone=view.timezone,
        generated_at=changed_at,
        units=units,
        source=SOURCE,
    )
    return Dashboard[shape](meta=meta, items=[shape.model_validate(row) for row in rows])  # type: ignore[valid-type]


@api.get("/dashboard/summary", responses={**documented(), **CSV}, response_model=Dashboard[SummaryRow])
async def get_summary(session: Session, view: Shared, granularity: Granularity = Granularity.WEEK) -> Any:
    """Tell value, quantity and fill rate of a period against the one before, and what stands open."""
    units = {"value": "see unit", "previous": "see unit"}
    return await _answer(session, view, service.summary, granularity, SummaryRow, units)


@api.get("/dashboard/balance", responses={**documented(), **CSV}, response_model=Dashboard[BalanceRow])
async def get_balance(session: Session, view: Shared, granularity: Granularity = Granularity.WEEK) -> Any:
    """Set supply against need by commodity, region and week: what is uncovered, and what households need."""
    units = dict.fromkeys(("supply", "demand", "matched", "uncovered"), "kg") | {"household_need": "kg a week"}
    return await _answer(session, view, service.balance, granularity, BalanceRow, units)


@api.get("/dashboard/prices", responses={**documented(), **CSV}, response_model=Dashboard[PriceRow])
async def get_prices(session: Session, view: Shared, granularity: Granularity = Granularity.DAY) -> Any:
    """Tell what producers get and cities pay by commodity, grade and day, beside the consumer's reference."""
    columns = ("producer_idr", "delivered_idr", "reference_min_idr", "reference_max_idr")
    units = dict.fromkeys(columns, "IDR per base unit")
    return await _answer(session, view, service.prices, granularity, PriceRow, units)


@api.get("/dashboard/flows", responses={**documented(), **CSV}, response_model=Dashboard[FlowRow])
async def get_flows(session: Session, view: Shared, granularity: Granularity = Granularity.DAY) -> Any:
    """Tell what goes from the hub to each city, by commodity, lane and day."""
    units = {"quantity_kg": "kg", "value_idr": "IDR delivered", "orders": "matches"}
    return await _answer(session, view, service.flows, granularity, FlowRow, units)


@api.get("/dashboard/prices-history", responses={**documented(), **CSV}, response_model=Dashboard[PriceHistoryRow])
async def get_prices_history(session: Session, view: Shared, granularity: Granularity = Granularity.WEEK) -> Any:
    """Tell how prices went: bands of what was traded, beside prices seen on markets and set by the state."""
    columns = ("low_idr", "average_idr", "high_idr")
    units = dict.fromkeys(columns, "IDR per base unit") | {"quantity_kg": "kg"}
    return await _answer(session, view, service.prices_history, granularity, PriceHistoryRow, units)


@api.get("/dashboard/freshness", responses={**documented(), **CSV}, response_model=Dashboard[FreshnessRow])
async def get_freshness(session: Session, view: Shared, granularity: Granularity = Granularity.DAY) -> Any:
    """Tell the age of stock against its shelf life, and how much of it is at risk."""
    units = dict.fromkeys(("quantity_kg", "at_risk_kg"), "kg")
    units |= dict.fromkeys(("age_days", "shelf_life_days", "remaining_days"), "days")
    return await _answer(session, view, service.freshness, granularity, FreshnessRow, units)


@api.get("/dashboard/lanes", responses={**documented(), **CSV}, response_model=Dashboard[LaneRow])
async def get_lanes(session: Session, view: Shared, granularity: Granularity = Granularity.DAY) -> Any:
    """Tell how full departures are, by lane and day."""
    units = dict.fromkeys(("departures", "full_departures"), "departures")
    units |= dict.fromkeys(("capacity_kg", "carried_kg", "free_kg"), "kg")
    units |= dict.fromkeys(("freight_idr", "scarcity_idr"), "IDR")
    return await _answer(session, view, service.lanes, granularity, LaneRow, units)


async def whose_promises(
    request: Request,
    session: Session,
    credentials: Credentials,
    token: SessionToken,
    by: Annotated[Kept, Query(description="buyer and producer: for the hub only")] = Kept.CITY,
) -> tuple[Kept, str | None]:
    """Return by whom promises are told and, where parties are named, the hub whose they are.

    Raises what `caller` raises, Forbidden (403) for anybody but the hub, only where parties are asked for.
    """
    if by is Kept.CITY:
        return by, None
    principal = await caller(request, session, credentials, token)
    if not principal.is_hub:
        raise Forbidden
    return by, principal.region


@api.get(
    "/dashboard/service-level",
    responses={**documented(*KEYED), **CSV},
    response_model=Dashboard[ServiceLevelRow],
    openapi_extra={"security": [{}]},
)
async def get_service_level(
    session: Session,
    view: Shared,
    whose: Annotated[tuple[Kept, str | None], Depends(whose_promises, scope="function")],
    granularity: Granularity = Granularity.WEEK,
) -> Any:
    """Tell how much of what was promised for a day arrived, and on time: by city, for the hub also by party."""
    by, hub = whose
    units = dict.fromkeys(("orders", "on_time", "late"), "orders")
    units |= dict.fromkeys(("ordered_kg", "accepted_kg", "broken_kg", "refused_kg"), "kg")
    units |= dict.fromkeys(("on_time_permille", "fill_permille"), "permille")
    read = partial(service.service_level, by=by, hub=hub)
    return await _answer(session, view, read, granularity, ServiceLevelRow, units)


@api.get("/dashboard/benefit", responses={**documented(), **CSV}, response_model=Dashboard[BenefitRow])
async def get_benefit(session: Session, view: Shared, granularity: Granularity = Granularity.WEEK) -> Any:
    """Tell what farmers gain and cities save against the references of the day; it adds up to the rupiah."""
    units = dict.fromkeys((name for name in BenefitRow.model_fields if name.endswith("_idr")), "IDR")
    units |= dict.fromkeys(("farm_gate_price_idr", "city_price_idr"), "IDR per base unit") | {"quantity_kg": "kg"}
    return await _answer(session, view, service.benefit, granularity, BenefitRow, units)


@api.get("/dashboard/data-quality", responses={**documented(), **CSV}, response_model=Dashboard[DataQualityRow])
async def get_data_quality(session: Session, view: Shared, granularity: Granularity = Granularity.WEEK) -> Any:
    """Tell what the figures rest on: records by check, and those that lack papers, a price that holds, a reference."""
    units = {"records": "records", "missing": "records", "missing_permille": "permille"}
    return await _answer(session, view, service.data_quality, granularity, DataQualityRow, units)
