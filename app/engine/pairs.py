"""The pure rules of one pair: may this listing reach this demand on this departure, and at what cost.

Everything else in the engine (network, audit, reasons) and the shop windows outside it (options, outlook, quotes) take
the hard rules from here, so that there is one place to read them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.engine.model import Agreement, Demand, Departure, Listing, Market, Pool, Reason

Day = TypeVar("Day", covariant=True)  # noqa: PLC0105 - a day, which is only read

#: the hard rules in the order in which they are asked
HARD_RULES = (
    Reason.NO_COUNTERPARTY,
    Reason.NO_AGREEMENT,
    Reason.NO_LANE,
    Reason.GRADE,
    Reason.WINDOW,
    Reason.FRESHNESS,
    Reason.PRICE_EXPIRED,
)


@dataclass(frozen=True, slots=True)
class Leg:
    """One way from a hub to a buyer: a departure, or fetching at the hub on one day."""

    #: None when the buyer fetches at the hub
    departure: Departure | None
    #: place codes; `place` is the hub itself when the buyer fetches there
    hub: str
    place: str
    #: ordinals
    departs_on: int
    arrives_on: int
    #: rupiah per base unit
    freight_idr: int
    #: the goods travel cooled
    chilled: bool

    @property
    def loco(self) -> bool:
        """Whether the buyer fetches at the hub."""
        return self.departure is None

    @property
    def lane(self) -> str:
        """The code by which ties prefer lanes; fetching at the hub sorts first."""
        return "" if self.departure is None else self.departure.lane

    @property
    def key(self) -> tuple[str, str, int, int, str, str]:
        """The canonical order of legs."""
        name = "" if self.departure is None else self.departure.id
        return (self.hub, self.place, self.departs_on, self.arrives_on, self.lane, name)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One (listing, departure, demand), with its cost built up and the first rule that forbids it."""

    listing: Listing
    demand: Demand
    #: None when the buyer fetches at the hub, or when no lane exists
    departure: Departure | None
    #: ordinals; None when no lane exists
    departs_on: int | None
    arrives_on: int | None
    #: rupiah per base unit; the landed price is their sum
    ask_idr: int
    collection_idr: int
    freight_idr: int
    landed_idr: int
    #: base units that could move: what is offered, asked for, and what the departure has room for
    quantity: int
    #: None when the pair may trade
    why_not: Reason | None


class Agreements:
    """The agreements of a market, by hub and region."""

    def __init__(self, agreements: Iterable[Agreement]) -> None:
        """Index the agreements."""
        self._terms: defaultdict[tuple[str, str], list[Agreement]] = defaultdict(list)
        for agreement in agreements:
            self._terms[agreement.hub, agreement.region].append(agreement)

    def in_force(self, hub: str, region: str, commodity: str, first_day: int, last_day: int) -> bool:
        """Whether hub and region may trade the commodity on some day from first to last (ordinals, both included)."""
        return any(
            term.first_day <= last_day
            and first_day <= term.last_day
            and (term.commodities is None or commodity in term.commodities)
            for term in self._terms[hub, region]
        )


