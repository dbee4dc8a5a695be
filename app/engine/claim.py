"""What a clearing claims, for the audit to examine: a network, what flows on it, prices, and bounds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arc:
    """One arc: goods go from tail to head; node 0 is the market, offers leave it and requests enter it."""

    tail: int
    head: int
    #: rupiah per base unit: ask + collection, freight, or minus the limit
    cost: int
    #: base units
    cap: int
    flow: int
    #: id of the departure whose capacity it uses, and grams of a base unit; None and 0 elsewhere
    departure: str | None = None
    weight: int = 0
    #: of an order: commodity, side, id; and its smallest fill, base units
    order: tuple[str, str, str] | None = None
    least: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """Prices times `scale`: at every node, and of each departure (id, grams, price) for that many grams of it."""

    scale: int
    node: Sequence[int]
    departure: Sequence[tuple[str, int, int]] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """One component's claimed result; money in rupiah."""

    #: of the pools that were solved together
    commodities: Sequence[str]
    arcs: Sequence[Arc]
    #: published price of every node
    price: Sequence[int]
    #: order arcs turned away for their smallest fill
    turned_away: frozenset[int]
    #: departures whose scarcity stands although a unit is left (as good as never, see prices.publish)
    allotted: frozenset[str]
    #: bounds without those turned away, and of all orders as if there were no smallest fills
    bound: Bound
    linear_bound: Bound
    surplus: int
    gap: int
    linear_gap: int
