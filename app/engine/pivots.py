"""The pivots of the network simplex: pricing by blocks, long steps along curves, a strongly feasible tree.

The tree is WIDTH rows of a number for each node, 0 is the root. A thread runs from the root through all nodes and back,
the nodes of every subtree in one piece, its top first: it ends before the next node that is not deeper. Arcs are
columns tail, head, cost, cap, flow, and side: 1 for an empty arc, -1 for a full one, 0 in the tree or without room.
Levels are columns price (`rate`) and where they begin (`begin`), see `simplex`. All shapes are (arcs,), (nodes,) or
(levels,), money in rupiah per base unit, amounts in base units.
"""

import numpy as np

from app.engine.compiled import Ints, Rows, Signs, kernel

#: rows of the tree: the node it hangs on; by which arc, or CURVE; steps to the root; its neighbours on the thread
PARENT, PRED, DEPTH, NEXT, PREVIOUS = 0, 1, 2, 3, 4
#: where its curve stands: the level of its injection if the node hangs by its curve, else the level that begins there
LEVEL = 5
WIDTH = 6
#: instead of an arc: the node's own curve
CURVE = -1
#: more than can flow
ENDLESS = 2**61
#: what `run` returns instead of a number of pivots
UNBOUNDED, TOO_MANY = -1, -2
#: what ends a step: an arc of the tree or the entering one, the rising curve, the falling curve
AT_ARC, AT_RISING, AT_FALLING = 0, 1, 2


@kernel("i8(i4[:,::1], i8[::1], i8, i8, i8)")
def shift(tree: Rows, price: Ints, top: int, by: int, down: int) -> int:
    """Raise the prices of a subtree by a constant and lower its nodes by some steps; return its last node.

    Half of all time is spent here. An index without sign is not asked whether it counts from the end.
    """
    depths, thread = tree[DEPTH], tree[NEXT]
    depth, x = depths[top], np.uint32(top)
    while True:
        price[x] += by
        depths[x] += down
        last, x = x, np.uint32(thread[x])
        if depths[x] <= depth:
            return int(last)


@kernel("void(i4[:,::1], i8, i8)")
def link(tree: Rows, x: int, follower: int) -> None:
    """Let a node be followed by another on the thread."""
    tree[NEXT, x] = follower
    tree[PREVIOUS, follower] = x


@kernel("void(i4[:,::1])")
def string(tree: Rows) -> None:
    """Thread a tree of given parents: the nodes of every subtree in one piece, its top first."""
    child, sibling = np.zeros(len(tree[0]), dtype=np.int32), np.zeros(len(tree[0]), dtype=np.int32)
    for x in range(len(tree[0]) - 1, 0, -1):
        parent = tree[PARENT, x]
        sibling[x], child[parent] = child[parent], x
    x = last = 0
    while True:
        if child[x] != 0:
            x = child[x]
        else:
            while x != 0 and sibling[x] == 0:
                x = tree[PARENT, x]
            x = sibling[x]
        link(tree, last, x)
        if x == 0:
            return
        last = x


@kernel("i8(i4[:,::1], i8[::1], i8, i8, i8, i8, i8)")
def turn_round(tree: Rows, price: Ints, inner: int, out: int, parent: int, pred: int, by: int) -> int:
    """Cut the subtree of `out` off and hang it by its node `inner` on a new parent; raise its prices.

    The path from inner to out turns round. Its nodes go one by one, each with what is left of its subtree: what is left
    is in one piece of the thread, as the piece before it is already cut out. In this order the pieces are the thread of
    the turned subtree; its last node is returned, to be put behind the parent.
    """
    x, last, down = inner, 0, tree[DEPTH, parent] + 1
    while True:
        before, above, above_pred = tree[PREVIOUS, x], tree[PARENT, x], tree[PRED, x]
        end = shift(tree, price, x, by, down - tree[DEPTH, x])
        link(tree, before, tree[NEXT, end])
        if last != 0:
            link(tree, last, x)
        tree[PARENT, x], tree[PRED, x] = parent, pred
        last = end
        if x == out:
            return last
        parent, pred, x = x, above_pred, above
        down += 1


