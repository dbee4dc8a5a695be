"""Use cases of organisations and keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id, new_secret
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, Unauthenticated, invalid
from app.kit.text import Text
from app.outbox.events import Actor, Event, actor_of
from app.outbox.service import record
from app.parties import queries, rules
from app.parties.errors import KeyNotLive, LinkNotLive, Suspended, TooManyKeys
from app.parties.models import ApiKey, BrowserSession, Organization, SignInLink
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


async def keep_record(session: AsyncSession, *, organization_id: UUID, on_time: bool, refused: bool = False) -> None:
    """Count an order into the record of who delivered or paid it: whether on time, whether goods of it were refused."""
    counted = {
        Organization.record_orders: Organization.record_orders + 1,
        Organization.record_on_time: Organization.record_on_time + int(on_time),
        Organization.record_refused: Organization.record_refused + int(refused),
    }
    await session.execute(update(Organization).where(Organization.id == organization_id).values(counted))


async def clear_record(session: AsyncSession, *, organization_id: UUID) -> None:
    """Count an order, counted as late before, as on time after all."""
    counted = {Organization.record_on_time: Organization.record_on_time + 1}
    await session.execute(update(Organization).where(Organization.id == organization_id).values(counted))


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


async def create_link(session: AsyncSession, *, organization: Organization, now: datetime) -> tuple[SignInLink, str]:
    """Create a sign-in link; returns its row and its token, which is stored nowhere. Raises Suspended (403)."""
    if organization.status != "active":
        raise Suspended
    token = new_secret()
    link = SignInLink(
        id=new_id(),
        organization_id=organization.id,
        hash=rules.hash_of(token),
        created_at=now,
        expires_at=now + rules.LINK_LIFETIME,
    )
    session.add(link)
    await session.flush()
    return link, token


async def begin_session(
    session: AsyncSession, *, link_token: str | None, api_key: str | None, now: datetime
) -> tuple[BrowserSession, str]:
    """Begin a browser's session with a link, which is used up by it, or with a key; returns its row and its token.

    Raises Unauthenticated (401) when the link was used or is over, or the key does not hold; Suspended (403).
    """
    key_id = None
    if link_token is not None:
        organization_id = await _use_link(session, link_token, now)
        if (await rows.find(session, Organization, organization_id)).status != "active":
            raise Suspended
    else:
        principal = await authenticate(session, api_key or "", now=now)
        organization_id, key_id = principal.organization_id, principal.key_id
    token = new_secret()
    begun = BrowserSession(
        id=new_id(),
        organization_id=organization_id,
        key_id=key_id,
        hash=rules.hash_of(token),
        created_at=now,
        expires_at=now + rules.SESSION_LIFETIME,
    )
    session.add(begun)
    await session.flush()
    return begun, token


async def _use_link(session: AsyncSession, token: str, now: datetime) -> UUID:
    """Use a link up: of two who try at once, the database lets one pass."""
    usable = (SignInLink.hash == rules.hash_of(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now)
    used = update(SignInLink).where(*usable).values(used_at=now).returning(SignInLink.organization_id)
    organization_id = await session.scalar(used)
    if organization_id is None:
        raise LinkNotLive
    return organization_id


async def recognise(session: AsyncSession, token: str, *, now: datetime) -> Principal:
    """Return who a browser's session belongs to; a session begun with a key ends with it.

    Raises Unauthenticated (401) for an unknown or ended session, Suspended (403) for its organisation.
    """
    found = await queries.session_and_owner(session, rules.hash_of(token))
    if found is None or now >= found.expires_at:
        raise Unauthenticated
    if not rules.is_live(now, expires_at=found.key_expires_at, revoked_at=found.key_revoked_at):
        raise Unauthenticated
    if found.status != "active":
        raise Suspended
    return Principal(found.organization_id, Role(found.role), found.region, found.hub, found.key_id, found.id)


async def end_session(session: AsyncSession, *, principal: Principal) -> None:
    """End the session that is asking. Raises NotFound (404) when a key is asking."""
    if principal.session_id is None:
        raise NotFound
    await session.execute(delete(BrowserSession).where(BrowserSession.id == principal.session_id))


async def forget_old_sign_ins(session: AsyncSession, now: datetime) -> None:
    """Delete links and sessions that are over."""
    for row in (SignInLink, BrowserSession):
        await session.execute(delete(row).where(row.expires_at < now))
