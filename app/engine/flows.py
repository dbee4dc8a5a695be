"""Optimal whole flows of a network between bounds: the simplex, or where numba is not installed HiGHS with a repair."""

from dataclasses import dataclass

import numpy as np

from app.engine import exact, simplex
from app.engine.bands import CELLS, LARGE, Orders, by_node_and_price, deal, solve_large
from app.engine.compiled import COMPILED, Ints
from app.engine.curves import FAR, Curves, make_curves
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
    """Minimise cost * flow, balanced at every node but the market 0.

    Bounds, and the costs of arcs between nodes, may change between questions.

    1. Arcs at the market become curves: one that leaves it is an offer at its cost, one that enters it a request at
    minus its cost; sorted once by node and price. 2. The other arcs are sorted by tail. 3. For bounds, amounts are
    high - low above what must flow, and the simplex answers. 4. Injections are dealt to the arcs at the market, the
    lowest price first.
    """

    def __init__(self, nodes: int, tail: Ints, head: Ints, cost: Ints) -> None:
        """Sort the arcs. Shapes (arcs,): node numbers, rupiah per base unit."""
        self.nodes, self.tail, self.head = nodes, tail, head
        self._market = np.flatnonzero((tail == 0) ^ (head == 0))  # 1
        self._node = np.maximum(tail, head)[self._market]
        self._offer = tail[self._market] == 0
        self._rate = np.where(self._offer, cost[self._market], -cost[self._market])
        self._sort: Ints | None = None
        self._made: tuple[Ints, Ints, Curves] | None = None
        inner = np.flatnonzero((tail != 0) & (head != 0) & (tail != head))  # 2
        self._inner = inner[np.argsort(tail[inner], kind="stable")]
        self._ends = tail[self._inner].astype(np.int32), head[self._inner].astype(np.int32)
        self.reprice(cost)

    def reprice(self, cost: Ints) -> None:
        """Take other costs for the questions to come, shape (arcs,); those of arcs at the market stay as they are."""
        self.cost, self._inner_cost = cost, cost[self._inner]
        # beyond the price of any path
        self._reach = min(3 * (int(np.abs(cost).max(initial=0)) + 1) * self.nodes, FAR)

    @property
    def inner(self) -> tuple[Ints, Ints]:
        """Tails and heads of the arcs between nodes, in the order in which states hold them."""
        return self.tail[self._inner], self.head[self._inner]

    def started(self, state: simplex.State) -> Optimum:
        """Return a state as an answer to start from; it need not be optimal nor within any bounds."""
        flow = np.zeros(len(self.tail), dtype=np.int64)
        flow[self._inner] = state.flow
        return Optimum(flow, state.price, state)

    @property
    def reach(self) -> int:
        """A price beyond every path's."""
        return self._reach

    def optimum(self, low: Ints, high: Ints, warm: Optimum | None = None) -> Optimum | None:
        """Return an optimal flow within bounds, shape (arcs,), or None where there is none.

        `warm` is an answer for other bounds, or of a programme of the same arcs in the same order; it stays as it is.
        """
        if not COMPILED:
            return self._fallback(low, high)
        if (low > high).any():
            return None
        amount = (high - low)[self._market]  # 3
        fixed = np.zeros(self.nodes, dtype=np.int64)
        np.add.at(fixed, self._node, np.where(self._offer, 1, -1) * low[self._market])
        must = low[self._inner]
        arcs = simplex.Arcs(*self._ends, self._inner_cost, high[self._inner] - must)
        state = self._solve(arcs, amount, fixed, must, warm)
        if state is None:
            return None
        part = np.empty(len(amount), dtype=np.int64)  # 4
        deal(self._node, self._rate, amount, self._offer, state.price, state.z - fixed, part)
        flow = np.where(self.cost < 0, high, low)
        flow[self._inner] = state.flow + must
        flow[self._market] = low[self._market] + part
        return Optimum(flow, self._near(state.price), state)

    def _solve(
        self, arcs: simplex.Arcs, amount: Ints, fixed: Ints, must: Ints, warm: Optimum | None
    ) -> simplex.State | None:
        """Return an optimal state, or None where an injection has to stand on a sentinel.

        `amount` is what the arcs at the market may carry above what they must, which injects `fixed` at the nodes.
        """
        if warm is None and not must.any() and len(amount) >= LARGE and self.nodes * 256 < CELLS and not fixed.any():
            return solve_large(self.nodes, arcs, Orders(self._node, self._rate, amount, self._offer))
        below = -fixed
        np.add.at(below, self._node[~self._offer], amount[~self._offer])
        curves = self._curves(amount, below)
        state, z = None, np.zeros(self.nodes, dtype=np.int64)
        np.add.at(z, self._ends[0], must)  # also warm: after too many pivots it starts cold
        np.subtract.at(z, self._ends[1], must)
        if warm is not None and warm.state is not None:
            state = warm.state.copy()
            state.flow = warm.flow[self._inner] - must
            self._lift(arcs, state)
        state = simplex.solve(arcs, curves, state, z)
        return state if simplex.is_flow(curves, state) else None

    def _curves(self, amount: Ints, below: Ints) -> Curves:
        """Return the curves of the arcs at the market, sorted once; made anew where they changed."""
        if self._made is not None and np.array_equal(amount, self._made[0]) and np.array_equal(below, self._made[1]):
            return self._made[2]
        if self._sort is None:
            self._sort = by_node_and_price(self._node, self._rate)
        sort = self._sort
        curves = make_curves(self.nodes, self._node[sort], self._rate[sort], amount[sort], below)
        self._made = amount, below, curves
        return curves

    def _near(self, price: Ints) -> Ints:
        """Bring the prices of nodes that only a sentinel prices together as near as no path can tell."""
        by = (price < -FAR // 2).astype(np.int64) - (price > FAR // 2)
        return np.asarray(price + by * (FAR - self._reach))

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
