"""The audit: does a claimed clearing hold? It knows no solver, only whole numbers, and is written to be read aloud.

A claim is a network, what flows on it, prices at its nodes, and two sets of prices from which bounds of the surplus
follow. The audit believes no figure: it adds everything up again in Python's unbounded integers. Nor does it believe
that the network is the market: matches keep the rules of the market, and prices bound every trade that they allow.
"""

from collections import Counter
from collections.abc import Sequence

from app.engine.claim import Arc, Bound, Claim
from app.engine.model import Market, Match
from app.engine.pairs import Agreements, departure_leg, first_failing, loco_leg
from app.engine.trades import Figures, Name, cheapest, figures

Load = Counter[str | None]
CHECKED = ("balance", "bounds", "rows", "reduced_cost", "fills", "matches", "surplus", "gap", "complete")


class AuditError(Exception):
    """A claimed result does not hold: nothing may be recorded. The message names the check."""


def audit(market: Market, claims: Sequence[Claim], matches: Sequence[Match]) -> tuple[str, ...]:
    """Return the names of the checks, all passed; raise AuditError at the first that does not."""
    free = {departure.id: departure.free_g for departure in market.departures}
    load = Load()
    for arc in (arc for claim in claims for arc in claim.arcs if arc.departure is not None):
        load[arc.departure] += arc.flow * arc.weight
    for departure, grams in load.items():
        _require(grams <= free[departure or ""], "rows", departure)
    orders = figures(market)
    for claim in claims:
        inflow: Counter[int] = Counter()
        for number, arc in enumerate(claim.arcs):
            inflow[arc.head] += arc.flow
            inflow[arc.tail] -= arc.flow
            _require(0 <= arc.flow <= arc.cap, "bounds", arc)
            gain = claim.price[arc.head] - claim.price[arc.tail] - arc.cost
            if arc.order is not None:
                _fill(arc, gain, turned_away=number in claim.turned_away)
            else:
                full = arc.departure is not None and free[arc.departure] - load[arc.departure] < arc.weight
                _move(arc, gain, full=full or (claim.gap > 0 and arc.departure in claim.allotted))
        _require(not any(inflow.values()) and claim.price[0] == 0, "balance", inflow)
        surplus = -sum(arc.cost * arc.flow for arc in claim.arcs)
        _require(surplus == claim.surplus, "surplus", surplus)
        kept = [arc for number, arc in enumerate(claim.arcs) if number not in claim.turned_away]
        proofs = [(kept, claim.bound, claim.gap), (claim.arcs, claim.linear_bound, claim.linear_gap)]
        for arcs, bound, gap in proofs[:1] if proofs[0] == proofs[1] else proofs:  # the same twice proves no more
            _require(_bound(arcs, bound, free) - surplus == gap >= 0, "gap", gap)
            _complete(market, orders, claim, bound)
        _complete(market, orders, claim, Bound(1, claim.price))
    pools = {name for claim in claims for name in claim.commodities}
    _require(pools == {pool.commodity for pool in market.pools}, "complete", pools)
    _same_trade(market, orders, claims, matches, load)
    return CHECKED


def _fill(arc: Arc, gain: int, *, turned_away: bool) -> None:
    """Require what an order may expect of the price at its place.

    It trades nothing or its smallest fill; (b) never at a loss; (c) in part only at its own price; (d) it is not left
    out while strictly in the money, unless it has a smallest fill.
    """
    fill = arc.flow
    _require(fill == 0 or (fill >= arc.least and gain >= 0), "fills", arc)
    _require(fill in {0, arc.cap} or gain == 0, "fills", arc)
    _require(fill > 0 or gain <= 0 or arc.least > 1, "fills", arc)
    _require(not turned_away or (fill == 0 and arc.least > 1), "fills", arc)


def _move(arc: Arc, gain: int, *, full: bool) -> None:
    """Require (a): goods move only where prices differ by the freight, and by more only where there is no room."""
    _require(arc.flow == 0 or gain >= 0, "reduced_cost", arc)
    _require(gain <= 0 or full, "reduced_cost", arc)


