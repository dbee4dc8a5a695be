"""Seeded clearing instances as arrays: what `./dev bench engine` times."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

GRADES, STEPS, WIDTHS, HORIZON = 3, 3, 4, 14
#: days that goods of the two kinds keep, and days of life that the three needs ask on arrival
KEEPS, LIVES = (6, 14), (0, 3, 7)
PARTNERS = 10
PRICE_IDR = 26_000


@dataclass(frozen=True)
class Instance:
    """A network of priced nodes and its orders; node 0 is the market."""

    nodes: int
    #: shape (arcs,), sorted by tail: nodes, rupiah and base units
    tail: Ints
    head: Ints
    cost: Ints
    cap: Ints
    #: shape (orders,): node, rupiah and base units
    node: Ints
    price: Ints
    quantity: Ints
    #: which orders are offers
    offer: npt.NDArray[np.bool_]


def simple(orders: int, regions: int, seed: int) -> Instance:
    """Return a market without windows and grades: regions, and lanes to about ten others each."""
    dice = np.random.default_rng(seed)
    start, end, freight = _lanes(dice, regions)
    volume = orders * 500 // max(len(start), 1)
    cap = _capacity(dice, len(start), volume)
    node = 1 + dice.integers(0, regions, 2 * orders)
    side = np.arange(2 * orders) < orders
    where = PRICE_IDR + dice.integers(-1500, 1500, regions)
    return _sorted(1 + regions, start, end, freight, cap, node, *_orders(dice, where[node - 1], side), side)


def full(orders: int, regions: int, seed: int) -> Instance:
    """Return a market with windows of one to four days, three grades and three freshness steps over two weeks.

    Windows are an interval lattice: (first day, width) leads to (first day + 1, width - 1) and (first day, width - 1).
    """
    dice = np.random.default_rng(seed)
    kinds = len(KEEPS)
    supply = 1 + np.arange(regions * GRADES * kinds * HORIZON * WIDTHS).reshape(regions, GRADES, kinds, HORIZON, WIDTHS)
    arrival = supply.max() + 1 + np.arange(regions * GRADES * STEPS * HORIZON).reshape(regions, GRADES, STEPS, HORIZON)
    demand = (
        arrival.max()
        + 1
        + np.arange(regions * GRADES * STEPS * HORIZON * WIDTHS).reshape(regions, GRADES, STEPS, HORIZON, WIDTHS)
    )
    free = [
        (supply[..., 1:], supply[..., :-1]),
        (supply[..., :-1, 1:], supply[..., 1:, :-1]),
        (arrival[:, :-1], arrival[:, 1:]),
        (arrival[:, :, 1:], arrival[:, :, :-1]),
        (arrival, demand[..., 0]),
        (demand[..., :-1], demand[..., 1:]),
        (demand[..., 1:, :-1], demand[..., :-1, 1:]),
    ]
    tails, heads = [a.ravel() for a, _ in free], [b.ravel() for _, b in free]
    costs = [np.zeros(len(a), dtype=np.int64) for a in tails]
    caps = [np.full(len(a), -1) for a in tails]
    for tail, head, cost, cap in _departures(dice, orders, regions, supply, arrival):
        tails.append(tail)
        heads.append(head)
        costs.append(cost)
        caps.append(cap)
    side = np.arange(2 * orders) < orders
    offers, requests = _classes(dice, supply, orders), _classes(dice, demand, orders)
    node = np.concatenate([offers, requests])
    where = PRICE_IDR + dice.integers(-1500, 1500, regions)
    region = np.concatenate(
        [(offers - 1) // (supply.size // regions), (requests - demand.min()) // (demand.size // regions)]
    )
    price, quantity = _orders(dice, where[region], side)
    tail, head, cost, cap = (np.concatenate(column) for column in (tails, heads, costs, caps))
    cap[cap < 0] = 1 + quantity.sum()
    return _sorted(int(max(tail.max(), head.max())) + 1, tail, head, cost, cap, node, price, quantity, side)


def _lanes(dice: np.random.Generator, regions: int) -> tuple[Ints, Ints, Ints]:
    partners = min(PARTNERS, regions - 1)
    start = np.repeat(np.arange(regions), partners)
    end = (start + 1 + dice.integers(0, regions - 1, len(start))) % regions
    return start + 1, end + 1, dice.integers(100, 2000, len(start))


def _capacity(dice: np.random.Generator, count: int, volume: int) -> Ints:
    """Return capacities around a volume, some lanes congested."""
    return np.maximum(dice.lognormal(0, 1.2, count) * volume, 1).astype(np.int64)


def _orders(dice: np.random.Generator, level: Ints, side: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return prices near the level of their region, and heavy-tailed quantities."""
    spread = dice.normal(0, 1200, len(level)).astype(np.int64)
    price = level + spread + np.where(side, -300, 300)
    return np.maximum(price, 1), np.minimum(dice.pareto(1.3, len(level)) * 200 + 1, 1_000_000).astype(np.int64)


