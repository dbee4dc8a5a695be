"""Prices at the nodes: the difference constraints that orders and lanes put on them, and what is published."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.allot import allotted, spare
from app.engine.compiled import Ints
from app.engine.exact import shortest
from app.engine.joint import Proof
from app.engine.network import Network
from app.engine.question import Row, Shared


@dataclass(frozen=True, slots=True)
class Published:
    """Whole prices at all nodes; those of nodes with trade are published."""

    #: shape (nodes,), rupiah per base unit, 0 at the market
    price: Ints
    #: arcs whose departure has room left and that still need a scarcity (see `publish`); empty as a rule
    allotted: tuple[int, ...]


def constraints(net: Network, flow: Ints, high: Ints, cost: Ints) -> tuple[Ints, Ints, Ints]:
    """Return difference constraints price[head] <= price[tail] + length, as (tail, head, length).

    (a) Arcs of the network: forward where flow < high, backward where flow > 0. (b) An order that trades is not worse
    off than its own price. (c) One that trades in part is at its own price. (d) One that does not trade and has no
    smallest fill is not strictly in the money; one that has is not constrained.
    """
    forward = flow < high
    orders = len(net.orders)
    forward[:orders] &= (flow[:orders] > 0) | (net.least <= 1)
    backward = flow > 0
    return (
        np.concatenate([net.tail[forward], net.head[backward]]),
        np.concatenate([net.head[forward], net.tail[backward]]),
        np.concatenate([cost[forward], -cost[backward]]),
    )


def extremes(arcs: tuple[Ints, Ints, Ints], nodes: int, reach: int) -> tuple[Ints, Ints] | None:
    """Return the lowest and the highest prices at all nodes within -reach .. reach, or None where there are none.

    Shortest paths from the market, and to it. `reach` must exceed any path's length, so that it binds only where
    nothing else does.
    """
    tail, head, length = arcs
    highest = _farthest(arcs, nodes, reach)
    below = None if highest is None else _farthest((head, tail, length), nodes, reach)
    return None if highest is None or below is None else (-below, highest)


def _farthest(arcs: tuple[Ints, Ints, Ints], nodes: int, reach: int) -> Ints | None:
    """Return the shortest paths from the market to all nodes, at most `reach`; None where a cycle gains for ever."""
    start = np.full(nodes, reach, dtype=np.int64)
    start[0] = 0
    length, cycle = shortest(*arcs, start)
    return None if cycle is not None or length[0] < 0 else length


def exist(net: Network, rows: Sequence[Row], flow: Ints, reach: int) -> bool:
    """Whether whole prices exist that satisfy (a) to (d) for this flow (one Bellman-Ford)."""
    return _farthest(constraints(net, flow, spare(rows, flow, net.cap), net.cost), net.nodes, reach) is not None


def publish(net: Network, rows: Sequence[Row], flow: Ints, proof: Proof | None, reach: int) -> Published:
    """Return the prices floor((lowest + highest) / 2) of a flow that has prices; ArithmeticError where it has none.

    1. With exact row prices (`proof`): at its scale, freight with the row price on top, departure arcs of rows
    uncapped; floor(P / scale). 2. Else at what the departures carry, arcs free where the departure has room. 3. Two
    arcs of one pool may each gain nothing and together gain from room that only one of them has: then at the
    allotments, and `allotted` names the arcs that may carry a scarcity although a unit is left.
    """
    if proof is not None:  # 1
        shared, high = Shared(rows), net.cap.copy()
        cost = shared.on_top(net.cost * proof.scale, np.array(proof.row_price))
        high[shared.arc] = flow[shared.arc] + 1
        ends = extremes(constraints(net, flow, high, cost), net.nodes, reach * proof.scale)
        if ends is not None:
            return Published((ends[0] + ends[1]) // 2 // proof.scale, ())
    ends = extremes(constraints(net, flow, spare(rows, flow, net.cap), net.cost), net.nodes, reach)  # 2
    if ends is not None:
        return Published((ends[0] + ends[1]) // 2, ())
    ends = extremes(constraints(net, flow, allotted(rows, flow, net.cap), net.cost), net.nodes, reach)  # 3
    if ends is None:
        message = "a flow without prices was to be published"
        raise ArithmeticError(message)
    return Published((ends[0] + ends[1]) // 2, tuple(int(arc) for row in rows for arc in row.arcs))
