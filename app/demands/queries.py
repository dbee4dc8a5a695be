"""Reading demands."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.demands.models import Demand
from app.kit.principal import Principal


def visible(principal: Principal) -> Select[Demand]:
    """Return the select of the caller's own demands; the hub's are all at its hub."""
    if principal.is_hub:
        return select(Demand).where(Demand.hub == principal.region)
    return select(Demand).where(Demand.organization_id == principal.organization_id)


def filtered(
    statement: Select[Demand],
    *,
    statuses: Sequence[str] = (),
    commodities: Sequence[str] = (),
    min_grades: Sequence[str] = (),
    regions: Sequence[str] = (),
    organizations: Sequence[UUID] = (),
    external_refs: Sequence[str] = (),
    deliver_from: date | None = None,
    deliver_by: date | None = None,
) -> Select[Demand]:
    """Narrow a select; a range keeps what may arrive on some day of it."""
    for column, values in (
        (Demand.status, statuses),
        (Demand.commodity, commodities),
        (Demand.min_grade, min_grades),
        (Demand.region, regions),
        (Demand.organization_id, organizations),
        (Demand.external_ref, external_refs),
    ):
        if values:
            statement = statement.where(column.in_(values))
    if deliver_from is not None:
        statement = statement.where(Demand.deliver_by >= deliver_from)
    if deliver_by is not None:
        statement = statement.where(Demand.deliver_from <= deliver_by)
    return statement


#: what a clearing reads of a demand
_READ_BY_CLEARINGS = (
    Demand.id,
    Demand.organization_id,
    Demand.version,
    Demand.commodity,
    Demand.region,
    Demand.hub,
    Demand.quantity,
    Demand.min_quantity,
    Demand.min_grade,
    Demand.max_price_idr,
    Demand.delivery,
    Demand.deliver_from,
    Demand.deliver_by,
    Demand.min_remaining_shelf_life_days,
    Demand.price_valid_until,
    Demand.created_at,
    Demand.open_quantity,
)


async def open_in_pools(session: AsyncSession, commodities: Sequence[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what a clearing reads of the open demands of commodities as plain rows: they may be a million."""
    statement = select(*_READ_BY_CLEARINGS).where(Demand.status == "open", Demand.commodity.in_(commodities))
    return (await session.execute(statement.order_by(Demand.id))).all()


async def external_refs(session: AsyncSession, organization_id: UUID, refs: Sequence[str]) -> set[str]:
    """Return which of these external references an organisation has used."""
    statement = select(Demand.external_ref).where(
        Demand.organization_id == organization_id, Demand.external_ref.in_(refs)
    )
    return {ref for ref in await session.scalars(statement) if ref is not None}


async def past_until(session: AsyncSession, regions: Sequence[str], day: date) -> Sequence[Demand]:
    """Return the live demands of regions whose last day lies before a day, locked, oldest id first."""
    statement = (
        select(Demand)
        .where(Demand.status.in_(("open", "exhausted")), Demand.deliver_by < day, Demand.region.in_(regions))
        .order_by(Demand.id)
        .limit(1000)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()