def _classes(dice: np.random.Generator, nodes: Ints, orders: int) -> Ints:
    """Return a node for each order: windows that would end after the horizon are shortened."""
    region, grade, kind = (dice.integers(0, size, orders) for size in nodes.shape[:3])
    day, width = dice.integers(0, HORIZON, orders), dice.integers(0, WIDTHS, orders)
    return np.asarray(nodes[region, grade, kind, day, np.minimum(width, HORIZON - 1 - day)])


def _departures(
    dice: np.random.Generator, orders: int, regions: int, supply: Ints, arrival: Ints
) -> list[tuple[Ints, Ints, Ints, Ints]]:
    """Return the departure arcs, one per grade and kind; goods enter at the best step that their life allows."""
    start, end, freight = _lanes(dice, regions)
    lead = dice.integers(1, 3, len(start))
    lane, day = (grid.ravel() for grid in np.meshgrid(np.arange(len(start)), np.arange(HORIZON), indexing="ij"))
    runs = (day + lane) % 2 == 0
    runs &= day + lead[lane] < HORIZON
    lane, day = lane[runs], day[runs]
    lands = day + lead[lane]
    arcs = []
    volume = max(1, orders * 300 // (len(lane) * GRADES))
    for grade in range(GRADES):
        for kind, keeps in enumerate(KEEPS):
            # what keeps this long when it leaves has this much life left on arrival
            step = (keeps - lead[lane][:, None] >= np.array(LIVES)).sum(axis=1) - 1
            tail = supply[start[lane] - 1, grade, kind, day, 0]
            head = arrival[end[lane] - 1, grade, step, lands]
            arcs.append((tail, head, freight[lane], _capacity(dice, len(lane), volume)))
    return arcs


def _sorted(
    nodes: int,
    tail: Ints,
    head: Ints,
    cost: Ints,
    cap: Ints,
    node: Ints,
    price: Ints,
    quantity: Ints,
    offer: npt.NDArray[np.bool_],
) -> Instance:
    """Prune what no offer reaches or no request can be reached from, number anew, sort the arcs by tail."""
    keep = _reached(nodes, tail, head, node[offer]) & _reached(nodes, head, tail, node[~offer])
    keep[0] = True
    number = np.cumsum(keep) - 1
    used = keep[tail] & keep[head]
    placed = keep[node]
    tail, head, cost, cap = number[tail[used]], number[head[used]], cost[used], cap[used]
    sort = np.argsort(tail, kind="stable")
    return Instance(
        int(number[-1]) + 1,
        tail[sort],
        head[sort],
        cost[sort],
        cap[sort],
        number[node[placed]],
        price[placed],
        quantity[placed],
        offer[placed],
    )


def _reached(nodes: int, tail: Ints, head: Ints, start: Ints) -> npt.NDArray[np.bool_]:
    seen = np.zeros(nodes, dtype=bool)
    seen[start] = True
    while True:
        fresh = head[seen[tail] & ~seen[head]]
        if not len(fresh):
            return seen
        seen[fresh] = True
