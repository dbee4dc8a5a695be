"""Shared departures: one capacity row over several arcs, whole allotments, a whole bound.

A network with rows is no longer a pure network: its linear optimum may be fractional. Where rows hold their arcs at
whole allotments it is a pure network again, which the simplex solves (`allot`, `flows`). The bound holds for any row
prices at least 0, so the solver's floats only propose them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from app.engine import ties
from app.engine.allot import at_allotments, spread
from app.engine.compiled import Ints
from app.engine.exact import settle
from app.engine.flows import Optimum, Programme, optimum
from app.engine.highs import Answer, Floats, solve
from app.engine.memory import Memory
from app.engine.network import Network
from app.engine.question import Question, Row, Shared, worth
from app.engine.rows import MAX_SCALE, Linear, is_large, linear

#: a float this close to a whole number is read as one
NEAR = 1e-6
#: the tie of a flow whose ties are still open: beyond any
OPEN = 2**100
#: nodes of an integer programme, and the number of arcs up to which all of them are asked to be whole
NODE_LIMIT = 500
SMALL_PROGRAMME = 400
#: what cannot be: the flow in hand would still do
LOST = "a network lost its flow"


@dataclass(frozen=True, slots=True)
class Proof:
    """Prices from which an upper bound of the surplus follows by linear duality."""

    #: denominator of all prices below
    scale: int
    #: per row, rupiah * scale for a unit of its weight
    row_price: tuple[int, ...]
    #: shape (nodes,), rupiah * scale per base unit, 0 at the market
    price: Ints
    #: the bound, rupiah * scale
    bound: int


@dataclass(frozen=True, slots=True)
class Solved:
    """An optimal whole flow of a component, or the best one found."""

    #: shape (arcs,), base units
    flow: Ints
    #: rupiah
    surplus: int
    #: volume and rank gained among equal surpluses: greater is better
    tie: int
    proof: Proof
    #: what a like question may start from; None without rows
    start: Linear | None = None

    @property
    def bound(self) -> int:
        """What no surplus within the same order bounds exceeds, rupiah."""
        return self.proof.bound // self.proof.scale

    @property
    def exact(self) -> bool:
        """Whether flow and proof satisfy complementary slackness to the last fraction of a rupiah."""
        return self.proof.bound == self.proof.scale * self.surplus


def make_rows(net: Network, grams: dict[str, int]) -> list[Row]:
    """Return the rows of the departures of several arcs; `grams` is the common divisor of the weights on each.

    A departure of one arc needs no row: the arc's own capacity is the same.
    """
    arcs: defaultdict[str, list[int]] = defaultdict(list)
    free: dict[str, int] = {}
    for arc in np.flatnonzero(net.leg >= 0).tolist():
        departure = net.legs[int(net.leg[arc])].departure
        if departure is not None:
            arcs[departure.id].append(arc)
            free[departure.id] = departure.free_g
    return [
        Row(name, grams[name], free[name] // grams[name], np.array(arcs[name]), net.weight[arcs[name]] // grams[name])
        for name in sorted(arcs)
        if len(arcs[name]) > 1
    ]


def common_grams(networks: Iterable[Network]) -> dict[str, int]:
    """Return for every departure in use the greatest common divisor of the weights that can load it, grams."""
    grams: dict[str, int] = {}
    for net in networks:
        for arc in np.flatnonzero(net.leg >= 0).tolist():
            departure = net.legs[int(net.leg[arc])].departure
            if departure is not None:
                grams[departure.id] = gcd(grams.get(departure.id, 0), int(net.weight[arc]))
    return grams


def alone(net: Network, memory: Memory) -> Solved | None:
    """Return the optimum of one pool without rows, warm where the memory knows the pool: the same flow and prices.

    1. Any optimal flow, warm or cold. 2. What is unique: the highest prices that prove it, the fills in the order of
    posting, and stage B, which starts from nothing but these.
    """
    programme, low = Programme(net.nodes, net.tail, net.head, net.cost), np.zeros(net.arcs, dtype=np.int64)
    pool = net.commodity[0] if net.commodity else ""
    found = programme.optimum(low, net.cap, memory.recall(pool, net, programme))  # 1
    if found is None:
        return None
    memory.keep(pool, net, programme, found)
    question = Question(net.nodes, net.tail, net.head, net.cost, low, net.cap)
    highest = np.full(net.nodes, programme.reach)
    highest[0] = 0
    price = settle(question, found.flow, highest)[1]  # 2
    flow = ties.by_arrival(net, question, ties.by_posting(net, question, found.flow, price), price)
    return _proven(net, flow, price)


def relax(net: Network, rows: Sequence[Row], low: Ints, high: Ints) -> Solved | None:
    """Return the best flow within the bounds of the arcs, ties in the order of posting; None where there is none."""
    if not rows:
        return _pure(net, low, high)
    found = sketch(net, rows, low, high)
    return None if found is None else complete(net, rows, low, high, found)


def sketch(net: Network, rows: Sequence[Row], low: Ints, high: Ints, before: Linear | None = None) -> Solved | None:
    """Return a good flow and what bounds the best, ties open; None where there is none. Warm from an answer before.

    1. The linear optimum, and row prices as fractions. 2. The bound they prove. 3. Whole units, rounded with the
    leftovers given away.
    """
    question = _shared(net, rows, low, high)
    answer = linear(question, before)  # 1
    if answer is None:
        return None
    proof, paid = _prove(question, _fractions(answer.row_price), answer.warm)  # 2
    start = replace(answer, warm=paid)
    flow = _whole(net, question, proof, start, answer.flow)  # 3
    if flow is None:
        flow = _by_programme(net, question, proof, start)
    return None if flow is None else Solved(flow, worth(net.cost, flow), OPEN, proof, start)


def complete(net: Network, rows: Sequence[Row], low: Ints, high: Ints, found: Solved) -> Solved:
    """Return a sketch with what takes long: 1. an integer programme where that may help, 2. ties.

    Ties are settled over the whole face where flow and prices prove each other; else they are those of the programme
    in small networks, of the allotments in larger ones.
    """
    question, flow, proof = _shared(net, rows, low, high), found.flow, found.proof
    is_small = sum(len(row.arcs) for row in rows) <= SMALL_PROGRAMME
    falls_short = found.surplus < found.bound or (is_small and proof.bound > proof.scale * found.surplus)
    if falls_short and found.start is not None and not is_large(question):  # 1
        other = _by_programme(net, question, proof, found.start)
        if other is not None and worth(_tied(net, question).cost, other - flow) > 0:
            flow = other
    if proof.bound == proof.scale * worth(net.cost, flow):  # 2
        flow = _along_face(question, proof, flow, ties.rank_cost(net))
    return replace(found, flow=flow, surplus=worth(net.cost, flow), tie=worth(ties.rank_cost(net), flow))


def _shared(net: Network, rows: Sequence[Row], low: Ints, high: Ints) -> Question:
    return Question(net.nodes, net.tail, net.head, net.cost, low, _without_row_caps(net, rows, high), rows)


def _tied(net: Network, question: Question) -> Question:
    """Return the question with ties below the money: rupiah times K = 4 R + 2, so that no tie outweighs a rupiah."""
    return replace(question, cost=question.cost * (4 * len(net.orders) + 2) + ties.rank_cost(net))


def finish(net: Network, rows: Sequence[Row], solved: Solved, low: Ints, high: Ints) -> Ints:
    """Return the flow of stage B: the same fills, earliest arrival, first lanes."""
    question = Question(net.nodes, net.tail, net.head, net.cost, low, high)
    if not rows:
        return ties.by_arrival(net, question, solved.flow, solved.proof.price)
    question = _shared(net, rows, low, high)
    if solved.exact:
        fixed = ties.fix_fills(net, question, solved.flow)
        return _along_face(fixed, solved.proof, solved.flow, ties.carrier_cost(net))
    allotted = at_allotments(question, solved.flow)
    return ties.by_arrival(net, allotted, solved.flow, _settled(allotted)[1])


def _pure(net: Network, low: Ints, high: Ints) -> Solved | None:
    """Solve a network without rows: its optimum is whole and its prices prove it."""
    question = Question(net.nodes, net.tail, net.head, net.cost, low, high)
    found = optimum(question)
    if found is None:
        return None
    flow = ties.by_posting(net, question, found.flow, found.price)
    return _proven(net, flow, found.price)


def _proven(net: Network, flow: Ints, price: Ints) -> Solved:
    """Return a flow that these prices prove optimal."""
    surplus = worth(net.cost, flow)
    return Solved(flow, surplus, worth(ties.rank_cost(net), flow), Proof(1, (), price, surplus))


def _settled(question: Question) -> tuple[Ints, Ints]:
    """Return the optimal flow and prices of a question without rows that has a flow."""
    found = optimum(question)
    if found is None:
        raise ArithmeticError(LOST)
    return found.flow, found.price


def _without_row_caps(net: Network, rows: Sequence[Row], high: Ints) -> Ints:
    """Lift the capacity of single arcs where a row holds them together: the row is to carry the whole price."""
    high = high.copy()
    high[Shared(rows).arc] = 1 + int(net.cap[: len(net.orders)].sum())
    return high


def _fractions(row_price: Floats) -> tuple[int, list[int]]:
    """Read floats as fractions of one denominator up to MAX_SCALE, rounding where none fits."""
    scale = next(
        (d for d in range(1, MAX_SCALE) if np.all(np.abs(row_price * d - np.rint(row_price * d)) < NEAR * d)), MAX_SCALE
    )
    return scale, [int(price) for price in np.rint(row_price * scale)]


def priced_cost(question: Question, scale: int, row_price: Sequence[int]) -> Ints:
    """Return money * scale with the row prices on top: the cost of every arc when capacity is paid for."""
    return Shared(question.rows).on_top(question.cost * scale, np.array(row_price))


def _prove(question: Question, fractions: tuple[int, list[int]], warm: Optimum | None) -> tuple[Proof, Optimum]:
    """Return the proof at given row prices and the optimum that it comes from."""
    scale, row_price = fractions
    q, cost = question, priced_cost(question, scale, row_price)
    found = Programme(q.nodes, q.tail, q.head, cost).optimum(q.low, q.high, warm)
    if found is None:  # the linear programme with rows had a flow, so this one has
        message = "a network lost its flow when its rows were priced"
        raise ArithmeticError(message)
    held = sum(price * row.capacity for price, row in zip(row_price, question.rows, strict=True))
    return Proof(scale, tuple(row_price), found.price, worth(cost, found.flow) + held), found


def _whole(net: Network, question: Question, proof: Proof, start: Linear, fractional: Floats) -> Ints | None:
    """Return a good whole flow within the rows, from rounded allotments; None where these leave none."""
    holds = np.array([price > 0 for price in proof.row_price])
    return spread(_tied(net, question), holds, _rounded(question, fractional), start.warm)


def _by_programme(net: Network, question: Question, proof: Proof, start: Linear) -> Ints | None:
    """Return the best flow of an integer programme of few nodes: of money and ties at once in a small network.

    In a larger one of money alone, and only of what came out fractional.
    """
    on, held = Shared(question.rows).arc, _tied(net, question)
    if len(on) > SMALL_PROGRAMME:
        fixed = on[np.abs(start.flow[on] - np.rint(start.flow[on])) < NEAR]
        low, high = question.low.copy(), question.high.copy()
        low[fixed] = high[fixed] = np.rint(start.flow[fixed]).astype(np.int64)
        held = replace(question, low=low, high=high)
    answer = solve(held, whole=on, node_limit=NODE_LIMIT)
    return None if answer is None else _whole(net, question, proof, start, answer.flow)


def _rounded(question: Question, fractional: Floats) -> Ints:
    """Return whole allotments within every row, shape (arcs,): 1. rounded down, 2. up, the largest fraction first.

    A float just below a whole number is that, if it fits.
    """
    shared, floats = Shared(question.rows), np.maximum(fractional, 0)
    allotment = np.floor(floats).astype(np.int64)  # 1
    left = shared.left(allotment)
    more = (floats - allotment)[shared.arc]
    for place in np.flatnonzero(more > NEAR)[np.argsort(-more[more > NEAR], kind="stable")].tolist():  # 2
        if shared.unit[place] <= left[shared.row[place]]:
            allotment[shared.arc[place]] += 1
            left[shared.row[place]] -= shared.unit[place]
    return allotment


def _along_face(question: Question, proof: Proof, flow: Ints, cost: Ints) -> Ints:
    """Return the best flow by another cost among those that the proof proves optimal, rows included.

    1. Confine to the face: arcs at their reduced cost, priced rows full. 2. The linear optimum; where that is
    fractional an integer programme, or in a large network the old flow: what is at stake is a tie, not a rupiah.
    3. Solved exactly with the full rows at its allotments; the old flow where that fails.
    """
    priced = replace(question, cost=priced_cost(question, proof.scale, proof.row_price), rows=())
    confined = replace(
        ties.face(priced, flow, proof.price), cost=cost, rows=question.rows, tight=[p > 0 for p in proof.row_price]
    )  # 1
    shared, full = Shared(question.rows), np.array(confined.tight)
    answer, wanted = solve(confined), flow  # 2
    if answer is not None and not _is_whole(answer, shared) and not is_large(question):
        answer = solve(confined, whole=shared.arc, node_limit=NODE_LIMIT)
    if answer is not None and _is_whole(answer, shared):
        wanted = np.clip(np.rint(answer.flow).astype(np.int64), confined.low, confined.high)
    left = shared.left(wanted)
    if (left < 0).any() or left[full].any():
        wanted = flow
    on = shared.arc[full[shared.row]]  # 3
    confined.low[on] = wanted[on]
    best = spread(confined, full, wanted, None)
    return flow if best is None or worth(cost, best) < worth(cost, flow) else best


def _is_whole(answer: Answer, shared: Shared) -> bool:
    """Return whether a flow is whole on all arcs of rows."""
    on = answer.flow[shared.arc]
    return bool(np.all(np.abs(on - np.rint(on)) < NEAR))
