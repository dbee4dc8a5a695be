"""Prices on the rows of shared departures, found over the network simplex; then a linear programme on what they leave.

The linear programme over all arcs and orders is far too large for a library; at row prices near the right ones almost
all of it is decided. Nothing here decides: row prices are proposals, which `joint` proves in whole numbers.

1. Row prices in twelfths of a rupiah, each with a step of its own: up where the row is overfull, down where it has room
   left; a step grows while its direction lasts and is halved when that turns. Every question is a network without rows,
   solved from the answer before. A network asked again within other bounds starts from the prices that it had.
2. At these prices arcs of a small reduced cost are open, the others keep their flow: HiGHS is asked about the open
   ones that lie on a cycle of them, with every row. A row may be overfull at a price a little above its own, so that
   there always is an answer.
3. Its row prices are asked of the whole network. What flows otherwise there than it was kept is opened, rows that were
   overfull become dearer, and 2 is asked again, until it reaches what its prices prove.
"""

from dataclasses import dataclass

import numpy as np

from app.engine.compiled import COMPILED, Bools, Ints
from app.engine.flows import Optimum, Programme
from app.engine.highs import Basis, Floats, solve
from app.engine.question import Question, Row, Shared, worth

#: row prices are fractions of this denominator at most
MAX_SCALE = 12
#: below this many arcs between nodes the library is asked at once: books are no burden to it, networks are
LARGE = 30_000
#: questions of step 1, its first step and its greatest, rupiah
QUESTIONS, FIRST_STEP, MOST_STEP = 40, 128, 2048
#: where prices of a like question are known: fewer questions, and a smaller step at first
QUESTIONS_AGAIN, FIRST_STEP_AGAIN = 10, 8
#: arcs of a reduced cost up to this are open at once, rupiah, and how often others may be added
BAND, ROUNDS = 8, 16
#: share of its value that the small programme may miss of what its prices prove
NEAR = 1e-8
#: a row overfull by less is not
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear optimum, or nearly one: proposals."""

    #: shape (arcs,): base units
    flow: Floats
    #: shape (rows,): at least 0, for a unit of the row
    row_price: Floats
    #: an answer of the network, where it was asked, for the next question to start from
    warm: Optimum | None = None
    #: HiGHS's basis, where it was asked about all
    basis: Basis | None = None


class _Prices:
    """The network at row prices in twelfths, each question warm from the one before; the best prices seen."""

    def __init__(self, question: Question, before: Linear | None = None) -> None:
        q = question
        self.question, self.shared = q, Shared(q.rows)
        self._money = q.cost * MAX_SCALE
        self.programme = Programme(q.nodes, q.tail, q.head, self._money)
        self.warm, self._begin = None if before is None else before.warm, before is None
        self.price, self.proven = np.zeros(len(q.rows), dtype=np.int64), float("inf")
        if before is not None:
            self.price = np.rint(before.row_price * MAX_SCALE).astype(np.int64)

    def ask(self, price: Ints) -> Optimum | None:
        """Return the optimum at these row prices; they are the best so far where they prove the least bound."""
        cost = self.shared.on_top(self._money, price)
        self.programme.reprice(cost)
        found = self.programme.optimum(self.question.low, self.question.high, self.warm)
        if found is not None:
            self.warm = found
            value = float(price.astype(np.float64) @ self.shared.capacity) + worth(cost, found.flow)
            if value < self.proven:
                self.price, self.proven = price, value
        return found

    def search(self) -> bool:
        """Find row prices (1); False where the network has no flow."""
        price = self.price
        questions, first = (QUESTIONS, FIRST_STEP) if self._begin else (QUESTIONS_AGAIN, FIRST_STEP_AGAIN)
        step, last = np.full_like(price, first * MAX_SCALE), np.zeros_like(price)
        for _ in range(questions):
            found = self.ask(price)
            if found is None:
                return False
            turn = -np.sign(self.shared.left(found.flow))
            turn[(price == 0) & (turn < 0)] = 0
            same = turn * last
            step = np.where(same > 0, step * 3 // 2 + 1, np.where(same < 0, step // 2, step))
            step, last = np.clip(step, 1, MOST_STEP * MAX_SCALE), turn
            price = np.maximum(price + turn * step, 0)
        return True


def _within(question: Question, kept: Ints, is_open: Bools, dearest: Floats) -> tuple[Floats, Floats, Floats] | None:
    """Ask HiGHS what the open arcs should carry, the others what they do; return flow, row prices, what is overfull.

    Shapes (arcs,), (rows,), (rows,). A row may be overfull at its dearest price.
    """
    q, arcs, rows = question, np.flatnonzero(is_open), len(question.rows)
    nodes, ends = np.unique(np.concatenate([[0], q.tail[arcs], q.head[arcs]]), return_inverse=True)
    number, over = np.full(len(q.tail), -1, dtype=np.int64), len(arcs) + np.arange(rows)
    number[arcs] = np.arange(len(arcs))
    left, changed = Shared(q.rows).left(kept), []
    for i, row in enumerate(q.rows):
        on = number[row.arcs] >= 0
        own, units = np.append(number[row.arcs[on]], over[i]), np.append(row.units[on], -1)
        changed.append(Row(row.departure, row.grams, int(left[i]), own, units))
    none, most = np.zeros(rows, dtype=np.int64), np.full(rows, 2**40)
    answer = solve(
        Question(
            len(nodes),
            np.concatenate([ends[1 : 1 + len(arcs)], none]),
            np.concatenate([ends[1 + len(arcs) :], none]),
            np.concatenate([q.cost[arcs], np.ceil(dearest).astype(np.int64)]),
            np.concatenate([(q.low - kept)[arcs], none]),
            np.concatenate([(q.high - kept)[arcs], most]),
            changed,
        )
    )
    if answer is None:
        return None
    flow = kept.astype(np.float64)
    flow[arcs] += answer.flow[: len(arcs)]
    return flow, answer.row_price, answer.flow[len(arcs) :]


def _on_cycles(question: Question, is_open: Bools) -> Bools:
    """Leave out, again and again, open arcs that lead to a node of no other open arc: they cannot change."""
    q, arcs = question, np.flatnonzero(is_open)
    while True:
        degree = np.bincount(np.concatenate([q.tail[arcs], q.head[arcs]]), minlength=q.nodes)
        alone = (degree[q.tail[arcs]] == 1) | (degree[q.head[arcs]] == 1)
        if not alone.any():
            is_open = np.zeros_like(is_open)
            is_open[arcs] = True
            return is_open
        arcs = arcs[~alone]


def is_large(question: Question) -> bool:
    """Tell whether a network is too large to ask the library about all of it."""
    return int(np.count_nonzero((question.tail != 0) & (question.head != 0))) >= LARGE


def linear(question: Question, before: Linear | None = None) -> Linear | None:
    """Return a linear optimum of a question with rows, or nearly so; None where there is no flow.

    `before` is an answer within other bounds of the same network, to start from.
    """
    if is_large(question) and COMPILED:
        prices = _Prices(question, before)
        if not prices.search():
            return None
        if (found := _sift(question, prices)) is not None:
            return found
    answer = solve(question, basis=None if before is None else before.basis)
    if answer is None:
        return None
    return Linear(answer.flow, answer.row_price, None if before is None else before.warm, answer.basis)


def _sift(question: Question, prices: _Prices) -> Linear | None:
    """Return the answer of the arcs that are worth asking about (2 and 3), None where rows stayed overfull."""
    q, found = question, prices.ask(prices.price)
    if found is None:
        return None
    kept, dearest, best = found.flow, prices.price / MAX_SCALE + BAND, None
    closed = np.ones(len(q.tail), dtype=bool)
    for _ in range(ROUNDS):
        slack = prices.programme.cost + found.price[q.tail] - found.price[q.head]
        closed &= (np.abs(slack) > BAND * MAX_SCALE) & (found.flow == kept)
        answer = _within(q, kept, _on_cycles(q, ~closed), dearest)
        if answer is None:
            break
        flow, row_price, over = answer
        found = prices.ask(np.rint(row_price * MAX_SCALE).astype(np.int64))
        if found is None:
            break
        dearest = np.where(over > NOTHING, 3 * dearest + BAND, dearest)
        if not (over > NOTHING).any():
            best = Linear(flow, prices.price / MAX_SCALE, found)
            reached = -float(q.cost @ flow)
            if prices.proven / MAX_SCALE - reached <= NEAR * abs(reached) or (found.flow == kept)[closed].all():
                break
    return best
