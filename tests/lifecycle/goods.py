"""A small model of the goods: what the trade's rules say of quantities, without the product's code.

Almost nothing is counted up or down: what is proposed, ordered, open and booked follows from the matches, order lines
and shipments that the model knows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from typing import Any

WIB = timezone(timedelta(hours=7))
DAY = timedelta(days=1)
UNDER_WAY = ("confirmed", "scheduled", "in_transit")


def day_of(at: datetime) -> date:
    """The day in Blitar and in the cities of this market."""
    return at.astimezone(WIB).date()


def apportioned(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Largest remainders; ties to whoever comes first."""
    exact = {key: Fraction(amount * weight, sum(weights.values())) for key, weight in weights.items() if amount}
    parts = {key: int(part) for key, part in exact.items()}
    by_rest = sorted(exact, key=lambda key: parts[key] - exact[key])
    for key in by_rest[: amount - sum(parts.values())]:
        parts[key] += 1
    return {key: parts.get(key, 0) for key in weights}


class Told:
    """What tells itself by its kind and the last digits of its id, so that a failing market can be read."""

    id: str | None

    def __repr__(self) -> str:
        """Kind and digits."""
        return f"{type(self).__name__} {(self.id or 'hub')[-6:]}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - as hypothesis asks for it
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class Party(Told):
    """An organisation of the market."""

    id: str
    key: str
    region: str
    #: rupiah per kilogram from its gate to the hub
    collection_idr_per_kg: int = 0


@dataclass(frozen=True, repr=False)
class Way(Told):
    """A departure, or fetching at the hub on a day."""

    id: str | None
    lane: str | None
    destination: str | None
    departs: date
    arrives: date
    closes: date
    freight_idr_per_kg: int
    capacity_g: int


@dataclass(eq=False, repr=False)
class Posting(Told):
    """A listing or a demand."""

    id: str
    side: str
    party: Party
    quantity: int
    least: int
    price: int
    first: date
    last: date
    delivery: str = "franco"
    closed: str | None = None
    #: what its owner took out with a decline
    taken_out: int = 0


@dataclass(frozen=True)
class Prices:
    """What a base unit costs, rupiah."""

    producer: int
    collection: int
    freight: int
    scarcity: int

    @property
    def delivered(self) -> int:
        return self.producer + self.collection + self.freight + self.scarcity


@dataclass(eq=False)
class Offer:
    """Other terms for a match."""

    side: str
    quantity: int
    way: Way
    prices: Prices
    status: str = "open"


@dataclass(eq=False, repr=False)
class Match(Told):
    """A proposal."""

    id: str
    run: str
    listing: Posting
    demand: Posting
    way: Way
    quantity: int
    prices: Prices
    expires: datetime
    #: smallest fills at the time of the run
    leasts: tuple[int, int]
    status: str = "proposed"
    confirmed: set[str] = field(default_factory=set)
    offer: Offer | None = None

    def answerable(self, now: datetime) -> bool:
        return self.status == "proposed" and now < self.expires

    def posting(self, side: str) -> Posting:
        return self.listing if side == "listing" else self.demand


@dataclass(eq=False, repr=False)
class Line(Told):
    """One producer's part of an order."""

    id: str
    listing: Posting
    quantity: int
    prices: Prices
    loaded: int = 0
    received: int = 0

    @property
    def left(self) -> int:
        return self.quantity - self.loaded


@dataclass(eq=False, repr=False)
class Order(Told):
    """What both sides confirmed."""

    id: str
    number: str
    demand: Posting
    way: Way
    source: str
    tolerance: int = 1
    terms: str = "cash"
    status: str = "confirmed"
    lines: list[Line] = field(default_factory=list)

    @property
    def value(self) -> int:
        return sum(line.quantity * line.prices.delivered for line in self.lines)

    def deliver_if_complete(self) -> None:
        if any(line.loaded for line in self.lines) and all(line.quantity == line.received for line in self.lines):
            self.status = "delivered"


