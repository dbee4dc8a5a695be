"""Why an order has quantity left over: hard rules first, then prices and matches.

A listing mirrors a demand. With prices counted so that less is better (an ask, or minus a limit) both read the same:
the cost of a pair is the other side's own price plus freight, and the order takes it up to minus its own price.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from app.engine.book import DemandClass, SupplyClass
from app.engine.cells import BIT, FAR, Cell, Shelf, demand_cell, shelve, supply_cell
from app.engine.components import Component
from app.engine.model import Demand, Listing, Market, Match, Pool, Reason, Unmatched
from app.engine.pairs import HARD_RULES, Agreements, Leg, departure_leg, grade_fits, loco_leg
from app.engine.standing import Standing, standings


@dataclass(slots=True)
class Outlook:
    """What the market holds for one class of orders, summed over legs; prices with freight, FAR where there is none."""

    failing: set[int] = field(default_factory=set)
    #: least cost of a pair, and of a pair with somebody turned away
    cost: int = FAR
    turned_away: int = FAR
    #: (price of one more unit, arrival, lane) and leg of the cheapest way
    best: tuple[tuple[int, int, str], Leg] | None = None
    #: the same over full departures, where the other side still has quantity at that cost
    open_full: tuple[tuple[int, int, str], Leg] | None = None
    #: least cost where it has quantity left and the departure has room
    open_room: int = FAR
    #: least cost at which somebody traded, with the only partner, and the least with another one
    sold: list[tuple[int, str]] = field(default_factory=list)
    _hard: dict[bool, Reason] = field(default_factory=dict)

    def hard(self, *, expired: bool) -> Reason:
        """Return the hard rule that keeps an order of the class, its price expired or not, from every pair."""
        if expired not in self._hard:
            self._hard[expired] = _hard({rules | BIT[Reason.PRICE_EXPIRED] * expired for rules in self.failing})
        return self._hard[expired]

    def add(self, leg: Leg, cell: Cell, own_failing: int, *, full: bool) -> None:
        """Count a leg in."""
        self.failing |= {failing | own_failing for failing in cell.failing}
        if own_failing or 0 not in cell.failing:
            return
        freight = leg.freight_idr
        self.cost = min(self.cost, cell.own + freight)
        self.turned_away = min(self.turned_away, cell.turned_away + freight)
        way = ((cell.rho + freight, leg.arrives_on, leg.lane), leg)
        if cell.rho < FAR and (self.best is None or way[0] < self.best[0]):
            self.best = way
        if full and cell.open < FAR:
            way = ((cell.open + freight, leg.arrives_on, leg.lane), leg)
            if self.open_full is None or way[0] < self.open_full[0]:
                self.open_full = way
        elif not full:
            self.open_room = min(self.open_room, cell.open + freight)
        self.sold += [(cost + freight, partner) for cost, partner in cell.sold]


@dataclass(slots=True)
class Floor:
    """One pool after its clearing, ready to answer for every order."""

    market: Market
    pool: Pool
    agreements: Agreements
    #: (hub or region, loco) -> the other side there
    supply: dict[str, Shelf]
    demand: dict[tuple[str, bool], Shelf]
    #: hub -> legs, (region or "", loco) -> legs
    leaving: dict[str, list[Leg]]
    arriving: dict[tuple[str, bool], list[Leg]]
    #: departure id -> grams left, and the scarcity of this pool's matches on it
    left: dict[str, int]
    scarcity: dict[str, int]

    def full(self, leg: Leg) -> bool:
        """Whether not one more base unit fits."""
        return leg.departure is not None and self.left[leg.departure.id] < self.pool.unit_weight_g


def explain(market: Market, components: Sequence[Component], matches: Sequence[Match]) -> list[Unmatched]:
    """Return a reason for every order with quantity left over, in canonical order (commodity, side, id), as the market.

    1. Where every order stands. 2. What the market holds for each class, leg by leg. 3. The reason of each order.
    `matches` are those of all pools.
    """
    weights = {pool.commodity: pool.unit_weight_g for pool in market.pools}
    left = {departure.id: departure.free_g for departure in market.departures}
    by_pool: defaultdict[str, list[Match]] = defaultdict(list)
    for m in matches:
        by_pool[m.commodity].append(m)
        if m.departure_id is not None:
            left[m.departure_id] -= m.quantity * weights[m.commodity]
    agreements = Agreements(market.agreements)
    of_pool = {name: part for part in components for name in part.commodities}
    result = []
    for pool in market.pools:
        rows = list(standings(pool, of_pool[pool.commodity], by_pool[pool.commodity]))  # 1
        floor = _floor(market, pool, agreements, rows, left, by_pool[pool.commodity])
        outlooks: dict[SupplyClass | DemandClass, Outlook] = {}
        for row in sorted(rows, key=_side):
            if row.left > 0:
                if row.key not in outlooks:  # 2
                    outlooks[row.key] = _outlook(floor, row.key)
                reason, detail = _reason(floor, row, outlooks[row.key])  # 3
                result.append(Unmatched(pool.commodity, _side(row), row.order.id, row.left, reason, detail))
    return result


def _side(row: Standing) -> str:
    return "listing" if isinstance(row.order, Listing) else "demand"


def _floor(
    market: Market,
    pool: Pool,
    agreements: Agreements,
    rows: Sequence[Standing],
    left: dict[str, int],
    matches: Sequence[Match],
) -> Floor:
    """Arrange a pool's orders by place and its legs by both ends, departures without free capacity included."""
    supply: defaultdict[str, list[Standing]] = defaultdict(list)
    demand: defaultdict[tuple[str, bool], list[Standing]] = defaultdict(list)
    for row in rows:
        if isinstance(row.order, Listing):
            supply[row.order.hub].append(row)
        else:
            demand["" if row.order.loco else row.order.region, row.order.loco].append(row)
    leaving: defaultdict[str, list[Leg]] = defaultdict(list)
    arriving: defaultdict[tuple[str, bool], list[Leg]] = defaultdict(list)
    for leg in _legs(market, pool, sorted(supply)):
        end = ("" if leg.loco else leg.place, leg.loco)
        if leg.hub in supply and end in demand:
            leaving[leg.hub].append(leg)
            arriving[end].append(leg)
    scarcity: dict[str, int] = {}
    for m in matches:
        if m.departure_id is not None:
            scarcity[m.departure_id] = max(scarcity.get(m.departure_id, 0), m.scarcity_idr)
    return Floor(
        market=market,
        pool=pool,
        agreements=agreements,
        supply={hub: shelve(supply[hub]) for hub in sorted(supply)},
        demand={end: shelve(demand[end]) for end in sorted(demand)},
        leaving=leaving,
        arriving=arriving,
        left=left,
        scarcity=scarcity,
    )


