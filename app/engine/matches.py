"""From flows to matches and prices: who sells how much to whom on which departure, built up to the rupiah."""

from collections import defaultdict

import numpy as np

from app.engine.model import Demand, Listing, Match, Price
from app.engine.network import Ints, Network
from app.engine.parcels import cut


def trade(net: Network, flow: Ints, price: Ints) -> tuple[list[Match], list[Price]]:
    """Return the matches and the published prices of a component; `price` are those at its nodes, shape (nodes,)."""
    parcels = cut(net, flow)
    return build_matches(net, parcels, price), build_prices(net, parcels, price)


def build_matches(net: Network, parcels: Ints, price: Ints) -> list[Match]:
    """Return a match for each parcel (see `parcels.cut`).

    hub price = price of the supply class, delivered price = price of the demand class, scarcity = what lies between
    them beyond freight.
    """
    hub, delivered = price[net.head[parcels[:, 0]]].tolist(), price[net.tail[parcels[:, 1]]].tolist()
    found = []
    for (sold, bought, way, much), at_hub, landed in zip(parcels.tolist(), hub, delivered, strict=True):
        listing, demand, leg = net.orders[sold], net.orders[bought], net.legs[way]
        if not isinstance(listing, Listing) or not isinstance(demand, Demand):
            message = "an offer met an offer"
            raise TypeError(message)
        found.append(
            Match(
                commodity=net.commodity[sold],
                listing_id=listing.id,
                demand_id=demand.id,
                departure_id=None if leg.departure is None else leg.departure.id,
                departs_on=leg.departs_on,
                arrives_on=leg.arrives_on,
                quantity=much,
                producer_price_idr=at_hub - listing.collection_idr,
                collection_idr=listing.collection_idr,
                freight_idr=leg.freight_idr,
                scarcity_idr=landed - at_hub - leg.freight_idr,
                delivered_price_idr=landed,
            )
        )
    return found


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
