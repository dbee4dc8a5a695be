"""What every order must be told by the rules of docs/engine.md, recomputed pair by pair from matches and prices.

Prices count so that less is better for the other side: an ask, or minus a limit. So a listing mirrors a demand.
"""

from collections import defaultdict
from collections.abc import Callable

from app.engine.book import demand_class, supply_class
from app.engine.model import Clearing, Demand, Listing, Market, Reason, Unmatched
from tests.engine.pairwise import Pair, pairs

Name = tuple[str, str, str]
Detail = dict[str, int | str]


class Told:
    """A clearing as its traders see it: who traded at which price, what is left, and with whom each could trade."""

    def __init__(self, book: Market, clearing: Clearing) -> None:
        self.order: dict[Name, Listing | Demand] = {}
        self.kind: dict[Name, object] = {}
        for pool in book.pools:
            for s in pool.listings:
                self.order["listing", pool.commodity, s.id] = s
                self.kind["listing", pool.commodity, s.id] = (pool.commodity, supply_class(s))
            for d in pool.demands:
                self.order["demand", pool.commodity, d.id] = d
                self.kind["demand", pool.commodity, d.id] = (pool.commodity, demand_class(d))
        self.weight = {pool.commodity: pool.unit_weight_g for pool in book.pools}
        self.room = {k.id: k.free_g for k in book.departures}
        self.load: defaultdict[tuple[str, str | None], int] = defaultdict(int)
        self.fill: defaultdict[Name, int] = defaultdict(int)
        self.partners: defaultdict[Name, set[Name]] = defaultdict(set)
        self.aboard: defaultdict[tuple[Name, str | None], set[Name]] = defaultdict(set)
        self.price: dict[object, int] = {}
        self.scarcity: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
        self._read(clearing)
        self.missed = {(u.side, u.commodity, u.id): u.detail.get("missed_idr") for u in clearing.unmatched}
        self.ways: defaultdict[Name, list[Pair]] = defaultdict(list)
        for pair in pairs(book):
            for name in ("listing", *pair.listing_key), ("demand", *pair.demand_key):
                self.ways[name].append(pair)

    def _read(self, clearing: Clearing) -> None:
        for m in clearing.matches:
            offer, request = ("listing", m.commodity, m.listing_id), ("demand", m.commodity, m.demand_id)
            for one, other in (offer, request), (request, offer):
                self.fill[one] += m.quantity
                self.partners[one].add(other)
                self.aboard[other, m.departure_id].add(one)
            self.price[self.kind[offer]] = m.producer_price_idr + m.collection_idr
            self.price[self.kind[request]] = -m.delivered_price_idr
            self.scarcity[m.commodity, m.departure_id].append(m.scarcity_idr)
            if m.departure_id is not None:
                self.room[m.departure_id] -= m.quantity * self.weight[m.commodity]
                self.load[m.commodity, m.departure_id] += m.quantity * self.weight[m.commodity]

    def own(self, name: Name) -> int:
        """An order's own price."""
        order = self.order[name]
        return order.ask_idr + order.collection_idr if isinstance(order, Listing) else -order.limit_idr

    def choosy(self, name: Name) -> bool:
        """Whether an order that has nothing yet cannot take a single unit."""
        order = self.order[name]
        return not self.fill[name] and min(order.min_quantity, order.quantity) > 1

    def is_open(self, name: Name) -> bool:
        return self.missed.get(name) is None and self.fill[name] < self.order[name].quantity

    def is_full(self, pair: Pair) -> bool:
        return pair.departure is not None and self.room[pair.departure.id] < pair.pool.unit_weight_g

    def others_fill(self, pair: Pair) -> bool:
        """Whether the pair's departure would have room without the other pools."""
        own = self.load[pair.pool.commodity, pair.departure and pair.departure.id]
        return pair.departure is not None and pair.departure.free_g - own >= pair.pool.unit_weight_g

    def rho(self, name: Name, *, away: bool) -> int:
        """The price of an order's class, or the lowest own price there, with or without those turned away."""
        kind = self.kind[name]
        alike = [
            other
            for other, order in self.order.items()
            if self.kind[other] == kind and not order.price_expired and (away or self.missed.get(other) is None)
        ]
        return self.price.get(kind, min(map(self.own, alike)))

    def rivals(self, me: Name, pair: Pair) -> set[Name]:
        """Those who traded with the other side of a pair on its departure."""
        return self.aboard[other(me, pair), pair.departure and pair.departure.id]

    def gain(self, me: Name, pair: Pair, *, away: bool = False) -> int:
        """What one more unit gains if the other side gets the price of its class."""
        return pair.gain + self.own(other(me, pair)) - self.rho(other(me, pair), away=away)


