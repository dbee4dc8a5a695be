"""Use cases of orders: taken up when both sides confirm, cancelled, settled; `progress` moves them along.

Everybody who adds to, loads or cancels an order holds its demand first: the rows of stock, needs and departures are
locked in between, and an order that is still being found has no row to lock.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.catalog.models import Commodity
from app.catalog.rules import Reference
from app.demands.models import Demand
from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import invalid
from app.kit.text import Text
from app.matching import counter_offers
from app.matching import service as matching
from app.matching.models import Match
from app.matching.rules import Side
from app.matching.rules import State as MatchState
from app.orders import queries
from app.orders.errors import NothingToCancel, OrderLoaded, OrderNotUnderWay
from app.orders.models import Order, OrderLine
from app.orders.progress import advance, deliver_if_complete
from app.orders.rules import UNDER_WAY, PaymentTerms, State, Terms, order_number, terms_of
from app.outbox.events import Actor, Event, actor_of
from app.outbox.service import record


async def confirm(
    session: AsyncSession,
    *,
    match_ids: Sequence[UUID],
    principal: Principal,
    side: Side | None,
    quantity: int | None,
    now: datetime,
) -> list[Match]:
    """Confirm matches for one side, all or none; what both sides have confirmed becomes lines of orders.

    Raises what `matching.service.confirm` raises.
    """
    await rows.hold(session, "demand", await queries.demands_of_matches(session, match_ids))
    found = await matching.confirm(
        session, match_ids=match_ids, principal=principal, side=side, quantity=quantity, now=now
    )
    await take_up(session, found, principal=principal, side=side, now=now)
    return found


async def accept_counter_offer(
    session: AsyncSession,
    *,
    match_id: UUID,
    principal: Principal,
    side: Side | None,
    reference: Reference,
    now: datetime,
) -> Match:
    """Take the other side's terms; raises what `matching.counter_offers.accept` raises."""
    await rows.hold(session, "demand", await queries.demands_of_matches(session, [match_id]))
    found = await counter_offers.accept(
        session, match_id=match_id, principal=principal, side=side, reference=reference, now=now
    )
    await take_up(session, [found], principal=principal, side=side, now=now)
    return found


async def take_up(
    session: AsyncSession, matches: Sequence[Match], *, principal: Principal, side: Side | None, now: datetime
) -> None:
    """Make order lines of the matches that are confirmed: those of one demand on one departure are one order.

    `side` is the one whose confirmation came last, where the hub gave it.
    """
    confirmed = [match for match in matches if match.status == MatchState.CONFIRMED]
    days = await queries.best_before(session, [match.id for match in confirmed])
    ways = sorted(confirmed, key=lambda match: (str(_way(match)), match.id))
    for _, joined in groupby(ways, key=_way):
        together = list(joined)
        actor = actor_of(principal, acting_for=matching.party_of(together[0], side) if side else None)
        order = await queries.open_order(session, together[0]) or await _open(session, together[0], now)
        await add_lines(session, order, [_line(order, match, days[match.id]) for match in together], actor, now)


def _way(match: Match) -> tuple[UUID, UUID | None, date]:
    return (match.demand_id, match.departure_id, match.departs_on)


async def _open(session: AsyncSession, match: Match, now: datetime) -> Order:
    demand, payment_terms, timezone = await queries.buyers_facts(session, match.demand_id)
    return await open_order(
        session,
        demand=demand,
        terms=terms_of(PaymentTerms(payment_terms)),
        way=(match.departure_id, match.departs_on, match.arrives_on),
        source="clearing",
        timezone=timezone,
        now=now,
    )


async def open_order(
    session: AsyncSession,
    *,
    demand: Demand,
    terms: Terms,
    way: tuple[UUID | None, date, date],
    source: str,
    timezone: str,
    now: datetime,
) -> Order:
    """Open an order of a demand, still without lines.

    `way`: departure, days of departure and arrival; `timezone`: the hub's.
    """
    departure_id, departs_on, arrives_on = way
    order = Order(
        id=new_id(),
        number=order_number(await queries.next_number(session), local_day(now, timezone).year),
        hub=demand.hub,
        buyer_id=demand.organization_id,
        demand_id=demand.id,
        commodity=demand.commodity,
        region=demand.region,
        delivery="loco" if departure_id is None else "franco",
        departure_id=departure_id,
        departs_on=departs_on,
        arrives_on=arrives_on,
        source=source,
        status=State.CONFIRMED,
        tolerance_percent=terms.tolerance_percent,
        payment_terms=terms.payment_terms,
        down_payment_percent=terms.down_payment_percent,
        version=0,
        created_at=now,
        updated_at=now,
    )
    session.add(order)
    return order


async def add_lines(
    session: AsyncSession, order: Order, lines: Sequence[OrderLine], actor: Actor, now: datetime
) -> None:
    """Add lines to an order; each is told to the buyer and its producer only.

    Who records a deal does so for the buyer, and each line for its producer.
    """
    events = [] if order.version else [_opened(order, lines, actor, now)]
    order.version += 1
    order.updated_at = now
    await session.flush()
    session.add_all(lines)
    await session.flush()
    await record(session, *events, *(_line_added(order, line, actor, now) for line in lines))


def _opened(order: Order, lines: Sequence[OrderLine], actor: Actor, now: datetime) -> Event:
    parties = (order.buyer_id, *sorted({line.producer_id for line in lines}))
    facts = {
        "number": order.number,
        "commodity": order.commodity,
        "region": order.region,
        "departs_on": order.departs_on.isoformat(),
        "arrives_on": order.arrives_on.isoformat(),
        "source": order.source,
    }
    return Event("order.confirmed", order.id, parties, now, actor, facts)