@kernel("UniTuple(i8, 3)(i4[::1], i4[::1], i8[::1], i1[::1], i8[::1], i4[::1], i4[:,::1], i8[::1], i8, i8)")
def choose(
    tail: Rows,
    head: Rows,
    cost: Ints,
    side: Signs,
    rate: Ints,
    curved: Rows,
    tree: Rows,
    price: Ints,
    block: int,
    position: int,
) -> tuple[int, int, int]:
    """Return the best of the first block that gains, what it gains a unit (0: nothing does), and where to go on.

    Candidates are the arcs, then one step up or down of each resting curve; len(arcs) + i is the curve of curved[i].
    """
    arcs, total = len(tail), len(tail) + len(curved)
    best, found, seen, i = 0, -1, 0, position
    while seen < total and best == 0:
        end = min(i + min(block, total - seen), arcs if i < arcs else total)
        if i < arcs:
            for j in range(np.uint32(i), np.uint32(end)):
                gain = side[j] * (price[np.uint32(head[j])] - price[np.uint32(tail[j])] - cost[j])
                if gain > best:
                    best, found = gain, j
        else:
            for j in range(i, end):
                x = curved[j - arcs]
                if tree[PRED, x] != CURVE:
                    level = tree[LEVEL, x]
                    gain = max(price[x] - rate[level], rate[level - 1] - price[x])
                    if gain > best:
                        best, found = gain, j
        seen += end - i
        i = end if end < total else 0
    return found, best, i


@kernel("UniTuple(i8, 6)(i4[::1], i4[::1], i8[::1], i8[::1], i4[:,::1], i8, i8)")
def climb(
    tail: Rows, head: Rows, cap: Ints, flow: Ints, tree: Rows, u: int, v: int
) -> tuple[int, int, int, int, int, int]:
    """Follow the cycle that a flow from u to v closes: up from both ends to where they meet.

    Returns the room on the way to u with the node below the narrowest arc nearest to u, the same on the way from v
    nearest to the meeting, and the nodes whose curves carry the flow from and to the root (0: none).
    """
    room_u = room_v = ENDLESS
    out_u = out_v = rising = falling = 0
    x, y = u, v
    while x != y:
        if tree[DEPTH, x] >= tree[DEPTH, y]:
            arc = tree[PRED, x]
            if arc == CURVE:
                rising = x
            else:
                room = cap[arc] - flow[arc] if head[arc] == x else flow[arc]
                if room < room_u:
                    room_u, out_u = room, x
            x = tree[PARENT, x]
        else:
            arc = tree[PRED, y]
            if arc == CURVE:
                falling = y
            else:
                room = cap[arc] - flow[arc] if tail[arc] == y else flow[arc]
                if room <= room_v:
                    room_v, out_v = room, y
            y = tree[PARENT, y]
    return room_u, out_u, room_v, out_v, rising, falling


@kernel("void(i4[::1], i4[::1], i8[::1], i4[:,::1], i8, i8, i8)")
def push(tail: Rows, head: Rows, flow: Ints, tree: Rows, u: int, v: int, amount: int) -> None:
    """Move an amount around the cycle, but for the entering arc and the curves."""
    x, y = u, v
    while x != y:
        if tree[DEPTH, x] >= tree[DEPTH, y]:
            arc = tree[PRED, x]
            if arc != CURVE:
                flow[arc] += amount if head[arc] == x else -amount
            x = tree[PARENT, x]
        else:
            arc = tree[PRED, y]
            if arc != CURVE:
                flow[arc] += amount if tail[arc] == y else -amount
            y = tree[PARENT, y]


