"""Orders as each party may see them: a producer its own lines, the buyer and the hub all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.kit.principal import Principal
from app.lanes import queries as lanes
from app.lanes.models import Lane
from app.orders import queries
from app.orders.models import Order, OrderLine
from app.orders.schemas import OrderAnswer, OrderLineAnswer, OrderWithHistory, Party, Step
from app.outbox.models import OutboxEvent
from app.parties import queries as parties
from app.parties.models import Organization


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What orders are shown with."""

    lines: Mapping[UUID, Sequence[OrderLine]]
    organizations: Mapping[UUID, Organization]
    lanes: Mapping[UUID, Lane]


def own_lines(order: Order, lines: Iterable[OrderLine], principal: Principal) -> list[OrderLine]:
    """Return the lines of an order that the caller may see."""
    if principal.is_hub or principal.organization_id == order.buyer_id:
        return list(lines)
    return [line for line in lines if line.producer_id == principal.organization_id]


async def orders(
    session: AsyncSession, found: Sequence[Order], principal: Principal, reference: Reference
) -> list[OrderAnswer]:
    """Return orders as this party may see them."""
    around = await _surroundings(session, found, principal)
    return [_order(order, around, reference) for order in found]


async def with_history(
    session: AsyncSession, order: Order, principal: Principal, reference: Reference
) -> OrderWithHistory:
    """Return one order with what happened to it, as this party may see it."""
    around = await _surroundings(session, [order], principal)
    events = await queries.history(session, order.id, principal)
    actors = {key for event in events for key in (event.actor_id, event.principal_id) if key}
    known = await parties.by_ids(session, actors)
    all_known = principal.is_hub or principal.organization_id == order.buyer_id
    names: dict[UUID | None, str] = {
        key: organization.name
        for key, organization in known.items()
        # one producer is not told of another
        if all_known or key in around.organizations or organization.role == "hub"
    }
    shown = _order(order, around, reference).model_dump()
    return OrderWithHistory(**shown, history=[_step(event, names) for event in events])


async def _surroundings(session: AsyncSession, found: Sequence[Order], principal: Principal) -> Surroundings:
    lines = await queries.lines_of(session, [order.id for order in found])
    own = {order.id: own_lines(order, lines[order.id], principal) for order in found}
    organizations = {order.buyer_id for order in found} | {line.producer_id for some in own.values() for line in some}
    return Surroundings(
        own,
        await parties.by_ids(session, organizations),
        await lanes.lanes_of(session, {order.departure_id for order in found if order.departure_id}),
    )


def _order(order: Order, around: Surroundings, reference: Reference) -> OrderAnswer:
    lines = around.lines[order.id]
    lane = around.lanes[order.departure_id] if order.departure_id else None
    return OrderAnswer(
        id=order.id,
        number=order.number,
        status=order.status,
        source=order.source,
        hub=order.hub,
        buyer=Party.model_validate(around.organizations[order.buyer_id]),
        demand_id=order.demand_id,
        commodity=order.commodity,
        unit=reference.commodities[order.commodity].base_unit,
        quantity=sum(line.quantity for line in lines),
        loaded_quantity=sum(line.loaded_quantity for line in lines),
        received_quantity=sum(line.received_quantity for line in lines),
        value_idr=sum(line.quantity * line.delivered_price_idr for line in lines),
        region=order.region,
        delivery=order.delivery,
        departure_id=order.departure_id,
        lane_id=lane.id if lane else None,
        lane_code=lane.code if lane else None,
        departs_on=order.departs_on,
        arrives_on=order.arrives_on,
        delivered_on=order.delivered_on,
        tolerance_percent=order.tolerance_percent,
        payment_terms=order.payment_terms,
        down_payment_percent=order.down_payment_percent,
        cancel_reason=order.cancel_reason,
        lines=[_line(line, around.organizations[line.producer_id]) for line in lines],
        settled_at=order.settled_at,
        created_at=order.created_at,
        updated_at=order.updated_at,
        version=order.version,
    )


def _line(line: OrderLine, producer: Organization) -> OrderLineAnswer:
    return OrderLineAnswer(
        id=line.id,
        match_id=line.match_id,
        listing_id=line.listing_id,
        producer=Party.model_validate(producer),
        grade=line.grade,
        quantity=line.quantity,
        loaded_quantity=line.loaded_quantity,
        received_quantity=line.received_quantity,
        producer_price_idr=line.producer_price_idr,
        collection_idr=line.collection_idr,
        freight_idr=line.freight_idr,
        scarcity_idr=line.scarcity_idr,
        delivered_price_idr=line.delivered_price_idr,
        best_before=line.best_before,
    )


def _step(event: OutboxEvent, names: Mapping[UUID | None, str]) -> Step:
    return Step(
        at=event.at,
        event=event.name,
        by=names.get(event.actor_id),
        acting_for=names.get(event.principal_id),
        facts=event.payload,
    )
