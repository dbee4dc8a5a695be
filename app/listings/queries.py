"""Reading listings."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.principal import Principal
from app.listings.models import Listing


def visible(principal: Principal) -> Select[Listing]:
    """Return the select of the caller's own listings; the hub's are all at its hub."""
    if principal.is_hub:
        return select(Listing).where(Listing.hub == principal.region)
    return select(Listing).where(Listing.organization_id == principal.organization_id)


def filtered(
    statement: Select[Listing],
    *,
    statuses: Sequence[str] = (),
    commodities: Sequence[str] = (),
    grades: Sequence[str] = (),
    regions: Sequence[str] = (),
    organizations: Sequence[UUID] = (),
    external_refs: Sequence[str] = (),
    available_from: date | None = None,
    available_until: date | None = None,
) -> Select[Listing]:
    """Narrow a select; a range keeps what is available on some day of it."""
    for column, values in (
        (Listing.status, statuses),
        (Listing.commodity, commodities),
        (Listing.grade, grades),
        (Listing.region, regions),
        (Listing.organization_id, organizations),
        (Listing.external_ref, external_refs),
    ):
        if values:
            statement = statement.where(column.in_(values))
    if available_from is not None:
        statement = statement.where(Listing.available_until >= available_from)
    if available_until is not None:
        statement = statement.where(Listing.available_from <= available_until)
    return statement


#: what a clearing reads of a listing
_READ_BY_CLEARINGS = (
    Listing.id,
    Listing.organization_id,
    Listing.version,
    Listing.commodity,
    Listing.region,
    Listing.hub,
    Listing.quantity,
    Listing.min_quantity,
    Listing.grade,
    Listing.price_idr,
    Listing.available_from,
    Listing.available_until,
    Listing.best_before,
    Listing.best_before_chilled,
    Listing.price_valid_until,
    Listing.created_at,
    Listing.open_quantity,
)


async def open_in_pools(session: AsyncSession, commodities: Sequence[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return what a clearing reads of the open listings of commodities as plain rows: they may be a million."""
    statement = select(*_READ_BY_CLEARINGS).where(Listing.status == "open", Listing.commodity.in_(commodities))
    return (await session.execute(statement.order_by(Listing.id))).all()


async def external_refs(session: AsyncSession, organization_id: UUID, refs: Sequence[str]) -> set[str]:
    """Return which of these external references an organisation has used."""
    statement = select(Listing.external_ref).where(
        Listing.organization_id == organization_id, Listing.external_ref.in_(refs)
    )
    return {ref for ref in await session.scalars(statement) if ref is not None}


async def past_until(session: AsyncSession, regions: Sequence[str], day: date) -> Sequence[Listing]:
    """Return the live listings of regions whose last day lies before a day, locked, oldest id first."""
    statement = (
        select(Listing)
        .where(Listing.status.in_(("open", "exhausted")), Listing.available_until < day, Listing.region.in_(regions))
        .order_by(Listing.id)
        .limit(1000)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()
