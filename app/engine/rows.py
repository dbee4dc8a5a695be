"""Prices on the rows of shared departures, found over the network simplex; then a linear programme on what they leave.

The linear programme over all arcs and orders is far too large for a library; at row prices near the right ones almost
all of it is decided. Nothing here decides: row prices are proposals, which `joint` proves in whole numbers.

1. Row prices in twelfths of a rupiah, each with a step of its own: up where the row is overfull, down where it has room
   left; a step grows while its direction lasts and is halved when that turns. Every question is a network without rows,
   solved from the answer before.
2. At these prices arcs of a small reduced cost are open, the others keep their flow: HiGHS is asked about the open
   ones, with every row. A row may be overfull at a price a little above its own, so that there always is an answer.
3. Its row prices are asked of the whole network. What flows otherwise there than it was kept is opened, rows that were
   overfull become dearer, and 2 is asked again, until it reaches what its prices prove.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.engine.compiled import COMPILED, Ints
from app.engine.flows import Optimum, Programme
from app.engine.highs import Answer, solve
from app.engine.question import Question, Row

#: row prices are fractions of this denominator at most
MAX_SCALE = 12
#: below this many arcs between nodes the library is asked at once: books are no burden to it, networks are
LARGE = 30_000
#: questions of step 1, its first step and its greatest, rupiah
QUESTIONS, FIRST_STEP, MOST_STEP = 30, 128, 2048
#: arcs of a reduced cost up to this are open at once, rupiah, and how often others may be added
BAND, ROUNDS = 32, 16
#: share of its value that the small programme may miss of what its prices prove
NEAR = 1e-8
#: a row overfull by less is not
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class _Load:
    """The rows as columns, shape (arcs in rows,): which arc, which row, its weight there."""

    arc: Ints
    row: Ints
    unit: Ints
    #: shape (rows,)
    capacity: Ints

    def of(self, flow: Ints) -> Ints:
        """Return what every row carries, shape (rows,)."""
        load = np.zeros(len(self.capacity), dtype=np.int64)
        np.add.at(load, self.row, self.unit * flow[self.arc])
        return load


class _Prices:
    """The network at row prices in twelfths, each question warm from the one before; the best prices seen."""

    def __init__(self, question: Question) -> None:
        q, rows = question, question.rows
        self.question = q
        self.load = _Load(
            np.concatenate([row.arcs for row in rows]),
            np.repeat(np.arange(len(rows)), [len(row.arcs) for row in rows]),
            np.concatenate([row.units for row in rows]),
            np.array([row.capacity for row in rows], dtype=np.int64),
        )
        self.programme = Programme(q.nodes, q.tail, q.head, q.cost * MAX_SCALE)
        self.warm: Optimum | None = None
        self.price, self.proven = np.zeros(len(rows), dtype=np.int64), float("inf")

    def ask(self, price: Ints) -> Optimum | None:
        """Return the optimum at these row prices; they are the best so far where they prove the least bound."""
        q = self.question
        cost = q.cost * MAX_SCALE
        cost[self.load.arc] += self.load.unit * price[self.load.row]
        self.programme.reprice(cost)
        found = self.programme.optimum(q.low, q.high, self.warm)
        if found is not None:
            self.warm = found
            value = float(price @ self.load.capacity) - float(cost.astype(np.float64) @ found.flow)
            if value < self.proven:
                self.price, self.proven = price, value
        return found

    def search(self) -> bool:
        """Find row prices (1); False where the network has no flow."""
        price = self.price
        step, last = np.full_like(price, FIRST_STEP * MAX_SCALE), np.zeros_like(price)
        for _ in range(QUESTIONS):
            found = self.ask(price)
            if found is None:
                return False
            turn = np.sign(self.load.of(found.flow) - self.load.capacity)
            turn[(price == 0) & (turn < 0)] = 0
            same = turn * last
            step = np.where(same > 0, step * 3 // 2 + 1, np.where(same < 0, step // 2, step))
            step, last = np.clip(step, 1, MOST_STEP * MAX_SCALE), turn
            price = np.maximum(price + turn * step, 0)
        return True


def within(question: Question, dearest: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Answer | None:
    """Return HiGHS's answer where rows may be overfull at these prices; its flow may be overfull."""
    q, rows = question, len(question.rows)
    over = len(q.tail) + np.arange(rows)
    none, most = np.zeros(rows, dtype=np.int64), np.array([2**40] * rows)
    overfull = [
        Row(row.departure, row.grams, row.capacity, np.append(row.arcs, over[i]), np.append(row.units, -1))
        for i, row in enumerate(q.rows)
    ]
    return solve(
        Question(
            q.nodes,
            np.concatenate([q.tail, none]),
            np.concatenate([q.head, none]),
            np.concatenate([q.cost, np.ceil(dearest).astype(np.int64)]),
            np.concatenate([q.low, none]),
            np.concatenate([q.high, most]),
            overfull,
        )
    )


def is_large(question: Question) -> bool:
    """Tell whether a network is too large to ask the library about all of it."""
    return int(np.count_nonzero((question.tail != 0) & (question.head != 0))) >= LARGE


def linear(question: Question) -> Answer | None:
    """Return a linear optimum of a question with rows, or nearly so; None where there is no flow."""
    if not is_large(question) or not COMPILED:
        return solve(question)
    prices = _Prices(question)
    if not prices.search():
        return None
    return _sift(question, prices) or solve(question)


def _sift(question: Question, prices: _Prices) -> Answer | None:
    """Return the answer of the arcs that are worth asking about (2 and 3), None where rows stayed overfull."""
    q, arcs, found = question, len(question.tail), prices.ask(prices.price)
    if found is None:
        return None
    kept, dearest, best = found.flow, prices.price / MAX_SCALE + BAND, None
    closed = np.ones(arcs, dtype=bool)
    for _ in range(ROUNDS):
        slack = prices.programme.cost + found.price[q.tail] - found.price[q.head]
        closed &= (np.abs(slack) > BAND * MAX_SCALE) & (found.flow == kept)
        open_low, open_high = np.where(closed, kept, q.low), np.where(closed, kept, q.high)
        answer = within(replace(q, low=open_low, high=open_high), dearest)
        found = None if answer is None else prices.ask(np.rint(answer.row_price * MAX_SCALE).astype(np.int64))
        if answer is None or found is None:
            break
        over = answer.flow[arcs:] > NOTHING
        dearest = np.where(over, 3 * dearest + BAND, dearest)
        if not over.any():
            best = Answer(answer.flow[:arcs], answer.price, prices.price / MAX_SCALE)
            reached = -float(q.cost @ best.flow)
            if prices.proven / MAX_SCALE - reached <= NEAR * abs(reached) or (found.flow == kept)[closed].all():
                break
    return best
