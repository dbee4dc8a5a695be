"""Looking before posting or clearing: options for a demand, the outlook of a listing, a ladder of landed prices.

Nobody is named; what follows from another party's ask or limit is told in steps of Rp 100, exactly only to the hub.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import HIGHEST_PRICE, CommodityFacts
from app.demands.models import Demand
from app.engine import model as engine
from app.engine.pairs import Candidate, candidates_for_demand, candidates_for_listing
from app.listings.models import Listing
from app.matching.rules import rounded_up
from app.matching.snapshot import demand_of, listing_of, microseconds, read_book


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a landed price ladder."""

    #: rupiah per base unit, rounded up to Rp 100
    landed_price_idr: int
    #: base units at this price, and at this price or less
    quantity: int
    cumulative_quantity: int


async def options(session: AsyncSession, *, demand: Demand, now: datetime, timezone: str) -> list[Candidate]:
    """Return the supply that could serve a demand, by listing and departure, cheapest first, with what forbids it."""
    book = await read_book(session, commodities=[demand.commodity], now=now, timezone=timezone)
    commodity = book.reference.commodities[demand.commodity]
    wanted = demand_of(demand, commodity, book.reference.regions, now)
    return candidates_for_demand(book.market, _pool(book.market, commodity), wanted)


async def outlook(session: AsyncSession, *, listing: Listing, now: datetime, timezone: str) -> list[Candidate]:
    """Return the needs that a listing could serve, by demand and departure, best paid first, with what forbids it.

    What fits is not put first here: fitting goes by the exact limit, and the place in the list would tell it.
    """
    book = await read_book(session, commodities=[listing.commodity], now=now, timezone=timezone)
    commodity = book.reference.commodities[listing.commodity]
    offered = listing_of(listing, commodity, book.reference.regions, now)
    return sorted(candidates_for_listing(book.market, _pool(book.market, commodity), offered), key=_best_paid_first)


def _best_paid_first(candidate: Candidate) -> tuple[int, int, str, str]:
    gate = candidate.demand.limit_idr - candidate.collection_idr - candidate.freight_idr
    departure = "" if candidate.departure is None else candidate.departure.id
    return (-gate, candidate.arrives_on or 0, departure, candidate.demand.id)


def _pool(market: engine.Market, commodity: CommodityFacts) -> engine.Pool:
    if market.pools:
        return market.pools[0]
    return engine.Pool(commodity.code, commodity.unit_weight_g, commodity.grades_substitute, (), ())


async def ladder(
    session: AsyncSession, *, question: engine.Demand, commodity: str, now: datetime, timezone: str
) -> list[Rung]:
    """Return at which landed prices the asked quantity could be had now, each listing on its cheapest departure.

    Departures carry no more than what is free on them. No price here is a promise: a clearing decides.
    """
    book = await read_book(session, commodities=[commodity], now=now, timezone=timezone)
    facts = book.reference.commodities[commodity]
    found = candidates_for_demand(book.market, _pool(book.market, facts), question)
    stock = {candidate.listing.id: candidate.listing.quantity for candidate in found}
    room = {departure.id: departure.free_g // facts.unit_weight_g for departure in book.market.departures}
    rungs: list[Rung] = []
    wanted, total = question.quantity, 0
    for candidate in found:
        if candidate.why_not is not None or wanted == total:
            continue
        place = candidate.departure.id if candidate.departure else None
        taken = min(stock[candidate.listing.id], wanted - total, room[place] if place else wanted)
        if taken == 0:
            continue
        stock[candidate.listing.id] -= taken
        if place:
            room[place] -= taken
        total += taken
        _add(rungs, rounded_up(candidate.landed_idr), taken, total)
    return rungs


def _add(rungs: list[Rung], price: int, quantity: int, total: int) -> None:
    if rungs and rungs[-1].landed_price_idr == price:
        rungs[-1] = Rung(price, rungs[-1].quantity + quantity, total)
    else:
        rungs.append(Rung(price, quantity, total))


def question_of(
    *,
    commodity: CommodityFacts,
    min_grade: str,
    region: str,
    quantity: int,
    now: datetime,
    days: tuple[int, int],
    min_life_days: int,
) -> engine.Demand:
    """Return the demand that a buyer asks a ladder for: any price, delivered between two days (ordinals)."""
    return engine.Demand(
        id="",
        region=region,
        min_grade=commodity.grades[min_grade],
        quantity=quantity,
        limit_idr=HIGHEST_PRICE,
        first_day=days[0],
        last_day=days[1],
        min_life_days=min_life_days,
        min_quantity=1,
        posted_at=microseconds(now),
    )
