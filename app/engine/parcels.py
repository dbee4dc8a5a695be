"""Flow as parcels: which part of which offer ends at which request, on which leg.

Nodes in topological order. At each, what has arrived is cut in the order of posting against the outgoing arcs in turn,
requests in the order of posting, other arcs by number. So the same flow is always cut in the same way.
"""

import numpy as np

from app.engine.compiled import Ints, kernel
from app.engine.network import Network

#: columns of a parcel: name (place of its offer in the order of posting * width + leg + 1), base units, the arc on
#: which it came, and the parcel that came before it to the same node (-1: none)
NAME, QUANTITY, ARC, BEFORE = range(4)


def cut(net: Network, flow: Ints) -> Ints:
    """Return the flow as rows (offer arc, request arc, leg, base units), sorted, shape (parcels, 4).

    At most accepted offers + accepted requests + arcs with flow come out.
    """
    orders, width = len(net.orders), len(net.legs) + 1
    turn = np.concatenate([net.turn, np.arange(orders, net.arcs)])
    used = np.flatnonzero(flow)
    used = used[np.lexsort((turn[used], net.tail[used]))]
    tail, head = net.tail[used], net.head[used]
    start = np.searchsorted(tail, np.arange(net.nodes + 1))
    offers = np.arange(start[1])
    sold = np.stack([turn[used[offers]] * width, flow[used[offers]], used[offers], np.full(len(offers), -1)], axis=1)
    nodes = in_turn(start, head, np.bincount(head[len(offers) :], minlength=net.nodes))
    parcels = carry(nodes, start, head, flow[used], net.leg[used], used, sold, width)
    ended = parcels[net.head[parcels[:, ARC]] == 0]
    posted, leg = np.divmod(ended[:, NAME], width)
    rows = np.stack([np.argsort(net.turn)[posted - 1], ended[:, ARC], leg - 1, ended[:, QUANTITY]], axis=1)
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


@kernel("i8[::1](i8[::1], i8[::1], i8[::1])")
def in_turn(start: Ints, head: Ints, missing: Ints) -> Ints:
    """Return the nodes that offers reach, each after all from which something comes; `missing` counts what comes."""
    nodes, count = np.empty(len(missing), dtype=np.int64), 0
    for x in head[: start[1]]:
        if missing[x] == 0:
            nodes[count], missing[x] = x, -1
            count += 1
    done = 0
    while done < count:
        x = nodes[done]
        done += 1
        for to in head[start[x] : start[x + 1]]:
            missing[to] -= 1
            if missing[to] == 0 and to != 0:
                nodes[count] = to
                count += 1
    return nodes[:count].copy()


@kernel("i8[:,::1](i8[:,::1], i8)")
def with_room(rows: Ints, used: int) -> Ints:
    """Return the rows, or twice as many where all are used."""
    if used < len(rows):
        return rows
    more = np.empty((2 * used + 1, rows.shape[1]), dtype=np.int64)
    more[:used] = rows
    return more


@kernel("i8[::1](i8[:,::1], i8)")
def by_posting(parcels: Ints, last: int) -> Ints:
    """Return the numbers of the parcels at a node, `last` the last that came, in the order of posting."""
    count, p = 0, last
    while p >= 0:
        count, p = count + 1, parcels[p, BEFORE]
    here, name, p = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64), last
    for i in range(count):
        here[i], name[i], p = p, parcels[p, NAME], parcels[p, BEFORE]
    return here[np.argsort(name)]


@kernel("i8[:,::1](i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:,::1], i8)")
def carry(nodes: Ints, start: Ints, head: Ints, flow: Ints, leg: Ints, arc: Ints, parcels: Ints, width: int) -> Ints:
    """Return all parcels on all their ways, those of the offers given first; arcs by tail, then by turn.

    1. What the offers sold stands at their nodes. 2. A node in its turn has all that comes: in the order of posting
    3. each outgoing arc carries the next ones on, the last in part; neighbours of one name become one.
    """
    count, last = len(parcels), np.full(len(start), -1, dtype=np.int64)
    for i in range(count):  # 1
        parcels[i, BEFORE], last[head[i]] = last[head[i]], i
    for x in nodes:  # 2
        here, j = by_posting(parcels, last[x]), 0
        for i in range(start[x], start[x + 1]):  # 3
            to, missing = head[i], flow[i]
            while missing > 0:
                p, new = here[j], last[to]
                part, name = min(missing, parcels[p, QUANTITY]), parcels[p, NAME]
                if leg[i] >= 0:
                    name += leg[i] + 1 - name % width
                if new >= 0 and parcels[new, ARC] == arc[i] and parcels[new, NAME] == name:
                    parcels[new, QUANTITY] += part
                else:
                    parcels = with_room(parcels, count)
                    parcels[count] = (name, part, arc[i], new)
                    last[to] = count
                    count += 1
                missing -= part
                parcels[p, QUANTITY] -= part
                j += parcels[p, QUANTITY] == 0
    return parcels[:count].copy()
