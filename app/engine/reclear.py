"""Clearing again after a few changes: what it costs follows the changes, not the orders.

1. The curves of the changed orders' nodes are amended. 2. The simplex goes on from the state before. 3. An order trades
otherwise only where it changed itself, or the price or the injection of its node did: only such nodes are dealt anew.
4. These orders and every arc are proven anew; for all other orders nothing that the proof before used has changed.
"""

import numpy as np

from app.engine.bands import Orders, by_node_and_price, certify, fills
from app.engine.columns import members
from app.engine.compiled import Ints
from app.engine.curves import Curves, make_curves
from app.engine.simplex import Arcs, solve

#: bits of a limb: the worth of an order has up to 57
LIMB = 30


class Reclearing:
    """A market that stays solved and proven while the quantities of its orders change; 0 is an order that is gone."""

    def __init__(self, nodes: int, arcs: Arcs, orders: Orders) -> None:
        """Solve cold and prove. Raises as `simplex.solve` and `bands.certify` do."""
        sort = by_node_and_price(orders.node, orders.price)
        below = np.zeros(nodes, dtype=np.int64)
        np.add.at(below, orders.node[~orders.offer], orders.quantity[~orders.offer])
        self._place = np.empty(len(sort), dtype=np.int64)
        self._place[sort] = np.arange(len(sort))
        self._orders = _some(orders, sort)
        self._begin = np.searchsorted(self._orders.node, np.arange(nodes + 1))
        self._arcs = arcs
        self._curves = make_curves(nodes, self._orders.node, self._orders.price, self._orders.quantity, below)
        self.state = solve(arcs, self._curves)
        self._fill = fills(self._orders, self.state)
        #: rupiah
        self.surplus = certify(arcs, self._orders, self.state, self._fill)
        self._worth = _worth(self._orders, self._fill)

    @property
    def fill(self) -> Ints:
        """What each order trades, shape (orders,), base units, in the order in which they were given."""
        return np.asarray(self._fill[self._place])

    def change(self, which: Ints, quantity: Ints) -> None:
        """Give orders new quantities, shapes (changes,), none of them twice; solve warm and prove again.

        Raises as `simplex.solve` and `bands.certify` do; after that the market is not to be used any more.
        """
        place, orders = self._place[which], self._orders
        price, z = self.state.price.copy(), self.state.z.copy()
        more = quantity - orders.quantity[place]
        self._curves = amend(self._curves, *_by_level(_some(orders, place), more))  # 1
        self.state = solve(self._arcs, self._curves, self.state)  # 2
        touched = (self.state.price != price) | (self.state.z != z)  # 3
        touched[orders.node[place]] = True
        nodes = np.flatnonzero(touched)
        again = members(self._begin[nodes], self._begin[nodes + 1])[1]
        others = self._worth - _worth(_some(orders, again), self._fill[again])
        orders.quantity[place] = quantity
        dealt = _some(orders, again)
        self._fill[again] = fill = fills(dealt, self.state)
        proven = certify(self._arcs, dealt, self.state, fill, np.where(touched, 0, self.state.z))  # 4
        self.surplus, self._worth = proven + others, others + _worth(dealt, fill)


def _some(orders: Orders, which: Ints) -> Orders:
    """Return some of the orders."""
    return Orders(orders.node[which], orders.price[which], orders.quantity[which], orders.offer[which])


def _worth(orders: Orders, fill: Ints) -> int:
    """Return limits less asks of what is traded, rupiah, added up in two limbs."""
    each = np.where(orders.offer, -fill, fill) * orders.price
    return (int((each >> LIMB).sum()) << LIMB) + int((each & (2**LIMB - 1)).sum())


def _by_level(orders: Orders, more: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return the changes of orders by (node, price), sorted: nodes, prices, what comes, and what requests ask more."""
    (node, price), number = np.unique(np.stack([orders.node, orders.price]), axis=1, return_inverse=True)
    amount, below = np.zeros(len(node), dtype=np.int64), np.zeros(len(node), dtype=np.int64)
    np.add.at(amount, number, more)
    np.add.at(below, number, np.where(orders.offer, 0, more))
    return node, price, amount, below


def amend(curves: Curves, node: Ints, rate: Ints, amount: Ints, below: Ints) -> Curves:
    """Return the curves after changes, at most one for each (node, rate), sorted by both; those given are used up.

    Shapes: (changes,). `amount` comes to the level, `below` is how much more requests ask for. A level that loses all
    stays, without width.
    """
    changes = list(zip(node.tolist(), rate.tolist(), amount.tolist(), below.tolist(), strict=True))
    place = [_place(curves, x, price) for x, price, _, _ in changes]
    new = [i for i, (_, price, _, _) in enumerate(changes) if curves.rate[place[i]] != price]
    start, rates, begin = curves.start, curves.rate, curves.begin
    if new:
        at = np.array([place[i] for i in new], dtype=np.int64)
        start = start + np.concatenate([[0], np.cumsum(np.bincount(node[new], minlength=len(start) - 1))])
        rates, begin = np.insert(rates, at, rate[new]), np.insert(begin, at, begin[at])
    curved = np.zeros(len(start) - 1, dtype=bool)
    curved[curves.curved] = curved[node] = True
    changed = Curves(start, rates, begin, np.flatnonzero(curved).astype(np.int32))
    for x, price, more, asked in changes:
        begin[_place(changed, x, price) + 1 : start[x + 1] - 1] += more
        begin[start[x] + 1 : start[x + 1] - 1] -= asked
    return changed


def _place(curves: Curves, node: int, price: int) -> int:
    """Return the first level of a node at a price or above it."""
    first, last = int(curves.start[node]), int(curves.start[node + 1]) - 1
    return first + int(np.searchsorted(curves.rate[first:last], price))
