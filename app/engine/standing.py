"""Where every order stands after a clearing: what it traded, at which price, and what is left of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from app.engine.allot import spare
from app.engine.book import DemandClass, SupplyClass, demand_class, supply_class
from app.engine.compiled import Bools, Ints
from app.engine.components import Component
from app.engine.exact import shortest
from app.engine.model import Demand, Listing, Match, Pool
from app.engine.network import Network


class Standing(NamedTuple):
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
    #: id of the one it traded with, "" where there are several, None where there is none
    partner: str | None


def standings(pool: Pool, component: Component, matches: Sequence[Match]) -> Iterator[Standing]:
    """Yield where each order of a pool stands, expired ones included. `matches` are those of the pool."""
    filled: defaultdict[tuple[str, str], int] = defaultdict(int)
    partner: dict[tuple[str, str], str] = {}
    for m in matches:
        for name, other in ((("listing", m.listing_id), m.demand_id), (("demand", m.demand_id), m.listing_id)):
            filled[name] += m.quantity
            partner[name] = other if partner.get(name, other) == other else ""
    sight = _sight(pool, component)
    orders: list[Listing | Demand] = [*pool.listings, *pool.demands]
    key: SupplyClass | DemandClass
    for order in orders:
        if isinstance(order, Listing):
            name, key, own = ("listing", order.id), supply_class(order), order.ask_idr + order.collection_idr
        else:
            name, key, own = ("demand", order.id), demand_class(order), -order.limit_idr
        price = missed = None
        fill = filled.get(name, 0)
        if key in sight and not order.price_expired:
            level, price = sight[key]
            if not fill and own < level and min(order.min_quantity, order.quantity) > 1:
                missed = order.quantity * (level - own)
        yield Standing(order, key, order.quantity - fill, own, price, missed, partner.get(name))


def _sight(pool: Pool, component: Component) -> dict[SupplyClass | DemandClass, tuple[int, int | None]]:
    """Return for each of a pool's classes in the network the price of one more unit, and the published one if any."""
    net = component.net
    traded = _traded(net, component.flow)
    buy, sell = _levels(component)
    found: dict[SupplyClass | DemandClass, tuple[int, int | None]] = {}
    nodes, first = np.unique(np.maximum(net.tail, net.head)[: len(net.orders)], return_index=True)
    for node, arc in zip(nodes.tolist(), first.tolist(), strict=True):
        if net.commodity[arc] == pool.commodity:
            order = net.orders[arc]
            offer = isinstance(order, Listing)
            key = supply_class(order) if isinstance(order, Listing) else demand_class(order)
            price = int(component.price[node]) * (1 if offer else -1) if traded[node] else None
            found[key] = (int(sell[node] if offer else -buy[node]) if price is None else price, price)
    return found


def _traded(net: Network, flow: Ints) -> Bools:
    """Return which nodes goods pass through, shape (nodes,)."""
    traded = np.zeros(net.nodes, dtype=bool)
    traded[net.head[flow > 0]] = True
    return traded


def _levels(component: Component) -> tuple[Ints, Ints]:
    """Return the price at which one more unit could be had at every node, and at which it could be sold.

    Both of shape (nodes,), rupiah per base unit. From published prices where there is trade, else from the orders that
    are left, over arcs with room: what a place without trade would pay or get while nobody's trade is undone. It says
    whether an order that was turned away was in the money, and each pair of orders shows it.
    """
    net, flow = component.net, component.flow
    far = np.int64(2**61)
    inner = np.arange(net.arcs) >= len(net.orders)
    room = np.flatnonzero(inner & (flow < spare(component.rows, flow, net.cap)))
    tail, head, cost = net.tail[room], net.head[room], net.cost[room]
    left = np.flatnonzero(~inner & (flow < net.cap))
    traded = _traded(net, flow)
    buy, sell = np.full(net.nodes, far), np.full(net.nodes, far)
    offers, requests = left[net.tail[left] == 0], left[net.head[left] == 0]
    np.minimum.at(buy, net.head[offers], net.cost[offers])
    np.minimum.at(sell, net.tail[requests], net.cost[requests])
    buy[traded], sell[traded] = component.price[traded], -component.price[traded]
    return shortest(tail, head, cost, buy)[0], -shortest(head, tail, cost, sell)[0]
