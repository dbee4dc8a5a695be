"""Smallest fills: branch and bound over who is turned away, with prices as the test.

A result trades nothing, or at least its smallest fill, with every order, and has one whole price per place such that
(a) to (d) hold. Such a result is an optimal flow of the market without the orders that it turns away, which is why
lower bounds on fills may steer the search but never the prices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.engine import ties
from app.engine.compiled import Ints
from app.engine.flows import Optimum, Programme
from app.engine.joint import OPEN, Proof, Solved, complete, sketch
from app.engine.network import Network
from app.engine.prices import exist
from app.engine.question import Question, Row, worth

#: the search may look at this many arcs in all, within these numbers of nodes
ARC_LIMIT = 400_000
LEAST_NODES, MOST_NODES = 24, 1500


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree: bounds on the arcs and what the market gains within them."""

    #: shape (arcs,), base units: an order turned away has high 0, one that must trade has low = its smallest fill
    low: Ints
    high: Ints
    solved: Solved
    #: what children start from; None with rows, where it is what was solved
    warm: Optimum | None = None

    @property
    def bound(self) -> tuple[int, int, int]:
        """What no result within these bounds exceeds: surplus first, then volume and rank."""
        proven = self.solved.surplus == self.solved.bound
        return (self.solved.bound, 0 if proven else 1, self.solved.tie)

    @property
    def value(self) -> tuple[int, int, int]:
        """What this flow itself reaches."""
        return (self.solved.surplus, 0, self.solved.tie)


class Relaxation:
    """One network asked again and again within other bounds, each time from an answer for like ones."""

    def __init__(self, net: Network, rows: Sequence[Row]) -> None:
        """Sort the arcs and the posts once."""
        self._net, self._rows = net, rows
        self._programme = None if rows else Programme(net.nodes, net.tail, net.head, net.cost)
        self._rank = ties.rank_cost(net)

    def within(self, low: Ints, high: Ints, before: Branch | None) -> Branch | None:
        """Return the best flow within bounds, ties open, with rows only nearly so; None where there is none."""
        net = self._net
        if self._programme is None:
            solved = sketch(net, self._rows, low, high, None if before is None else before.solved.start)
            return None if solved is None else Branch(low, high, solved)
        found = self._programme.optimum(low, high, None if before is None else before.warm)
        if found is None:
            return None
        surplus = worth(net.cost, found.flow)
        return Branch(low, high, Solved(found.flow, surplus, OPEN, Proof(1, (), found.price, surplus)), found)

    def tied(self, branch: Branch) -> Branch:
        """Return a branch with its ties in the order of posting, and with rows what else takes long."""
        net, solved = self._net, branch.solved
        if solved.tie != OPEN:
            return branch
        if self._rows:
            return replace(branch, solved=complete(net, self._rows, branch.low, branch.high, solved))
        question = Question(net.nodes, net.tail, net.head, net.cost, branch.low, branch.high)
        face = ties.face(question, solved.flow, solved.proof.price)
        flow = ties.improve(replace(face, cost=self._rank), solved.flow)
        return replace(branch, solved=replace(solved, flow=flow, tie=worth(self._rank, flow)))


def search(net: Network, rows: Sequence[Row], root: Solved, reach: int) -> Branch:
    """Return the best result found: root itself where no smallest fill binds.

    1. A first incumbent: turn away whoever is below its smallest fill until nobody is. 2. Branch on an undecided order
    with a smallest fill, turned away or at least that much, and dive into the better child. 3. Prune what cannot beat
    the incumbent and what is wholly decided; a flow without prices is no incumbent. 4. Stop at the node limit.
    """
    start = Branch(np.zeros(net.arcs, dtype=np.int64), net.cap, root)
    if not len(_short(net, root.flow)):
        return start
    relaxation = Relaxation(net, rows)
    if not rows:  # found anew, cold: from here on nothing depends on what a memory knew
        start = relaxation.within(start.low, start.high, None) or start
    best = _turn_away(net, relaxation, start)  # 1
    limit = min(max(ARC_LIMIT // net.arcs, LEAST_NODES), MOST_NODES)
    tree, nodes = [start], 0
    while tree and nodes < limit:  # 4
        branch = tree.pop()
        if branch.bound <= best.value:  # 3
            continue
        short = _short(net, branch.solved.flow)
        if not len(short) or branch.solved.surplus == best.solved.surplus:
            branch = relaxation.tied(branch)
            short = _short(net, branch.solved.flow)
            if branch.bound <= best.value:
                continue
        if not len(short) and exist(net, rows, branch.solved.flow, reach):
            best = max(best, branch, key=lambda found: found.value)
            if branch.bound <= best.value:
                continue
        order = _next(net, branch, short)
        if order is None:
            continue
        children = (_away(relaxation, branch, order), _taken(net, relaxation, branch, order))  # 2
        nodes += 2
        tree += sorted((child for child in children if child is not None), key=lambda child: child.bound)
    return best


def rejected(net: Network, branch: Branch) -> Ints:
    """Return the order arcs that the search turned away."""
    return np.flatnonzero(branch.high[: len(net.orders)] == 0)


def _turn_away(net: Network, relaxation: Relaxation, branch: Branch) -> Branch:
    """Turn away everyone below its smallest fill, worst first, until nobody is: always a result with prices."""
    while True:
        short = _short(net, branch.solved.flow)
        if not len(short):
            branch = relaxation.tied(branch)
            short = _short(net, branch.solved.flow)
            if not len(short):
                return branch
        child = _away(relaxation, branch, int(short[0]))
        if child is None:  # without lower bounds, no trade at all is feasible
            message = "a network without lower bounds lost its flow"
            raise ArithmeticError(message)
        branch = child


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


def _away(relaxation: Relaxation, branch: Branch, order: int) -> Branch | None:
    """Return the child in which an order is turned away."""
    high = branch.high.copy()
    high[order] = 0
    return relaxation.within(branch.low, high, branch)


def _taken(net: Network, relaxation: Relaxation, branch: Branch, order: int) -> Branch | None:
    """Return the child in which an order trades at least its smallest fill."""
    low = branch.low.copy()
    low[order] = net.least[order]
    return relaxation.within(low, branch.high, branch)
