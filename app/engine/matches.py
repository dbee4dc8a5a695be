"""From flows to matches: who sells how much to whom on which departure, with the price built up to the rupiah."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from app.engine.model import Demand, Listing, Match, Price
from app.engine.network import Ints, Network


class Parcel(NamedTuple):
    """A part of one offer on its way through the network."""

    #: time of posting and id of the listing: the order in which parcels are cut
    posted_at: int
    id: str
    #: order arc, and the leg that carries the goods (-1 before departure)
    offer: int
    leg: int
    quantity: int


def cut(net: Network, flow: Ints) -> list[tuple[int, int, int, int]]:
    """Return the flow as parcels (offer arc, request arc, leg, base units), canonical in the network's order.

    Nodes in topological order; at each, the parcels that have arrived, earliest post first, are cut against the
    outgoing arcs in turn, requests in the order of posting. At most accepted offers + accepted requests + arcs with
    flow come out.
    """
    arrived: defaultdict[int, list[Parcel]] = defaultdict(list)
    leaving: defaultdict[int, list[int]] = defaultdict(list)
    missing: defaultdict[int, int] = defaultdict(int)
    for arc in np.flatnonzero(flow).tolist():
        tail, head = int(net.tail[arc]), int(net.head[arc])
        if tail == 0:
            offer = net.orders[arc]
            arrived[head].append(Parcel(offer.posted_at, offer.id, arc, -1, int(flow[arc])))
        else:
            leaving[tail].append(arc)
            missing[head] += 1
    ready = [node for node in arrived if not missing[node]]
    result: dict[tuple[int, int, int], int] = {}
    while ready:
        node = ready.pop()
        parcels = _merge(arrived.pop(node))
        for arc in sorted(leaving[node], key=lambda arc: _turn(net, arc)):
            head, taken = int(net.head[arc]), _take(parcels, int(flow[arc]))
            for parcel in taken:
                if head == 0:
                    way = (parcel.offer, arc, parcel.leg)
                    result[way] = result.get(way, 0) + parcel.quantity
                else:
                    leg = int(net.leg[arc])
                    arrived[head].append(parcel if leg < 0 else parcel._replace(leg=leg))
            missing[head] -= 1
            if head and not missing[head]:
                ready.append(head)
    return [(*way, result[way]) for way in sorted(result)]


def _merge(parcels: list[Parcel]) -> list[Parcel]:
    """Put parts of one offer on one leg together; latest post first, so that the earliest is at the end."""
    together: defaultdict[tuple[int, str, int, int], int] = defaultdict(int)
    for parcel in parcels:
        together[parcel[:4]] += parcel.quantity
    return [Parcel(*key, together[key]) for key in sorted(together, reverse=True)]


def _take(parcels: list[Parcel], quantity: int) -> list[Parcel]:
    """Cut this quantity off the end of a list of parcels."""
    taken = []
    while quantity:
        parcel = parcels.pop()
        part = min(quantity, parcel.quantity)
        if part < parcel.quantity:
            parcels.append(parcel._replace(quantity=parcel.quantity - part))
        taken.append(parcel._replace(quantity=part))
        quantity -= part
    return taken


def _turn(net: Network, arc: int) -> tuple[int, str, int]:
    """Order a node's outgoing arcs: requests by posting, others by number."""
    if arc < len(net.orders):
        return (net.orders[arc].posted_at, net.orders[arc].id, arc)
    return (0, "", arc)


def build_matches(net: Network, flow: Ints, price: Ints) -> list[Match]:
    """Return the matches of a component; `price` are the published prices at its nodes, shape (nodes,).

    hub price = price of the supply class, delivered price = price of the demand class, scarcity = what lies between
    them beyond freight.
    """
    found = []
    for offer, request, number, quantity in cut(net, flow):
        listing, demand, leg = net.orders[offer], net.orders[request], net.legs[number]
        if not isinstance(listing, Listing) or not isinstance(demand, Demand):
            message = "an offer met an offer"
            raise TypeError(message)
        hub, delivered = int(price[net.head[offer]]), int(price[net.tail[request]])
        found.append(
            Match(
                commodity=net.commodity[offer],
                listing_id=listing.id,
                demand_id=demand.id,
                departure_id=None if leg.departure is None else leg.departure.id,
                departs_on=leg.departs_on,
                arrives_on=leg.arrives_on,
                quantity=quantity,
                producer_price_idr=hub - listing.collection_idr,
                collection_idr=listing.collection_idr,
                freight_idr=leg.freight_idr,
                scarcity_idr=delivered - hub - leg.freight_idr,
                delivered_price_idr=delivered,
            )
        )
    return found


def build_prices(net: Network, flow: Ints, price: Ints) -> list[Price]:
    """Return the published prices of a component: one per need (grade, step), place and day with trade.

    A lower need that was served by better goods has a row of its own, at the better need's price there.
    """
    traded: defaultdict[tuple[str, int, int, str, str, int, int], int] = defaultdict(int)
    for offer, request, number, quantity in cut(net, flow):
        demand, leg = net.orders[request], net.legs[number]
        if isinstance(demand, Demand):
            level = "hub" if leg.loco else "delivered"
            delivered = int(price[net.tail[request]])
            need = (net.commodity[offer], demand.min_grade, demand.min_life_days, leg.place, level, leg.arrives_on)
            traded[*need, delivered] += quantity
    return [Price(*key, traded[key]) for key in sorted(traded)]
