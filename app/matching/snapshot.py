"""The book as the engine reads it: rows at one instant turned into a market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries as catalog
from app.catalog.rules import CommodityFacts, Reference, RegionFacts
from app.demands import queries as demands
from app.demands.models import Demand
from app.engine import model as engine
from app.kit.clock import local_day
from app.lanes import queries as lanes
from app.lanes.models import Departure
from app.lanes.rules import is_usable
from app.listings import queries as listings
from app.listings.models import Listing
from app.regions.models import Agreement
from app.regions.queries import agreements_in_force

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: a listing, a demand, or the columns of one that a clearing reads
Offered: TypeAlias = Listing | Row[*tuple[Any, ...]]
Wanted: TypeAlias = Demand | Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Book:
    """What a run read at one instant, and the market that it makes."""

    market: engine.Market
    listings: Mapping[UUID, Offered]
    demands: Mapping[UUID, Wanted]
    departures: Mapping[UUID, Departure]
    reference: Reference


async def read_book(session: AsyncSession, *, commodities: Sequence[str], now: datetime, timezone: str) -> Book:
    """Read the open orders of commodities, the departures a run may use, and the agreements. `timezone`: the hub's."""
    today = local_day(now, timezone)
    reference = await catalog.reference(session)
    offered = await listings.open_in_pools(session, commodities)
    wanted = await demands.open_in_pools(session, commodities)
    departures = [
        departure
        for departure in await lanes.usable_departures(session, after=today)
        if is_usable(
            departs_on=departure.departs_on, closes_on=departure.closes_on, status=departure.status, today=today
        )
    ]
    traded = {listing.commodity for listing in offered} | {demand.commodity for demand in wanted}
    pools = tuple(
        pool_of(reference.commodities[code], offered, wanted, reference.regions, now)
        for code in commodities
        if code in traded
    )
    return Book(
        market=engine.Market(
            pools=pools,
            departures=tuple(departure_of(departure) for departure in departures),
            agreements=tuple(agreement_of(agreement) for agreement in await agreements_in_force(session)),
            first_departure_day=today.toordinal() + 1,
        ),
        listings={listing.id: listing for listing in offered},
        demands={demand.id: demand for demand in wanted},
        departures={departure.id: departure for departure in departures},
        reference=reference,
    )


def pool_of(
    commodity: CommodityFacts,
    offered: Sequence[Offered],
    wanted: Sequence[Wanted],
    regions: Mapping[str, RegionFacts],
    now: datetime,
) -> engine.Pool:
    """Return the pool of one commodity."""
    return engine.Pool(
        commodity=commodity.code,
        unit_weight_g=commodity.unit_weight_g,
        grades_substitute=commodity.grades_substitute,
        listings=tuple(
            listing_of(listing, commodity, regions, now) for listing in offered if listing.commodity == commodity.code
        ),
        demands=tuple(
            demand_of(demand, commodity, regions, now) for demand in wanted if demand.commodity == commodity.code
        ),
    )


def listing_of(
    listing: Offered, commodity: CommodityFacts, regions: Mapping[str, RegionFacts], now: datetime
) -> engine.Listing:
    """Return a listing as the engine reads it; its days at the hub come after its days of collection.

    One that has nothing open, which no run reads, is asked about as a whole.
    """
    region = regions[listing.region]
    return engine.Listing(
        id=str(listing.id),
        hub=listing.hub,
        grade=commodity.grades[listing.grade],
        quantity=listing.open_quantity or listing.quantity,
        ask_idr=listing.price_idr,
        collection_idr=-(-region.collection_idr_per_kg * commodity.unit_weight_g // 1000),
        first_day=listing.available_from.toordinal() + region.collection_days,
        last_day=listing.available_until.toordinal() + region.collection_days,
        best_before=listing.best_before.toordinal(),
        best_before_chilled=listing.best_before_chilled.toordinal(),
        min_quantity=listing.min_quantity,
        posted_at=microseconds(listing.created_at),
        price_expired=has_expired(listing.price_valid_until, region.timezone, now),
    )


def demand_of(
    demand: Wanted, commodity: CommodityFacts, regions: Mapping[str, RegionFacts], now: datetime
) -> engine.Demand:
    """Return a demand as the engine reads it; a part of a city trades as its parent.

    One that has nothing open, which no run reads, is asked about as a whole.
    """
    region = regions[demand.region]
    return engine.Demand(
        id=str(demand.id),
        region=region.trades_as,
        min_grade=commodity.grades[demand.min_grade],
        quantity=demand.open_quantity or demand.quantity,
        limit_idr=demand.max_price_idr,
        first_day=demand.deliver_from.toordinal(),
        last_day=demand.deliver_by.toordinal(),
        min_life_days=demand.min_remaining_shelf_life_days,
        min_quantity=demand.min_quantity,
        posted_at=microseconds(demand.created_at),
        loco=demand.delivery == "loco",
        price_expired=has_expired(demand.price_valid_until, region.timezone, now),
    )


def departure_of(departure: Departure) -> engine.Departure:
    """Return a departure as the engine reads it."""
    lane = departure.lane
    return engine.Departure(
        id=str(departure.id),
        lane=lane.code,
        hub=lane.origin,
        region=lane.destination,
        departs_on=departure.departs_on.toordinal(),
        arrives_on=departure.arrives_on.toordinal(),
        freight_idr_per_kg=lane.freight_idr_per_kg,
        free_g=departure.capacity_kg * 1000 - departure.booked_g,
        chilled=lane.temperature == "chilled",
    )


def agreement_of(agreement: Agreement) -> engine.Agreement:
    """Return an agreement as the engine reads it; one without an end holds on."""
    return engine.Agreement(
        hub=agreement.hub,
        region=agreement.region,
        first_day=agreement.signed_on.toordinal(),
        last_day=(agreement.valid_until or date.max).toordinal(),
        commodities=None if agreement.commodities is None else tuple(agreement.commodities),
    )


def has_expired(valid_until: date | None, timezone: str, now: datetime) -> bool:
    """Tell whether a price no longer holds: its last local day is over (rule 12)."""
    return valid_until is not None and valid_until < local_day(now, timezone)


def microseconds(instant: datetime) -> int:
    """Return microseconds since the epoch."""
    return (instant - EPOCH) // timedelta(microseconds=1)