def _line_added(order: Order, line: OrderLine, actor: Actor, now: datetime) -> Event:
    if order.source == "deal":
        actor = replace(actor, principal_id=line.producer_id)
    facts = {
        "number": order.number,
        "line_id": str(line.id),
        "grade": line.grade,
        "quantity": line.quantity,
        "producer_price_idr": line.producer_price_idr,
        "delivered_price_idr": line.delivered_price_idr,
    }
    return Event("order.line_added", order.id, (order.buyer_id, line.producer_id), now, actor, facts)


def _line(order: Order, match: Match, best_before: date) -> OrderLine:
    return OrderLine(
        id=new_id(),
        order_id=order.id,
        match_id=match.id,
        listing_id=match.listing_id,
        producer_id=match.listing_organization_id,
        grade=match.grade,
        quantity=match.quantity,
        loaded_quantity=0,
        received_quantity=0,
        producer_price_idr=match.producer_price_idr,
        collection_idr=match.collection_idr,
        freight_idr=match.freight_idr,
        scarcity_idr=match.scarcity_idr,
        delivered_price_idr=match.delivered_price_idr,
        best_before=best_before,
    )


async def locked(session: AsyncSession, order_id: UUID, principal: Principal) -> tuple[Order, list[OrderLine]]:
    """Return an order that the caller may see and its lines, held and locked. Raises NotFound (404)."""
    seen = await queries.one(session, order_id, principal)
    await rows.hold(session, "demand", [seen.demand_id])
    order = await rows.lock(session, Order, order_id)
    return order, (await queries.lines_of(session, [order_id]))[order_id]


def party_of(order: Order, lines: Sequence[OrderLine], principal: Principal, organization: UUID | None) -> UUID | None:
    """Return the party that acts: the caller, or whom the hub names in `organization`; None for the hub itself.

    Raises Invalid (422) naming /organization for no party of the order, or when a party names another.
    """
    if not principal.is_hub and organization in (None, principal.organization_id):
        return principal.organization_id
    parties = {order.buyer_id, *(line.producer_id for line in lines)}
    if organization is not None and (not principal.is_hub or organization not in parties):
        raise invalid(
            "/organization",
            "no_party",
            Text("Bukan pihak dalam pesanan yang Anda wakili.", "No party of the order for which you may act."),
        )
    return organization


async def cancel(
    session: AsyncSession,
    *,
    order_id: UUID,
    principal: Principal,
    organization: UUID | None,
    reason: str,
    now: datetime,
) -> Order:
    """Cancel what of an order is not loaded; its quantity and its room on the departure return at once.

    1. The buyer and the hub cancel all of it, a producer its own lines; once a part is loaded, the hub alone.
    2. Where nothing is left of it, the order is cancelled; otherwise it goes on with what remains.
    3. What is cut from an order on its way, unless for the buyer, stays in the record of who promised it.

    `organization`: the party for which the hub cancels; None for the hub itself.
    Raises NotFound (404), OrderNotUnderWay, OrderLoaded and NothingToCancel (409), Invalid (422) for no party of it.
    """
    order, lines = await locked(session, order_id, principal)
    if order.status not in UNDER_WAY:
        raise OrderNotUnderWay
    if order.status != State.CONFIRMED and not principal.is_hub:
        raise OrderLoaded
    party = party_of(order, lines, principal, organization)
    dropped = [line for line in lines if line.unloaded_quantity and party in (None, order.buyer_id, line.producer_id)]
    if not dropped:
        raise NothingToCancel
    actor = actor_of(principal, acting_for=party)
    await move(session, await _returns(session, order, dropped), at=now, actor=actor)
    remains = sum(line.quantity for line in lines) > sum(line.unloaded_quantity for line in dropped)
    if not remains:
        order.cancel_reason = reason
        await advance(session, order, lines, State.CANCELLED, actor, now, reason=reason)
        return order
    is_cut = order.status != State.CONFIRMED and party != order.buyer_id
    await _reduce(session, order, dropped, reason, actor, now, is_cut=is_cut)
    await deliver_if_complete(session, order, lines, actor, now)
    return order


async def _returns(session: AsyncSession, order: Order, lines: Sequence[OrderLine]) -> list[Move]:
    weight = (await rows.find(session, Commodity, order.commodity)).unit_weight_g
    return [
        Move(
            "cancelled",
            listing_id=line.listing_id,
            demand_id=order.demand_id,
            departure_id=order.departure_id,
            match_id=line.match_id,
            ordered=-line.unloaded_quantity,
            booked_g=-line.unloaded_quantity * weight if order.departure_id else 0,
        )
        for line in lines
    ]


async def _reduce(
    session: AsyncSession,
    order: Order,
    lines: Sequence[OrderLine],
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    is_cut: bool,
) -> None:
    """Lower lines to what is loaded of them, and tell each producer of its own; what is cut stays a promise."""
    facts = {"number": order.number, "reason": reason}
    events = [
        Event(
            "order.reduced",
            order.id,
            (order.buyer_id, line.producer_id),
            now,
            actor,
            {**facts, "line_id": str(line.id), "quantity": line.loaded_quantity, "cancelled": line.unloaded_quantity},
        )
        for line in lines
    ]
    for line in lines:
        line.cut_quantity += line.unloaded_quantity if is_cut else 0
        line.quantity = line.loaded_quantity
    order.version += 1
    order.updated_at = now
    await session.flush()
    await record(session, *events)


async def settle(session: AsyncSession, *, order: Order, actor: Actor, now: datetime) -> None:
    """Settle a delivered order, locked by the caller: its bills are paid and its payees paid out.

    Raises KeyError for an order that is not delivered: it is a bug.
    """
    lines = (await queries.lines_of(session, [order.id]))[order.id]
    order.settled_at = now
    await advance(session, order, lines, State.SETTLED, actor, now)
