"""Reading regions and agreements."""

from collections.abc import Sequence

from sqlalchemy import Select, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.regions.models import Agreement, Region

#: the catalogue lies above regions: only the name of its table is known here, as a foreign key would know it
_COMMODITIES = table("commodities", column("code"))


def regions(*, roles: Sequence[str] = (), hubs: Sequence[str] = ()) -> Select[Region]:
    """Return the select of regions with any of these roles, at any of these hubs."""
    statement = select(Region)
    if roles:
        statement = statement.where(Region.role.in_(roles))
    if hubs:
        statement = statement.where(Region.hub.in_(hubs))
    return statement


def agreements(
    *, hubs: Sequence[str] = (), regions: Sequence[str] = (), statuses: Sequence[str] = ()
) -> Select[Agreement]:
    """Return the select of agreements between any of these hubs and regions, in any of these states."""
    statement = select(Agreement)
    if hubs:
        statement = statement.where(Agreement.hub.in_(hubs))
    if regions:
        statement = statement.where(Agreement.region.in_(regions))
    if statuses:
        statement = statement.where(Agreement.status.in_(statuses))
    return statement


async def all_regions(session: AsyncSession) -> dict[str, Region]:
    """Return all regions by code."""
    return {region.code: region for region in await session.scalars(select(Region))}


async def agreements_in_force(session: AsyncSession) -> Sequence[Agreement]:
    """Return the agreements that open trade; their days are the caller's to compare."""
    return (await session.scalars(agreements(statuses=["in_force"]))).all()


async def known_commodities(session: AsyncSession, codes: Sequence[str]) -> set[str]:
    """Return which of these codes are commodities."""
    return set(await session.scalars(select(_COMMODITIES.c.code).where(_COMMODITIES.c.code.in_(codes))))
