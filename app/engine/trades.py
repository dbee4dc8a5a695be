"""Every trade that the rules allow, leg by leg, straight from the market: the audit's look beyond the network.

It knows neither book nor network and says windows and freshness once more; grades, agreements and freight are the
rules of `pairs`. Orders of equal place, days, grade and shelf life are looked at once: it costs legs times kinds of
orders, never orders times orders.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeVar

from app.engine.model import Market, Pool
from app.engine.pairs import Agreements, Leg, departure_leg, grade_fits, loco_leg

#: commodity, side and id of an order
Name = tuple[str, str, str]
#: what every order says: cost of a base unit (ask + collection, or minus the limit), quantity, smallest fill
Figures = dict[Name, tuple[int, int, int]]
_Kind = TypeVar("_Kind")


def figures(market: Market) -> Figures:
    """Return what every order of the market says."""
    said: Figures = {}
    for pool in market.pools:
        for s in pool.listings:
            least = min(max(s.min_quantity, 1), s.quantity)
            said[pool.commodity, "listing", s.id] = (s.ask_idr + s.collection_idr, s.quantity, least)
        for d in pool.demands:
            said[pool.commodity, "demand", d.id] = (-d.limit_idr, d.quantity, min(max(d.min_quantity, 1), d.quantity))
    return said


def cheapest(market: Market, pool: Pool, price: Mapping[Name, int]) -> Iterator[tuple[Leg, int]]:
    """Yield each leg with room for one base unit on which a pair may trade, and the least sum of their two prices.

    Prices are asks, or minus a limit, so that less is better for the market.
    """
    supply, demand = _kinds(pool, price)
    agreements = Agreements(market.agreements)
    for leg in _legs(market, pool):
        goods: dict[tuple[int, int], int] = {}
        for (grade, first, last, *lives), ask in supply[leg.hub].items():
            if first <= leg.departs_on <= last:
                _lower(goods, (grade, lives[leg.chilled] - leg.arrives_on), ask)
        needs: dict[tuple[str, int, int], int] = {}
        for (region, grade, life, first, last), limit in demand["" if leg.loco else leg.place].items():
            if first <= leg.arrives_on <= last:
                _lower(needs, (region, grade, life), limit)
        sums = [
            ask + limit
            for (region, need, life), limit in needs.items()
            if agreements.in_force(leg.hub, region, pool.commodity, leg.departs_on, leg.departs_on)
            for (grade, left), ask in goods.items()
            if grade_fits(pool, grade, need) and left >= life
        ]
        if sums:
            yield leg, min(sums)


_Supply = defaultdict[str, dict[tuple[int, int, int, int, int], int]]
_Demand = defaultdict[str, dict[tuple[str, int, int, int, int], int]]


def _kinds(pool: Pool, price: Mapping[Name, int]) -> tuple[_Supply, _Demand]:
    """Return by place what live orders have in common and their least price; who fetches is at no place."""
    supply: _Supply = defaultdict(dict)
    demand: _Demand = defaultdict(dict)
    for s in pool.listings:
        if not s.price_expired:
            kind = (s.grade, s.first_day, s.last_day, s.best_before, s.best_before_chilled)
            _lower(supply[s.hub], kind, price[pool.commodity, "listing", s.id])
    for d in pool.demands:
        if not d.price_expired:
            need = (d.region, d.min_grade, d.min_life_days, d.first_day, d.last_day)
            _lower(demand["" if d.loco else d.region], need, price[pool.commodity, "demand", d.id])
    return supply, demand


def _lower(prices: dict[_Kind, int], kind: _Kind, price: int) -> None:
    prices[kind] = min(price, prices.get(kind, price))


def _legs(market: Market, pool: Pool) -> Iterator[Leg]:
    """Yield the departures with room for one base unit, and fetching at every hub on every day in question."""
    for k in market.departures:
        if k.free_g >= pool.unit_weight_g:
            yield departure_leg(k, pool.unit_weight_g)
    fetched = [d for d in pool.demands if d.loco]
    if fetched:
        for hub in sorted({s.hub for s in pool.listings}):
            here = [s for s in pool.listings if s.hub == hub]
            first = max(min(s.first_day for s in here), min(d.first_day for d in fetched), market.first_departure_day)
            last = min(max(s.last_day for s in here), max(d.last_day for d in fetched))
            yield from (loco_leg(hub, day) for day in range(first, last + 1))
