"""Minimum-cost flow over priced nodes: a primal network simplex whose nodes carry piecewise-linear curves.

Given arcs (tail, head, cost, capacity) and, at every node but the root, a curve that says how much is injected there at
which price, find flows f and injections z with 0 <= f <= capacity, z[v] = outflow - inflow at v, least sum of cost * f
plus the areas under the curves. Costs and prices of either sign, arcs parallel or opposite, ends at the root too.

1. A basis is a spanning tree of the root 0 and the nodes. A node hangs on another by an arc, or on the root by its own
   curve: then its price is that of the level on which its injection stands. Other curves rest between two levels. The
   price of the root is 0.
2. Every curve begins and ends with a sentinel level, at -FAR and FAR, without bound. So every injection is on some
   level, whatever was removed, and nothing traded is a basis. An optimum that stands on a sentinel is no flow at all.
3. `seat` starts or restarts: it finds the level of every injection, prices the tree, and lists what stands between two
   bounds outside the tree.
4. `pivots.run` forces those in, then exchanges arcs and curves until no arc and no step of a curve gains. That this
   ends is not proven for long steps: hence a cap, after it a cold start from a strongly feasible tree, then an error.
"""

from dataclasses import dataclass, field

import numpy as np

from app.engine.compiled import Ints, Rows, kernel
from app.engine.curves import Curves
from app.engine.pivots import CURVE, DEPTH, LEVEL, NEXT, PARENT, PRED, TOO_MANY, UNBOUNDED, WIDTH, run, string

#: candidates looked at before one is taken
BLOCK = 80


class PivotLimitError(ArithmeticError):
    """The simplex did not come to an end within its cap of pivots: nothing was decided."""


class UnboundedError(ArithmeticError):
    """A cycle without capacity gains for ever."""


@dataclass(frozen=True, slots=True)
class Arcs:
    """Arcs as columns, shape (arcs,); fastest when sorted by tail. None leads from a node to itself."""

    tail: Rows
    head: Rows
    #: rupiah per base unit
    cost: Ints
    #: base units, at least 0
    cap: Ints


@dataclass(slots=True)
class State:
    """A basis with its flows: the answer, and what a warm restart starts from."""

    #: shape (WIDTH, nodes): the tree, see `pivots`
    tree: Rows
    #: shape (nodes,): rupiah per base unit, 0 at the root
    price: Ints
    #: shape (nodes,): base units injected
    z: Ints
    #: shape (arcs,): base units
    flow: Ints
    #: pivots of the last run
    pivots: int = field(default=0)

    def copy(self) -> "State":
        """Return a state that may go its own way."""
        return State(self.tree.copy(), self.price.copy(), self.z.copy(), self.flow.copy())


@kernel("i8(i4[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i4[:,::1], i8[::1], i8[::1])")
def seat(
    tail: Rows, cost: Ints, start: Ints, rate: Ints, begin: Ints, z: Ints, tree: Rows, price: Ints, forced: Ints
) -> int:
    """Find every injection's level, price the tree; write resting curves that stand inside a level into `forced`.

    An injection at a breakpoint stands at the end of the lower level, so that it can fall: a strongly feasible tree.
    """
    count = 0
    for x in range(1, len(z)):
        low, high = start[x], start[x + 1] - 2
        while low < high:  # the last level that begins below z
            middle = (low + high + 1) // 2
            if begin[middle] < z[x]:
                low = middle
            else:
                high = middle - 1
        tree[LEVEL, x] = low
        if tree[PRED, x] != CURVE:
            if begin[low + 1] == z[x]:
                tree[LEVEL, x] = low + 1
            else:
                forced[count] = x
                count += 1
    x = tree[NEXT, 0]
    while x != 0:
        parent, arc = tree[PARENT, x], tree[PRED, x]
        if arc == CURVE:
            price[x] = rate[tree[LEVEL, x]]
        else:
            price[x] = price[parent] + (-cost[arc] if tail[arc] == x else cost[arc])
        tree[DEPTH, x] = tree[DEPTH, parent] + 1
        x = tree[NEXT, x]
    return count


