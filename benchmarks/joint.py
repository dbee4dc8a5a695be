"""Six pools on shared departures: ours, with bound and gap, beside HiGHS on the linear programme with all rows."""

import random
from dataclasses import replace

import numpy as np

from app.engine.book import open_book
from app.engine.compiled import Ints
from app.engine.joint import common_grams, make_rows, relax
from app.engine.model import Agreement, Demand, Departure, Listing, Market, Pool
from app.engine.network import Network, build, join
from app.engine.question import Question, Row

TODAY, HORIZON, PARTNERS, PRICE_IDR = 740_000, 14, 10, 26_000
#: grams of a base unit of each pool
WEIGHTS = (1000, 1000, 500, 250, 12_000, 1000)
#: how much more room departures have, in the median, than an even share of what is wanted
ROOM = 8


def joint_market(orders: int, regions: int, seed: int) -> Market:
    """Return six pools of about `orders` a side: three grades, three needs of freshness, some departures congested."""
    dice = random.Random(seed)
    places = [f"{number:03}" for number in range(regions)]
    level = {place: PRICE_IDR + dice.randint(-1500, 1500) for place in places}
    departures, agreements = [], []
    lanes = [(a, b) for a in places for b in dice.sample([p for p in places if p != a], min(PARTNERS, regions - 1))]
    volume = ROOM * orders * 50 // len(lanes)
    for number, (hub, region) in enumerate(lanes):
        lead, freight, chilled = dice.randint(1, 2), dice.randint(100, 2000), dice.choice((True, False, False))
        agreements.append(Agreement(hub, region, TODAY - 1, TODAY + 99))
        for day in (day for day in range(1, HORIZON) if (day + number) % 2 == 0):
            free, name, leaves = int(max(dice.lognormvariate(0, 1.2) * volume, 1)), f"{number:04}", TODAY + day
            row = Departure(f"{name}-{day}", name, hub, region, leaves, leaves + lead, freight, free * 1000)
            departures.append(replace(row, chilled=chilled))
    pools = tuple(_pool(dice, number, weight, orders // len(WEIGHTS), level) for number, weight in enumerate(WEIGHTS))
    return Market(pools, tuple(departures), tuple(agreements), TODAY + 1)


def _pool(dice: random.Random, number: int, weight: int, orders: int, level: dict[str, int]) -> Pool:
    places = list(level)

    def quantity() -> int:
        return min(int(dice.paretovariate(1.3) * 200_000 / weight) + 1, 1_000_000)

    def price(place: str, above: int) -> int:
        return max(int((level[place] + dice.gauss(0, 1200) + above) * weight / 1000), 1)

    listings, demands = [], []
    for i in range(orders):
        first, hub = TODAY + dice.randrange(HORIZON), dice.choice(places)
        keeps, chilled = first + dice.choice((6, 14)), first + dice.choice((10, 20))
        kind = dice.randint(1, 3), quantity(), price(hub, -300), 0, first, first + dice.randint(0, 3)
        listings.append(Listing(f"s{i}", hub, *kind, keeps, chilled, 1, i))
    for i in range(orders):
        first, region = TODAY + dice.randrange(HORIZON), dice.choice(places)
        need = dice.randint(1, 3), quantity(), price(region, 300), first, first + dice.randint(0, 3)
        demands.append(Demand(f"d{i}", region, *need, dice.choice((0, 3, 7)), 1, orders + i))
    return Pool(f"pool-{number}", weight, True, tuple(listings), tuple(demands))  # noqa: FBT003


def joined(market: Market) -> tuple[Network, list[Row]]:
    """Return one network of all pools with a row for every departure of several arcs."""
    networks = [build(open_book(market, pool)) for pool in market.pools]
    net = join(networks)
    return net, make_rows(net, common_grams(networks))


def ours(net: Network, rows: list[Row]) -> tuple[int, int]:
    """Return the surplus of whole units, ties settled, and the proven bound, rupiah."""
    found = relax(net, rows, _none(net), net.cap)
    if found is None:
        message = "nothing traded is a flow, and none was found"
        raise ArithmeticError(message)
    return found.surplus, found.bound


def whole_programme(net: Network, rows: list[Row]) -> Question:
    """Return the linear programme over all arcs and orders, shared departures held by their rows alone."""
    high = net.cap.copy()
    for row in rows:
        high[row.arcs] = 1 + sum(order.quantity for order in net.orders)
    return Question(net.nodes, net.tail, net.head, net.cost, _none(net), high, rows)


def _none(net: Network) -> Ints:
    return np.zeros(net.arcs, dtype=np.int64)
