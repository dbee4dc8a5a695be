"""Optimal whole flows of a network between bounds: the simplex, or where numba is not installed HiGHS with a repair."""

from dataclasses import dataclass

import numpy as np

from app.engine import exact, simplex
from app.engine.compiled import COMPILED, Ints
from app.engine.question import Question


@dataclass(frozen=True, slots=True)
class Optimum:
    """An optimal flow, and prices that prove it: price[head] <= price[tail] + cost on every arc with room."""

    #: shape (arcs,), base units
    flow: Ints
    #: shape (nodes,), 0 at the market
    price: Ints
    #: what a warm restart starts from; None from the fallback
    state: simplex.State | None


class Programme:
    """Minimise cost * flow, balanced at every node but the market 0; the bounds may change between questions.

    1. Arcs at the market become curves: one that leaves it is an offer at its cost, one that enters it a request at
    minus its cost; sorted once by node and price. 2. The other arcs are sorted by tail. 3. For bounds, amounts are
    high - low above what must flow, and the simplex answers. 4. Injections are dealt to the arcs at the market, the
    lowest price first.
    """

    def __init__(self, nodes: int, tail: Ints, head: Ints, cost: Ints) -> None:
        """Sort the arcs. Shapes (arcs,): node numbers, rupiah per base unit."""
        self.nodes, self.tail, self.head, self.cost = nodes, tail, head, cost
        market = np.flatnonzero((tail == 0) ^ (head == 0))  # 1
        self._loops = np.flatnonzero(tail == head)
        node, rate = np.maximum(tail, head)[market], np.where(tail[market] == 0, cost[market], -cost[market])
        order = np.lexsort((rate, node))
        self._market, self._node, self._rate = market[order], node[order], rate[order]
        self._offer = tail[self._market] == 0
        first = np.searchsorted(self._node, np.arange(nodes))
        self._first = first[self._node]
        inner = np.flatnonzero((tail != 0) & (head != 0) & (tail != head))  # 2
        self._inner = inner[np.argsort(tail[inner], kind="stable")]
        self._ends = tail[self._inner].astype(np.int32), head[self._inner].astype(np.int32)
        self._inner_cost = cost[self._inner]
        # beyond the price of any path
        self._reach = min(3 * (int(np.abs(cost).max(initial=0)) + 1) * nodes, simplex.FAR)

    def optimum(self, low: Ints, high: Ints, warm: Optimum | None = None) -> Optimum | None:
        """Return an optimal flow within bounds, shape (arcs,), or None where there is none.

        `warm` is an answer of this programme for other bounds; it stays as it is.
        """
        if not COMPILED:
            return self._fallback(low, high)
        if (low > high).any():
            return None
        offer, market = self._offer, self._market  # 3
        amount = high[market] - low[market]
        bottom = self._sum(np.where(offer, low[market], -high[market]))
        curves = simplex.make_curves(self.nodes, self._node, self._rate, amount, -bottom)
        must = low[self._inner]
        arcs = simplex.Arcs(*self._ends, self._inner_cost, high[self._inner] - must)
        state, z = None, np.zeros(self.nodes, dtype=np.int64)
        if warm is not None and warm.state is not None:
            state = warm.state.copy()
            state.flow = warm.flow[self._inner] - must
            self._lift(arcs, state)
        elif must.any():
            np.add.at(z, self._ends[0], must)
            np.subtract.at(z, self._ends[1], must)
        state = simplex.solve(arcs, curves, state, z)
        if not simplex.is_flow(curves, state):
            return None
        before = np.cumsum(amount) - amount  # 4
        level = (state.z - bottom)[self._node]
        part = np.clip(level - (before - before[self._first]), 0, amount) if len(market) else amount
        flow = np.where(self.cost < 0, high, low)
        flow[self._inner] = state.flow + must
        flow[market] = np.where(offer, low[market] + part, high[market] - part)
        return Optimum(flow, self._near(state.price), state)

    def _near(self, price: Ints) -> Ints:
        """Bring the prices of nodes that only a sentinel prices together as near as no path can tell."""
        by = (price < -simplex.FAR // 2).astype(np.int64) - (price > simplex.FAR // 2)
        return np.asarray(price + by * (simplex.FAR - self._reach))

    def _sum(self, amount: Ints) -> Ints:
        """Add amounts at the market up by node."""
        total = np.zeros(self.nodes, dtype=np.int64)
        np.add.at(total, self._node, amount)
        return total

    @staticmethod
    def _lift(arcs: simplex.Arcs, state: simplex.State) -> None:
        """Raise flows to lower bounds that rose; what is missing stands in the injections at both ends."""
        under = np.flatnonzero(state.flow < 0)
        if len(under):
            missing = -state.flow[under]
            state.flow[under] = 0
            np.add.at(state.z, arcs.tail[under], missing)
            np.subtract.at(state.z, arcs.head[under], missing)

    def _fallback(self, low: Ints, high: Ints) -> Optimum | None:
        found = exact.optimum(Question(self.nodes, self.tail, self.head, self.cost, low, high))
        return None if found is None else Optimum(*found, None)


def optimum(question: Question) -> Optimum | None:
    """Return an optimal flow of a question without rows, or None where there is none."""
    q = question
    return Programme(q.nodes, q.tail, q.head, q.cost).optimum(q.low, q.high)
