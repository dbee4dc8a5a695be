"""The compact network: supply classes, departures, arrivals, demand classes, one market node.

Nodes are numbered, 0 being the market. Goods flow from the market over an offer to a supply class, then over the pool's
ground (shelves, departure arcs, arrivals) to a demand class, and over a request back to the market.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.book import Book
from app.engine.columns import ints
from app.engine.compiled import Ints
from app.engine.ground import Ground, lay
from app.engine.model import Demand, Listing
from app.engine.pairs import Leg


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


def build(book: Book, ground: Ground | None = None) -> Network:
    """Return the network of a pool: its orders on its ground, which is laid anew where none is given.

    Orders whose class the ground left out are left out.
    """
    ground = ground or lay(book.plan)
    offers = np.arange(len(book.orders)) < book.listings
    node = np.empty(len(book.orders), dtype=np.int64)
    node[offers], node[~offers] = ground.supply[book.kind[offers]], ground.demand[book.kind[~offers]]
    placed = np.flatnonzero(node >= 0)
    offers, node, quantity = offers[placed], node[placed], book.quantity[placed]
    free = 1 + int(quantity.sum())
    freight, room = _departures(book, free)
    orders = tuple(book.orders[i] for i in placed.tolist())
    commodity = (book.pool.commodity,) * len(orders)
    return Network(
        nodes=ground.nodes,
        tail=np.concatenate([np.where(offers, 0, node), ground.tail]),
        head=np.concatenate([np.where(offers, node, 0), ground.head]),
        cost=np.concatenate([book.cost[placed], freight[ground.leg]]),
        cap=np.concatenate([quantity, room[ground.leg]]),
        leg=np.concatenate([np.full(len(orders), -1), ground.leg]),
        weight=np.full(len(orders) + len(ground.tail), book.pool.unit_weight_g),
        least=book.least[placed],
        turn=posting(orders, commodity),
        orders=orders,
        commodity=commodity,
        legs=book.legs,
        names=ground.names,
    )


def _departures(book: Book, free: int) -> tuple[Ints, Ints]:
    """Return freight in rupiah per base unit and room in base units of every leg; of none, -1, as the last entry."""
    weight = book.pool.unit_weight_g
    room = [free if leg.departure is None else min(leg.departure.free_g // weight, free) for leg in book.legs]
    return np.append(ints(book.legs, "freight_idr"), 0), np.array([*room, free], dtype=np.int64)


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
    """Return the place of each order by time of posting, then id (then side and commodity), shape (orders,), from 1.

    Names are compared only among orders of one time.
    """
    posted = ints(orders, "posted_at")
    _, which, count = np.unique(posted, return_inverse=True, return_counts=True)
    shared = np.flatnonzero(count[which] > 1).tolist()
    by_name = sorted(shared, key=lambda i: (orders[i].id, isinstance(orders[i], Listing), commodity[i]))
    name, turn = np.zeros(len(orders), dtype=np.int64), np.empty(len(orders), dtype=np.int64)
    name[by_name] = np.arange(len(by_name))
    turn[np.lexsort((name, which))] = np.arange(1, len(orders) + 1)
    return turn
