"""Large books on small networks: solve a coarse book, then only the orders near its prices, then look at all.

1. A histogram by (node, price >> shift), at most CELLS cells, gives coarse curves; solve.
2. A band of a few bins around each node's coarse price: orders inside it are kept exactly, those below and above it are
   lumped together just outside. Sort what is kept, solve warm.
3. Where every price lies in its band, the lumps stand on the right side of it: the answer is that of all orders. Where
   not, the band of that node is widened about the new price and step 2 repeats.

No figure is rounded: z counts base units throughout, and step 3 is exact. Loops over all orders ask nothing and add to
one place or another instead: half of the orders trade, which no processor guesses.
"""

from dataclasses import dataclass

import numpy as np

from app.engine.compiled import Bools, Ints, Rows, kernel
from app.engine.curves import Curves, make_curves
from app.engine.simplex import Arcs, State, solve

#: cells of the histogram at most
CELLS = 300_000
#: orders to a cell at least: with fewer, making the coarse curves costs more than a narrower band saves
CROWD = 8
#: bins on either side of a coarse price that are kept at first
MARGIN = 1
#: below this many orders a sort is as fast
LARGE = 20_000


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders as columns, shape (orders,): an offer injects at its node, a request takes away."""

    node: Ints
    #: rupiah per base unit
    price: Ints
    #: base units
    quantity: Ints
    offer: Bools


@kernel("void(i8[::1], i8[::1], i8[::1], b1[::1], i8, i8, i8[:,::1], i8[:,::1])")
def tally(node: Ints, price: Ints, quantity: Ints, offer: Bools, least: int, by: int, cells: Ints, sides: Ints) -> None:
    """Add the base units of orders up: `cells` (nodes, bins), and by side, requests first, `sides` (nodes, 2)."""
    for i in range(len(node)):
        x = np.uint64(node[i])
        cells[x, (price[i] - least) >> by] += quantity[i]
        sides[x, int(offer[i])] += quantity[i]


@kernel("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:,::1])")
def sift(node: Ints, price: Ints, quantity: Ints, low: Ints, high: Ints, kept: Ints, lumps: Ints) -> int:
    """Write the numbers of orders with low <= price <= high of their node; add up what is below, inside, and above.

    `low` and `high` have the shape (nodes,), `kept` room for all orders, `lumps` the shape (nodes, 3), base units.
    """
    count = 0
    for i in range(len(node)):
        x = np.uint64(node[i])
        where = 1 + int(price[i] > high[x]) - int(price[i] < low[x])
        lumps[x, where] += quantity[i]
        kept[count] = i
        count += where == 1
    return count


@kernel("void(i8[::1], i8[::1], i8[::1], b1[::1], i8[::1], i8[::1], i8[::1])")
def deal(node: Ints, price: Ints, quantity: Ints, offer: Bools, level: Ints, z: Ints, fill: Ints) -> None:
    """Write what each order trades at the prices `level`; `z` are injections and are used up, both of shape (nodes,).

    1. Who is strictly in the money trades all: below zero is all ones when shifted. 2. What is then missing of z is
    dealt to those at the price in turn.
    """
    for i in range(len(node)):
        x, sign = np.uint64(node[i]), 2 * int(offer[i]) - 1
        fill[i] = quantity[i] & (sign * (price[i] - level[x]) >> 63)
        z[x] -= sign * fill[i]
    for i in range(len(node)):
        x = np.uint64(node[i])
        if price[i] == level[x]:
            if offer[i] and z[x] > 0:
                fill[i] = min(quantity[i], z[x])
                z[x] -= fill[i]
            elif not offer[i] and z[x] < 0:
                fill[i] = min(quantity[i], -z[x])
                z[x] += fill[i]


def fills(orders: Orders, state: State) -> Ints:
    """Return what each order trades in a solved state, shape (orders,), base units; equals in the order given."""
    fill = np.empty(len(orders.node), dtype=np.int64)
    deal(orders.node, orders.price, orders.quantity, orders.offer, state.price, state.z.copy(), fill)
    return fill


@kernel(
    "i8(i4[::1], i4[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], b1[::1], i8[::1], i8[::1], i8[::1],"
    " i8[::1])"
)
def weigh(
    tail: Rows,
    head: Rows,
    cost: Ints,
    cap: Ints,
    flow: Ints,
    node: Ints,
    price: Ints,
    quantity: Ints,
    offer: Bools,
    fill: Ints,
    level: Ints,
    balance: Ints,
    limbs: Ints,
) -> int:
    """Count what breaks bounds, balance or slackness; write the surplus in limbs of 30 bits, the high one first.

    `balance` holds what orders that are not among these inject, and is used up.
    """
    wrong, above, below = 0, 0, 0
    for i in range(len(node)):
        x, sign = np.uint64(node[i]), 2 * int(offer[i]) - 1
        gain, traded = sign * (level[x] - price[i]), fill[i]
        room = quantity[i] - traded
        wrong += (traded < 0) | (room < 0) | ((gain > 0) & (room > 0)) | ((gain < 0) & (traded > 0))
        balance[x] += sign * traded
        worth = -sign * traded * price[i]
        above += worth >> 30
        below += worth & (2**30 - 1)
    for j in range(len(tail)):
        gain, room = level[head[j]] - level[tail[j]] - cost[j], cap[j] - flow[j]
        wrong += (flow[j] < 0) | (room < 0) | ((gain > 0) & (room > 0)) | ((gain < 0) & (flow[j] > 0))
        balance[tail[j]] -= flow[j]
        balance[head[j]] += flow[j]
        worth = -flow[j] * cost[j]
        above += worth >> 30
        below += worth & (2**30 - 1)
    for place in range(1, len(level)):
        wrong += balance[place] != 0
    limbs[0], limbs[1] = above, below
    return wrong


def certify(arcs: Arcs, orders: Orders, state: State, fill: Ints, others: Ints | None = None) -> int:
    """Return the surplus of a flow, in rupiah, proven optimal by its prices; ArithmeticError where it is not.

    Every arc and every order is looked at: bounds, balance, and slackness against the price of its place. `others`,
    shape (nodes,), is what orders inject that were proven before and are not among these, nor in the surplus.
    """
    limbs, balance = np.zeros(2, dtype=np.int64), np.zeros(len(state.z), dtype=np.int64)
    if others is not None:
        balance += others
    book = (orders.node, orders.price, orders.quantity, orders.offer)
    wrong = weigh(arcs.tail, arcs.head, arcs.cost, arcs.cap, state.flow, *book, fill, state.price, balance, limbs)
    if wrong:
        message = f"{wrong} bounds, balances or prices do not hold"
        raise ArithmeticError(message)
    return (int(limbs[0]) << 30) + int(limbs[1])


def solve_large(nodes: int, arcs: Arcs, orders: Orders) -> State:
    """Return the optimal state of a network with many orders; raises as `simplex.solve` does."""
    least, most = int(orders.price.min()), int(orders.price.max())
    by = max(((most - least) * nodes // min(CELLS, -(-len(orders.node) // CROWD))).bit_length(), 2)
    cells = np.zeros((nodes, ((most - least) >> by) + 1), dtype=np.int64)
    sides = np.zeros((nodes, 2), dtype=np.int64)
    tally(orders.node, orders.price, orders.quantity, orders.offer, least, by, cells, sides)  # 1
    below = sides[:, 0]
    full = np.flatnonzero(cells)
    node, bins = np.divmod(full, cells.shape[1])
    half = 1 << (by - 1)
    coarse = make_curves(nodes, node, least + (bins << by) + half, cells.ravel()[full], below)
    state = solve(arcs, coarse)
    low, high = state.price - (MARGIN << by), state.price + (MARGIN << by)
    while True:  # 2
        curves = _banded(nodes, orders, low, high, below)
        state = solve(arcs, curves, state)
        width = (high - low) * 4
        outside = (state.price < low) | (state.price > high)
        outside[0] = False
        if not outside.any():  # 3
            return state
        low = np.where(outside, state.price - width, low)
        high = np.where(outside, state.price + width, high)


def _banded(nodes: int, orders: Orders, low: Ints, high: Ints, below: Ints) -> Curves:
    """Return the curves of the orders in their bands, with a lump just below and just above each."""
    kept, lumps = np.empty(len(orders.node), dtype=np.int64), np.zeros((nodes, 3), dtype=np.int64)
    count = sift(orders.node, orders.price, orders.quantity, low, high, kept, lumps)
    kept = kept[:count]
    each = np.arange(nodes)
    node = np.concatenate([each, orders.node[kept], each])
    price = np.concatenate([low - 1, orders.price[kept], high + 1])
    quantity = np.concatenate([lumps[:, 0], orders.quantity[kept], lumps[:, 2]])
    sort = by_node_and_price(node, price)
    return make_curves(nodes, node[sort], price[sort], quantity[sort], below)


def by_node_and_price(node: Ints, price: Ints) -> Ints:
    """Return the order that sorts by node, then price, equals in any order: by one packed key where it fits."""
    if not len(node):
        return np.zeros(0, dtype=np.int64)
    least = int(price.min())
    bits = (int(price.max()) - least).bit_length()
    if int(node.max()).bit_length() + bits > 62:  # noqa: PLR2004 - said above
        return np.lexsort((price, node))
    return np.argsort((node << bits) + (price - least))