@kernel("UniTuple(i8, 4)(i8[::1], i8[::1], i8[::1], i4[:,::1], i8, i8, i8, i8)")
def stretch(
    rate: Ints, begin: Ints, z: Ints, tree: Rows, rising: int, falling: int, room: int, gain: int
) -> tuple[int, int, int, int]:
    """Return how far a step goes, the levels it reaches on both curves, and what ends it.

    It goes on from level to level while it gains. Of what ends it at once the last on the way round leaves the tree:
    the falling curve, then an arc.
    """
    up, down = tree[LEVEL, rising], tree[LEVEL, falling]
    while True:
        to_rise = begin[up + 1] - z[rising] if rising != 0 else ENDLESS
        to_fall = z[falling] - begin[down] if falling != 0 else ENDLESS
        if room <= to_rise and room <= to_fall:
            return room, up, down, AT_FALLING if room == to_fall else AT_ARC
        if to_fall <= to_rise:
            gain -= rate[down] - rate[down - 1]
            if gain <= 0:
                return to_fall, up, down, AT_FALLING
            down -= 1
        else:
            gain -= rate[up + 1] - rate[up]
            if gain <= 0:
                return to_rise, up, down, AT_RISING
            up += 1


@kernel("void(i4[::1], i8[::1], i8[::1], i8[::1], i1[::1], i8[::1], i4[:,::1], i8[::1], i8, i8, i8, i8, i8, i8)")
def exchange(
    tail: Rows,
    cost: Ints,
    cap: Ints,
    flow: Ints,
    side: Signs,
    rate: Ints,
    tree: Rows,
    price: Ints,
    rising: int,
    falling: int,
    inner: int,
    out: int,
    parent: int,
    arc: int,
) -> None:
    """Let the subtree of `out` hang by `inner` on a parent (inner 0: the tree stays), and renew sides and prices."""
    if inner != 0:
        leaving = tree[PRED, out]
        if leaving != CURVE:
            side[leaving] = 0 if cap[leaving] == 0 else 1 if flow[leaving] == 0 else -1
        if arc != CURVE:
            side[arc] = 0
    elif arc != CURVE:
        side[arc] = 1 if flow[arc] == 0 else -1
    for x in (rising, falling):
        if x not in (0, inner, out) and tree[PRED, x] == CURVE and rate[tree[LEVEL, x]] != price[x]:
            shift(tree, price, x, rate[tree[LEVEL, x]] - price[x], 0)
    if inner != 0:
        if arc == CURVE:
            level = rate[tree[LEVEL, inner]]
        else:
            level = price[parent] + (-cost[arc] if tail[arc] == inner else cost[arc])
        last = turn_round(tree, price, inner, out, parent, arc, level - price[inner])
        link(tree, last, tree[NEXT, parent])
        link(tree, parent, inner)


@kernel("UniTuple(i8, 3)(i8, i8, i8, i8, i8, i8, i8, i8, i8, i8)")
def leaving(
    u: int,
    v: int,
    out_u: int,
    out_v: int,
    room_u: int,
    room_in: int,
    room_v: int,
    rising: int,
    falling: int,
    end: int,
) -> tuple[int, int, int]:
    """Return the inner node and the top of the subtree that is cut off, and its new parent; inner 0: none is.

    Of what blocks, the last on the way round from the meeting leaves: so every tree stays strongly feasible.
    """
    if end == AT_RISING:
        return u, rising, v
    if end == AT_FALLING:
        return v, falling, u
    if room_v <= room_in and room_v <= room_u:
        return v, out_v, u
    if room_u < room_in:
        return u, out_u, v
    return 0, 0, 0


