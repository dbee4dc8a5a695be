"""From flows to matches and prices: who sells how much to whom on which departure, built up to the rupiah."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from app.engine.compiled import Ints
from app.engine.model import Demand, Listing, Match, Price
from app.engine.network import Network
from app.engine.parcels import cut

_Order = TypeVar("_Order", Listing, Demand)


def trade(net: Network, flow: Ints, price: Ints) -> tuple[list[Match], list[Price]]:
    """Return the matches and the published prices of a component; `price` are those at its nodes, shape (nodes,)."""
    parcels = cut(net, flow)
    return build_matches(net, parcels, price), build_prices(net, parcels, price)


def build_matches(net: Network, parcels: Ints, price: Ints) -> list[Match]:
    """Return a match for each parcel (see `parcels.cut`), column by column: there may be a million.

    hub price = price of the supply class, delivered price = price of the demand class, scarcity = what lies between
    them beyond freight.
    """
    sold, bought, way, quantity = parcels.T
    listings, demands = _picked(net.orders, sold, Listing), _picked(net.orders, bought, Demand)
    legs = [net.legs[number] for number in way.tolist()]
    hub, delivered = price[net.head[sold]], price[net.tail[bought]]
    collection = np.array([listing.collection_idr for listing in listings], dtype=np.int64)
    freight = np.array([leg.freight_idr for leg in net.legs], dtype=np.int64)[way]
    scarcity = delivered - hub - freight
    return list(
        map(
            Match,
            [net.commodity[number] for number in sold.tolist()],
            [listing.id for listing in listings],
            [demand.id for demand in demands],
            [None if leg.departure is None else leg.departure.id for leg in legs],
            [leg.departs_on for leg in legs],
            [leg.arrives_on for leg in legs],
            *(column.tolist() for column in (quantity, hub - collection, collection, freight, scarcity, delivered)),
        )
    )


def _picked(orders: Sequence[Listing | Demand], numbers: Ints, kind: type[_Order]) -> list[_Order]:
    picked = [order for number in numbers.tolist() if isinstance(order := orders[number], kind)]
    if len(picked) != len(numbers):
        message = "an offer met an offer"
        raise TypeError(message)
    return picked


def build_prices(net: Network, parcels: Ints, price: Ints) -> list[Price]:
    """Return the published prices of a component: one per need (grade, step), place and day with trade.

    A lower need that was served by better goods has a row of its own, at the better need's price there.
    """
    request, leg, quantity = parcels[:, 1], parcels[:, 2], parcels[:, 3]
    # demands of one class have one need and one price
    ways, first, which = np.unique(net.tail[request] * len(net.legs) + leg, return_index=True, return_inverse=True)
    total = np.zeros(len(ways), dtype=np.int64)
    np.add.at(total, which, quantity)
    traded: defaultdict[tuple[str, int, int, str, str, int, int], int] = defaultdict(int)
    for arc, number, much in zip(request[first].tolist(), leg[first].tolist(), total.tolist(), strict=True):
        demand, way = net.orders[arc], net.legs[number]
        if isinstance(demand, Demand):
            level = "hub" if way.loco else "delivered"
            delivered = int(price[net.tail[arc]])
            need = (net.commodity[arc], demand.min_grade, demand.min_life_days, way.place, level, way.arrives_on)
            traded[*need, delivered] += much
    return [Price(*key, traded[key]) for key in sorted(traded)]
