"""The order book of one pool by class: orders that the network cannot tell apart hang on the same node.

Orders whose price has expired take no part. The book is columns: orders as whole numbers, classes, and the legs on
which the agreements let goods travel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

from app.engine.columns import codes, ints, pack
from app.engine.compiled import Ints
from app.engine.model import Demand, Listing, Market, Pool
from app.engine.pairs import Agreements, Leg, departure_leg, loco_leg

_Order = TypeVar("_Order", Listing, Demand)


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


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply classes of a pool as columns, shape (supply classes,), sorted; hubs by their number."""

    hub: Ints
    grade: Ints
    first_day: Ints
    last_day: Ints
    best_before: Ints
    best_before_chilled: Ints


@dataclass(frozen=True, slots=True)
class Needs:
    """The demand classes of a pool as columns, shape (demand classes,), sorted; regions by their number."""

    region: Ints
    loco: Ints
    min_grade: Ints
    min_life_days: Ints
    first_day: Ints
    last_day: Ints


@dataclass(frozen=True, slots=True)
class Ways:
    """The legs of a pool as columns, shape (legs,), places by their number; and whom they may serve."""

    hub: Ints
    place: Ints
    loco: Ints
    departs_on: Ints
    arrives_on: Ints
    chilled: Ints
    #: shape (pairs,): legs, and the regions whose demands they may serve
    serving: Ints
    served: Ints


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides which ways goods may take: two books of the same plan share one ground."""

    #: a better grade may serve a lower need
    substitutes: bool
    #: place codes by number, sorted
    places: tuple[str, ...]
    #: what the legs are, the same in every book
    legs: tuple[tuple[str, str, int, int, str, str], ...]
    supply: Supply
    needs: Needs
    ways: Ways


@dataclass(frozen=True, slots=True)
class Book:
    """One pool's live orders as columns of shape (orders,), listings first, by class, and its plan."""

    pool: Pool
    plan: Plan
    legs: tuple[Leg, ...]
    orders: tuple[Listing | Demand, ...]
    #: how many of the orders are listings
    listings: int
    #: number of its class, among those of its side
    kind: Ints
    #: rupiah per base unit: ask + collection, or minus the limit
    cost: Ints
    #: base units: what is open, and the smallest fill
    quantity: Ints
    least: Ints


def supply_class(listing: Listing) -> SupplyClass:
    """Return the class of a listing."""
    s = listing
    return SupplyClass(s.hub, s.grade, s.first_day, s.last_day, s.best_before, s.best_before_chilled)


def demand_class(demand: Demand) -> DemandClass:
    """Return the class of a demand."""
    d = demand
    return DemandClass(d.region, d.loco, d.min_grade, d.min_life_days, d.first_day, d.last_day)


def open_book(market: Market, pool: Pool) -> Book:
    """Group a pool's live orders by class, and find the legs on which the agreements let goods travel.

    Legs without room for one base unit are left out. Everything is in canonical order when the market is.
    """
    live = [listing for listing in pool.listings if not listing.price_expired]
    lively = [demand for demand in pool.demands if not demand.price_expired]
    places = tuple(sorted({listing.hub for listing in live} | {demand.region for demand in lively}))
    number = {place: n for n, place in enumerate(places)}
    listings, offered, offering = _by_class(live, SupplyClass, number)
    demands, asked, needing = _by_class(lively, DemandClass, number)
    supply, needs, agreements = Supply(*offering), Needs(*needing), Agreements(market.agreements)
    legs = _legs(market, pool, agreements, places, supply, needs)
    ways = _ways(pool, agreements, legs, number, {demand.region for demand in demands if demand.loco})
    plan = Plan(pool.grades_substitute, places, tuple(leg.key for leg in legs), supply, needs, ways)
    quantity = np.concatenate([ints(listings, "quantity"), ints(demands, "quantity")])
    least = np.concatenate([ints(listings, "min_quantity"), ints(demands, "min_quantity")])
    return Book(
        pool,
        plan,
        legs,
        (*listings, *demands),
        len(listings),
        kind=np.concatenate([offered, asked]),
        cost=np.concatenate(
            [ints(listings, "ask_idr") + ints(listings, "collection_idr"), -ints(demands, "limit_idr")]
        ),
        quantity=quantity,
        least=np.minimum(np.maximum(least, 1), quantity),
    )


def _by_class(
    rows: Sequence[_Order], kind: type[SupplyClass | DemandClass], number: dict[str, int]
) -> tuple[list[_Order], Ints, list[Ints]]:
    """Return the orders by class, the number of each one's class, and the classes as columns, the place first."""
    place, *figures = kind._fields
    columns = [codes(rows, place, number), *(ints(rows, name) for name in figures)]
    _, first, own = np.unique(pack(*columns), return_index=True, return_inverse=True)
    sort = np.argsort(own, kind="stable")
    return [rows[i] for i in sort.tolist()], own[sort], [column[first] for column in columns]


def _legs(
    market: Market, pool: Pool, agreements: Agreements, places: tuple[str, ...], supply: Supply, needs: Needs
) -> tuple[Leg, ...]:
    """Return the departures from hubs with goods to regions with needs, and the days of fetching, sorted."""
    hubs = {places[n] for n in supply.hub.tolist()}
    regions = {places[n] for n in needs.region[needs.loco == 0].tolist()}
    legs = [
        departure_leg(k, pool.unit_weight_g)
        for k in market.departures
        if k.hub in hubs
        and k.region in regions
        and k.free_g >= pool.unit_weight_g
        and agreements.in_force(k.hub, k.region, pool.commodity, k.departs_on, k.departs_on)
    ]
    fetched = needs.loco == 1
    if fetched.any():
        opens, closes = int(needs.first_day[fetched].min()), int(needs.last_day[fetched].max())
        for hub in np.unique(supply.hub).tolist():
            ours = supply.hub == hub
            first = max(market.first_departure_day, int(supply.first_day[ours].min()), opens)
            last = min(int(supply.last_day[ours].max()), closes)
            legs.extend(loco_leg(places[hub], day) for day in range(first, last + 1))
    return tuple(sorted(legs, key=lambda leg: leg.key))


def _ways(pool: Pool, agreements: Agreements, legs: Sequence[Leg], number: dict[str, int], fetching: set[str]) -> Ways:
    """Return the legs as columns: a departure serves its region, a day of fetching all whom an agreement lets fetch."""

    def served(leg: Leg) -> Iterator[int]:
        if not leg.loco:
            yield number[leg.place]
            return
        for region in sorted(fetching):
            if agreements.in_force(leg.hub, region, pool.commodity, leg.departs_on, leg.departs_on):
                yield number[region]

    pairs = np.array([(n, region) for n, leg in enumerate(legs) for region in served(leg)], dtype=np.int64)
    return Ways(
        codes(legs, "hub", number),
        codes(legs, "place", number),
        *(ints(legs, name) for name in ("loco", "departs_on", "arrives_on", "chilled")),
        *pairs.reshape(-1, 2).T,
    )
