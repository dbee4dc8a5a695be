"""At the door: what the engine refuses to compute with."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from app.engine.model import Demand, Listing, Market, Pool

MAX_PRICE_IDR = 10**8
MAX_QUANTITY = 10**9
MAX_ORDERS = 10**6
#: days are ordinals of years 1 to 9999
MAX_DAY = 3_652_059
#: all goods on one departure together must fit into 64 bits
MAX_GRAMS = 2**62 - 1
#: longest time during which goods may be fetched at a hub: one pseudo-departure stands for each day
MAX_LOCO_DAYS = 1000


#: what both sides of the market have in common, and what only one has: least and greatest figure
_ORDER_FIGURES = {
    "quantity": (1, MAX_QUANTITY),
    "min_quantity": (0, 2**62),
    "first_day": (0, MAX_DAY),
    "last_day": (0, MAX_DAY),
    "posted_at": (-(2**62), 2**62),
}
LISTING_FIGURES = {
    "ask_idr": (0, MAX_PRICE_IDR),
    "collection_idr": (0, MAX_PRICE_IDR),
    "grade": (1, 10**6),
    "best_before": (0, 2 * MAX_DAY),
    "best_before_chilled": (0, 2 * MAX_DAY),
    **_ORDER_FIGURES,
}
DEMAND_FIGURES = {
    "limit_idr": (0, MAX_PRICE_IDR),
    "min_grade": (1, 10**6),
    "min_life_days": (0, MAX_DAY),
    **_ORDER_FIGURES,
}


class MarketRefusedError(ValueError):
    """The market is outside the bounds within which the engine's whole numbers are exact; the message says where."""


def validate(market: Market) -> None:
    """Raise MarketRefusedError unless every figure is in bounds and every name is unique.

    The bound on price times path length needs the network: see `check_range`.
    """
    _unique("pool", (pool.commodity for pool in market.pools))
    _unique("departure", (departure.id for departure in market.departures))
    _between("first_departure_day", market.first_departure_day, 0, MAX_DAY)
    for departure in market.departures:
        where = f"departure {departure.id}"
        _between(f"{where}: freight_idr_per_kg", departure.freight_idr_per_kg, 0, MAX_PRICE_IDR)
        _between(f"{where}: free_g", departure.free_g, 0, 2**60)
        _between(f"{where}: departs_on", departure.departs_on, 0, MAX_DAY)
        _between(f"{where}: arrives_on", departure.arrives_on, departure.departs_on, MAX_DAY)
    for agreement in market.agreements:
        _between(f"agreement {agreement.hub} {agreement.region}: first_day", agreement.first_day, 0, MAX_DAY)
        _between(f"agreement {agreement.hub} {agreement.region}: last_day", agreement.last_day, 0, MAX_DAY)
    for pool in market.pools:
        _validate_pool(pool)
    grams = sum(_tradable(pool) * pool.unit_weight_g for pool in market.pools)
    _between("grams that could be traded in all", grams, 0, MAX_GRAMS)


def _tradable(pool: Pool) -> int:
    """Return what no clearing of a pool can exceed, base units: all that the smaller side holds."""
    return min(sum(order.quantity for order in side) for side in (pool.listings, pool.demands))


def check_range(*, price_idr: int, freight_idr: int, departure_arcs: int, orders: int, units: int = 1) -> int:
    """Return a price above any path's in rupiah, or raise MarketRefusedError where whole numbers could overflow.

    With P the largest price, F the largest freight with a row price on top (at most P for a unit of the row's weight,
    of which a base unit has at most `units`) and L the number of departure arcs, (P + L * F) * K < 2^60, K = 4 R + 2
    being the scale of ties and also above the engine's own scales: then prices stay below the simplex's sentinels, and
    differences of four of them within 64 bits.
    """
    reach = price_idr + departure_arcs * (freight_idr + units * price_idr)
    if reach * max(4 * orders + 2, 64) >= 2**60:
        message = f"prices up to {price_idr} over {departure_arcs} departure arcs do not fit into 60 bits"
        raise MarketRefusedError(message)
    return 2 * reach + 1


def _validate_pool(pool: Pool) -> None:
    """Check one pool and its orders."""
    where = f"pool {pool.commodity}"
    _between(f"{where}: unit_weight_g", pool.unit_weight_g, 1, 10**9)
    _between(f"{where}: listings", len(pool.listings), 0, MAX_ORDERS)
    _between(f"{where}: demands", len(pool.demands), 0, MAX_ORDERS)
    _unique(f"{where}: listing", (listing.id for listing in pool.listings))
    _unique(f"{where}: demand", (demand.id for demand in pool.demands))
    _figures(f"{where}: listing", pool.listings, LISTING_FIGURES)
    _figures(f"{where}: demand", pool.demands, DEMAND_FIGURES)
    if any(demand.loco for demand in pool.demands) and pool.listings:
        days = min(max(s.last_day for s in pool.listings), max(d.last_day for d in pool.demands if d.loco))
        first = max(min(s.first_day for s in pool.listings), min(d.first_day for d in pool.demands if d.loco))
        _between(f"{where}: days of fetching at the hub", max(days - first, 0), 0, MAX_LOCO_DAYS)


def _figures(what: str, rows: Sequence[Listing | Demand], bounds: dict[str, tuple[int, int]]) -> None:
    """Check the figures of all orders of a side, one figure after the other."""
    for name, (least, most) in bounds.items():
        values = list(map(attrgetter(name), rows))
        if (
            set(map(type, values)) <= {int}
            and least <= min(values, default=least) <= max(values, default=least) <= most
        ):
            continue
        for row, value in zip(rows, values, strict=True):
            _between(f"{what} {row.id}: {name}", value, least, most)


def _between(what: str, value: int, least: int, most: int) -> None:
    """Refuse what is no whole number between two bounds."""
    if type(value) is not int or not least <= value <= most:
        message = f"{what} must be a whole number from {least} to {most}, not {value!r}"
        raise MarketRefusedError(message)


def _unique(what: str, names: Iterable[str]) -> None:
    """Refuse a name that occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            message = f"{what} {name!r} occurs twice"
            raise MarketRefusedError(message)
        seen.add(name)
