"""Reading what the scenario needs to know."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.parties.models import Organization


async def has_organizations(session: AsyncSession) -> bool:
    """Tell whether anybody is registered."""
    return bool(await session.scalar(select(exists(select(Organization.id)))))


async def hub_organization(session: AsyncSession) -> Organization:
    """Return the hub's own organisation, the first that was registered."""
    statement = select(Organization).where(Organization.role == "hub").order_by(Organization.id).limit(1)
    return (await session.scalars(statement)).one()
