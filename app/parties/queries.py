"""Reading organisations and keys."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.problems import NotFound
from app.parties.models import ApiKey, BrowserSession, Organization

_KEYS, _OWNERS = ApiKey.__table__.c, Organization.__table__.c
_SESSIONS = BrowserSession.__table__.c


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


async def hubs_of(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the region code of each organisation's hub, by organisation."""
    statement = select(Organization.id, Organization.hub).where(Organization.id.in_(ids))
    return {row.id: row.hub for row in await session.execute(statement)}


#: built once: it runs before every request with a key
_KEY_AND_OWNER = (
    select(
        _KEYS.id,
        _KEYS.hash,
        _KEYS.expires_at,
        _KEYS.revoked_at,
        _KEYS.last_used_at,
        _OWNERS.id.label("organization_id"),
        _OWNERS.role,
        _OWNERS.region,
        _OWNERS.hub,
        _OWNERS.status,
    )
    .join_from(ApiKey.__table__, Organization.__table__, _OWNERS.id == _KEYS.organization_id)
    .where(_KEYS.prefix == bindparam("prefix"))
)


async def key_and_owner(session: AsyncSession, prefix: str) -> Row[*tuple[Any, ...]] | None:
    """Return what authentication needs of the key with this prefix and its organisation."""
    return (await session.execute(_KEY_AND_OWNER, {"prefix": prefix})).one_or_none()


#: built once: it runs before every request of a browser
_SESSION_AND_OWNER = (
    select(
        _SESSIONS.id,
        _SESSIONS.key_id,
        _SESSIONS.expires_at,
        _KEYS.expires_at.label("key_expires_at"),
        _KEYS.revoked_at.label("key_revoked_at"),
        _OWNERS.id.label("organization_id"),
        _OWNERS.role,
        _OWNERS.region,
        _OWNERS.hub,
        _OWNERS.status,
    )
    .join_from(BrowserSession.__table__, Organization.__table__, _OWNERS.id == _SESSIONS.organization_id)
    .outerjoin(ApiKey.__table__, _KEYS.id == _SESSIONS.key_id)
    .where(_SESSIONS.hash == bindparam("hash"))
)


async def session_and_owner(session: AsyncSession, token_hash: bytes) -> Row[*tuple[Any, ...]] | None:
    """Return what authentication needs of the browser's session with this token, its key and its organisation."""
    return (await session.execute(_SESSION_AND_OWNER, {"hash": token_hash})).one_or_none()


def keys_of(organization_id: UUID) -> Select[ApiKey]:
    """Return the select of an organisation's keys."""
    return select(ApiKey).where(ApiKey.organization_id == organization_id)


async def live_keys(session: AsyncSession, organization_id: UUID, now: datetime) -> int:
    """Return how many keys of an organisation still open something."""
    live = (ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    statement = select(func.count()).select_from(ApiKey).where(ApiKey.organization_id == organization_id, *live)
    return await session.scalar(statement) or 0


async def anybody(session: AsyncSession) -> bool:
    """Tell whether anybody is registered."""
    return bool(await session.scalar(select(exists(select(Organization.id)))))


async def is_registered(session: AsyncSession, name: str) -> bool:
    """Tell whether an organisation has this name."""
    return bool(await session.scalar(select(exists(select(Organization.id).where(Organization.name == name)))))


async def hub_organization(session: AsyncSession) -> Organization:
    """Return the hub's own organisation, the first that was registered. Raises NotFound (404) where there is none."""
    statement = select(Organization).where(Organization.role == "hub").order_by(Organization.id).limit(1)
    hub = (await session.scalars(statement)).one_or_none()
    if hub is None:
        raise NotFound
    return hub
