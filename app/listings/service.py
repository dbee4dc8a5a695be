"""Use cases of listings: publish, change, withdraw, renew, expire."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.errors import BelowMatched, NotLive
from app.allocations.rules import LIVE, State
from app.allocations.service import close, follow_quantities
from app.catalog.rules import Reference, Typed
from app.kit import rows
from app.kit.bulk import insert_many
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, StaleVersion
from app.listings import queries
from app.listings.models import Listing
from app.listings.rules import Draft, accept, gathered_region
from app.outbox.events import WORKER, Actor, Event, actor_of
from app.outbox.service import record
from app.parties.service import Owner

#: days that a price holds on after one tap
RENEWED_DAYS = 7


def prepare(draft: Draft, *, owner: Owner, reference: Reference, now: datetime) -> dict[str, Any]:
    """Return the row that a draft makes. Raises Invalid (422) naming the field."""
    today = local_day(now, gathered_region(reference, draft.region).timezone)
    return {
        "id": new_id(),
        "organization_id": owner.id,
        "status": State.OPEN,
        "created_at": now,
        "updated_at": now,
        **accept(draft, reference=reference, today=today),
    }


async def publish(session: AsyncSession, *, values: Mapping[str, Any], actor: Actor) -> Listing:
    """Publish a prepared listing. Raises ExternalRefTaken (409)."""
    listing = Listing(**values, proposed_quantity=0, ordered_quantity=0, withdrawn_quantity=0, version=1)
    session.add(listing)
    await session.flush()
    await record(session, _published(values, actor))
    return listing


async def publish_many(
    session: AsyncSession, *, values: Sequence[Mapping[str, Any]], principal: Principal
) -> set[UUID]:
    """Publish prepared listings in two statements; returns the ids stored, without those whose reference is taken."""
    statement = insert_many(Listing, values)
    statement = statement.on_conflict_do_nothing(index_elements=["organization_id", "external_ref"])
    stored = set(await session.scalars(statement.returning(Listing.id)))
    published = [row for row in values if row["id"] in stored]
    await record(
        session, *[_published(row, actor_of(principal, acting_for=row["organization_id"])) for row in published]
    )
    return stored


def _published(values: Mapping[str, Any], actor: Actor) -> Event:
    facts = {name: values[name] for name in ("commodity", "grade", "region", "quantity")}
    return Event("listing.published", values["id"], (values["organization_id"],), values["created_at"], actor, facts)


async def visible(session: AsyncSession, *, listing_id: UUID, principal: Principal, locked: bool = False) -> Listing:
    """Return a listing of the caller's, or for the hub any at its hub. Raises NotFound (404)."""
    listing = await (rows.lock if locked else rows.find)(session, Listing, listing_id)
    mine = listing.organization_id == principal.organization_id
    if not mine and not (principal.role is Role.HUB and listing.hub == principal.region):
        raise NotFound
    return listing


async def change(
    session: AsyncSession,
    *,
    listing_id: UUID,
    principal: Principal,
    version: int,
    changes: Mapping[str, Any],
    reference: Reference,
    now: datetime,
) -> Listing:
    """Change the open part of a listing; a proposal keeps its terms.

    Raises NotFound (404), StaleVersion (412), NotLive and BelowMatched (409), Invalid (422) naming the field.
    """
    listing = await visible(session, listing_id=listing_id, principal=principal, locked=True)
    if listing.version != version:
        raise StaleVersion
    if listing.status not in LIVE:
        raise NotLive
    await _apply(session, listing, changes, reference, now)
    actor = actor_of(principal, acting_for=listing.organization_id)
    facts = {"fields": sorted(changes)}
    await record(session, Event("listing.changed", listing.id, (listing.organization_id,), now, actor, facts))
    return listing


async def _apply(
    session: AsyncSession, listing: Listing, changes: Mapping[str, Any], reference: Reference, now: datetime
) -> None:
    today = local_day(now, reference.regions[listing.region].timezone)
    values = accept(_changed(listing, changes), reference=reference, today=today)
    if values["quantity"] < listing.quantity - listing.open_quantity:
        raise BelowMatched
    if "min_quantity" not in changes:
        values["min_quantity"] = min(listing.min_quantity, values["quantity"])
    if "price_valid_until" not in changes:
        # a price that no longer holds may stay so while something else is changed
        del values["price_valid_until"]
    await rows.change(session, listing, version=listing.version, changes={**values, "updated_at": now})
    follow_quantities(listing)
    await session.flush()


def _changed(listing: Listing, changes: Mapping[str, Any]) -> Draft:
    """Return the listing as it would have been posted with the changes."""
    typed = Typed(
        quantity=Decimal(listing.entered_quantity),
        unit=listing.entered_unit,
        price_idr=listing.entered_price_idr,
        price_unit=listing.entered_price_unit,
        min_quantity=None,
        unit_base_quantity=listing.unit_base_quantity,
    )
    names = ("quantity", "unit", "price_idr", "price_unit", "min_quantity", "unit_base_quantity")
    draft = Draft(
        commodity=listing.commodity,
        grade=listing.grade,
        region=listing.region,
        typed=replace(typed, **{name: changes[name] for name in names if name in changes}),
        available_from=listing.available_from,
        available_until=listing.available_until,
        best_before=listing.best_before,
        best_before_chilled=listing.best_before_chilled,
        price_valid_until=None,
        papers=listing.papers,
        external_ref=listing.external_ref,
        note=listing.note,
    )
    return replace(draft, **{name: value for name, value in changes.items() if name not in names})


async def withdraw(session: AsyncSession, *, listing_id: UUID, principal: Principal, now: datetime) -> Listing:
    """Withdraw the open part; what is matched stays. Raises NotFound (404), NotLive (409)."""
    listing = await visible(session, listing_id=listing_id, principal=principal, locked=True)
    actor = actor_of(principal, acting_for=listing.organization_id)
    await close(session, listing, subject="listing", state=State.WITHDRAWN, at=now, actor=actor)
    return listing


async def renew(
    session: AsyncSession,
    *,
    listing_id: UUID,
    principal: Principal,
    changes: Mapping[str, Any],
    reference: Reference,
    now: datetime,
) -> Listing:
    """Let the price hold on, changed or not. Raises NotFound (404), NotLive (409), Invalid (422)."""
    listing = await visible(session, listing_id=listing_id, principal=principal, locked=True)
    if listing.status not in LIVE:
        raise NotLive
    today = local_day(now, reference.regions[listing.region].timezone)
    until = {"price_valid_until": today + timedelta(days=RENEWED_DAYS)}
    await _apply(session, listing, {**until, **changes}, reference, now)
    actor = actor_of(principal, acting_for=listing.organization_id)
    await record(session, Event("listing.renewed", listing.id, (listing.organization_id,), now, actor))
    return listing


async def expire_due(session: AsyncSession, *, regions_by_day: Mapping[date, Sequence[str]], now: datetime) -> int:
    """Expire listings whose last day is over, by the day that it is in their regions; returns how many."""
    count = 0
    for today, regions in regions_by_day.items():
        for listing in await queries.past_until(session, regions, today):
            await close(session, listing, subject="listing", state=State.EXPIRED, at=now, actor=WORKER)
            count += 1
    return count
