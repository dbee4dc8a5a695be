"""Answering matches: confirm, decline, lapse. Quantities and bookings return in the same transaction.

Answers that take quantity away hold their run's lock alone, plain confirmations share it: what one answer sets in
motion (an order below its smallest fill lapses its other proposals) never meets another answer half-way.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.catalog.models import Commodity
from app.kit import rows
from app.kit.principal import Principal
from app.kit.problems import NotFound, invalid
from app.kit.text import Text
from app.matching import queries
from app.matching.errors import BelowSmallestFill, MatchNotProposed
from app.matching.models import CounterOffer, Match
from app.matching.rules import TRANSITIONS, Side, State, falls_short, may_be_answered, total_after
from app.outbox.events import WORKER, Actor, Event, actor_of
from app.outbox.service import record


def side_of(match: Match, principal: Principal, side: Side | None) -> Side:
    """Return the side that the caller answers for.

    Raises NotFound (404) for another party's match, Invalid (422) when the hub names no side, or a party the other's.
    """
    if principal.is_hub:
        if side is None:
            raise invalid(
                "/side",
                "missing",
                Text("Hub menyebut pihak yang diwakili: listing atau demand.", "The hub names the side it acts for."),
            )
        return side
    if principal.organization_id not in parties_of(match):
        raise NotFound
    own = Side.LISTING if principal.organization_id == match.listing_organization_id else Side.DEMAND
    if side not in (None, own):
        raise invalid(
            "/side", "not_yours", Text("Hanya hub yang mewakili pihak lain.", "Only the hub acts for another side.")
        )
    return own


async def confirm(
    session: AsyncSession,
    *,
    match_ids: Sequence[UUID],
    principal: Principal,
    side: Side | None,
    quantity: int | None,
    now: datetime,
) -> list[Match]:
    """Confirm matches for one side, all or none; `quantity` (one match only) takes less.

    1. The first side's confirmation waits for the other's.
    2. Taking less returns the rest to both orders, down to the smallest fill of either.
    3. The second confirmation turns proposed into ordered quantity.

    Raises NotFound (404), MatchNotProposed (409), BelowSmallestFill and Invalid (422).
    """
    await hold_runs_of(session, match_ids, alone=quantity is not None)
    confirmed, moves, parties = [], [], set()
    for match_id in sorted(set(match_ids)):
        match = await rows.lock(session, Match, match_id)
        own = side_of(match, principal, side)
        if not may_be_answered(match.status, match.expires_at, now):
            raise MatchNotProposed
        if quantity is not None and quantity != match.quantity:
            moves.append(await _take_less(session, match, quantity))
        moves += await accept_side(session, match, own, principal, now)
        confirmed.append(match)
        parties.add(party_of(match, own))
    await session.flush()
    if moves:
        # several at once may be the hub's word for several parties
        only = parties.pop() if len(parties) == 1 else None
        await move(session, moves, at=now, actor=actor_of(principal, acting_for=only))
    by_id = {match.id: match for match in confirmed}
    return [by_id[match_id] for match_id in dict.fromkeys(match_ids)]


async def hold_runs_of(session: AsyncSession, match_ids: Sequence[UUID], *, alone: bool) -> None:
    """Hold the runs of matches, alone for an answer that changes quantities."""
    statement = select(Match.run_id).where(Match.id.in_(match_ids)).distinct()
    await rows.hold(session, "run", await session.scalars(statement), alone=alone)


async def _take_less(session: AsyncSession, match: Match, quantity: int) -> Move:
    """Lower a match to `quantity`; returns the move that gives the rest back."""
    if not 1 <= quantity <= match.quantity:
        raise invalid(
            "/quantity",
            "quantity_bounds",
            Text(f"Harus 1 sampai {match.quantity}.", f"It must be 1 to {match.quantity}."),
        )
    await check_fills(session, match, quantity)
    given_back = match.quantity - quantity
    match.quantity = quantity
    return await _give_back(session, match, given_back, "reduced")


async def check_fills(session: AsyncSession, match: Match, quantity: int) -> None:
    """Raise BelowSmallestFill (422) where another quantity leaves one of the two orders below its smallest fill."""
    for listing_id, demand_id, least in (
        (match.listing_id, None, match.listing_min_quantity),
        (None, match.demand_id, match.demand_min_quantity),
    ):
        siblings = await queries.matches_of_order(session, match.run_id, listing_id=listing_id, demand_id=demand_id)
        if falls_short(total_after({own.id: own.quantity for own in siblings}, match.id, quantity), least):
            raise BelowSmallestFill


async def _give_back(session: AsyncSession, match: Match, quantity: int, cause: str) -> Move:
    weight = (await rows.find(session, Commodity, match.commodity)).unit_weight_g
    return Move(
        cause,
        listing_id=match.listing_id,
        demand_id=match.demand_id,
        departure_id=match.departure_id,
        match_id=match.id,
        proposed=-quantity,
        booked_g=-quantity * weight if match.departure_id else 0,
    )


async def accept_side(
    session: AsyncSession, match: Match, own: Side, principal: Principal, now: datetime
) -> list[Move]:
    """Confirm a locked match for one side; returns what moves once both have."""
    actor = actor_of(principal, acting_for=party_of(match, own))
    if own is Side.LISTING:
        match.listing_confirmed_at = match.listing_confirmed_at or now
    else:
        match.demand_confirmed_at = match.demand_confirmed_at or now
    match.version += 1
    match.updated_at = now
    if match.listing_confirmed_at is None or match.demand_confirmed_at is None:
        facts = {"side": own, "quantity": match.quantity}
        await record(session, Event("match.accepted", match.id, parties_of(match), now, actor, facts))
        return []
    await _transition(session, match, State.CONFIRMED, actor, now)
    return [
        Move(
            "confirmed",
            listing_id=match.listing_id,
            demand_id=match.demand_id,
            match_id=match.id,
            proposed=-match.quantity,
            ordered=match.quantity,
        )
    ]


def party_of(match: Match, side: Side) -> UUID:
    """Return the organisation on a side of a match."""
    return match.listing_organization_id if side is Side.LISTING else match.demand_organization_id


def parties_of(match: Match) -> tuple[UUID, ...]:
    """Return both organisations of a match."""
    return (match.listing_organization_id, match.demand_organization_id)


async def _transition(
    session: AsyncSession, match: Match, to: State, actor: Actor, now: datetime, **facts: object
) -> None:
    name = TRANSITIONS[State(match.status), to]
    match.status = to
    match.updated_at = now
    # what nobody answered is over with its match
    still_open = update(CounterOffer).where(CounterOffer.match_id == match.id, CounterOffer.status == "open")
    await session.execute(still_open.values(status="lapsed", answered_at=now))
    facts = {"commodity": match.commodity, "quantity": match.quantity, **facts}
    await record(session, Event(name, match.id, parties_of(match), now, actor, facts))


async def decline(
    session: AsyncSession,
    *,
    match_id: UUID,
    principal: Principal,
    side: Side | None,
    reason: str | None,
    withdraw: bool,
    now: datetime,
) -> Match:
    """Decline a match; its quantity returns to both orders, or with `withdraw` leaves the decliner's for good.

    An order that is left below its smallest fill lapses its other proposals of the run.
    Raises NotFound (404), MatchNotProposed (409), Invalid (422) when the hub names no side.
    """
    await hold_runs_of(session, [match_id], alone=True)
    match = await rows.lock(session, Match, match_id)
    own = side_of(match, principal, side)
    if not may_be_answered(match.status, match.expires_at, now):
        raise MatchNotProposed
    actor = actor_of(principal, acting_for=party_of(match, own))
    match.decline_reason = reason
    match.version += 1
    moves = [await _give_back(session, match, match.quantity, "declined")]
    await _transition(session, match, State.DECLINED, actor, now, side=own, withdraw=withdraw)
    if withdraw:
        moves.append(
            Move(
                "withdrawn",
                listing_id=match.listing_id if own is Side.LISTING else None,
                demand_id=match.demand_id if own is Side.DEMAND else None,
                match_id=match.id,
                withdrawn=match.quantity,
            )
        )
    await session.flush()
    moves += await _lapse_short_orders(session, [match], now)
    await move(session, moves, at=now, actor=actor)
    return match


async def lapse_due(session: AsyncSession, *, run_id: UUID, now: datetime) -> int:
    """Lapse a run's proposals whose time to answer is over, and what falls short by it; returns how many were due."""
    await rows.hold(session, "run", [run_id])
    due = await queries.due_matches(session, run_id, now)
    moves = [await _lapse(session, match, now) for match in due]
    await session.flush()
    moves += await _lapse_short_orders(session, due, now)
    if moves:
        await move(session, moves, at=now, actor=WORKER)
    return len(due)


async def _lapse(session: AsyncSession, match: Match, now: datetime) -> Move:
    match.version += 1
    await _transition(session, match, State.LAPSED, WORKER, now)
    return await _give_back(session, match, match.quantity, "lapsed")


async def _lapse_short_orders(session: AsyncSession, ended: Sequence[Match], now: datetime) -> list[Move]:
    """Lapse the proposals of orders that the ended matches leave below their smallest fill, and so on."""
    moves: list[Move] = []
    waiting = deque(ended)
    while waiting:
        match = waiting.popleft()
        for listing_id, demand_id, least in (
            (match.listing_id, None, match.listing_min_quantity),
            (None, match.demand_id, match.demand_min_quantity),
        ):
            live = await queries.matches_of_order(session, match.run_id, listing_id=listing_id, demand_id=demand_id)
            if not falls_short(sum(own.quantity for own in live), least):
                continue
            for short in live:
                if short.status == State.PROPOSED:
                    moves.append(await _lapse(session, short, now))
                    waiting.append(short)
            await session.flush()
    return moves
