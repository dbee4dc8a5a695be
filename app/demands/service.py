"""Use cases of demands: publish, change, withdraw, renew, expire."""

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
from app.demands import queries
from app.demands.models import Demand
from app.demands.rules import Draft, accept, known_region
from app.kit import rows
from app.kit.bulk import insert_many
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, StaleVersion
from app.outbox.events import WORKER, Actor, Event, actor_of
from app.outbox.service import record
from app.parties.service import Owner

#: days that a price holds on after one tap
RENEWED_DAYS = 7


def prepare(draft: Draft, *, owner: Owner, reference: Reference, now: datetime) -> dict[str, Any]:
    """Return the row that a draft makes. Raises Invalid (422) naming the field."""
    today = local_day(now, known_region(reference, draft.region).timezone)
    return {
        "id": new_id(),
        "organization_id": owner.id,
        "hub": owner.hub,
        "status": State.OPEN,
        "created_at": now,
        "updated_at": now,
        **accept(draft, reference=reference, today=today),
    }


async def publish(session: AsyncSession, *, values: Mapping[str, Any], actor: Actor) -> Demand:
    """Publish a prepared demand. Raises ExternalRefTaken (409)."""
    demand = Demand(**values, proposed_quantity=0, ordered_quantity=0, withdrawn_quantity=0, version=1)
    session.add(demand)
    await session.flush()
    await record(session, _published(values, actor))
    return demand


async def publish_many(
    session: AsyncSession, *, values: Sequence[Mapping[str, Any]], principal: Principal
) -> set[UUID]:
    """Publish prepared demands in two statements; returns the ids stored, without those whose reference is taken."""
    statement = insert_many(Demand, values)
    statement = statement.on_conflict_do_nothing(index_elements=["organization_id", "external_ref"])
    stored = set(await session.scalars(statement.returning(Demand.id)))
    published = [row for row in values if row["id"] in stored]
    await record(
        session, *[_published(row, actor_of(principal, acting_for=row["organization_id"])) for row in published]
    )
    return stored


def _published(values: Mapping[str, Any], actor: Actor) -> Event:
    facts = {name: values[name] for name in ("commodity", "min_grade", "region", "quantity")}
    return Event("demand.published", values["id"], (values["organization_id"],), values["created_at"], actor, facts)


async def visible(session: AsyncSession, *, demand_id: UUID, principal: Principal, locked: bool = False) -> Demand:
    """Return a demand of the caller's, or for the hub any at its hub. Raises NotFound (404)."""
    demand = await (rows.lock if locked else rows.find)(session, Demand, demand_id)
    mine = demand.organization_id == principal.organization_id
    if not mine and not (principal.role is Role.HUB and demand.hub == principal.region):
        raise NotFound
    return demand


async def change(
    session: AsyncSession,
    *,
    demand_id: UUID,
    principal: Principal,
    version: int,
    changes: Mapping[str, Any],
    reference: Reference,
    now: datetime,
) -> Demand:
    """Change the open part of a demand; a proposal keeps its terms.

    Raises NotFound (404), StaleVersion (412), NotLive and BelowMatched (409), Invalid (422) naming the field.
    """
    demand = await visible(session, demand_id=demand_id, principal=principal, locked=True)
    if demand.version != version:
        raise StaleVersion
    if demand.status not in LIVE:
        raise NotLive
    await _apply(session, demand, changes, reference, now)
    actor = actor_of(principal, acting_for=demand.organization_id)
    facts = {"fields": sorted(changes)}
    await record(session, Event("demand.changed", demand.id, (demand.organization_id,), now, actor, facts))
    return demand


async def _apply(
    session: AsyncSession, demand: Demand, changes: Mapping[str, Any], reference: Reference, now: datetime
) -> None:
    today = local_day(now, reference.regions[demand.region].timezone)
    values = accept(_changed(demand, changes), reference=reference, today=today)
    if values["quantity"] < demand.quantity - demand.open_quantity:
        raise BelowMatched
    if "min_quantity" not in changes:
        values["min_quantity"] = min(demand.min_quantity, values["quantity"])
    if "price_valid_until" not in changes:
        # a price that no longer holds may stay so while something else is changed
        del values["price_valid_until"]
    await rows.change(session, demand, version=demand.version, changes={**values, "updated_at": now})
    follow_quantities(demand)
    await session.flush()


def _changed(demand: Demand, changes: Mapping[str, Any]) -> Draft:
    """Return the demand as it would have been posted with the changes."""
    typed = Typed(
        quantity=Decimal(demand.entered_quantity),
        unit=demand.entered_unit,
        price_idr=demand.entered_price_idr,
        price_unit=demand.entered_price_unit,
        min_quantity=None,
        unit_base_quantity=demand.unit_base_quantity,
    )
    measured = {
        "quantity": "quantity",
        "unit": "unit",
        "max_price_idr": "price_idr",
        "price_unit": "price_unit",
        "min_quantity": "min_quantity",
        "unit_base_quantity": "unit_base_quantity",
    }
    draft = Draft(
        commodity=demand.commodity,
        min_grade=demand.min_grade,
        region=demand.region,
        delivery=demand.delivery,
        typed=replace(typed, **{measured[name]: value for name, value in changes.items() if name in measured}),
        deliver_from=demand.deliver_from,
        deliver_by=demand.deliver_by,
        min_remaining_shelf_life_days=demand.min_remaining_shelf_life_days,
        price_valid_until=None,
        external_ref=demand.external_ref,
        note=demand.note,
    )
    return replace(draft, **{name: value for name, value in changes.items() if name not in measured})


async def withdraw(session: AsyncSession, *, demand_id: UUID, principal: Principal, now: datetime) -> Demand:
    """Withdraw the open part; what is matched stays. Raises NotFound (404), NotLive (409)."""
    demand = await visible(session, demand_id=demand_id, principal=principal, locked=True)
    actor = actor_of(principal, acting_for=demand.organization_id)
    await close(session, demand, subject="demand", state=State.WITHDRAWN, at=now, actor=actor)
    return demand


async def renew(
    session: AsyncSession,
    *,
    demand_id: UUID,
    principal: Principal,
    changes: Mapping[str, Any],
    reference: Reference,
    now: datetime,
) -> Demand:
    """Let the price hold on, changed or not. Raises NotFound (404), NotLive (409), Invalid (422)."""
    demand = await visible(session, demand_id=demand_id, principal=principal, locked=True)
    if demand.status not in LIVE:
        raise NotLive
    today = local_day(now, reference.regions[demand.region].timezone)
    until = {"price_valid_until": today + timedelta(days=RENEWED_DAYS)}
    await _apply(session, demand, {**until, **changes}, reference, now)
    actor = actor_of(principal, acting_for=demand.organization_id)
    await record(session, Event("demand.renewed", demand.id, (demand.organization_id,), now, actor))
    return demand


async def expire_due(session: AsyncSession, *, regions_by_day: Mapping[date, Sequence[str]], now: datetime) -> int:
    """Expire demands whose last day is over, by the day that it is in their regions; returns how many."""
    count = 0
    for today, regions in regions_by_day.items():
        for demand in await queries.past_until(session, regions, today):
            await close(session, demand, subject="demand", state=State.EXPIRED, at=now, actor=WORKER)
            count += 1
    return count
