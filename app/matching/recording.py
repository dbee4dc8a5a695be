"""Writing a run: everything in one transaction, or nothing, and only while the snapshot still stands."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.demands.models import Demand
from app.engine import canonical
from app.engine.model import Clearing
from app.engine.model import Match as EngineMatch
from app.kit.bulk import write_many
from app.kit.ids import new_id
from app.lanes.models import Departure
from app.listings.models import Listing
from app.matching import queries
from app.matching.models import ClearedPool, ClearingDocument, ClearingPrice, ClearingRun, Match, PoolClaim, Unmatched
from app.matching.rules import State, expires_at
from app.matching.snapshot import Book
from app.outbox.events import Actor, Event
from app.outbox.service import record


class Moved(Exception):
    """What was matched changed after it was read: not an error, the run solves again."""


@dataclass(frozen=True, slots=True)
class Papers:
    """What a replay needs of a run: canonical input and output, compressed, and their hashes."""

    input: bytes
    output: bytes
    input_sha256: str
    output_sha256: str


def papers_of(document: bytes, clearing: Clearing) -> Papers:
    """Return the papers of a canonical input and its clearing. Of a large book it takes seconds: not in the loop."""
    output = canonical.encode_clearing(clearing)
    return Papers(
        input=zlib.compress(document),
        output=zlib.compress(output),
        input_sha256=canonical.sha256(document),
        output_sha256=canonical.sha256(output),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A solved run, ready to be written."""

    run_id: UUID
    dry_run: bool
    as_of: datetime
    #: when it was asked for: `as_of`, but for a dry run of another instant
    now: datetime
    commodities: Sequence[str]
    book: Book
    clearing: Clearing
    papers: Papers
    #: of the hub
    timezone: str
    duration_ms: int
    actor: Actor


async def write(session: AsyncSession, outcome: Outcome) -> ClearingRun:
    """Write a solved run. Raises Moved when the snapshot no longer stands or the pools are no longer claimed.

    1. A binding run locks what it matched, listings, demands, departures in that order and by id, and compares versions
       and free grams with the snapshot. At READ COMMITTED: under REPEATABLE READ the lock would read the old snapshot.
    2. Run, pools, documents, matches, reasons and prices.
    3. A binding run moves open quantity to proposed and books the departures, then gives its pools back.
    """
    matches = [_match_row(outcome, match) for match in outcome.clearing.matches]
    previous = None
    if not outcome.dry_run:
        await _still_stands(session, outcome, matches)
        # runs of different pools may end at once: the chain of hashes takes them one after the other
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("clearing_chain", 0))))
        previous = await queries.last_binding_sha256(session)
    run = _run_row(outcome, previous, len(matches))
    session.add(run)
    await session.flush()
    await _write_documents(session, outcome)
    await write_many(session, Match, matches)
    await _write_reasons_and_prices(session, outcome)
    if not outcome.dry_run:
        await _bind(session, outcome, matches)
    return run


async def _still_stands(session: AsyncSession, outcome: Outcome, matches: Sequence[Mapping[str, Any]]) -> None:
    book = outcome.book
    for model, read, name in ((Listing, book.listings, "listing_id"), (Demand, book.demands, "demand_id")):
        ids = sorted({match[name] for match in matches})
        # one array: a statement takes no more than 32,767 parameters
        matched = model.id == any_(bindparam("ids", ids, ARRAY(Uuid)))
        statement = select(model.id, model.version).where(matched).order_by(model.id).with_for_update()
        versions = {row.id: row.version for row in await session.execute(statement)}
        if any(versions.get(key) != read[key].version for key in ids):
            raise Moved
    load: dict[UUID, int] = {}
    for match in matches:
        if match["departure_id"] is not None:
            load[match["departure_id"]] = load.get(match["departure_id"], 0) + _grams(book, match)
    booked = select(Departure).where(Departure.id.in_(load)).order_by(Departure.id).with_for_update()
    found = {row.id: row for row in await session.scalars(booked.execution_options(populate_existing=True))}
    for key, grams in load.items():
        departure = found[key]
        if departure.status != "scheduled" or departure.capacity_kg * 1000 - departure.booked_g < grams:
            raise Moved


def _grams(book: Book, match: Mapping[str, Any]) -> int:
    weight: int = book.reference.commodities[match["commodity"]].unit_weight_g
    quantity: int = match["quantity"]
    return quantity * weight


async def _bind(session: AsyncSession, outcome: Outcome, matches: Sequence[Mapping[str, Any]]) -> None:
    moves = [
        Move(
            "proposed",
            listing_id=match["listing_id"],
            demand_id=match["demand_id"],
            departure_id=match["departure_id"],
            match_id=match["id"],
            proposed=match["quantity"],
            booked_g=_grams(outcome.book, match) if match["departure_id"] else 0,
        )
        for match in matches
    ]
    if moves:
        await move(session, moves, at=outcome.as_of, actor=outcome.actor)
    events = [_proposed(match, outcome) for match in matches]
    facts = {"matches": len(matches), "commodities": list(outcome.commodities)}
    events.append(Event("clearing.completed", outcome.run_id, (), outcome.as_of, outcome.actor, facts))
    await record(session, *events)
    released = await session.execute(
        delete(PoolClaim).where(PoolClaim.run_id == outcome.run_id).returning(PoolClaim.commodity)
    )
    if len(released.all()) != len(outcome.commodities):
        # the lease ended and another run took a pool
        raise Moved


