"""Reading the catalogue."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from app.catalog.models import Commodity, PriceReference
from app.catalog.rules import CommodityFacts, Reference, RegionFacts, RegulatedPrice, UnitFacts
from app.kit.problems import NotFound
from app.regions.models import Region
from app.regions.queries import all_regions

_WHOLE = (selectinload(Commodity.grades), selectinload(Commodity.units))


def commodities(*, categories: Sequence[str] = ()) -> Select[Commodity]:
    """Return the select of commodities, with grades and units, of any of these categories."""
    statement = select(Commodity).options(*_WHOLE)
    return statement.where(Commodity.category.in_(categories)) if categories else statement


async def commodity(session: AsyncSession, code: str) -> Commodity:
    """Return one commodity with grades and units. Raises NotFound (404)."""
    found = await session.scalar(select(Commodity).where(Commodity.code == code).options(*_WHOLE))
    if found is None:
        raise NotFound
    return found


def price_references(
    *, commodities: Sequence[str] = (), regions: Sequence[str] = (), kinds: Sequence[str] = (), on: date | None = None
) -> Select[PriceReference]:
    """Return the select of price references by commodity, region, kind, and the day on which they hold."""
    statement = select(PriceReference)
    if commodities:
        statement = statement.where(PriceReference.commodity.in_(commodities))
    if regions:
        statement = statement.where(PriceReference.region.in_(regions))
    if kinds:
        statement = statement.where(PriceReference.kind.in_(kinds))
    if on is not None:
        holds = or_(PriceReference.valid_until.is_(None), PriceReference.valid_until >= on)
        statement = statement.where(PriceReference.valid_from <= on, holds)
    return statement


async def reference(session: AsyncSession) -> Reference:
    """Return the reference data that every post is read against."""
    regulated: dict[str, list[RegulatedPrice]] = defaultdict(list)
    for row in await session.scalars(price_references(kinds=["het", "hpp", "hap"]).order_by(PriceReference.id)):
        regulated[row.commodity].append(
            RegulatedPrice(
                row.kind,
                row.level,
                row.grade,
                row.price_zone,
                row.min_idr,
                row.max_idr,
                row.valid_from,
                row.valid_until,
            )
        )
    return Reference(
        commodities={row.code: facts(row) for row in await session.scalars(commodities())},
        regions={code: _region(row) for code, row in (await all_regions(session)).items()},
        regulated={code: tuple(prices) for code, prices in regulated.items()},
    )


def _region(row: Region) -> RegionFacts:
    return RegionFacts(
        code=row.code,
        name=row.name,
        timezone=row.timezone,
        price_zone=row.price_zone,
        hub=row.hub,
        trades_as=row.trades_as,
        collection_idr_per_kg=row.collection_idr_per_kg,
        collection_days=row.collection_days,
    )


def facts(row: Commodity) -> CommodityFacts:
    """Return what posting and clearing need to know of a commodity."""
    ambient = row.shelf_life_ambient_days
    return CommodityFacts(
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        base_unit=row.base_unit,
        unit_weight_g=row.unit_weight_g,
        grades_substitute=row.grades_substitute,
        grades={grade.code: grade.rank for grade in row.grades},
        units={unit.code: UnitFacts(unit.base_quantity, unit.fixed) for unit in row.units},
        ambient_days=ambient,
        chilled_days=ambient if row.shelf_life_chilled_days is None else row.shelf_life_chilled_days,
    )