def _bound(arcs: Sequence[Arc], bound: Bound, free: dict[str, int]) -> int:
    """Return what no flow on these arcs can exceed: the value of the capacities at any prices (linear duality)."""
    priced = {departure: (grams, price) for departure, grams, price in bound.departure}
    total = sum(price * (free[departure] // grams) for departure, (grams, price) in priced.items())
    _require(bound.scale >= 1 and bound.node[0] == 0 and all(price >= 0 for _, price in priced.values()), "gap", priced)
    for arc in arcs:
        grams, price = priced.get(arc.departure or "", (1, 0))
        _require(arc.weight % grams == 0, "gap", arc)
        gain = bound.node[arc.head] - bound.node[arc.tail] - bound.scale * arc.cost - arc.weight // grams * price
        cap = arc.cap if arc.departure is None else max(arc.cap, free[arc.departure] // arc.weight)
        total += cap * max(gain, 0)
    return total // bound.scale


def _complete(market: Market, orders: Figures, claim: Claim, prices: Bound) -> None:
    """Require that no trade that the rules allow gains more at these prices than room on its departure is worth."""
    price = {name: prices.scale * cost for name, (cost, _, _) in orders.items()}  # its own, where no claim knows it
    worth = Counter[tuple[str | None, int]]()
    for arc in claim.arcs:
        rise, place = prices.node[arc.head] - prices.node[arc.tail], (arc.departure, arc.weight)
        if arc.order is not None:
            price[arc.order] = rise
        elif arc.departure is not None:
            worth[place] = max(worth[place], rise - prices.scale * arc.cost)
    for pool in (pool for pool in market.pools if pool.commodity in claim.commodities):
        for leg, least in cheapest(market, pool, price):
            room = worth[None if leg.departure is None else leg.departure.id, pool.unit_weight_g]
            _require(least + prices.scale * leg.freight_idr + room >= 0, "complete", leg)


def _same_trade(market: Market, orders: Figures, claims: Sequence[Claim], matches: Sequence[Match], load: Load) -> None:
    """Require that every match keeps every rule and adds up, and that together they fill and load as the flows do."""
    price, fill, cargo, gained = {}, Counter[Name](), Load(), 0
    for claim in claims:
        for arc in claim.arcs:
            if arc.order is not None:
                _require(arc.order not in price, "matches", arc)
                _require((arc.cost, arc.cap, arc.least) == orders[arc.order], "complete", arc)
                price[arc.order] = claim.price[arc.head] - claim.price[arc.tail]
                fill[arc.order] += arc.flow
    agreements, departures = Agreements(market.agreements), {row.id: row for row in market.departures}
    pools = {pool.commodity: pool for pool in market.pools}
    listings = {(pool.commodity, row.id): row for pool in market.pools for row in pool.listings}
    demands = {(pool.commodity, row.id): row for pool in market.pools for row in pool.demands}
    for m in matches:
        pool, s, d = pools[m.commodity], listings[m.commodity, m.listing_id], demands[m.commodity, m.demand_id]
        weight, departure = pool.unit_weight_g, m.departure_id
        leg = loco_leg(s.hub, m.departs_on) if departure is None else departure_leg(departures[departure], weight)
        _require(first_failing(agreements, pool, s, leg, d) is None, "matches", m)
        _require(not leg.loco or m.departs_on >= market.first_departure_day, "matches", m)
        _require((m.departs_on, m.arrives_on) == (leg.departs_on, leg.arrives_on), "matches", m)
        _require((m.collection_idr, m.freight_idr) == (s.collection_idr, leg.freight_idr), "matches", m)
        hub = m.producer_price_idr + m.collection_idr
        _require(hub + m.freight_idr + m.scarcity_idr == m.delivered_price_idr, "matches", m)
        _require(s.ask_idr <= m.producer_price_idr and m.delivered_price_idr <= d.limit_idr, "matches", m)
        offer, request = (m.commodity, "listing", s.id), (m.commodity, "demand", d.id)
        _require((hub, -m.delivered_price_idr) == (price[offer], price[request]), "matches", m)
        _require(m.quantity >= 1 and m.scarcity_idr >= 0, "matches", m)
        fill[offer] -= m.quantity
        fill[request] -= m.quantity
        if departure is not None:
            cargo[departure] += m.quantity * weight
        gained += m.quantity * (d.limit_idr - s.ask_idr - m.collection_idr - m.freight_idr)
    _require(gained == sum(claim.surplus for claim in claims), "surplus", gained)
    _require(not any(fill.values()) and +cargo == +load, "matches", (fill, cargo))


def _require(holds: object, check: str, what: object) -> None:
    """Refuse the claim where a check does not hold."""
    if not holds:
        message = f"{check} does not hold: {what}"
        raise AuditError(message)
