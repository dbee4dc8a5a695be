"""Where every order stands after a clearing: what it traded, at which price, and what is left of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.book import DemandClass, SupplyClass, demand_class, supply_class
from app.engine.components import Component
from app.engine.exact import shortest
from app.engine.joint import spare
from app.engine.model import Demand, Listing, Match, Pool
from app.engine.network import Ints, Network


@dataclass(frozen=True, slots=True)
class Standing:
    """One order after the clearing. Prices are an ask, or minus a limit, so that less is better for the market."""

    order: Listing | Demand
    #: class of the order; orders of one class see the same prices
    key: SupplyClass | DemandClass
    #: base units left over
    left: int
    #: ask + collection, or minus the limit, rupiah per base unit
    own: int
    #: price of the class if it traded: at the hub, or minus the delivered price; None if it did not
    price: int | None
    #: what it missed at most because it was turned away for its smallest fill while in the money, rupiah; else None
    missed: int | None
    #: ids of those it traded with
    partners: frozenset[str]


def standings(pool: Pool, component: Component, matches: Sequence[Match]) -> Iterator[Standing]:
    """Yield where each order of a pool stands, expired ones included. `matches` are those of the pool."""
    filled: defaultdict[tuple[str, str], int] = defaultdict(int)
    partners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for m in matches:
        filled["listing", m.listing_id] += m.quantity
        filled["demand", m.demand_id] += m.quantity
        partners["listing", m.listing_id].add(m.demand_id)
        partners["demand", m.demand_id].add(m.listing_id)
    place, net = _places(pool, component.net), component.net
    traded = _traded(net, component.flow)
    buy, sell = _levels(component)
    orders: list[Listing | Demand] = [*pool.listings, *pool.demands]
    for order in orders:
        offer = isinstance(order, Listing)
        side = "listing" if offer else "demand"
        own = order.ask_idr + order.collection_idr if isinstance(order, Listing) else -order.limit_idr
        key = supply_class(order) if isinstance(order, Listing) else demand_class(order)
        node = None if order.price_expired else place.get(key)
        price = missed = None
        if node is not None:
            level = int(sell[node] if offer else -buy[node])
            if traded[node]:
                level = price = int(component.price[node]) * (1 if offer else -1)
            idle = (side, order.id) not in filled
            if idle and min(order.min_quantity, order.quantity) > 1 and own < level:
                missed = order.quantity * (level - own)
        name = (side, order.id)
        yield Standing(order, key, order.quantity - filled[name], own, price, missed, frozenset(partners[name]))


def _places(pool: Pool, net: Network) -> dict[SupplyClass | DemandClass, int]:
    """Return the node of each of a pool's classes that is in the network."""
    return {
        supply_class(order) if isinstance(order, Listing) else demand_class(order): int(
            net.head[arc] if isinstance(order, Listing) else net.tail[arc]
        )
        for arc, (order, name) in enumerate(zip(net.orders, net.commodity, strict=True))
        if name == pool.commodity
    }


def _traded(net: Network, flow: Ints) -> list[bool]:
    """Return which nodes goods pass through."""
    traded = np.zeros(net.nodes, dtype=bool)
    traded[net.head[flow > 0]] = True
    return [bool(node) for node in traded.tolist()]


def _levels(component: Component) -> tuple[Ints, Ints]:
    """Return for every node the price at which one more unit could be had there, and at which it could be sold.

    From published prices where there is trade, else from the orders that are left, over arcs with room: what a place
    without trade would pay or get. It says whether an order that was turned away was in the money.
    """
    net, flow = component.net, component.flow
    far = np.int64(2**61)
    high = spare(component.rows, flow, net.cap)
    inner = np.arange(net.arcs) >= len(net.orders)
    forward, backward = np.flatnonzero(inner & (flow < high)), np.flatnonzero(inner & (flow > 0))
    tail = np.concatenate([net.tail[forward], net.head[backward]])
    head = np.concatenate([net.head[forward], net.tail[backward]])
    length = np.concatenate([net.cost[forward], -net.cost[backward]])
    left = np.flatnonzero(~inner & (flow < net.cap))
    traded = _traded(net, flow)
    buy, sell = np.full(net.nodes, far), np.full(net.nodes, far)
    offers, requests = left[net.tail[left] == 0], left[net.head[left] == 0]
    np.minimum.at(buy, net.head[offers], net.cost[offers])
    np.minimum.at(sell, net.tail[requests], net.cost[requests])
    buy[traded], sell[traded] = component.price[traded], -component.price[traded]
    return shortest(tail, head, length, buy)[0], -shortest(head, tail, length, sell)[0]
