"""Shared departures: one capacity row over several arcs, whole allotments, a whole bound.

A network with rows is no longer a pure network: its linear optimum may be fractional. With the flow on the departure
arcs fixed at whole allotments every pool is a pure network again, which `exact` solves and proves. The bound holds for
any row prices at least 0, so the solver's floats only propose them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from app.engine import ties
from app.engine.exact import settle
from app.engine.flows import Programme, optimum
from app.engine.highs import Floats, solve
from app.engine.memory import Memory
from app.engine.network import Ints, Network
from app.engine.question import Question, Row
from app.engine.rows import MAX_SCALE, is_large, linear

#: a float this close to a whole number is read as one
NEAR = 1e-6
#: nodes of an integer programme, and the number of arcs up to which all of them are asked to be whole
NODE_LIMIT = 500
SMALL_PROGRAMME = 400
#: how often in a row what is left may be given in vain
MOST_IDLE = 8
#: what cannot be: the flow in hand would still do
LOST = "a network lost its flow"


@dataclass(frozen=True, slots=True)
class Proof:
    """Prices from which an upper bound of the surplus follows by linear duality."""

    #: denominator of all prices below
    scale: int
    #: per row, for a unit of its weight
    row_price: tuple[int, ...]
    #: shape (nodes,), 0 at the market
    price: Ints


@dataclass(frozen=True, slots=True)
class Solved:
    """An optimal whole flow of a component, or the best one found."""

    #: shape (arcs,), base units
    flow: Ints
    #: rupiah
    surplus: int
    #: volume and rank gained among equal surpluses: greater is better
    tie: int
    #: proven bound of the surplus within the same order bounds, rupiah
    bound: int
    proof: Proof
    #: the flow and the proof satisfy complementary slackness to the last fraction of a rupiah
    exact: bool


def worth(cost: Ints, flow: Ints) -> int:
    """Return minus the sum of cost * flow, in 64 bits where it fits, else in Python's unbounded integers."""
    if int(np.abs(cost).max(initial=0)) * int(np.abs(flow).max(initial=0)) * len(flow) < 2**62:
        return -int(cost @ flow)
    traded = np.flatnonzero(flow)
    return -sum(int(c) * int(f) for c, f in zip(cost[traded].tolist(), flow[traded].tolist(), strict=True))


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
    """Return the best flow within the bounds of the arcs, ties in the order of posting; None where there is none.

    1. The linear optimum, and row prices as fractions. 2. The bound they prove. 3. Whole allotments: the linear flow
    where it is whole; else rounded down with the leftovers given away, and if that is below the bound an integer
    programme. 4. Ties, over the whole face where flow and prices prove each other, else around the allotments.
    """
    if not rows:
        return _pure(net, low, high)
    question = Question(net.nodes, net.tail, net.head, net.cost, low, _without_row_caps(net, rows, high), rows)
    answer = linear(question)  # 1
    if answer is None:
        return None
    proof, bound_scaled = _prove(question, _fractions(answer.row_price))  # 2
    flow = _whole(question, answer.flow, bound_scaled // proof.scale)  # 3
    if flow is None:
        return None
    exact = bound_scaled == proof.scale * worth(net.cost, flow)
    flow = _along_face(question, proof, flow, ties.rank_cost(net)) if exact else _tied(net, question, flow)  # 4
    tie = worth(ties.rank_cost(net), flow)
    return Solved(flow, worth(net.cost, flow), tie, bound_scaled // proof.scale, proof, exact)


def _tied(net: Network, question: Question, flow: Ints) -> Ints:
    """Return a flow no worse, at its allotments, then what departures have left given away; ties count less than money.

    Rupiah times K = 4 R + 2 plus the tie: no tie can outweigh a rupiah.
    """
    scaled = replace(question, cost=question.cost * (4 * len(net.orders) + 2) + ties.rank_cost(net))
    return _spread(scaled, *_settled(at_allotments(scaled, flow)))


def finish(net: Network, rows: Sequence[Row], solved: Solved, low: Ints, high: Ints) -> Ints:
    """Return the flow of stage B: the same fills, earliest arrival, first lanes."""
    question = Question(net.nodes, net.tail, net.head, net.cost, low, high)
    if not rows:
        return ties.by_arrival(net, question, solved.flow, solved.proof.price)
    question = replace(question, high=_without_row_caps(net, rows, high), rows=rows)
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
    return Solved(flow, surplus, worth(ties.rank_cost(net), flow), surplus, Proof(1, (), price), exact=True)


def _settled(question: Question) -> tuple[Ints, Ints]:
    """Return the optimal flow and prices of a question without rows that has a flow."""
    found = optimum(question)
    if found is None:
        raise ArithmeticError(LOST)
    return found.flow, found.price


def _without_row_caps(net: Network, rows: Sequence[Row], high: Ints) -> Ints:
    """Lift the capacity of single arcs where a row holds them together: the row is to carry the whole price."""
    high = high.copy()
    free = 1 + sum(order.quantity for order in net.orders)
    for row in rows:
        high[row.arcs] = free
    return high


def _fractions(row_price: Floats) -> tuple[int, list[int]]:
    """Read floats as fractions of one denominator up to MAX_SCALE, rounding where none fits."""
    scale = next(
        (d for d in range(1, MAX_SCALE) if np.all(np.abs(row_price * d - np.rint(row_price * d)) < NEAR * d)), MAX_SCALE
    )
    return scale, [int(price) for price in np.rint(row_price * scale)]


def priced_cost(question: Question, scale: int, row_price: Sequence[int]) -> Ints:
    """Return money * scale with the row prices on top: the cost of every arc when capacity is paid for."""
    cost = question.cost * scale
    for row, price in zip(question.rows, row_price, strict=True):
        cost[row.arcs] += row.units * price
    return cost


def _prove(question: Question, fractions: tuple[int, list[int]]) -> tuple[Proof, int]:
    """Return the proof at given row prices, and its bound in rupiah * scale."""
    scale, row_price = fractions
    cost = priced_cost(question, scale, row_price)
    paid = replace(question, cost=cost, rows=())
    found = optimum(paid)
    if found is None:  # the linear programme with rows had a flow, so this one has
        message = "a network lost its flow when its rows were priced"
        raise ArithmeticError(message)
    flow, price = found.flow, found.price
    held = sum(price * row.capacity for price, row in zip(row_price, question.rows, strict=True))
    return Proof(scale, tuple(row_price), price), worth(cost, flow) + held


def _whole(question: Question, fractional: Floats, bound: int) -> Ints | None:
    """Return the best whole flow found within the rows; None where there is none."""
    on = np.concatenate([row.arcs for row in question.rows])
    fixed = np.abs(fractional[on] - np.rint(fractional[on])) < NEAR
    best = _at(question, on, np.rint(fractional[on]) if fixed.all() else np.floor(fractional[on] + NEAR))
    if best is not None and worth(question.cost, best) >= bound:
        return best
    if best is not None and is_large(question):  # a programme of this size does not end within its nodes
        return best
    held = question
    if len(on) > SMALL_PROGRAMME:
        low, high = question.low.copy(), question.high.copy()
        low[on[fixed]] = high[on[fixed]] = np.rint(fractional[on[fixed]]).astype(np.int64)
        held = replace(question, low=low, high=high)
    answer = solve(held, whole=on, node_limit=NODE_LIMIT)
    other = None if answer is None else _at(question, on, np.rint(answer.flow[on]))
    if best is None or (other is not None and worth(question.cost, other) > worth(question.cost, best)):
        best = other
    return best


def _at(question: Question, on: Ints, allotment: Floats) -> Ints | None:
    """Return the optimum at given allotments after the leftovers are given away; None where they do not fit."""
    flow = np.zeros(len(question.tail), dtype=np.int64)
    flow[on] = np.maximum(allotment, 0).astype(np.int64)
    if any(left < 0 for left in leftovers(question.rows, flow)):
        return None
    found = optimum(at_allotments(question, flow))
    return None if found is None else _spread(question, found.flow, found.price)


def at_allotments(question: Question, flow: Ints) -> Question:
    """Return the pure network in which every arc of a row may carry what it carries now, and no more."""
    high = question.high.copy()
    for row in question.rows:
        high[row.arcs] = flow[row.arcs]
    return replace(question, high=high, rows=(), tight=())


def leftovers(rows: Sequence[Row], flow: Ints) -> list[int]:
    """Return the capacity that each row has left, in its unit."""
    return [row.capacity - int((row.units * flow[row.arcs]).sum()) for row in rows]


def spare(rows: Sequence[Row], flow: Ints, high: Ints) -> Ints:
    """Return what arcs could carry, shape (arcs,): those of a shared departure as if all it has left were theirs."""
    high = high.copy()
    for row, left in zip(rows, leftovers(rows, flow), strict=True):
        high[row.arcs] = flow[row.arcs] + left // row.units
    return high


def _spread(question: Question, flow: Ints, price: Ints) -> Ints:
    """Give what departures have left to arcs that gain from it at the prices so far, until it is in vain.

    At once one arc of each departure, the one that gains most by its weight and was not given it in vain since.
    """
    q, programme, warm = question, Programme(question.nodes, question.tail, question.head, question.cost), None
    vain, idle = np.zeros(len(q.tail), dtype=bool), 0
    while True:
        allotted, any_given = at_allotments(q, flow), np.zeros(len(q.tail), dtype=bool)
        for row, left in zip(q.rows, leftovers(q.rows, flow), strict=True):
            room = np.minimum(left // row.units, q.high[row.arcs] - flow[row.arcs])
            gain = price[q.head[row.arcs]] - price[q.tail[row.arcs]] - q.cost[row.arcs]
            fit = np.flatnonzero((room > 0) & (gain > 0) & ~vain[row.arcs])
            if len(fit):
                chosen = fit[np.argmax(gain[fit] / row.units[fit])]
                allotted.high[row.arcs[chosen]] += room[chosen]
                any_given[row.arcs[chosen]] = True
        if not any_given.any() or idle == MOST_IDLE:
            return flow
        warm = programme.optimum(allotted.low, allotted.high, warm)
        if warm is None:  # more room never takes a flow away
            raise ArithmeticError(LOST)
        gained = worth(q.cost, warm.flow) > worth(q.cost, flow)
        flow, price = warm.flow, warm.price
        vain, idle = (any_given, 0) if gained else (vain | any_given, idle + 1)


def _along_face(question: Question, proof: Proof, flow: Ints, cost: Ints) -> Ints:
    """Return the best flow by another cost among those that the proof proves optimal, rows included.

    1. Confine to the face: arcs at their reduced cost, priced rows full. 2. The linear optimum, or the old flow where
    that is fractional: what is at stake is a tie, not a rupiah. 3. Its allotments, solved exactly, what departures
    have left given away; the old flow where that fails.
    """
    priced = replace(question, cost=priced_cost(question, proof.scale, proof.row_price), rows=())
    confined = replace(
        ties.face(priced, flow, proof.price), cost=cost, rows=question.rows, tight=[p > 0 for p in proof.row_price]
    )  # 1
    on = np.concatenate([row.arcs for row in question.rows])
    answer, wanted = solve(confined), flow  # 2
    if answer is not None and np.all(np.abs(answer.flow[on] - np.rint(answer.flow[on])) < NEAR):
        wanted = np.clip(np.rint(answer.flow).astype(np.int64), confined.low, confined.high)
    left = leftovers(question.rows, wanted)
    if any(grams < 0 or (full and grams) for grams, full in zip(left, confined.tight, strict=True)):
        wanted = flow
    held = at_allotments(confined, wanted)  # 3
    held.low[on] = wanted[on]
    found = optimum(held)
    if found is None or worth(cost, found.flow) < worth(cost, flow):
        return flow
    return _spread(replace(confined, low=held.low), found.flow, found.price)
