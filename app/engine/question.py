"""A minimum-cost flow question: arcs between bounds, and rows in which several arcs share a departure's capacity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    #: shape (arcs of the row,): arc numbers, and what a base unit there weighs, in units of `grams`
    arcs: Ints
    units: Ints


@dataclass(frozen=True, slots=True)
class Question:
    """Minimise cost * flow within bounds, balanced at every node but 0, within the rows."""

    nodes: int
    #: shape (arcs,): node numbers
    tail: Ints
    head: Ints
    #: shape (arcs,): rupiah per base unit
    cost: Ints
    #: shape (arcs,): bounds of the flow, base units
    low: Ints
    high: Ints
    rows: Sequence[Row] = ()
    #: which rows must be full
    tight: Sequence[bool] = ()


def worth(cost: Ints, flow: Ints) -> int:
    """Return minus the sum of cost * flow, in 64 bits where it fits, else in Python's unbounded integers."""
    if int(np.abs(cost).max(initial=0)) * int(np.abs(flow).max(initial=0)) * len(flow) < 2**62:
        return -int(cost @ flow)
    traded = np.flatnonzero(flow)
    return -sum(int(c) * int(f) for c, f in zip(cost[traded].tolist(), flow[traded].tolist(), strict=True))


class Shared:
    """Rows as columns: the arcs of a row in one piece."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Gather the rows: at least one, none without arcs."""
        count = np.array([len(row.arcs) for row in rows], dtype=np.int64)
        #: shape (arcs in rows,): which arc, which row, and the weight of a base unit there in the row's unit
        self.arc = np.concatenate([row.arcs for row in rows])
        self.row = np.repeat(np.arange(len(rows)), count)
        self.unit = np.concatenate([row.units for row in rows])
        #: shape (rows,), in the row's unit
        self.capacity = np.array([row.capacity for row in rows], dtype=np.int64)
        self._begin = np.cumsum(count) - count

    def load(self, flow: Ints) -> Ints:
        """Return what every row carries, shape (rows,), in its unit."""
        return np.add.reduceat(self.unit * flow[self.arc], self._begin)

    def left(self, flow: Ints) -> Ints:
        """Return the capacity that every row has left, shape (rows,), in its unit."""
        return self.capacity - self.load(flow)

    def on_top(self, cost: Ints, price: Ints) -> Ints:
        """Return the cost of every arc, shape (arcs,), with row prices, shape (rows,), on top."""
        cost = cost.copy()
        cost[self.arc] += self.unit * price[self.row]
        return cost