def _proposed(match: Mapping[str, Any], outcome: Outcome) -> Event:
    parties = (match["listing_organization_id"], match["demand_organization_id"])
    facts = {
        "commodity": match["commodity"],
        "quantity": match["quantity"],
        "departs_on": match["departs_on"].isoformat(),
        "producer_price_idr": match["producer_price_idr"],
        "delivered_price_idr": match["delivered_price_idr"],
    }
    return Event("match.proposed", match["id"], parties, outcome.as_of, outcome.actor, facts)


def _run_row(outcome: Outcome, previous: str | None, matches: int) -> ClearingRun:
    return ClearingRun(
        id=outcome.run_id,
        status="completed",
        dry_run=outcome.dry_run,
        as_of=outcome.as_of,
        commodities=list(outcome.commodities),
        requested_by=outcome.actor.organization_id,
        engine=canonical.ENGINE,
        input_sha256=outcome.papers.input_sha256,
        output_sha256=outcome.papers.output_sha256,
        previous_sha256=previous,
        certificate=asdict(outcome.clearing.certificate),
        matches=matches,
        unmatched=len(outcome.clearing.unmatched),
        duration_ms=outcome.duration_ms,
        created_at=outcome.now,
    )


async def _write_documents(session: AsyncSession, outcome: Outcome) -> None:
    papers = outcome.papers
    session.add(ClearingDocument(run_id=outcome.run_id, input=papers.input, output=papers.output))
    session.add_all(ClearedPool(run_id=outcome.run_id, **asdict(pool)) for pool in outcome.clearing.pools)
    await session.flush()


def _match_row(outcome: Outcome, match: EngineMatch) -> dict[str, Any]:
    book = outcome.book
    listing, demand = book.listings[UUID(match.listing_id)], book.demands[UUID(match.demand_id)]
    departure = book.departures[UUID(match.departure_id)] if match.departure_id else None
    departs_on = date.fromordinal(match.departs_on)
    last_day = departure.closes_on if departure else departs_on - timedelta(days=1)
    return {
        "id": new_id(),
        "run_id": outcome.run_id,
        "listing_id": listing.id,
        "listing_organization_id": listing.organization_id,
        "demand_id": demand.id,
        "demand_organization_id": demand.organization_id,
        "commodity": match.commodity,
        "grade": listing.grade,
        "quantity": match.quantity,
        "departure_id": departure.id if departure else None,
        "departs_on": departs_on,
        "arrives_on": date.fromordinal(match.arrives_on),
        "producer_price_idr": match.producer_price_idr,
        "collection_idr": match.collection_idr,
        "freight_idr": match.freight_idr,
        "scarcity_idr": match.scarcity_idr,
        "delivered_price_idr": match.delivered_price_idr,
        "ask_idr": listing.price_idr,
        "limit_idr": demand.max_price_idr,
        "listing_min_quantity": min(listing.min_quantity, listing.open_quantity),
        "demand_min_quantity": min(demand.min_quantity, demand.open_quantity),
        "status": State.DRY_RUN if outcome.dry_run else State.PROPOSED,
        "expires_at": expires_at(outcome.as_of, last_day=last_day, timezone=outcome.timezone),
        "version": 1,
        "created_at": outcome.as_of,
        "updated_at": outcome.as_of,
    }


async def _write_reasons_and_prices(session: AsyncSession, outcome: Outcome) -> None:
    book, clearing = outcome.book, outcome.clearing
    orders = [*book.listings.values(), *book.demands.values()]
    owners = {str(order.id): order.organization_id for order in orders}
    reasons = [
        {
            "id": new_id(),
            "run_id": outcome.run_id,
            "side": left.side,
            "order_id": UUID(left.id),
            "organization_id": owners[left.id],
            "commodity": left.commodity,
            "quantity": left.quantity,
            "reason": left.reason,
            "detail": left.detail,
        }
        for left in clearing.unmatched
    ]
    prices = [
        {
            "id": new_id(),
            "run_id": outcome.run_id,
            "commodity": price.commodity,
            "grade": book.reference.commodities[price.commodity].grade_code(price.grade),
            "min_remaining_shelf_life_days": price.min_life_days,
            "region": price.region,
            "level": price.level,
            "day": date.fromordinal(price.day),
            "price_idr": price.price_idr,
            "traded_quantity": price.traded_quantity,
        }
        for price in clearing.prices
    ]
    for model, values in ((Unmatched, reasons), (ClearingPrice, prices)):
        await write_many(session, model, values)
