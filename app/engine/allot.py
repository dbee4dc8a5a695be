"""Whole flows within rows: the linear optimum rounded, then what departures have left given away.

At whole allotments for the arcs of its rows a network is a pure network again. Not every row needs them:

1. A row with a price holds its arcs at what they were allotted. Any other is free for each of its arcs, until together
   they overfill it: from then on it holds them too, at what they carried before.
2. What the holding rows have left is given to one arc of each at once, the one that gains most by its weight, and the
   network is solved again, from the answer before. What was given in vain waits until something gained.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.engine.compiled import Bools, Ints
from app.engine.flows import Optimum, Programme
from app.engine.question import Question, Row, Shared, worth

#: how often in a row what is left may be given in vain
MOST_IDLE = 8


def at_allotments(question: Question, flow: Ints) -> Question:
    """Return the pure network in which every arc of a row may carry what it carries now, and no more."""
    return replace(question, high=allotted(question.rows, flow, question.high), rows=(), tight=())


def allotted(rows: Sequence[Row], flow: Ints, high: Ints) -> Ints:
    """Return what arcs may carry, shape (arcs,): those of rows what they carry now."""
    high = high.copy()
    for row in rows:
        high[row.arcs] = flow[row.arcs]
    return high


def spare(rows: Sequence[Row], flow: Ints, high: Ints) -> Ints:
    """Return what arcs could carry, shape (arcs,): those of a shared departure as if all it has left were theirs."""
    high = high.copy()
    if rows:
        shared = Shared(rows)
        high[shared.arc] = flow[shared.arc] + shared.left(flow)[shared.row] // shared.unit
    return high


def spread(question: Question, holds: Bools, allotment: Ints, warm: Optimum | None) -> Ints | None:
    """Return the best flow found within the rows; None where the allotments leave none.

    `holds`, shape (rows,): which rows hold their arcs at the allotment, shape (arcs,); it fits into every row.
    """
    network = _Holding(question, holds)
    found = network.ask(allotment, allotment, warm)
    return None if found is None else _give(network, found)


class _Holding:
    """A network asked again and again, each time from the answer before, as more of its rows hold their arcs."""

    def __init__(self, question: Question, holds: Bools) -> None:
        q, shared = question, Shared(question.rows)
        self.question, self.shared, self.holds = q, shared, holds.copy()
        #: what each arc could carry if all its departure were its own
        self.free = q.high.copy()
        self.free[shared.arc] = np.minimum(q.high[shared.arc], shared.capacity[shared.row] // shared.unit)
        self._programme = Programme(q.nodes, q.tail, q.head, q.cost)

    def ask(self, held: Ints, before: Ints, warm: Optimum | None) -> Optimum | None:
        """Return the optimum with the arcs of holding rows at `held`; rows overfull then hold theirs at `before`."""
        while True:
            on = self.shared.arc[self.holds[self.shared.row]]
            high = self.free.copy()
            high[on] = held[on]
            warm = self._programme.optimum(self.question.low, high, warm)
            if warm is None:
                return None
            overfull = (self.shared.left(warm.flow) < 0) & ~self.holds
            if not overfull.any():
                return warm
            self.holds |= overfull
            on = self.shared.arc[overfull[self.shared.row]]
            held = held.copy()
            held[on] = before[on]


def _give(network: _Holding, found: Optimum) -> Ints:
    """Give away what holding rows have left until it is in vain; return the flow."""
    cost = network.question.cost
    vain, idle = np.zeros(len(cost), dtype=bool), 0
    while True:
        arcs, room = _gifts(network, found, vain)
        if not len(arcs) or idle == MOST_IDLE:
            return found.flow
        held = found.flow.copy()
        held[arcs] += room
        better = network.ask(held, found.flow, found)
        if better is None:
            message = "more room took a flow away"
            raise ArithmeticError(message)
        if worth(cost, better.flow - found.flow) > 0:
            vain[:], idle = False, 0
        else:
            idle += 1
        vain[arcs] = True
        found = better


def _gifts(network: _Holding, found: Optimum, vain: Bools) -> tuple[Ints, Ints]:
    """Return for every holding row the arc that gains most by its weight at the prices found, and the room for it."""
    q, shared, flow, price = network.question, network.shared, found.flow, found.price
    arc, row = shared.arc, shared.row
    room = np.minimum(shared.left(flow)[row] // shared.unit, network.free[arc] - flow[arc])
    gain = price[q.head[arc]] - price[q.tail[arc]] - q.cost[arc]
    fit = np.flatnonzero(network.holds[row] & (room > 0) & (gain > 0) & ~vain[arc])
    fit = fit[np.lexsort((-gain[fit] / shared.unit[fit], row[fit]))]
    best = fit[np.diff(row[fit], prepend=-1) > 0]
    return arc[best], room[best]
