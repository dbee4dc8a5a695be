"""Counter-offers: one side of a match proposes other terms, once; the other takes them or leaves them.

Nothing here compares a price with the other side's ask or limit: a refusal would tell it. The terms that both sides
have agreed on bind, and what is stored of ask and limit follows its owner's consent.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.catalog.rules import Reference
from app.demands.models import Demand
from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import Invalid, invalid
from app.kit.text import Text
from app.listings.models import Listing
from app.matching import queries
from app.matching.errors import CounterOfferExists, MatchNotProposed, NoCounterOffer
from app.matching.models import CounterOffer, Match
from app.matching.rules import SENTENCES, Side, may_be_answered
from app.matching.service import accept_side, check_fills, hold_runs_of, parties_of, party_of, side_of
from app.matching.ways import forbidden, usable_way
from app.outbox.events import Event, actor_of
from app.outbox.service import record


@dataclass(frozen=True, slots=True)
class Asked:
    """What a side wants otherwise; None stays as it is."""

    producer_price_idr: int | None
    quantity: int | None
    departure_id: UUID | None


async def offer(
    session: AsyncSession,
    *,
    match_id: UUID,
    principal: Principal,
    side: Side | None,
    asked: Asked,
    reference: Reference,
    now: datetime,
) -> Match:
    """Propose other terms for a match: price at the gate, quantity or departure. The offerer is bound by them.

    Collection stays; freight is that of the departure; scarcity belongs to the departure on which it arose.
    Raises NotFound (404), MatchNotProposed and CounterOfferExists (409), BelowSmallestFill and Invalid (422).
    """
    match = await _held(session, match_id)
    own = side_of(match, principal, side)
    if not may_be_answered(match.status, match.expires_at, now) or _has_confirmed(match, own):
        raise MatchNotProposed
    if await queries.counter_offer(session, match_id) is not None:
        raise CounterOfferExists
    offered = await _terms(session, match, own, asked, reference, now)
    session.add(offered)
    match.version += 1
    match.updated_at = now
    await session.flush()
    actor = actor_of(principal, acting_for=party_of(match, own))
    await record(session, Event("counter_offer.made", match.id, parties_of(match), now, actor, _facts(offered)))
    return match


async def _held(session: AsyncSession, match_id: UUID) -> Match:
    await hold_runs_of(session, [match_id], alone=True)
    return await rows.lock(session, Match, match_id)


def _has_confirmed(match: Match, side: Side) -> bool:
    confirmed_at = match.listing_confirmed_at if side is Side.LISTING else match.demand_confirmed_at
    return confirmed_at is not None


async def _terms(
    session: AsyncSession, match: Match, own: Side, asked: Asked, reference: Reference, now: datetime
) -> CounterOffer:
    listing, demand = (
        await rows.find(session, Listing, match.listing_id),
        await rows.find(session, Demand, match.demand_id),
    )
    departure_id, departs_on, arrives_on = match.departure_id, match.departs_on, match.arrives_on
    freight, scarcity = match.freight_idr, match.scarcity_idr
    if asked.departure_id not in (None, match.departure_id):
        today = local_day(now, reference.regions[listing.hub].timezone)
        way = await usable_way(session, hub=listing.hub, departure_id=asked.departure_id, day=None, today=today)
        reason = await forbidden(session, listing=listing, demand=demand, way=way, reference=reference, now=now)
        if reason is not None:
            raise invalid("/departure_id", reason, SENTENCES[reason][0])
        departure_id, departs_on, arrives_on = way.departure_id, way.departs_on, way.arrives_on
        freight, scarcity = way.leg(reference.commodities[match.commodity].unit_weight_g).freight_idr, 0
    price, quantity = asked.producer_price_idr or match.producer_price_idr, asked.quantity or match.quantity
    if (price, quantity, departure_id) == (match.producer_price_idr, match.quantity, match.departure_id):
        raise _nothing_new()
    await check_fills(session, match, quantity)
    return CounterOffer(
        id=new_id(),
        match_id=match.id,
        side=own,
        quantity=quantity,
        departure_id=departure_id,
        departs_on=departs_on,
        arrives_on=arrives_on,
        producer_price_idr=price,
        freight_idr=freight,
        scarcity_idr=scarcity,
        delivered_price_idr=price + match.collection_idr + freight + scarcity,
        status="open",
        created_at=now,
    )


def _nothing_new() -> Invalid:
    detail = Text("Sebutkan harga, jumlah atau jadwal yang lain.", "Name another price, quantity or departure.")
    return invalid("", "nothing_new", detail)


async def accept(
    session: AsyncSession,
    *,
    match_id: UUID,
    principal: Principal,
    side: Side | None,
    reference: Reference,
    now: datetime,
) -> Match:
    """Take the other side's terms: the match gets them and both sides have confirmed.

    What it takes more comes out of open quantity and free room, what it takes less returns.
    Raises NotFound (404), MatchNotProposed, NoCounterOffer and QuantityGone (409), BelowSmallestFill (422).
    """
    match, offered, own = await _answered(session, match_id, principal, side, now)
    await check_fills(session, match, offered.quantity)
    actor = actor_of(principal, acting_for=party_of(match, own))
    weight = reference.commodities[match.commodity].unit_weight_g
    moves = _differences(match, offered, weight)
    _take_terms(match, offered)
    offered.status, offered.answered_at = "accepted", now
    await session.flush()
    await record(session, Event("counter_offer.accepted", match.id, parties_of(match), now, actor, _facts(offered)))
    moves += await accept_side(session, match, own, principal, now)
    await session.flush()
    await move(session, moves, at=now, actor=actor)
    return match


def _differences(match: Match, offered: CounterOffer, unit_weight_g: int) -> list[Move]:
    """Return what moves when a match gets other terms: what it held is given back, what it takes is taken."""
    held = _held_by(match, match.departure_id, -match.quantity, unit_weight_g)
    return [held, _held_by(match, offered.departure_id, offered.quantity, unit_weight_g)]


def _held_by(match: Match, departure_id: UUID | None, quantity: int, unit_weight_g: int) -> Move:
    return Move(
        "countered",
        listing_id=match.listing_id,
        demand_id=match.demand_id,
        departure_id=departure_id,
        match_id=match.id,
        proposed=quantity,
        booked_g=quantity * unit_weight_g if departure_id else 0,
    )


def _take_terms(match: Match, offered: CounterOffer) -> None:
    match.quantity = offered.quantity
    match.departure_id = offered.departure_id
    match.departs_on, match.arrives_on = offered.departs_on, offered.arrives_on
    match.producer_price_idr = offered.producer_price_idr
    match.freight_idr, match.scarcity_idr = offered.freight_idr, offered.scarcity_idr
    match.delivered_price_idr = offered.delivered_price_idr
    # who offers has confirmed by it
    if offered.side == Side.LISTING:
        match.listing_confirmed_at = offered.created_at
    else:
        match.demand_confirmed_at = offered.created_at
    match.ask_idr = min(match.ask_idr, offered.producer_price_idr)
    match.limit_idr = max(match.limit_idr, offered.delivered_price_idr)


async def decline(
    session: AsyncSession, *, match_id: UUID, principal: Principal, side: Side | None, now: datetime
) -> Match:
    """Leave the other side's terms: the match stands as it was proposed.

    Raises NotFound (404), MatchNotProposed and NoCounterOffer (409).
    """
    match, offered, own = await _answered(session, match_id, principal, side, now)
    offered.status, offered.answered_at = "declined", now
    match.version += 1
    match.updated_at = now
    await session.flush()
    actor = actor_of(principal, acting_for=party_of(match, own))
    await record(session, Event("counter_offer.declined", match.id, parties_of(match), now, actor, _facts(offered)))
    return match


async def _answered(
    session: AsyncSession, match_id: UUID, principal: Principal, side: Side | None, now: datetime
) -> tuple[Match, CounterOffer, Side]:
    """Return a match, its counter-offer and the side that answers: not the one that offered."""
    match = await _held(session, match_id)
    own = side_of(match, principal, side)
    offered = await queries.counter_offer(session, match_id)
    if not may_be_answered(match.status, match.expires_at, now):
        raise MatchNotProposed
    if offered is None or offered.status != "open" or offered.side == own:
        raise NoCounterOffer
    return match, offered, own


def _facts(offered: CounterOffer) -> dict[str, object]:
    return {
        "side": offered.side,
        "quantity": offered.quantity,
        "departs_on": offered.departs_on.isoformat(),
        "producer_price_idr": offered.producer_price_idr,
        "delivered_price_idr": offered.delivered_price_idr,
    }