def freight_idr(departure: Departure, unit_weight_g: int) -> int:
    """Freight of one base unit in rupiah: rupiah per kilogram times grams, rounded up."""
    return -(-departure.freight_idr_per_kg * unit_weight_g // 1000)


def departure_leg(departure: Departure, unit_weight_g: int) -> Leg:
    """Return the leg that a departure is for goods of this weight (grams a base unit)."""
    return Leg(
        departure,
        departure.hub,
        departure.region,
        departure.departs_on,
        departure.arrives_on,
        freight_idr(departure, unit_weight_g),
        departure.chilled,
    )


def loco_leg(hub: str, day: int) -> Leg:
    """Return the pseudo-departure of fetching at a hub on a day: freight 0, no lead time, uncooled, any load."""
    return Leg(None, hub, hub, day, day, 0, chilled=False)


class Perishable(Protocol[Day]):
    """Goods that last until one day or, cooled, until another; a day is an ordinal here, a date in rows."""

    @property
    def best_before(self) -> Day:
        """Last day of shelf life, uncooled."""

    @property
    def best_before_chilled(self) -> Day:
        """Last day of shelf life on a chilled lane."""


def best_before(goods: Perishable[Day], *, chilled: bool) -> Day:
    """Return the last day of shelf life when the goods travel like this."""
    return goods.best_before_chilled if chilled else goods.best_before


def grade_fits(pool: Pool, grade: int, min_grade: int) -> bool:
    """Whether goods of a grade may serve a need: better or equal where grades substitute, else equal."""
    return grade <= min_grade if pool.grades_substitute else grade == min_grade


def first_failing(agreements: Agreements, pool: Pool, listing: Listing, leg: Leg, demand: Demand) -> Reason | None:
    """Return the first hard rule that forbids this pair, or None.

    The leg must leave the listing's hub and, unless the buyer fetches at the hub, end in the demand's region: otherwise
    the answer is `no_lane` where the agreement is in force.
    """
    if not agreements.in_force(listing.hub, demand.region, pool.commodity, leg.departs_on, leg.departs_on):
        return Reason.NO_AGREEMENT
    if leg.hub != listing.hub or leg.loco != demand.loco or not (demand.loco or leg.place == demand.region):
        return Reason.NO_LANE
    if not grade_fits(pool, listing.grade, demand.min_grade):
        return Reason.GRADE
    leaves = listing.first_day <= leg.departs_on <= listing.last_day
    if not (leaves and demand.first_day <= leg.arrives_on <= demand.last_day):
        return Reason.WINDOW
    if best_before(listing, chilled=leg.chilled) - leg.arrives_on < demand.min_life_days:
        return Reason.FRESHNESS
    if listing.price_expired or demand.price_expired:
        return Reason.PRICE_EXPIRED
    return None


def candidates_for_demand(market: Market, pool: Pool, demand: Demand) -> list[Candidate]:
    """Return every (listing, departure) for a demand, cheapest first, with cost parts and why not.

    One row per listing and departure from its hub to the demand's region, full departures included; one row per listing
    when the buyer fetches at the hub (its best day) or when no lane exists. Rows that pass the hard rules may still say
    `price_gap` or `lane_full`. The demand need not be in the pool. Raises nothing.
    """
    agreements = Agreements(market.agreements)
    pairs = (c for s in pool.listings for c in _candidates(market, agreements, pool, s, demand))
    return sorted(pairs, key=_cheapest_first)


def candidates_for_listing(market: Market, pool: Pool, listing: Listing) -> list[Candidate]:
    """Return every (departure, demand) for a listing, dearest net price first: the mirror of candidates_for_demand."""
    agreements = Agreements(market.agreements)
    pairs = (c for d in pool.demands for c in _candidates(market, agreements, pool, listing, d))
    return sorted(pairs, key=lambda c: (c.why_not is not None, c.landed_idr - c.demand.limit_idr, *_cheapest_first(c)))


def _cheapest_first(candidate: Candidate) -> tuple[int, int, str, str, str]:
    """Order candidates by landed price, arrival, lane, ids."""
    c = candidate
    lane = "" if c.departure is None else c.departure.lane
    return (c.landed_idr, c.arrives_on or 0, lane, c.listing.id, c.demand.id)


def _candidates(
    market: Market, agreements: Agreements, pool: Pool, listing: Listing, demand: Demand
) -> Iterator[Candidate]:
    """Pair one listing with one demand over all departures between them."""
    if demand.loco:
        yield _best_loco(market, agreements, pool, listing, demand)
        return
    found = False
    for departure in market.departures:
        if departure.hub == listing.hub and departure.region == demand.region:
            found = True
            leg = departure_leg(departure, pool.unit_weight_g)
            yield _candidate(pool, listing, leg, demand, first_failing(agreements, pool, listing, leg, demand))
    if not found:
        opened = agreements.in_force(
            listing.hub, demand.region, pool.commodity, market.first_departure_day, demand.last_day
        )
        yield _candidate(pool, listing, None, demand, Reason.NO_LANE if opened else Reason.NO_AGREEMENT)


def _best_loco(market: Market, agreements: Agreements, pool: Pool, listing: Listing, demand: Demand) -> Candidate:
    """Return the day of fetching that fails latest in the rules, the earliest such day."""
    first = max(market.first_departure_day, listing.first_day, demand.first_day)
    last = min(listing.last_day, demand.last_day)
    legs = [loco_leg(listing.hub, day) for day in range(first, max(first, last) + 1)]
    failing = [first_failing(agreements, pool, listing, leg, demand) for leg in legs]
    order = [len(HARD_RULES) if rule is None else HARD_RULES.index(rule) for rule in failing]
    best = order.index(max(order))
    return _candidate(pool, listing, legs[best], demand, failing[best])


def _candidate(pool: Pool, listing: Listing, leg: Leg | None, demand: Demand, why_not: Reason | None) -> Candidate:
    """Build the cost up and add the two reasons that a single pair can have beyond the hard rules."""
    freight = 0 if leg is None else leg.freight_idr
    landed = listing.ask_idr + listing.collection_idr + freight
    quantity = min(listing.quantity, demand.quantity)
    departure = None if leg is None else leg.departure
    if departure is not None:
        quantity = min(quantity, departure.free_g // pool.unit_weight_g)
    if why_not is None and demand.limit_idr < landed:
        why_not = Reason.PRICE_GAP
    if why_not is None and quantity == 0:
        why_not = Reason.LANE_FULL
    return Candidate(
        listing=listing,
        demand=demand,
        departure=departure,
        departs_on=None if leg is None else leg.departs_on,
        arrives_on=None if leg is None else leg.arrives_on,
        ask_idr=listing.ask_idr,
        collection_idr=listing.collection_idr,
        freight_idr=freight,
        landed_idr=landed,
        quantity=quantity,
        why_not=why_not,
    )
