"""The network simplex against OR-tools, HiGHS and brute force: ties, tiny quantities, removals, warm sequences.

HUB_ENGINE_INSTANCES is the number of instances that both other solvers are asked about, ten thousand unless it is set.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np
import pytest
from ortools.graph.python import min_cost_flow

from app.engine import curves, simplex
from app.engine.compiled import Ints
from app.engine.flows import Optimum, Programme
from app.engine.highs import solve as ask_highs
from app.engine.question import Question

#: changes that a warm sequence goes through after its first, cold instance
CHANGES = 5
SEQUENCES = ceil(int(os.environ.get("HUB_ENGINE_INSTANCES", "10000")) / CHANGES)
BLOCKS = 20


@dataclass
class Book:
    """Arcs, of which those at node 0 are orders; quantities may be 0."""

    nodes: int
    tail: Ints
    head: Ints
    cost: Ints
    cap: Ints

    def programme(self) -> Programme:
        return Programme(self.nodes, self.tail, self.head, self.cost)


def ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def drawn(dice: random.Random, *, nodes: int = 8, arcs: int = 20, orders: int = 14) -> Book:
    """Draw prices of either sign, parallel and opposite arcs, cycles that gain, and many ties."""
    n = dice.randint(2, nodes)
    small = dice.random() < 0.6
    ends, cost, cap = [], [], []
    for _ in range(dice.randint(0, arcs)):
        a, b = dice.randrange(1, n), dice.randrange(1, n)
        if a != b:
            ends.append((a, b))
            cost.append(dice.randint(-3, 5) if small else dice.randint(-50, 100))
            cap.append(dice.choice([0, 1, 1, 2, 3, 10]))
    for _ in range(dice.randint(0, orders)):
        node, price = dice.randrange(1, n), dice.randint(-4, 6) if small else dice.randint(-100, 200)
        offer = dice.random() < 0.5
        ends.append((0, node) if offer else (node, 0))
        cost.append(price if offer else -price)
        cap.append(dice.randint(0, 3))
    return Book(n, ints([a for a, _ in ends]), ints([b for _, b in ends]), ints(cost), ints(cap))


def changed(dice: random.Random, book: Book) -> None:
    """Remove, resize or bring back orders, and resize arcs."""
    for _ in range(dice.randint(1, 3) if len(book.cap) else 0):
        book.cap[dice.randrange(len(book.cap))] = dice.choice([0, 0, 1, 2, 5])


def least_cost(book: Book) -> int:
    """Return the least cost that OR-tools and HiGHS both find."""
    if not len(book.tail):
        return 0
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(book.tail, book.head, book.cap, book.cost)
    assert solver.solve() == solver.OPTIMAL
    answer = ask_highs(Question(book.nodes, book.tail, book.head, book.cost, np.zeros_like(book.cap), book.cap))
    assert answer is not None
    assert round(float(answer.flow @ book.cost)) == solver.optimal_cost()
    return int(solver.optimal_cost())


def proven(book: Book, found: Optimum | None) -> int:
    """Return the cost of a flow after balance, bounds and slackness are checked."""
    assert found is not None
    balance = np.zeros(book.nodes, dtype=np.int64)
    np.add.at(balance, book.head, found.flow)
    np.subtract.at(balance, book.tail, found.flow)
    assert not balance.any()
    assert ((found.flow >= 0) & (found.flow <= book.cap)).all()
    slack = book.cost + found.price[book.tail] - found.price[book.head]
    assert not ((slack < 0) & (found.flow < book.cap)).any()
    assert not ((slack > 0) & (found.flow > 0)).any()
    return int((book.cost * found.flow).sum())


def warm_sequence(seed: int) -> None:
    """Require, cold, after each change warm and at the end cold again, what OR-tools and HiGHS find."""
    dice = random.Random(seed)
    book = drawn(dice)
    programme, none = book.programme(), np.zeros_like(book.cap)
    found = programme.optimum(none, book.cap)
    assert proven(book, found) == least_cost(book), seed
    for _ in range(CHANGES):
        changed(dice, book)
        found = programme.optimum(none, book.cap, found)
        assert proven(book, found) == least_cost(book), seed
    assert proven(book, programme.optimum(none, book.cap)) == proven(book, found), seed


@pytest.mark.parametrize("block", range(BLOCKS))
def test_ten_thousand_instances_warm_and_cold_equal_two_other_solvers(block: int) -> None:
    for seed in range(block, SEQUENCES, BLOCKS):
        warm_sequence(seed)


def bounded_sequence(seed: int) -> int:
    """Require what HiGHS finds within four lower bounds one after the other; return in how many there is no flow."""
    dice = random.Random(seed + 1_000_000)
    book = drawn(dice, nodes=5, arcs=10, orders=10)
    programme, warm, impossible = book.programme(), None, 0
    for _ in range(4 if len(book.cap) else 0):
        low = ints([dice.choice([0, 0, 0, 0, 1, cap, -1]) for cap in book.cap.tolist()])
        low = np.minimum(low, book.cap)
        answer = ask_highs(Question(book.nodes, book.tail, book.head, book.cost, low, book.cap))
        found = programme.optimum(low, book.cap, warm)
        assert (found is None) == (answer is None), seed
        if found is None or answer is None:
            impossible += 1
            continue
        warm = found
        assert int((book.cost * found.flow).sum()) == int(np.rint(answer.flow) @ book.cost), seed
    return impossible


@pytest.mark.parametrize("block", range(4))
def test_lower_bounds_equal_highs_and_what_cannot_be_is_none(block: int) -> None:
    assert sum(bounded_sequence(seed) for seed in range(block * 250, block * 250 + 250)) > 50


def test_a_warm_start_with_too_many_pivots_starts_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every warm start gives up at once: the answers are those of HiGHS all the same, lower bounds kept."""
    run, gave_up = simplex._run, []

    def giving_up(arcs: simplex.Arcs, levels: curves.Curves, state: simplex.State, most: int) -> int:
        if (state.tree[simplex.PRED, 1:] != simplex.CURVE).any():  # somebody hangs on an arc: a warm start
            gave_up.append(state)
            return simplex.TOO_MANY
        return run(arcs, levels, state, most)

    monkeypatch.setattr(simplex, "_run", giving_up)
    for seed in range(200):
        bounded_sequence(seed)
    assert len(gave_up) > 50