@dataclass(eq=False, repr=False)
class Shipment(Told):
    """Quantities of order lines on a way."""

    id: str
    way: Way
    carried: list[tuple[Order, Line, int]]
    status: str = "loading"
    weights: dict[str, int] = field(default_factory=dict)

    @property
    def orders(self) -> dict[str, Order]:
        return {order.id: order for order, _, _ in self.carried}

    def loaded(self, order: Order) -> dict[str, int]:
        """What was weighed of one order, grams by line, in the order of their ids."""
        return {line: self.weights[line] for line in sorted(own.id for whose, own, _ in self.carried if whose is order)}


@dataclass(eq=False, repr=False)
class Receipt(Told):
    """What arrived of one order in one shipment, grams."""

    id: str
    shipment: Shipment
    order: Order
    net: int
    broken: int
    refused: int
    at: datetime
    acknowledged: bool = False
    #: open, resolved
    dispute: str | None = None
    final_at: datetime | None = None
    payable: dict[str, int] = field(default_factory=dict)
    billed: bool = False

    @property
    def sellers(self) -> list[Party]:
        return [own.listing.party for whose, own, _ in self.shipment.carried if whose is self.order]

    @property
    def loaded(self) -> dict[str, int]:
        """Grams by line, in the order of their ids."""
        return self.shipment.loaded(self.order)

    @property
    def loaded_g(self) -> int:
        return sum(self.loaded.values())

    @property
    def accepted_g(self) -> int:
        return self.net - self.broken - self.refused

    @property
    def by_rule_g(self) -> int:
        lost = Fraction(self.loaded_g - self.accepted_g, self.loaded_g)
        if self.order.way.id is None or lost <= Fraction(self.order.tolerance, 100):
            return self.loaded_g
        return self.accepted_g

    def disputable(self, now: datetime, *, by_buyer: bool) -> bool:
        in_time = self.final_at is None and now < self.at + DAY
        return in_time and self.dispute is None and not (by_buyer and self.acknowledged)

    def make_final(self, payable: int, now: datetime) -> None:
        self.payable, self.final_at = apportioned(payable, self.loaded), now