@kernel(
    "i8(i4[::1], i4[::1], i8[::1], i8[::1], i8[::1], i1[::1], i8[::1], i8[::1], i4[:,::1], i8[::1], i8[::1], i8, i8, "
    "i8, i8)"
)
def pivot(
    tail: Rows,
    head: Rows,
    cost: Ints,
    cap: Ints,
    flow: Ints,
    side: Signs,
    rate: Ints,
    begin: Ints,
    tree: Rows,
    price: Ints,
    z: Ints,
    u: int,
    v: int,
    arc: int,
    gain: int,
) -> int:
    """Bring an arc or a curve (CURVE; u or v is the root) into the tree by a flow from u to v; return the amount.

    1. The cycle and its room. 2. The step. 3. Flows and injections. 4. What leaves, and the subtree that it cuts off,
    which the entering one carries from now on. 5. Prices: of a tree whose curve moved to another level, of the subtree.
    """
    room_u, out_u, room_v, out_v, rising, falling = climb(tail, head, cap, flow, tree, u, v)  # 1
    room_in = ENDLESS
    if arc != CURVE:
        room_in = cap[arc] - flow[arc] if tail[arc] == u else flow[arc]
    elif u == 0:
        rising = v
    else:
        falling = u
    amount, up, down, end = stretch(rate, begin, z, tree, rising, falling, min(room_u, room_in, room_v), gain)  # 2
    if amount >= ENDLESS:
        return UNBOUNDED
    push(tail, head, flow, tree, u, v, amount)  # 3
    if arc != CURVE:
        flow[arc] += amount if tail[arc] == u else -amount
    if rising != 0:
        z[rising] += amount
        tree[LEVEL, rising] = up + 1 if end == AT_RISING else up
    if falling != 0:
        z[falling] -= amount
        tree[LEVEL, falling] = down
    inner, out, parent = leaving(u, v, out_u, out_v, room_u, room_in, room_v, rising, falling, end)  # 4
    if arc == CURVE and end != AT_ARC and out == u + v:
        inner = 0  # the entering curve comes to rest again
    exchange(tail, cost, cap, flow, side, rate, tree, price, rising, falling, inner, out, parent, arc)  # 5
    return amount


@kernel("i8(i8[::1], i8[::1], i4[:,::1], i8[::1], i8[::1], i8)")
def turn(rate: Ints, begin: Ints, tree: Rows, price: Ints, z: Ints, x: int) -> int:
    """Return what one unit more into a resting curve gains; where less gains, minus that, and stand on its level."""
    level = tree[LEVEL, x]
    gain: int = price[x] - rate[level]
    if gain < 0 and begin[level] == z[x]:
        tree[LEVEL, x] = level - 1
        gain = price[x] - rate[level - 1]
    return gain


@kernel(
    "i8(i4[::1], i4[::1], i8[::1], i8[::1], i8[::1], i1[::1], i8[::1], i8[::1], i4[::1], i4[:,::1], i8[::1], i8[::1], "
    "i8[::1], i8, i8)"
)
def run(
    tail: Rows,
    head: Rows,
    cost: Ints,
    cap: Ints,
    flow: Ints,
    side: Signs,
    rate: Ints,
    begin: Ints,
    curved: Rows,
    tree: Rows,
    price: Ints,
    z: Ints,
    forced: Ints,
    block: int,
    most: int,
) -> int:
    """Pivot until nothing gains; return how often, UNBOUNDED, or TOO_MANY after `most` pivots.

    `forced` are arcs, and len(arcs) + x for the curve of node x, that stand between two bounds outside the tree: they
    enter first, whether they gain or not. `curved` are the nodes whose curves are priced.
    """
    arcs, position, done = len(tail), 0, 0
    while done < most:
        is_forced = done < len(forced)
        if is_forced:
            found = forced[done]
        else:
            found, gain, position = choose(tail, head, cost, side, rate, curved, tree, price, block, position)
            if found < 0:
                return done
        done += 1
        if found < arcs:
            gain = price[head[found]] - price[tail[found]] - cost[found]
            u, v, arc = tail[found], head[found], found
            if gain < 0:
                u, v = v, u
        else:
            x, arc = found - arcs if is_forced else curved[found - arcs], CURVE
            gain = turn(rate, begin, tree, price, z, x)
            u, v = (0, x) if gain >= 0 else (x, 0)
        moved = pivot(tail, head, cost, cap, flow, side, rate, begin, tree, price, z, u, v, arc, abs(gain))
        if moved == UNBOUNDED:
            return UNBOUNDED
    return TOO_MANY