def _legs(market: Market, pool: Pool, hubs: Iterable[str]) -> Iterator[Leg]:
    """Yield all legs of a pool: its departures, and fetching at its hubs on every day that matters."""
    for departure in market.departures:
        yield departure_leg(departure, pool.unit_weight_g)
    fetched = [d for d in pool.demands if d.loco]
    if fetched and pool.listings:
        orders: list[Listing | Demand] = [*pool.listings, *fetched]
        first = max(market.first_departure_day, min(o.first_day for o in orders))
        last = min(max(s.last_day for s in pool.listings), max(d.last_day for d in fetched))
        for hub in hubs:
            for day in range(first, max(first, last) + 1):
                yield loco_leg(hub, day)


def _outlook(floor: Floor, key: SupplyClass | DemandClass) -> Outlook:
    """Sum up the legs of a class. Legs outside its own days matter only where no pair may trade."""
    outlook, outside = Outlook(), []
    legs = _ends(floor, key)
    for leg in legs:
        if key.first_day <= _own_day(key, leg) <= key.last_day:
            outlook.add(leg, _cell(floor, key, leg), _closed(floor, key, leg), full=floor.full(leg))
        else:
            outside.append(leg)
    if 0 not in outlook.failing:
        window = BIT[Reason.WINDOW]
        for leg in outside:
            outlook.add(leg, _cell(floor, key, leg), _closed(floor, key, leg) | window, full=floor.full(leg))
        outlook.failing |= _without_lane(floor, key, legs)
    outlook.sold.sort()
    another = (trade for trade in outlook.sold if trade[1] != outlook.sold[0][1])
    outlook.sold = [*outlook.sold[:1], *islice(another, 1)]
    return outlook


def _ends(floor: Floor, key: SupplyClass | DemandClass) -> list[Leg]:
    """Return the legs between a class and the other side."""
    if isinstance(key, SupplyClass):
        return floor.leaving.get(key.hub, [])
    return floor.arriving.get(("" if key.loco else key.region, key.loco), [])


def _own_day(key: SupplyClass | DemandClass, leg: Leg) -> int:
    return leg.departs_on if isinstance(key, SupplyClass) else leg.arrives_on


def _cell(floor: Floor, key: SupplyClass | DemandClass, leg: Leg) -> Cell:
    """Return what the other side holds for a class on a leg."""
    if isinstance(key, DemandClass):
        return supply_cell(floor.pool, floor.supply[leg.hub], leg, (key.min_grade, key.min_life_days))
    keeps = key.best_before_chilled if leg.chilled else key.best_before
    shelf = floor.demand["" if leg.loco else leg.place, leg.loco]
    return demand_cell(floor.pool, floor.agreements, shelf, leg, (key.grade, keeps - leg.arrives_on))


def _closed(floor: Floor, key: SupplyClass | DemandClass, leg: Leg) -> int:
    """Return the bit of a missing agreement on the day of departure."""
    if leg.loco and isinstance(key, SupplyClass):
        return 0  # each demand has its own region there: its cell knows
    region = key.region if isinstance(key, DemandClass) else leg.place
    opened = floor.agreements.in_force(leg.hub, region, floor.pool.commodity, leg.departs_on, leg.departs_on)
    return 0 if opened else BIT[Reason.NO_AGREEMENT]


