"""Whole-number repair and proof of minimum-cost flows: shortest paths on the residual network.

A flow is optimal exactly when its residual network has no negative cycle; then shortest distances are prices that prove
it (Ahuja, Magnanti, Orlin, Network Flows, theorems 9.1 and 9.3). Bellman-Ford runs over all arcs at once.
"""

import numpy as np

from app.engine.compiled import Ints
from app.engine.highs import solve
from app.engine.question import Question

#: rounds between two looks for a negative cycle among the predecessors
LOOK_EVERY = 16


def shortest(tail: Ints, head: Ints, length: Ints, start: Ints) -> tuple[Ints, Ints | None]:
    """Return the greatest labels <= start with label[head] <= label[tail] + length, or a negative cycle.

    Shapes: arcs (m,), labels (n,). Returns (labels, None), or (labels, arcs of a cycle whose lengths sum below 0).
    """
    label, via = start.copy(), np.full(len(start), -1, dtype=np.int64)
    rounds = 0
    while True:
        reach = label[tail] + length
        better = np.flatnonzero(reach < label[head])
        if not len(better):
            return label, None
        best = label.copy()
        np.minimum.at(best, head[better], reach[better])
        hit = better[reach[better] == best[head[better]]]
        via[head[hit]] = hit
        label = best
        rounds += 1
        if rounds % LOOK_EVERY == 0 and (cycle := _cycle(tail, via)) is not None:
            return label, cycle


def _cycle(tail: Ints, via: Ints) -> Ints | None:
    """Return a cycle among the predecessor arcs, if there is one."""
    before = np.where(via >= 0, tail[via], -1)
    state = [0] * len(before)
    for first in np.flatnonzero(via >= 0).tolist():
        node, trail = first, []
        while node >= 0 and state[node] == 0:
            state[node] = first + 1
            trail.append(node)
            node = int(before[node])
        if node >= 0 and state[node] == first + 1:
            loop = trail[trail.index(node) :]
            return via[loop]
        for node in trail:
            state[node] = -1
    return None


def balanced(question: Question, flow: Ints) -> bool:
    """Whether a flow keeps its bounds and every node but the market's is in balance."""
    net = np.zeros(question.nodes, dtype=np.int64)
    np.add.at(net, question.head, flow)
    np.subtract.at(net, question.tail, flow)
    inside = (flow >= question.low) & (flow <= question.high)
    return bool(inside.all()) and not net[1:].any()


def settle(question: Question, flow: Ints, price: Ints) -> tuple[Ints, Ints]:
    """Return the flow made optimal, and prices with price[head] <= price[tail] + cost on every residual arc.

    1. Residual arcs: forward where there is room, backward where there is flow above the lower bound. 2. Shortest
    labels from the given prices. 3. A negative cycle: push what it can carry around it and repeat; every push gains at
    least 1.
    """
    q = question
    while True:
        forward, backward = np.flatnonzero(flow < q.high), np.flatnonzero(flow > q.low)  # 1
        tail = np.concatenate([q.tail[forward], q.head[backward]])
        head = np.concatenate([q.head[forward], q.tail[backward]])
        length = np.concatenate([q.cost[forward], -q.cost[backward]])
        label, cycle = shortest(tail, head, length, price)  # 2
        if cycle is None:
            return flow, label - label[0]
        ahead = cycle[cycle < len(forward)]  # 3
        back = backward[cycle[cycle >= len(forward)] - len(forward)]
        ahead = forward[ahead]
        room = np.concatenate([(q.high - flow)[ahead], (flow - q.low)[back]]).min()
        flow = flow.copy()
        flow[ahead] += room
        flow[back] -= room


def optimum(question: Question, fallback: Ints | None = None) -> tuple[Ints, Ints] | None:
    """Return an optimal whole flow of a question without rows and the prices that prove it; None if there is no flow.

    HiGHS proposes; where its answer is no balanced whole flow, the fallback (default: no trade) is improved instead.
    """
    answer = solve(question)
    if answer is not None:
        flow = np.rint(answer.flow).astype(np.int64)
        if balanced(question, flow):
            return settle(question, flow, np.rint(answer.price).astype(np.int64))
    nothing = np.zeros(len(question.tail), dtype=np.int64) if fallback is None else fallback
    if not balanced(question, nothing):
        return None
    return settle(question, nothing, np.zeros(question.nodes, dtype=np.int64))