def other(me: Name, pair: Pair) -> Name:
    """The name of the other order of a pair."""
    return ("demand", *pair.demand_key) if me[0] == "listing" else ("listing", *pair.listing_key)


def expected(told: Told, me: Name) -> tuple[Reason, Detail]:
    """Return the reason of an order that has a partner by the hard rules, and the figures that belong to it."""
    mine = told.ways[me]
    live = [pair for pair in mine if told.missed.get(other(me, pair)) is None]
    turned = [pair.gain for pair in mine if pair not in live]
    affordable = [pair for pair in live if pair.gain >= 0]
    openly = [pair for pair in affordable if told.is_open(other(me, pair))]
    if (missed := told.missed.get(me)) is not None:
        return Reason.MIN_QUANTITY, {"missed_idr": missed}
    if max(turned, default=0) > 0:
        return Reason.MIN_QUANTITY, {}
    if (most := max(pair.gain for pair in mine)) < 0:
        return Reason.PRICE_GAP, {"gap_idr": -most}
    for ways in ([pair for pair in live if told.gain(me, pair) > 0], list(filter(told.is_full, openly))):
        if ways:
            return Reason.LANE_FULL, lane(told, me, min(ways, key=preferred(told, me)))
    if openly:
        return Reason.MIN_QUANTITY, {}
    if any(told.partners[other(me, pair)] - {me} for pair in affordable):
        return Reason.OUTBID, {"gap_idr": -max(told.gain(me, pair) for pair in live)}
    return (Reason.MIN_QUANTITY if 0 in turned else Reason.SOLD_OUT), {}


def preferred(told: Told, me: Name) -> Callable[[Pair], tuple[int, int, str]]:
    """Return the order in which departures are named: what a unit costs, then arrival, then lane."""

    def key(pair: Pair) -> tuple[int, int, str]:
        k = pair.departure
        return (-told.gain(me, pair), k.arrives_on, k.lane) if k else (-told.gain(me, pair), pair.day, "")

    return key


def lane(told: Told, me: Name, pair: Pair) -> Detail:
    """Return the full departure, and the pool's greatest scarcity there; without a match what a unit would gain."""
    assert pair.departure is not None
    at_price = told.gain(me, pair) + told.own(me) - told.price.get(told.kind[me], told.own(me))
    paid = told.scarcity.get((pair.pool.commodity, pair.departure.id), [max(at_price, 0)])
    return {"departure_id": pair.departure.id, "lane": pair.departure.lane, "scarcity_idr": max(paid)}


def is_true(told: Told, me: Name, row: Unmatched) -> bool:
    """Whether the words hold: a full departure is full, and where a smallest fill forbids there is one."""
    if row.reason is Reason.LANE_FULL:
        return all(
            told.is_full(p) for p in told.ways[me] if p.departure and p.departure.id == row.detail["departure_id"]
        )
    if row.reason is Reason.MIN_QUANTITY and "missed_idr" not in row.detail:
        able = [pair for pair in told.ways[me] if pair.gain >= 0]
        return told.choosy(me) or any(told.choosy(other(me, pair)) for pair in able)
    return True


def missed_is_true(told: Told, me: Name) -> bool:
    """Whether an order was told what it missed exactly if it was turned away, and how much.

    Where its class traded its price says so. Else pairs on departures with room do. On a full one it is no more than
    what rivals got of the same partner there, less where theirs went as other goods (grade, freshness step); what other
    pools filled may have had no price in this one.
    """
    missed, mine = told.missed.get(me), told.ways[me]
    if not told.choosy(me) or not mine:
        return missed is None or told.choosy(me)
    if (price := told.price.get(told.kind[me])) is not None:
        least = most = price - told.own(me)
    else:
        least = max((told.gain(me, pair, away=True) for pair in mine if not told.is_full(pair)), default=0)
        rivals = {rival for pair in mine if told.is_full(pair) for rival in told.rivals(me, pair)}
        crowded = [told.gain(me, pair, away=True) for pair in mine if told.is_full(pair) and told.others_fill(pair)]
        most = max(least, *(told.price[told.kind[rival]] - told.own(me) for rival in rivals), *crowded, 0)
    quantity = told.order[me].quantity
    return quantity * max(least, 0) <= (missed or 0) <= quantity * max(most, 0) and missed != 0
