"""Smallest fills: branch and bound over who is turned away, with prices as the test.

A result trades nothing, or at least its smallest fill, with every order, and has one whole price per place such that
(a) to (d) hold. Such a result is an optimal flow of the market without the orders that it turns away, which is why
lower bounds on fills may steer the search but never the prices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.engine.joint import Solved, relax
from app.engine.network import Ints, Network
from app.engine.prices import exist
from app.engine.question import Row

#: the search may look at this many arcs in all, within these numbers of nodes
ARC_LIMIT = 400_000
LEAST_NODES, MOST_NODES = 24, 1500


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree: bounds on the arcs and what the market gains within them."""

    #: shape (arcs,): an order turned away has high 0, one that must trade has low = its smallest fill
    low: Ints
    high: Ints
    solved: Solved

    @property
    def bound(self) -> tuple[int, int, int]:
        """What no result within these bounds exceeds: surplus first, then volume and rank."""
        proven = self.solved.surplus == self.solved.bound
        return (self.solved.bound, 0 if proven else 1, self.solved.tie)

    @property
    def value(self) -> tuple[int, int, int]:
        """What this flow itself reaches."""
        return (self.solved.surplus, 0, self.solved.tie)


def search(net: Network, rows: Sequence[Row], root: Solved, reach: int) -> Branch:
    """Return the best result found: root itself where no smallest fill binds.

    1. A first incumbent: turn away whoever is below its smallest fill until nobody is. 2. Branch on an undecided order
    with a smallest fill, turned away or at least that much, and dive into the better child. 3. Prune what cannot beat
    the incumbent and what is wholly decided; a flow without prices is no incumbent. 4. Stop at the node limit.
    """
    start = Branch(np.zeros(net.arcs, dtype=np.int64), net.cap, root)
    best = _turn_away(net, rows, start)  # 1
    if best is start:
        return best
    limit = min(max(ARC_LIMIT // net.arcs, LEAST_NODES), MOST_NODES)
    tree, nodes = [start], 0
    while tree and nodes < limit:  # 4
        branch = tree.pop()
        if branch.bound <= best.value:  # 3
            continue
        short = _short(net, branch.solved.flow)
        if not len(short) and exist(net, rows, branch.solved.flow, reach):
            best = max(best, branch, key=lambda found: found.value)
            if branch.bound <= best.value:
                continue
        order = _next(net, branch, short)
        if order is None:
            continue
        children = [child for child in _split(net, rows, branch, order) if child is not None]  # 2
        nodes += 2
        tree += sorted(children, key=lambda child: child.bound)
    return best


def rejected(net: Network, branch: Branch) -> Ints:
    """Return the order arcs that the search turned away."""
    return np.flatnonzero(branch.high[: len(net.orders)] == 0)


def _turn_away(net: Network, rows: Sequence[Row], branch: Branch) -> Branch:
    """Turn away everyone below its smallest fill, worst first, until nobody is: always a result with prices."""
    while len(short := _short(net, branch.solved.flow)):
        child = _split(net, rows, branch, int(short[0]))[0]
        if child is None:  # without lower bounds, no trade at all is feasible
            message = "a network without lower bounds lost its flow"
            raise ArithmeticError(message)
        branch = child
    return branch


def _short(net: Network, flow: Ints) -> Ints:
    """Return the orders that trade less than their smallest fill, the greatest smallest fill first."""
    fill = flow[: len(net.orders)]
    short = np.flatnonzero((fill > 0) & (fill < net.least))
    return short[np.argsort(-net.least[short], kind="stable")]


def _next(net: Network, branch: Branch, short: Ints) -> int | None:
    """Return the order to decide: one that is short; else one that trades and is closest to its own price; else any."""
    if len(short):
        return int(short[0])
    orders = len(net.orders)
    open_orders = np.flatnonzero((net.least > 1) & (branch.low[:orders] == 0) & (branch.high[:orders] > 0))
    if not len(open_orders):
        return None
    proof = branch.solved.proof
    price = proof.price[np.where(net.tail == 0, net.head, net.tail)[open_orders]]
    margin = np.abs(price - proof.scale * np.abs(net.cost[open_orders]))
    idle = branch.solved.flow[open_orders] == 0
    return int(open_orders[np.lexsort((margin, idle))[0]])


def _split(net: Network, rows: Sequence[Row], branch: Branch, order: int) -> tuple[Branch | None, Branch | None]:
    """Return the two children: the order turned away, and trading at least its smallest fill."""
    high, low = branch.high.copy(), branch.low.copy()
    high[order] = 0
    low[order] = net.least[order]
    away, taken = relax(net, rows, branch.low, high), relax(net, rows, low, branch.high)
    return (
        None if away is None else replace(branch, high=high, solved=away),
        None if taken is None else replace(branch, low=low, solved=taken),
    )