def plant(parent: Ints, pred: Ints) -> Rows:
    """Return the tree of given parents and predecessor arcs, shape (nodes,), both 0 at the root."""
    tree = np.zeros((WIDTH, len(parent)), dtype=np.int32)
    tree[PARENT], tree[PRED] = parent, pred
    string(tree)
    return tree


def start(nodes: int, arcs: Arcs) -> State:
    """Return the state in which nothing flows and every node hangs on the root by its curve."""
    pred = np.full(nodes, CURVE, dtype=np.int64)
    pred[0] = 0
    tree = plant(np.zeros(nodes, dtype=np.int64), pred)
    zero = np.zeros(nodes, dtype=np.int64)
    return State(tree, zero, zero.copy(), np.zeros(len(arcs.tail), dtype=np.int64))


def solve(
    arcs: Arcs, curves: Curves, state: State | None = None, z: Ints | None = None, limit: int | None = None
) -> State:
    """Return an optimal state; `state` is a warm start and is changed; cold it starts from injections `z` (default 0).

    Raises PivotLimitError after `limit` pivots cold, UnboundedError where capacity is missing. See `is_flow`.
    """
    nodes = len(curves.start) - 1
    most = limit if limit is not None else 1000 + 50 * (nodes + len(arcs.tail) + len(curves.rate))
    if state is not None:
        done = _run(arcs, curves, state, most)
        if done != TOO_MANY:
            return state
    state = start(nodes, arcs)
    if z is not None:
        state.z[:] = z
    if _run(arcs, curves, state, most) == TOO_MANY:
        message = f"the network simplex was stopped after {most} pivots on {nodes} nodes and {len(arcs.tail)} arcs"
        raise PivotLimitError(message)
    return state


def is_flow(curves: Curves, state: State) -> bool:
    """Whether no injection stands on a sentinel: else there is no flow within the bounds."""
    inner = curves.start[:-1]
    low, high = curves.begin[inner + 1], curves.begin[curves.start[1:] - 2]
    return bool(((state.z >= low) & (state.z <= high))[1:].all())


def _run(arcs: Arcs, curves: Curves, state: State, most: int) -> int:
    """Seat a state and pivot; the number of pivots or TOO_MANY."""
    _trim(arcs, state)
    inside = np.empty(len(state.z), dtype=np.int64)
    count = seat(
        arcs.tail, arcs.cost, curves.start, curves.rate, curves.begin, state.z, state.tree, state.price, inside
    )
    in_tree = np.zeros(len(arcs.tail), dtype=bool)
    pred = state.tree[PRED, 1:]
    in_tree[pred[pred != CURVE]] = True
    side = np.where(state.flow == 0, 1, np.where(state.flow == arcs.cap, -1, 0))
    forced = np.flatnonzero((side == 0) & ~in_tree)
    side[in_tree | (arcs.cap == 0)] = 0
    state.pivots = run(
        arcs.tail,
        arcs.head,
        arcs.cost,
        arcs.cap,
        state.flow,
        side.astype(np.int8),
        curves.rate,
        curves.begin,
        curves.curved,
        state.tree,
        state.price,
        state.z,
        np.concatenate([forced, inside[:count] + len(arcs.tail)]),
        BLOCK,
        most,
    )
    if state.pivots == UNBOUNDED:
        message = "a cycle of arcs without capacity gains for ever"
        raise UnboundedError(message)
    return state.pivots


def _trim(arcs: Arcs, state: State) -> None:
    """Cut flows down to capacities that shrank; what they carried too much stands in the injections at both ends."""
    over = np.flatnonzero(state.flow > arcs.cap)
    if len(over):
        excess = state.flow[over] - arcs.cap[over]
        state.flow[over] = arcs.cap[over]
        np.subtract.at(state.z, arcs.tail[over], excess)
        np.add.at(state.z, arcs.head[over], excess)
