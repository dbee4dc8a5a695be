"""The pairwise formulation of docs/engine.md, written anew from the text: nothing here knows the network."""

from collections import defaultdict
from dataclasses import dataclass

from ortools.sat.python import cp_model

from app.engine.model import Demand, Departure, Listing, Market, Pool


@dataclass(frozen=True)
class Pair:
    """One x[s, k, d]."""

    pool: Pool
    listing: Listing
    demand: Demand
    departure: Departure | None
    day: int
    gain: int

    @property
    def listing_key(self) -> tuple[str, str]:
        return (self.pool.commodity, self.listing.id)

    @property
    def demand_key(self) -> tuple[str, str]:
        return (self.pool.commodity, self.demand.id)


def pairs(market: Market) -> list[Pair]:
    """Return all pairs that may trade, with the rupiah a base unit gains."""
    return [
        pair
        for pool in market.pools
        for s in pool.listings
        for d in pool.demands
        if not (s.price_expired or d.price_expired)
        for pair in _ways(market, pool, s, d)
    ]


def _ways(market: Market, pool: Pool, s: Listing, d: Demand) -> list[Pair]:
    good = s.grade == d.min_grade or (pool.grades_substitute and s.grade < d.min_grade)
    if not good:
        return []
    found = []
    if d.loco:
        first, last = max(market.first_departure_day, s.first_day, d.first_day), min(s.last_day, d.last_day)
        return [
            Pair(pool, s, d, None, day, d.limit_idr - s.ask_idr - s.collection_idr)
            for day in range(first, last + 1)
            if s.best_before - day >= d.min_life_days and _open(market, pool, s.hub, d.region, day)
        ]
    for k in market.departures:
        if (k.hub, k.region) != (s.hub, d.region) or not _open(market, pool, k.hub, k.region, k.departs_on):
            continue
        keeps = s.best_before_chilled if k.chilled else s.best_before
        in_time = s.first_day <= k.departs_on <= s.last_day and d.first_day <= k.arrives_on <= d.last_day
        if in_time and keeps - k.arrives_on >= d.min_life_days:
            freight = (k.freight_idr_per_kg * pool.unit_weight_g + 999) // 1000
            found.append(Pair(pool, s, d, k, k.departs_on, d.limit_idr - s.ask_idr - s.collection_idr - freight))
    return found


def _open(market: Market, pool: Pool, hub: str, region: str, day: int) -> bool:
    return any(
        (a.hub, a.region) == (hub, region)
        and a.first_day <= day <= a.last_day
        and (a.commodities is None or pool.commodity in a.commodities)
        for a in market.agreements
    )


def best_surplus(market: Market, without: frozenset[tuple[str, str, str]] = frozenset()) -> int:
    """Return the greatest surplus without smallest fills, by OR-tools' CP-SAT; `without` leaves orders out."""
    model = cp_model.CpModel()
    rows, gain = defaultdict(list), []
    for number, pair in enumerate(pairs(market)):
        if {("listing", *pair.listing_key), ("demand", *pair.demand_key)} & without:
            continue
        x = model.new_int_var(0, min(pair.listing.quantity, pair.demand.quantity), f"x{number}")
        rows["listing", pair.listing_key, pair.listing.quantity].append((x, 1))
        rows["demand", pair.demand_key, pair.demand.quantity].append((x, 1))
        if pair.departure is not None:
            rows["departure", pair.departure.id, pair.departure.free_g].append((x, pair.pool.unit_weight_g))
        gain.append(pair.gain * x)
    if not gain:
        return 0
    for (_, _, most), terms in rows.items():
        model.add(sum(x * weight for x, weight in terms) <= most)
    model.maximize(sum(gain))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)