def _without_lane(floor: Floor, key: SupplyClass | DemandClass, legs: Sequence[Leg]) -> set[int]:
    """Return the failing rules of pairs between which no departure runs at all.

    Nothing can be said about their days and freshness; their agreement counts if it is in force on some day in time.
    """
    if isinstance(key, SupplyClass):
        reached = {(leg.place, False) for leg in legs} | {("", True)}
        others = [row for end, shelf in floor.demand.items() if end not in reached for row in shelf.rows]
    else:
        hubs = {leg.hub for leg in legs}
        others = [row for hub, shelf in floor.supply.items() if hub not in hubs for row in shelf.rows]
    return {_lane_bits(floor, key, row.order) for row in others}


def _lane_bits(floor: Floor, key: SupplyClass | DemandClass, order: Listing | Demand) -> int:
    """Return the failing rules of a pair without a lane."""
    if isinstance(key, SupplyClass) and isinstance(order, Demand):
        hub, region, grade, need, last = key.hub, order.region, key.grade, order.min_grade, order.last_day
    elif isinstance(key, DemandClass) and isinstance(order, Listing):
        hub, region, grade, need, last = order.hub, key.region, order.grade, key.min_grade, key.last_day
    else:
        message = "both orders are on one side"
        raise TypeError(message)
    opened = floor.agreements.in_force(hub, region, floor.pool.commodity, floor.market.first_departure_day, last)
    fits = grade_fits(floor.pool, grade, need)
    failing = BIT[Reason.NO_LANE] + BIT[Reason.PRICE_EXPIRED] * order.price_expired
    return failing + BIT[Reason.NO_AGREEMENT] * (not opened) + BIT[Reason.GRADE] * (not fits)


def _reason(floor: Floor, row: Standing, outlook: Outlook) -> tuple[Reason, dict[str, int | str]]:
    """Return an order's reason and the figures from which it can be checked."""
    if row.order.price_expired or 0 not in outlook.failing:
        return outlook.hard(expired=row.order.price_expired), {}
    limit = -row.own
    if row.missed is not None:
        return Reason.MIN_QUANTITY, {"missed_idr": row.missed}
    if outlook.turned_away < limit:
        return Reason.MIN_QUANTITY, {}
    if limit < outlook.cost:
        return Reason.PRICE_GAP, {"gap_idr": outlook.cost - limit}
    if outlook.best is not None and outlook.best[0][0] < limit:
        return Reason.LANE_FULL, _lane(floor, row, outlook.best)
    if outlook.open_full is not None and outlook.open_full[0][0] <= limit:
        return Reason.LANE_FULL, _lane(floor, row, outlook.open_full)
    if outlook.open_room <= limit:
        return Reason.MIN_QUANTITY, {}  # goods and room are there at just this price: a smallest fill forbids the part
    if outlook.best is not None and any(cost <= limit and row.order.id != partner for cost, partner in outlook.sold):
        return Reason.OUTBID, {"gap_idr": outlook.best[0][0] - limit}
    if outlook.turned_away <= limit:
        return Reason.MIN_QUANTITY, {}  # what was turned away is left, at just this price
    return Reason.SOLD_OUT, {}


def _lane(floor: Floor, row: Standing, way: tuple[tuple[int, int, str], Leg]) -> dict[str, int | str]:
    """Return the departure that was full, and what one more unit on it would have been worth."""
    (price, _, lane), leg = way
    name = "" if leg.departure is None else leg.departure.id
    scarcity = max(-(row.own if row.price is None else row.price) - price, 0)
    return {"departure_id": name, "lane": lane, "scarcity_idr": floor.scarcity.get(name, scarcity)}


def _hard(failing: set[int]) -> Reason:
    """Return the hard rule that keeps a class from every pair; `failing` holds the failing rules of each pair.

    1. The rules are asked in order; one of them leaves no pair over. 2. If pairs fail by that rule alone, it is the
    reason. 3. Else the first rule by which alone a pair fails. 4. If there is none, the rule of step 1.
    Step 2 goes before step 3: fruit that would arrive in time but spoilt, and on a slower cooled lane fresh but late,
    is kept by freshness, which is how far a trader gets.
    """
    alone = [rule for rule in HARD_RULES if BIT[rule] in failing]
    last = _last_asked(failing)
    return last if last in alone or not alone else alone[0]


def _last_asked(failing: set[int]) -> Reason:
    """Return the rule at which, asked in order, no pair is left."""
    passed = 0
    for rule in HARD_RULES:
        passed |= BIT[rule]
        if not any(rules & passed == 0 for rules in failing):
            return rule
    message = "a pair may trade after all"
    raise ValueError(message)
