"""A minimum-cost flow question: arcs between bounds, and rows in which several arcs share a departure's capacity."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.engine.compiled import Ints


@dataclass(frozen=True, slots=True)
class Row:
    """One departure's shared capacity: sum of units * flow <= capacity, both in units of `grams`."""

    #: id of the departure
    departure: str
    #: greatest common divisor of the weights that can load it, grams
    grams: int
    #: free grams // grams
    capacity: int
    #: arcs that load it, and their weight in units of `grams`
    arcs: Ints
    units: Ints


@dataclass(frozen=True, slots=True)
class Question:
    """Minimise cost * flow within bounds, balanced at every node but 0, within the rows."""

    nodes: int
    #: shape (arcs,): nodes, rupiah per base unit, base units
    tail: Ints
    head: Ints
    cost: Ints
    low: Ints
    high: Ints
    rows: Sequence[Row] = ()
    #: which rows must be full
    tight: Sequence[bool] = ()