@dataclass(eq=False)
class Goods:
    """Everything in the market that is not money."""

    unit_weight_g: int
    ways: dict[str, Way]
    postings: dict[str, Posting] = field(default_factory=dict)
    matches: dict[str, Match] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    shipments: dict[str, Shipment] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def way(self, departure: str | None, day: date) -> Way:
        return self.ways[departure] if departure else Way(None, None, None, day, day, day - DAY, 0, 0)

    def usable(self, way: Way, now: datetime) -> bool:
        return way.departs > day_of(now) and (way.id is None or way.closes >= day_of(now))

    def fits(self, listing: Posting, demand: Posting, way: Way) -> bool:
        """The rules of days and places."""
        there = way.destination == demand.party.region if way.id else demand.delivery == "loco"
        in_time = demand.first <= way.arrives <= demand.last and listing.first <= way.departs <= listing.last
        return there and in_time and (way.id is None) == (demand.delivery == "loco")

    def per_unit(self, idr_per_kg: int) -> int:
        return -(-idr_per_kg * self.unit_weight_g // 1000)

    def prices(self, listing: Posting, way: Way, producer: int, scarcity: int = 0) -> Prices:
        collection = self.per_unit(listing.party.collection_idr_per_kg)
        return Prices(producer, collection, self.per_unit(way.freight_idr_per_kg), scarcity)

    def expiry(self, way: Way, now: datetime) -> datetime:
        return min(now + DAY, datetime.combine(way.closes + DAY, time(), tzinfo=WIB)).astimezone(UTC)

    def proposed(self, posting: Posting) -> int:
        mine = (match for match in self.matches.values() if posting in (match.listing, match.demand))
        return sum(match.quantity for match in mine if match.status == "proposed")

    def ordered(self, posting: Posting) -> int:
        live = [order for order in self.orders.values() if order.status != "cancelled"]
        lines = ((order, line) for order in live for line in order.lines)
        return sum(line.quantity for order, line in lines if posting in (order.demand, line.listing))

    def open(self, posting: Posting) -> int:
        taken = self.proposed(posting) + self.ordered(posting) + posting.taken_out
        return 0 if posting.closed else posting.quantity - taken

    def state(self, posting: Posting) -> tuple[str, int, int, int, int]:
        """Status, open, proposed, ordered and withdrawn quantity."""
        proposed, ordered, left = self.proposed(posting), self.ordered(posting), self.open(posting)
        status = posting.closed or ("open" if left else "exhausted")
        return status, left, proposed, ordered, posting.quantity - proposed - ordered - left

    def booked(self) -> Counter[str]:
        """Grams by departure: proposals, what is ordered and not loaded, what is loaded."""
        grams: Counter[str | None] = Counter()
        for match in self.matches.values():
            grams[match.way.id] += match.quantity * (match.status == "proposed")
        for order in self.orders.values():
            grams[order.way.id] += sum(line.left for line in order.lines) * (order.status != "cancelled")
        for shipment in self.shipments.values():
            grams[shipment.way.id] += sum(quantity for _, _, quantity in shipment.carried)
        return Counter({way: units * self.unit_weight_g for way, units in grams.items() if way and units})

    def room(self, way: Way) -> int:
        """Base units that still fit on a way."""
        return (way.capacity_g - self.booked()[way.id]) // self.unit_weight_g if way.id else 10**9

    def filled(self, match: Match, quantity: int) -> bool:
        """Whether no side falls below its smallest fill once a match takes another quantity."""
        for side, least in zip(("listing", "demand"), match.leasts, strict=True):
            total = self._total(match, side) - match.quantity + quantity
            if 0 < total < least:
                return False
        return True

    def _total(self, match: Match, side: str) -> int:
        siblings = self._siblings(match, side)
        return sum(own.quantity for own in siblings if own.status in ("proposed", "confirmed"))

    def _siblings(self, match: Match, side: str) -> list[Match]:
        return [m for m in self.matches.values() if m.run == match.run and m.posting(side) is match.posting(side)]

    def end(self, matches: Iterable[Match], status: str) -> None:
        """Decline or lapse matches, and lapse what falls below its smallest fill by it."""
        ended = [match for match in matches if match.status == "proposed"]
        for match in ended:
            match.status = status
        for match in ended:
            for side, least in zip(("listing", "demand"), match.leasts, strict=True):
                if 0 < self._total(match, side) < least:
                    self.end(self._siblings(match, side), "lapsed")

    def accept_offer(self, match: Match) -> bool:
        """Take the other side's terms, if quantity, room and smallest fills allow."""
        offer = match.offer
        assert offer is not None
        more = offer.quantity - match.quantity
        room = self.room(offer.way) + (match.quantity if offer.way.id == match.way.id else 0)
        twin = any(
            (own.run, own.listing, own.demand, own.way) == (match.run, match.listing, match.demand, offer.way)
            for own in self.matches.values()
            if own is not match
        )
        enough = more <= min(self.open(match.listing), self.open(match.demand)) and offer.quantity <= room
        if twin or not enough or not self.filled(match, offer.quantity):
            return False
        match.quantity, match.way, match.prices = offer.quantity, offer.way, offer.prices
        offer.status, match.status = "accepted", "confirmed"
        return True

    def offered(self, match: Match, side: str, price: int, quantity: int, way: Way) -> Offer:
        """Other terms: freight is the other way's, scarcity stays behind."""
        if way == match.way:
            return Offer(side, quantity, way, replace(match.prices, producer=price))
        return Offer(side, quantity, way, self.prices(match.listing, way, price))

    def joins(self, match: Match) -> Order | None:
        """The order that a confirmed match becomes a line of."""
        for order in self.orders.values():
            same = (order.demand, order.way, order.source) == (match.demand, match.way, "clearing")
            if same and order.status == "confirmed":
                return order
        return None

    def over(self, order: Order) -> bool:
        """Whether no bill of an order can come any more."""
        own = [receipt for receipt in self.receipts.values() if receipt.order is order]
        return order.status in ("delivered", "settled", "cancelled") and all(receipt.billed for receipt in own)
