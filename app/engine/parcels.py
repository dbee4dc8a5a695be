"""Flow as parcels: which part of which offer ends at which request, on which leg.

At every node what arrives is cut in the order of posting, then of legs, against the outgoing arcs in turn, requests in
the order of posting, other arcs by number. So the same flow is always cut in the same way.
"""

from heapq import heappop, heappush

import numpy as np

from app.engine.compiled import Ints, kernel
from app.engine.network import Network


def cut(net: Network, flow: Ints) -> Ints:
    """Return the flow as rows (offer arc, request arc, leg, base units), in the order of posting; shape (parcels, 4).

    At most accepted offers + accepted requests + arcs with flow come out. 1. Arcs with flow by tail. 2. Nodes are
    numbered anew, each after all from which something comes; the market stays 0. 3. Offers go their ways. A flow out of
    balance, which the audit refuses, is not cut: ways would leave the arrays.
    """
    start, arc = by_tail(net.tail, flow, net.turn, net.nodes)  # 1
    head, room = net.head[arc], flow[arc]
    nodes = in_turn(start, head, room, np.bincount(head[start[1] :], minlength=net.nodes))  # 2
    if not len(nodes):
        return np.empty((0, 4), dtype=np.int64)
    place = np.zeros(net.nodes, dtype=np.int64)
    place[nodes] = np.arange(1, len(nodes) + 1)
    following = np.concatenate([[0], start[nodes]])
    return carry(arc[: start[1]], following, arc, place[head], net.leg[arc], room)  # 3


@kernel("UniTuple(i8[::1], 2)(i8[::1], i8[::1], i8[::1], i8)")
def by_tail(tail: Ints, flow: Ints, turn: Ints, nodes: int) -> tuple[Ints, Ints]:
    """Return where the arcs with flow of each tail start, and these arcs: orders as posted, then others by number."""
    used, start = np.full(len(tail), -1, dtype=np.int64), np.zeros(nodes + 1, dtype=np.int64)
    for j in range(len(tail)):
        if flow[j] > 0:
            used[turn[j] - 1 if j < len(turn) else j] = j
            start[tail[j] + 1] += 1
    for x in range(nodes):
        start[x + 1] += start[x]
    arcs, place = np.empty(start[nodes], dtype=np.int64), start.copy()
    for arc in used:
        if arc >= 0:
            arcs[place[tail[arc]]] = arc
            place[tail[arc]] += 1
    return start, arcs


@kernel("i8[::1](i8[::1], i8[::1], i8[::1], i8[::1])")
def in_turn(start: Ints, head: Ints, flow: Ints, missing: Ints) -> Ints:
    """Return the nodes that offers reach, each after all from which something comes; `missing` counts what comes.

    Where not as much leaves a node as comes to it, or a node is never reached, none are returned.
    """
    nodes, stock, count = np.empty(len(missing), dtype=np.int64), np.zeros(len(missing), dtype=np.int64), 0
    for i in range(start[1]):
        x = head[i]
        stock[x] += flow[i]
        if missing[x] == 0:
            nodes[count], missing[x] = x, -1
            count += 1
    done, left = 0, len(head) - start[1]
    while done < count:
        x = nodes[done]
        done += 1
        for i in range(start[x], start[x + 1]):
            to = head[i]
            stock[x] -= flow[i]
            stock[to] += flow[i]
            missing[to] -= 1
            if missing[to] == 0 and to != 0:
                nodes[count] = to
                count += 1
        if stock[x] != 0:
            return nodes[:0].copy()
        left -= start[x + 1] - start[x]
    return nodes[:count].copy() if left == 0 else nodes[:0].copy()


@kernel("i8[:,::1](i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1])")
def carry(offers: Ints, following: Ints, arc: Ints, head: Ints, leg: Ints, room: Ints) -> Ints:
    """Return the parcels of the offers given in the order of posting; heads are numbered in topological order.

    Offers one after the other, so every node sees them in the order of posting, and an arc that is full is never looked
    at again: `following` is the next arc of each node. An offer that no arc carries alone is split; its parts go on in
    the order of nodes, then of legs, and those that meet on one leg are one again.
    """
    rows, count = np.empty((len(arc), 4), dtype=np.int64), 0
    parts = [(0, 0, 0) for _ in range(0)]
    for number in range(len(offers)):
        x, way, left = head[number], -1, room[number]
        while left > 0:
            i = following[x]
            part, to = min(left, room[i]), head[i]
            left -= part
            room[i] -= part
            following[x] += room[i] == 0
            on = leg[i] if leg[i] >= 0 else way
            if to == 0:
                rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = offers[number], arc[i], on, part
                count += 1
            elif left == 0 and len(parts) == 0:
                x, way, left = to, on, part
            else:
                heappush(parts, (to, on, part))
            if left == 0 and len(parts) > 0:
                x, way, left = heappop(parts)
                while len(parts) > 0 and parts[0][0] == x and parts[0][1] == way:
                    left += heappop(parts)[2]
    return rows[:count]
