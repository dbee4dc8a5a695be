"""The order book of one pool by class: orders that the network cannot tell apart hang on the same node.

Orders whose price has expired take no part; a demand class also knows on which legs it can be reached.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from app.engine.model import Demand, Listing, Market, Pool
from app.engine.pairs import Agreements, Leg, departure_leg, loco_leg


class SupplyClass(NamedTuple):
    """What the network knows of a listing."""

    hub: str
    grade: int
    first_day: int
    last_day: int
    best_before: int
    best_before_chilled: int


class DemandClass(NamedTuple):
    """What the network knows of a demand."""

    region: str
    loco: bool
    min_grade: int
    min_life_days: int
    first_day: int
    last_day: int


class Arrival(NamedTuple):
    """Where and when goods arrive: a region, or a hub where they are fetched, on a day."""

    place: str
    loco: bool
    day: int


@dataclass(frozen=True, slots=True)
class Book:
    """One pool's classes, its legs, and which classes take goods at which arrival."""

    pool: Pool
    supply: dict[SupplyClass, tuple[Listing, ...]]
    demand: dict[DemandClass, tuple[Demand, ...]]
    legs: tuple[Leg, ...]
    wanted: dict[Arrival, tuple[DemandClass, ...]]


def supply_class(listing: Listing) -> SupplyClass:
    """Return the class of a listing."""
    s = listing
    return SupplyClass(s.hub, s.grade, s.first_day, s.last_day, s.best_before, s.best_before_chilled)


def demand_class(demand: Demand) -> DemandClass:
    """Return the class of a demand."""
    d = demand
    return DemandClass(d.region, d.loco, d.min_grade, d.min_life_days, d.first_day, d.last_day)


def open_book(market: Market, pool: Pool) -> Book:
    """Group a pool's live orders by class and find the legs on which the agreements let goods travel.

    Legs without room for one base unit are left out. Everything is in canonical order when the market is.
    """
    supply: defaultdict[SupplyClass, list[Listing]] = defaultdict(list)
    demand: defaultdict[DemandClass, list[Demand]] = defaultdict(list)
    for listing in pool.listings:
        if not listing.price_expired:
            supply[supply_class(listing)].append(listing)
    for order in pool.demands:
        if not order.price_expired:
            demand[demand_class(order)].append(order)
    legs, wanted = _legs(market, pool, sorted(supply), sorted(demand))
    return Book(
        pool,
        {key: tuple(supply[key]) for key in sorted(supply)},
        {key: tuple(demand[key]) for key in sorted(demand)},
        legs,
        wanted,
    )


def _legs(
    market: Market, pool: Pool, supply: list[SupplyClass], demand: list[DemandClass]
) -> tuple[tuple[Leg, ...], dict[Arrival, tuple[DemandClass, ...]]]:
    """Return the legs that can carry something somebody wants, and who wants it."""
    agreements = Agreements(market.agreements)
    hubs = sorted({key.hub for key in supply})
    of_region: defaultdict[str, list[DemandClass]] = defaultdict(list)
    for key in demand:
        of_region["" if key.loco else key.region].append(key)
    wanted: dict[Arrival, tuple[DemandClass, ...]] = {}

    def take(leg: Leg) -> bool:
        """Note who wants what this leg brings."""
        at = Arrival(leg.place, leg.loco, leg.arrives_on)
        if at not in wanted:
            wanted[at] = tuple(
                key
                for key in of_region["" if leg.loco else leg.place]
                if key.first_day <= leg.arrives_on <= key.last_day
                and (
                    not leg.loco
                    or agreements.in_force(leg.hub, key.region, pool.commodity, leg.departs_on, leg.departs_on)
                )
            )
        return bool(wanted[at])

    legs = [
        departure_leg(k, pool.unit_weight_g)
        for k in market.departures
        if k.hub in hubs
        and k.free_g >= pool.unit_weight_g
        and agreements.in_force(k.hub, k.region, pool.commodity, k.departs_on, k.departs_on)
    ]
    fetched = of_region[""]
    if fetched:
        for hub in hubs:
            ours = [key for key in supply if key.hub == hub]
            first = max(market.first_departure_day, min(s.first_day for s in ours), min(d.first_day for d in fetched))
            last = min(max(s.last_day for s in ours), max(d.last_day for d in fetched))
            legs.extend(loco_leg(hub, day) for day in range(first, last + 1))
    return tuple(sorted(filter(take, legs), key=lambda leg: leg.key)), wanted
