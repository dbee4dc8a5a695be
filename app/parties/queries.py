"""Reading organisations and keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.parties.models import ApiKey, Organization


def organizations(
    *, hub: str, roles: Sequence[str] = (), regions: Sequence[str] = (), statuses: Sequence[str] = ()
) -> Select[Organization]:
    """Return the select of a hub's organisations by role, region and status."""
    statement = select(Organization).where(Organization.hub == hub)
    if roles:
        statement = statement.where(Organization.role.in_(roles))
    if regions:
        statement = statement.where(Organization.region.in_(regions))
    if statuses:
        statement = statement.where(Organization.status.in_(statuses))
    return statement


async def by_ids(session: AsyncSession, ids: Iterable[UUID]) -> dict[UUID, Organization]:
    """Return organisations by id."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    found = await session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {organization.id: organization for organization in found}


async def key_and_owner(session: AsyncSession, prefix: str) -> Row[*tuple[Any, ...]] | None:
    """Return what authentication needs of the key with this prefix and its organisation."""
    statement = (
        select(
            ApiKey.id,
            ApiKey.hash,
            ApiKey.expires_at,
            ApiKey.revoked_at,
            ApiKey.last_used_at,
            Organization.id.label("organization_id"),
            Organization.role,
            Organization.region,
            Organization.hub,
            Organization.status,
        )
        .join(Organization, Organization.id == ApiKey.organization_id)
        .where(ApiKey.prefix == prefix)
    )
    return (await session.execute(statement)).one_or_none()


def keys_of(organization_id: UUID) -> Select[ApiKey]:
    """Return the select of an organisation's keys."""
    return select(ApiKey).where(ApiKey.organization_id == organization_id)


async def live_keys(session: AsyncSession, organization_id: UUID, now: datetime) -> int:
    """Return how many keys of an organisation still open something."""
    live = (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    statement = select(func.count()).select_from(ApiKey).where(ApiKey.organization_id == organization_id, *live)
    return await session.scalar(statement) or 0
