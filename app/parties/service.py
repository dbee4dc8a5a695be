"""Use cases of organisations and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id, new_secret
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, Unauthenticated, invalid
from app.kit.text import Text
from app.outbox.events import Actor, Event, actor_of
from app.outbox.service import record
from app.parties import queries, rules
from app.parties.errors import KeyNotLive, Suspended, TooManyKeys
from app.parties.models import ApiKey, Organization
from app.regions.service import require_region


async def authenticate(session: AsyncSession, key: str, *, now: datetime) -> Principal:
    """Return who a key belongs to, and record its use.

    Raises Unauthenticated (401) for an unknown, ended or revoked key, Suspended (403) for its organisation.
    """
    prefix = rules.prefix_of(key)
    found = await queries.key_and_owner(session, prefix) if prefix else None
    if found is None or not rules.proves(key, found.hash):
        raise Unauthenticated
    if not rules.is_live(now, expires_at=found.expires_at, revoked_at=found.revoked_at):
        raise Unauthenticated
    if found.status != "active":
        raise Suspended
    if rules.use_is_worth_recording(now, found.last_used_at):
        await session.execute(update(ApiKey).where(ApiKey.id == found.id).values(last_used_at=now))
    return Principal(found.organization_id, Role(found.role), found.region, found.hub, found.id)


async def register(
    session: AsyncSession, *, hub: str, values: Mapping[str, Any], now: datetime, actor: Actor
) -> Organization:
    """Register an organisation at a hub. Raises NameTaken (409), Invalid (422) for an unknown region."""
    await require_region(session, code=values["region"], pointer="/region")
    organization = Organization(id=new_id(), hub=hub, status="active", created_at=now, **values)
    session.add(organization)
    await session.flush()
    facts = {"role": organization.role, "region": organization.region}
    await record(session, Event("organization.registered", organization.id, (organization.id,), now, actor, facts))
    return organization


async def change_organization(
    session: AsyncSession,
    *,
    organization_id: UUID,
    principal: Principal,
    version: int,
    changes: Mapping[str, object],
    now: datetime,
) -> Organization:
    """Change an organisation of this hub. Raises NotFound (404), StaleVersion (412), NameTaken (409)."""
    organization = await rows.lock(session, Organization, organization_id)
    if organization.hub != principal.region:
        raise NotFound
    await rows.change(session, organization, version=version, changes=changes)
    actor = actor_of(principal, acting_for=organization.id)
    facts = {"status": organization.status}
    await record(session, Event("organization.changed", organization.id, (organization.id,), now, actor, facts))
    return organization


async def visible(session: AsyncSession, *, organization_id: UUID, principal: Principal) -> Organization:
    """Return the caller's own organisation, or for the hub one of its own. Raises NotFound (404)."""
    organization = await rows.find(session, Organization, organization_id)
    mine = principal.organization_id == organization.id
    if not mine and not (principal.is_hub and organization.hub == principal.region):
        raise NotFound
    return organization


@dataclass(frozen=True, slots=True)
class Owner:
    """The organisation that a post is for."""

    id: UUID
    region: str
    hub: str


async def owner_of_post(
    session: AsyncSession, *, principal: Principal, organization_id: UUID | None, role: Role
) -> Owner:
    """Return the organisation that a post is for: the caller, or whom the hub names in `organization`.

    Raises Invalid (422) naming /organization when the hub names none of its own with this role, NotFound (404) when
    somebody else names another than itself, Suspended (403) when the organisation is suspended.
    """
    if not principal.is_hub and organization_id in (None, principal.organization_id):
        # authentication has just read this organisation
        return Owner(principal.organization_id, principal.region, principal.hub)
    if organization_id is None:
        raise invalid(
            "/organization",
            "missing",
            Text("Hub menyebut organisasi yang diwakili.", "The hub names the organisation it acts for."),
        )
    organization = await visible(session, organization_id=organization_id, principal=principal)
    if organization.role != role:
        raise invalid(
            "/organization", "wrong_role", Text(f"Harus organisasi dengan peran {role}.", f"Its role must be {role}.")
        )
    if organization.status != "active":
        raise Suspended
    return Owner(organization.id, organization.region, organization.hub)


async def create_key(
    session: AsyncSession, *, organization: Organization, label: str | None, environment: str, now: datetime
) -> tuple[ApiKey, str]:
    """Create a key; returns its row and the whole key, which is stored nowhere. Raises TooManyKeys (409)."""
    await rows.lock(session, Organization, organization.id)
    if await queries.live_keys(session, organization.id, now) >= rules.MOST_LIVE_KEYS:
        raise TooManyKeys
    secret = rules.write_key(environment, new_secret())
    key = ApiKey(
        id=new_id(),
        organization_id=organization.id,
        label=label,
        prefix=rules.prefix_of(secret),
        hash=rules.hash_of(secret),
        created_at=now,
    )
    session.add(key)
    await session.flush()
    return key, secret


async def rotate_key(
    session: AsyncSession,
    *,
    organization: Organization,
    key_id: UUID,
    overlap: timedelta,
    environment: str,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Replace a key; the old one works for `overlap` more. Raises NotFound (404), KeyNotLive (409)."""
    old = await _own_key(session, organization, key_id)
    if not rules.is_live(now, expires_at=old.expires_at, revoked_at=old.revoked_at):
        raise KeyNotLive
    new, secret = await create_key(
        session, organization=organization, label=old.label, environment=environment, now=now
    )
    old.expires_at = min(now + overlap, old.expires_at or now + overlap)
    await session.flush()
    return new, secret


async def revoke_key(session: AsyncSession, *, organization: Organization, key_id: UUID, now: datetime) -> None:
    """Revoke a key at once; revoking it again changes nothing. Raises NotFound (404)."""
    key = await _own_key(session, organization, key_id)
    key.revoked_at = key.revoked_at or now
    await session.flush()


async def _own_key(session: AsyncSession, organization: Organization, key_id: UUID) -> ApiKey:
    key = await rows.lock(session, ApiKey, key_id)
    if key.organization_id != organization.id:
        raise NotFound
    return key
