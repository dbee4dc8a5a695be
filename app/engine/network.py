"""The compact network: supply classes, departures, arrivals, demand classes, one market node.

Nodes are numbered, 0 being the market. Goods flow from the market over an offer to a supply class, to a shelf (hub,
grade, day, freshness), onto a departure arc (departure, grade, freshness step), to an arrival (place, grade, step,
day), down to lower needs, to a demand class and over a request back to the market. Freshness is a second grade on the
shelf too: goods that keep longer may stand in for goods that keep less long, so every leg needs one arc per step it
serves.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from app.engine.book import Arrival, Book, SupplyClass
from app.engine.model import Demand, Listing
from app.engine.pairs import Leg, grade_fits

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Network:
    """Arcs as columns; the first len(orders) arcs are the orders, offers leaving node 0, requests entering it."""

    #: number of nodes
    nodes: int
    #: shape (arcs,): node numbers
    tail: Ints
    head: Ints
    #: shape (arcs,): rupiah per base unit: ask + collection, minus the limit, freight, or 0
    cost: Ints
    #: shape (arcs,): base units; free arcs carry 1 + the total quantity
    cap: Ints
    #: shape (arcs,): index into legs, -1 where the arc is no departure arc
    leg: Ints
    #: shape (arcs,): grams of a base unit
    weight: Ints
    #: shape (orders,): the smallest fill, base units
    least: Ints
    #: shape (orders,): place in the order of posting, from 1
    turn: Ints
    orders: tuple[Listing | Demand, ...]
    #: commodity of each order
    commodity: tuple[str, ...]
    legs: tuple[Leg, ...]
    #: what the nodes are, the same in every network of a pool; of joined pools none
    names: tuple[Hashable, ...] = ()

    @property
    def arcs(self) -> int:
        """Number of arcs."""
        return len(self.tail)


@dataclass(slots=True)
class _Draft:
    """A network while it grows."""

    number: dict[Hashable, int] = field(default_factory=lambda: {"market": 0})
    #: tail, head, cost, capacity (-1: free), leg (-1: none)
    arcs: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def node(self, name: Hashable) -> int:
        """Return the number of a node, a new one where it is new."""
        return self.number.setdefault(name, len(self.number))

    def arc(self, tail: int, head: int, cost: int = 0, cap: int = -1, leg: int = -1) -> None:
        """Add an arc."""
        self.arcs.append((tail, head, cost, cap, leg))


def build(book: Book) -> Network:
    """Return the pruned network of a pool: what no offer reaches or no request can be reached from is left out.

    1. Offers and requests, one arc an order. 2. Arrivals: nodes of the grades and steps asked there, stepping down.
    3. Shelves: goods at a hub on a day, by grade and freshness. 4. Departure arcs from shelves to arrivals. 5. Prune.
    """
    draft = _Draft()
    orders: list[Listing | Demand] = []
    for supply, listings in book.supply.items():  # 1
        for s in listings:
            draft.arc(0, draft.node(supply), s.ask_idr + s.collection_idr, s.quantity)
        orders += listings
    for demand, demands in book.demand.items():
        for d in demands:
            draft.arc(draft.node(demand), 0, -d.limit_idr, d.quantity)
        orders += demands
    for at in book.wanted:  # 2
        _arrival(draft, book, at)
    shelves = _shelves(draft, book)  # 3
    for index, leg in enumerate(book.legs):  # 4
        _depart(draft, book, shelves, index, leg)
    return _prune(draft, orders, book)  # 5


def join(networks: Sequence[Network]) -> Network:
    """Return one network of several pools that share the market node: orders first, in the order of the pools."""
    shift = np.cumsum([0] + [net.nodes - 1 for net in networks])
    legs = np.cumsum([0] + [len(net.legs) for net in networks])
    rank = np.concatenate([np.arange(net.arcs) >= len(net.orders) for net in networks])
    sort = np.argsort(rank, kind="stable")
    orders = tuple(order for net in networks for order in net.orders)
    commodity = tuple(name for net in networks for name in net.commodity)

    def gather(columns: list[Ints]) -> Ints:
        return np.concatenate(columns)[sort]

    return Network(
        nodes=int(shift[-1]) + 1,
        tail=gather([np.where(net.tail > 0, net.tail + by, 0) for net, by in zip(networks, shift, strict=False)]),
        head=gather([np.where(net.head > 0, net.head + by, 0) for net, by in zip(networks, shift, strict=False)]),
        cost=gather([net.cost for net in networks]),
        cap=gather([net.cap for net in networks]),
        leg=gather([np.where(net.leg >= 0, net.leg + by, -1) for net, by in zip(networks, legs, strict=False)]),
        weight=gather([net.weight for net in networks]),
        least=np.concatenate([net.least for net in networks]),
        turn=posting(orders, commodity),
        orders=orders,
        commodity=commodity,
        legs=tuple(leg for net in networks for leg in net.legs),
    )


def posting(orders: Sequence[Listing | Demand], commodity: Sequence[str]) -> Ints:
    """Return the place of each order by time of posting, then id (then side and commodity), shape (orders,), from 1."""
    names = [(order.id, isinstance(order, Listing), name) for order, name in zip(orders, commodity, strict=True)]
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    posted = np.array([order.posted_at for order in orders], dtype=np.int64)
    turn = np.empty(len(names), dtype=np.int64)
    turn[by_name[np.argsort(posted[by_name], kind="stable")]] = np.arange(1, len(names) + 1)
    return turn


def _asked(book: Book, at: Arrival) -> tuple[list[int], list[int]]:
    """Return the grades and the freshness steps asked at an arrival, ascending."""
    wanted = book.wanted[at]
    return sorted({key.min_grade for key in wanted}), sorted({key.min_life_days for key in wanted})


def _arrival(draft: _Draft, book: Book, at: Arrival) -> None:
    """Add the nodes of one arrival: better goods may step down in grade and in freshness, and go to who asks."""
    grades, steps = _asked(book, at)
    for i, grade in enumerate(grades):
        for j, step in enumerate(steps):
            node = draft.node((at, grade, step))
            if book.pool.grades_substitute and i + 1 < len(grades):
                draft.arc(node, draft.node((at, grades[i + 1], step)))
            if j > 0:
                draft.arc(node, draft.node((at, grade, steps[j - 1])))
    for key in book.wanted[at]:
        draft.arc(draft.node((at, key.min_grade, key.min_life_days)), draft.node(key))


#: (hub, day, chilled) -> grade -> last days of shelf life, ascending
_Shelves = dict[tuple[str, int, bool], dict[int, list[int]]]


def _shelves(draft: _Draft, book: Book) -> _Shelves:
    """Add the shelves from which a leg may load, chained from what keeps longest to what keeps least."""
    shelves: _Shelves = {}
    for place in sorted({(leg.hub, leg.departs_on, leg.chilled) for leg in book.legs}):
        hub, day, chilled = place
        grades: dict[int, set[int]] = {}
        for key in book.supply:
            if key.hub == hub and key.first_day <= day <= key.last_day:
                keeps = _keeps(key, chilled=chilled)
                grades.setdefault(key.grade, set()).add(keeps)
                draft.arc(draft.node(key), draft.node((place, key.grade, keeps)))
        shelves[place] = {grade: sorted(grades[grade]) for grade in sorted(grades)}
        for grade, lives in shelves[place].items():
            for less, more in pairwise(lives):
                draft.arc(draft.node((place, grade, more)), draft.node((place, grade, less)))
    return shelves


def _keeps(key: SupplyClass, *, chilled: bool) -> int:
    return key.best_before_chilled if chilled else key.best_before


def _depart(draft: _Draft, book: Book, shelves: _Shelves, index: int, leg: Leg) -> None:
    """Add a leg's arcs, one per grade and step that it serves; goods of equal reach share one."""
    at = Arrival(leg.place, leg.loco, leg.arrives_on)
    place = (leg.hub, leg.departs_on, leg.chilled)
    grades, steps = _asked(book, at)
    cap = -1 if leg.departure is None else leg.departure.free_g // book.pool.unit_weight_g
    loads: set[int] = set()
    for grade, lives in shelves[place].items():
        serves = next((need for need in grades if grade_fits(book.pool, grade, need)), None)
        if serves is None:
            continue
        taken = len(lives)
        for step in reversed(steps):
            shelf = bisect_left(lives, leg.arrives_on + step)
            if shelf == taken:
                continue  # the same goods already load for a higher step
            taken = shelf
            load = draft.node((leg.key, serves, step))
            draft.arc(draft.node((place, grade, lives[shelf])), load)
            if load not in loads:
                loads.add(load)
                draft.arc(load, draft.node((at, serves, step)), leg.freight_idr, cap, index)


