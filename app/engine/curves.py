"""Price curves: how much is injected at a node at which price, level by level.

Every curve begins and ends with a sentinel level, at -FAR and FAR, without bound: every injection is on some level.
"""

from dataclasses import dataclass

import numpy as np

from app.engine.compiled import Ints, Rows

#: price of the sentinels: beyond any path's, and four times it fits into 64 bits
FAR = 2**60
#: beyond any injection
END = 2**60


@dataclass(frozen=True, slots=True)
class Curves:
    """Levels of all nodes one after the other: of node v those from start[v] to start[v + 1], the last one an end."""

    #: shape (nodes + 1,)
    start: Ints
    #: shape (levels,): rupiah per base unit, rising within a node
    rate: Ints
    #: shape (levels,): the injection at which the level begins, base units, rising within a node
    begin: Ints
    #: shape (curved nodes,): numbers of the nodes that have a level beside the sentinels
    curved: Rows


def make_curves(nodes: int, node: Ints, rate: Ints, amount: Ints, below: Ints) -> Curves:
    """Return curves with one level for each (node, rate), given sorted by both, amounts of 0 left out.

    Shapes: node, rate, amount (rows,); below (nodes,): the base units asked for, so that z = 0 is where nothing trades.
    """
    used = amount > 0
    node, rate, amount = node[used], rate[used], amount[used]
    first = np.ones(len(node), dtype=bool)
    first[1:] = (node[1:] != node[:-1]) | (rate[1:] != rate[:-1])
    heads = np.flatnonzero(first)
    node, rate = node[heads], rate[heads]
    amount = np.add.reduceat(amount, heads) if len(heads) else amount
    count = np.bincount(node, minlength=nodes)
    start = np.concatenate([[0], np.cumsum(count + 3)]).astype(np.int64)
    rates, begins = np.full(start[-1], FAR), np.full(start[-1], END)
    rates[start[:-1]], begins[start[:-1]] = -FAR, -END
    place = np.arange(len(node)) + 3 * node + 1
    rates[place] = rate
    total = np.concatenate([[0], np.cumsum(amount)])
    base = np.concatenate([[0], np.cumsum(count)])
    begins[place] = total[:-1] - total[base[node]] - below[node]
    begins[start[1:] - 2] = total[base[1:]] - total[base[:-1]] - below
    return Curves(start, rates, begins, np.flatnonzero(count).astype(np.int32))
