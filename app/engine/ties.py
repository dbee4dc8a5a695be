"""Ties in the order of posting: rupiah first, then volume and rank, then arrival and lane.

Instead of one cost scaled by K = 4 R + 2, each stage is solved on the optimal face of the stage before: arcs whose
reduced cost is not zero keep their flow. That is the same optimum: on a simple cycle the tie figures sum to less than
K, so no tie can outweigh a rupiah. It keeps every figure small enough for any solver.
"""

from dataclasses import replace

import numpy as np

from app.engine.compiled import Ints
from app.engine.flows import optimum
from app.engine.network import Network
from app.engine.question import Question


def rank_cost(net: Network) -> Ints:
    """Return the tie cost of each arc, shape (arcs,): r for an offer, r - V for a request, V = 2 R + 1.

    Ranks r = 1 .. R follow the time of posting, then the id. A matched pair gains V - r - r' >= 1, so volume counts,
    and the earlier post counts more.
    """
    rank = np.zeros(net.arcs, dtype=np.int64)
    rank[: len(net.orders)] = net.turn
    request = (net.head == 0) & (np.arange(net.arcs) < len(net.orders))
    return np.where(request, rank - 2 * len(net.orders) - 1, rank)


def carrier_cost(net: Network) -> Ints:
    """Return the cost of stage B of each arc, shape (arcs,): arrival * M + lane rank on departure arcs, else 0.

    Arrivals count from the earliest one; M is above the largest lane rank times the number of departure arcs.
    """
    departs = np.flatnonzero(net.leg >= 0)
    lanes = {lane: rank for rank, lane in enumerate(sorted({leg.lane for leg in net.legs}))}
    cost = np.zeros(net.arcs, dtype=np.int64)
    if len(departs):
        arrival = np.array([net.legs[leg].arrives_on for leg in net.leg[departs]], dtype=np.int64)
        lane = np.array([lanes[net.legs[leg].lane] for leg in net.leg[departs]], dtype=np.int64)
        cost[departs] = (arrival - arrival.min()) * (1 + lane.max() * len(departs)) + lane
    return cost


def face(question: Question, flow: Ints, price: Ints) -> Question:
    """Return the question confined to the optimal flows: an arc whose reduced cost is not zero keeps its flow."""
    slack = question.cost + price[question.tail] - price[question.head]
    return replace(
        question,
        low=np.where(slack == 0, question.low, flow),
        high=np.where(slack == 0, question.high, flow),
    )


def by_posting(net: Network, question: Question, flow: Ints, price: Ints) -> Ints:
    """Return, among the optimal flows, one of most volume and earliest posts. Question without rows."""
    return improve(replace(face(question, flow, price), cost=rank_cost(net)), flow)


def by_arrival(net: Network, question: Question, flow: Ints, price: Ints) -> Ints:
    """Return, among the optimal flows with the same fills, the one that arrives first, on the first lanes."""
    question = replace(face(question, flow, price), cost=carrier_cost(net))
    return anew(fix_fills(net, question, flow), flow)


def fix_fills(net: Network, question: Question, flow: Ints) -> Question:
    """Return the question with the order arcs held at their flow."""
    order = np.arange(net.arcs) < len(net.orders)
    return replace(question, low=np.where(order, flow, question.low), high=np.where(order, flow, question.high))


def improve(question: Question, flow: Ints) -> Ints:
    """Return the best flow of a question of which most arcs are fixed, starting from a feasible one."""
    open_arcs = np.flatnonzero(question.low < question.high)
    if not len(open_arcs):
        return flow
    # Only the open arcs are asked about, as changes of the flow: what is fixed would only slow the solver down.
    ends, number = np.unique(
        np.concatenate([[0], question.tail[open_arcs], question.head[open_arcs]]), return_inverse=True
    )
    start = flow[open_arcs]
    change = Question(
        nodes=len(ends),
        tail=number[1 : 1 + len(open_arcs)].astype(np.int64),
        head=number[1 + len(open_arcs) :].astype(np.int64),
        cost=question.cost[open_arcs],
        low=question.low[open_arcs] - start,
        high=question.high[open_arcs] - start,
    )
    better = flow.copy()
    if (solved := optimum(change)) is not None:  # never None: no change at all is feasible
        better[open_arcs] += solved.flow
    return better


def anew(question: Question, flow: Ints) -> Ints:
    """Return the best flow of a question of which most arcs are fixed, whatever the open ones carry now.

    What the fixed arcs bring to a node and the open ones must take away becomes an arc at the market that must be full.
    """
    is_open = question.low < question.high
    open_arcs = np.flatnonzero(is_open)
    if not len(open_arcs):
        return flow
    best = np.where(is_open, question.low, flow)
    over = np.zeros(question.nodes, dtype=np.int64)
    np.add.at(over, question.head, best)
    np.subtract.at(over, question.tail, best)
    nodes = np.unique(np.concatenate([[0], question.tail[open_arcs], question.head[open_arcs]]))
    number = np.zeros(question.nodes, dtype=np.int64)
    number[nodes] = np.arange(len(nodes))
    must = np.abs(over[nodes[1:]])
    each, brings = np.arange(1, len(nodes)), over[nodes[1:]] > 0
    solved = optimum(
        Question(
            nodes=len(nodes),
            tail=np.concatenate([number[question.tail[open_arcs]], np.where(brings, 0, each)]),
            head=np.concatenate([number[question.head[open_arcs]], np.where(brings, each, 0)]),
            cost=np.concatenate([question.cost[open_arcs], np.zeros_like(must)]),
            low=np.concatenate([np.zeros(len(open_arcs), dtype=np.int64), must]),
            high=np.concatenate([(question.high - question.low)[open_arcs], must]),
        )
    )
    if solved is None:
        return flow
    best[open_arcs] += solved.flow[: len(open_arcs)]
    return best