def _prune(draft: _Draft, orders: list[Listing | Demand], book: Book) -> Network:
    """Keep the arcs on some way from an offer to a request; number the nodes that remain anew."""
    columns = np.array(draft.arcs, dtype=np.int64).reshape(-1, 5).T
    tail, head = columns[0], columns[1]
    keep = _reached(len(draft.number), tail, head) & _reached(len(draft.number), head, tail)
    kept = np.flatnonzero(keep)
    used, ends = np.unique(np.concatenate([[0], tail[kept], head[kept]]), return_inverse=True)
    tail, head = ends[1 : 1 + len(kept)], ends[1 + len(kept) :]
    placed = tuple(orders[arc] for arc in kept if arc < len(orders))
    commodity = (book.pool.commodity,) * len(placed)
    free = 1 + sum(order.quantity for order in placed)
    names = list(draft.number)
    cap = np.where(columns[3, kept] < 0, free, np.minimum(columns[3, kept], free))
    return Network(
        nodes=len(used),
        tail=tail.astype(np.int64),
        head=head.astype(np.int64),
        cost=columns[2, kept],
        cap=cap,
        leg=columns[4, kept],
        weight=np.full(len(kept), book.pool.unit_weight_g, dtype=np.int64),
        least=np.array([min(max(o.min_quantity, 1), o.quantity) for o in placed], dtype=np.int64),
        turn=posting(placed, commodity),
        orders=placed,
        commodity=commodity,
        legs=book.legs,
        names=tuple(names[node] for node in used.tolist()),
    )


def _reached(nodes: int, tail: Ints, head: Ints) -> npt.NDArray[np.bool_]:
    """Return which arcs start at a node that is reached from the market without passing through it again."""
    seen = np.zeros(nodes, dtype=bool)
    fresh = tail == 0
    while True:
        seen[head[fresh]] = True
        seen[0] = False
        fresh = seen[tail] & ~seen[head] & (head != 0)
        if not fresh.any():
            return np.asarray(seen[tail] | (tail == 0), dtype=np.bool_)
