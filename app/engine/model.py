"""What the engine reads and what it answers: frozen records of whole numbers.

Days are ordinals (`datetime.date.toordinal`), prices whole rupiah per base unit, quantities whole base units, weights
grams. Ids are opaque strings that sort as text; `posted_at` are microseconds since the epoch.
"""

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Listing:
    """One producer's open supply in a pool."""

    #: opaque id, unique in the market
    id: str
    #: place code of the hub where the goods are gathered
    hub: str
    #: grade rank, 1 is best
    grade: int
    #: open quantity, base units, at least 1
    quantity: int
    #: least price at the gate, rupiah per base unit
    ask_idr: int
    #: from the gate to the hub, rupiah per base unit
    collection_idr: int
    #: first and last day the goods can leave the hub, ordinals
    first_day: int
    last_day: int
    #: last day of shelf life, uncooled, ordinal
    best_before: int
    #: last day of shelf life on a chilled lane, ordinal
    best_before_chilled: int
    #: trades nothing, or at least min(min_quantity, quantity), base units
    min_quantity: int
    #: time of posting, microseconds since the epoch
    posted_at: int
    #: the price no longer holds: the order is told so and takes no part
    price_expired: bool = False


@dataclass(frozen=True, slots=True)
class Demand:
    """One buyer's open need in a pool."""

    #: opaque id, unique in the market
    id: str
    #: place code of the region that trades (a part of a city trades as its parent)
    region: str
    #: lowest grade rank that will do
    min_grade: int
    #: open quantity, base units, at least 1
    quantity: int
    #: highest price, rupiah per base unit: delivered, or at the hub when `loco`
    limit_idr: int
    #: first and last day of arrival (when `loco`: of fetching at the hub), ordinals
    first_day: int
    last_day: int
    #: least days of shelf life left on arrival
    min_life_days: int
    #: trades nothing, or at least min(min_quantity, quantity), base units
    min_quantity: int
    #: time of posting, microseconds since the epoch
    posted_at: int
    #: fetched at the hub: no departure is used
    loco: bool = False
    #: the price no longer holds: the order is told so and takes no part
    price_expired: bool = False


@dataclass(frozen=True, slots=True)
class Departure:
    """One day's capacity of a lane that may still be used, full ones included."""

    #: opaque id
    id: str
    #: code of the lane, sorts as text: the order in which ties prefer lanes
    lane: str
    #: place codes: hub of origin, region of destination
    hub: str
    region: str
    #: ordinals
    departs_on: int
    arrives_on: int
    #: rupiah per kilogram; per base unit it rounds up to a whole rupiah
    freight_idr_per_kg: int
    #: capacity that is not booked, grams, at least 0
    free_g: int
    #: the goods travel cooled: `best_before_chilled` counts
    chilled: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """Opens trade between a hub and a region between two days, both included."""

    hub: str
    region: str
    #: ordinals
    first_day: int
    last_day: int
    #: commodity codes; None opens all
    commodities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """All open orders of one commodity."""

    commodity: str
    #: weight of a base unit, grams, at least 1
    unit_weight_g: int
    #: a better grade may serve a lower need
    grades_substitute: bool
    listings: tuple[Listing, ...]
    demands: tuple[Demand, ...]


@dataclass(frozen=True, slots=True)
class Market:
    """One clearing's input: pools that may share departures."""

    pools: tuple[Pool, ...]
    departures: tuple[Departure, ...]
    agreements: tuple[Agreement, ...]
    #: first day on which goods may leave a hub (tomorrow), ordinal: bounds fetching at the hub
    first_departure_day: int


class Reason(StrEnum):
    """Why an order did not match, in the order in which the rules are asked."""

    NO_COUNTERPARTY = "no_counterparty"
    NO_AGREEMENT = "no_agreement"
    NO_LANE = "no_lane"
    GRADE = "grade"
    WINDOW = "window"
    FRESHNESS = "freshness"
    PRICE_EXPIRED = "price_expired"
    MIN_QUANTITY = "min_quantity"
    PRICE_GAP = "price_gap"
    LANE_FULL = "lane_full"
    OUTBID = "outbid"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True)
class Match:
    """A part of one listing that goes to one demand on one departure, with the price built up to the rupiah.

    producer_price_idr + collection_idr + freight_idr + scarcity_idr = delivered_price_idr.
    """

    commodity: str
    listing_id: str
    demand_id: str
    #: None when the buyer fetches at the hub
    departure_id: str | None
    #: ordinals; equal when the buyer fetches at the hub
    departs_on: int
    arrives_on: int
    #: base units, at least 1
    quantity: int
    #: rupiah per base unit
    producer_price_idr: int
    collection_idr: int
    freight_idr: int
    scarcity_idr: int
    delivered_price_idr: int


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An order with quantity left over, and why."""

    commodity: str
    #: "listing" or "demand"
    side: str
    id: str
    #: base units left
    quantity: int
    reason: Reason
    #: figures from which the reason can be checked, whole numbers and ids (exact: the edge rounds them for others).
    #: min_quantity: {"missed_idr": n} at most, where the order itself was rejected; price_gap, outbid: {"gap_idr": n};
    #: lane_full: {"departure_id": id, "lane": code, "scarcity_idr": n}; otherwise empty.
    detail: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one grade and freshness step at one place on one day with trade."""

    commodity: str
    #: grade rank
    grade: int
    #: freshness step: least days of life on arrival
    min_life_days: int
    #: place code: the region ("delivered") or the hub ("hub")
    region: str
    level: str
    #: day of arrival (delivered) or of departure (hub), ordinal
    day: int
    price_idr: int
    #: base units
    traded_quantity: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the audit proved."""

    #: "optimal" where the gap is 0, else "bounded"
    status: str
    #: proven bound of the linear optimum under shared capacity, less the surplus, where no smallest fill binds; rupiah
    gap_idr: int
    #: distance to the linear optimum without smallest fills, rupiah
    lp_gap_idr: int
    surplus_idr: int
    #: names of the checks that passed
    checked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolResult:
    """Totals of one pool."""

    commodity: str
    listings: int
    demands: int
    matched_quantity: int
    surplus_idr: int


@dataclass(frozen=True, slots=True)
class Clearing:
    """One clearing's answer, in canonical order whatever the order of the input."""

    pools: tuple[PoolResult, ...]
    matches: tuple[Match, ...]
    unmatched: tuple[Unmatched, ...]
    prices: tuple[Price, ...]
    certificate: Certificate