def every_flow(book: Book) -> Iterator[Ints]:
    """Yield all balanced whole flows."""
    for amounts in product(*(range(cap + 1) for cap in book.cap.tolist())):
        flow = ints(list(amounts))
        balance = np.zeros(book.nodes, dtype=np.int64)
        np.add.at(balance, book.head, flow)
        np.subtract.at(balance, book.tail, flow)
        if not balance.any():
            yield flow


def best_by_force(seed: int) -> None:
    """Require of a small book what every flow shows: up to five arcs and five orders."""
    book = drawn(random.Random(seed + 2_000_000), nodes=4, arcs=5, orders=5)
    book.cap = np.minimum(book.cap, 2)
    found = book.programme().optimum(np.zeros_like(book.cap), book.cap)
    assert proven(book, found) == min(int((book.cost * flow).sum()) for flow in every_flow(book)), seed


def test_small_books_equal_brute_force() -> None:
    for seed in range(300):
        best_by_force(seed)


def test_a_node_whose_last_request_is_removed_keeps_no_phantom_injection() -> None:
    """Its injection stood below every level that is left: on a sentinel, from which it must come back exactly."""
    book = Book(3, ints([0, 1, 2]), ints([1, 2, 0]), ints([10, 1, -20]), ints([5, 9, 5]))
    programme, none = book.programme(), ints([0, 0, 0])
    full = programme.optimum(none, book.cap)
    assert full is not None
    assert full.flow.tolist() == [5, 5, 5]
    book.cap = ints([5, 9, 0])
    gone = programme.optimum(none, book.cap, full)
    assert gone is not None
    assert gone.flow.tolist() == [0, 0, 0]
    book.cap = ints([5, 9, 3])
    back = programme.optimum(none, book.cap, gone)
    assert back is not None
    assert back.flow.tolist() == [3, 3, 3]


def test_money_is_exact_next_to_the_bounds() -> None:
    """Prices of 2^55 and quantities of 10^15."""
    price, much = 2**55, 10**15
    book = Book(3, ints([0, 1, 2]), ints([1, 2, 0]), ints([price, 7, -price - 8]), ints([much, much - 1, much]))
    found = book.programme().optimum(ints([0, 0, 0]), book.cap)
    assert found is not None
    assert found.flow.tolist() == [much - 1] * 3


def test_the_cap_of_pivots_is_told() -> None:
    book = drawn(random.Random(5), nodes=8, arcs=20, orders=14)
    ends = book.tail != 0
    ends &= book.head != 0
    arcs = simplex.Arcs(
        book.tail[ends].astype(np.int32), book.head[ends].astype(np.int32), book.cost[ends] - 1000, book.cap[ends] + 1
    )
    nothing = np.zeros(0, dtype=np.int64)
    levels = curves.make_curves(book.nodes, nothing, nothing, nothing, np.zeros(book.nodes, dtype=np.int64))
    with pytest.raises(simplex.PivotLimitError, match="stopped after 2 pivots"):
        simplex.solve(arcs, levels, limit=2)


def test_a_cycle_without_capacity_that_gains_is_told() -> None:
    arcs = simplex.Arcs(
        np.array([1, 2], dtype=np.int32), np.array([2, 1], dtype=np.int32), ints([1, -2]), ints([2**61, 2**61])
    )
    nothing = np.zeros(0, dtype=np.int64)
    levels = curves.make_curves(3, nothing, nothing, nothing, np.zeros(3, dtype=np.int64))
    with pytest.raises(simplex.UnboundedError):
        simplex.solve(arcs, levels)
