"""HTTP of commodities and price references."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.catalog import queries, service
from app.catalog.models import Commodity, PriceReference
from app.catalog.rules import Reference, shown
from app.catalog.schemas import (
    CommodityAnswer,
    GradeAnswer,
    Kind,
    PriceReferenceAnswer,
    PriceReferenceDraft,
    PriceReferencePatch,
    ShelfLife,
    UnitAnswer,
)
from app.kit.auth import HubOrObserver
from app.kit.clock import local_day
from app.kit.http import CHANGES, CREATES, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, sort_key
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.validation import Day

api = router("catalog")

COMMODITY_SORT = {"code": SortKey(Commodity.code, str), "name": SortKey(Commodity.name, str)}
PRICE_SORT = {"valid_from": SortKey(PriceReference.valid_from, day)}


async def reference_data(request: Request, session: Session) -> Reference:
    """Return the reference data, kept a few seconds in this process."""
    reference: Reference = await request.app.state.hub.reference.get(lambda: queries.reference(session))
    return reference


ReferenceData = Annotated[Reference, Depends(reference_data, scope="function")]


@api.get("/commodities", responses=documented())
async def list_commodities(
    session: Session,
    page: Page,
    category: Annotated[list[str] | None, Query(max_length=20)] = None,
    sort: str = "code",
) -> Listed[CommodityAnswer]:
    """List what is traded, with grades and units."""
    key, descending = sort_key(sort, COMMODITY_SORT)
    statement = queries.commodities(categories=category or ())
    found, following = await fetch_page(
        session, statement, page, key=key, descending=descending, tie=Commodity.code, parse_tie=str
    )
    return Listed(items=[_commodity(commodity) for commodity in found], next=following)


@api.get("/commodities/{code}", responses=documented(NotFound))
async def get_commodity(session: Session, code: str) -> CommodityAnswer:
    """Read one commodity with grades and units."""
    return _commodity(await queries.commodity(session, code))


@api.get("/price-references", responses=documented())
async def list_price_references(
    session: Session,
    page: Page,
    commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
    region: Annotated[list[str] | None, Query(max_length=50)] = None,
    kind: Annotated[list[Kind] | None, Query(max_length=10)] = None,
    on: Annotated[Day | None, Query(description="holds on this day")] = None,
    sort: str = "-valid_from",
) -> Listed[PriceReferenceAnswer]:
    """List ceilings, floors, references and observed prices."""
    key, descending = sort_key(sort, PRICE_SORT)
    statement = queries.price_references(commodities=commodity or (), regions=region or (), kinds=kind or (), on=on)
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=PriceReference.id)
    return Listed(items=[PriceReferenceAnswer.model_validate(price) for price in found], next=following)


@api.post("/price-references", status_code=201, responses=documented(*CREATES))
async def post_price_reference(
    request: Request,
    session: Session,
    principal: HubOrObserver,
    draft: PriceReferenceDraft,
    reference: ReferenceData,
    response: Response,
    now: Now,
) -> PriceReferenceAnswer:
    """Post a price: observers the observed prices of their region, the hub any."""
    today = local_day(now, reference.regions[principal.region].timezone)
    price = await service.post_price(session, principal=principal, values=draft.model_dump(), now=now, today=today)
    request.app.state.hub.reference.forget()
    response.headers["etag"] = etag(price.version)
    return PriceReferenceAnswer.model_validate(price)


@api.patch("/price-references/{price_id}", responses=documented(*CHANGES))
async def change_price_reference(
    request: Request,
    session: Session,
    principal: HubOrObserver,
    price_id: UUID,
    patch: PriceReferencePatch,
    response: Response,
    if_match: IfMatch = None,
) -> PriceReferenceAnswer:
    """Change a price that you posted."""
    price = await service.change_price(
        session,
        principal=principal,
        price_id=price_id,
        version=expected_version(if_match),
        changes=patch.changes(),
    )
    request.app.state.hub.reference.forget()
    response.headers["etag"] = etag(price.version)
    return PriceReferenceAnswer.model_validate(price)


def _commodity(row: Commodity) -> CommodityAnswer:
    return CommodityAnswer(
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        category=row.category,
        hs_code=row.hs_code,
        base_unit=row.base_unit,
        unit_weight_g=row.unit_weight_g,
        grades_substitute=row.grades_substitute,
        grades=[GradeAnswer.model_validate(grade) for grade in row.grades],
        units=[
            UnitAnswer(code=unit.code, name=unit.name, base_quantity=shown(unit.base_quantity), fixed=unit.fixed)
            for unit in row.units
        ],
        shelf_life_days=ShelfLife(ambient=row.shelf_life_ambient_days, chilled=row.shelf_life_chilled_days),
        cold_storage=row.cold_storage,
        required_papers=row.required_papers,
        source=row.source,
    )
