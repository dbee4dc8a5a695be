"""The last solved state of each pool: a book with few changes is solved warm. A cache: it may be lost at any time.

Nothing that comes out depends on it: of all optimal flows and prices `joint` goes on with those that are unique. Pools
joined by shared departures have no unique answer: theirs is taken again only where nothing in them changed.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from app.engine.compiled import Ints
from app.engine.flows import Optimum, Programme
from app.engine.ground import Grounds
from app.engine.network import Network
from app.engine.pivots import CURVE, PARENT, PRED
from app.engine.simplex import State, plant

#: arcs of all states together: at 60 to 150 bytes each with what hangs on them
MOST_ARCS = 4_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A basis, and by which names to find its nodes in another network of the pool."""

    names: tuple[Hashable, ...]
    #: shape (inner arcs,): node numbers, in the order of the basis
    tail: Ints
    head: Ints
    state: State


class Memory:
    """The last state of each pool, the one used least lately forgotten first."""

    def __init__(self, most_arcs: int = MOST_ARCS) -> None:
        """Remember nothing yet."""
        self._most_arcs = most_arcs
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._parts: OrderedDict[tuple[str, ...], tuple[object, int]] = OrderedDict()
        self.grounds = Grounds(most_arcs)
        #: how often a state was found
        self.recalled = 0

    def recall(self, pool: str, net: Network, programme: Programme) -> Optimum | None:
        """Return a state of the pool's last network carried over to this one, None where there is none."""
        kept = self._kept.get(pool)
        if kept is None:
            return None
        self.recalled += 1
        return programme.started(_carry(kept, net, *programme.inner))

    def keep(self, pool: str, net: Network, programme: Programme, found: Optimum) -> None:
        """Remember the state of a pool that was just solved."""
        self._kept.pop(pool, None)
        if found.state is not None:
            self._kept[pool] = Kept(net.names, *programme.inner, found.state)
        while sum(len(kept.tail) for kept in self._kept.values()) > self._most_arcs:
            self._kept.popitem(last=False)

    def recall_part(self, pools: tuple[str, ...]) -> object | None:
        """Return what was last remembered of these joined pools, None where nothing was."""
        part, _ = self._parts.get(pools, (None, 0))
        return part

    def keep_part(self, pools: tuple[str, ...], part: object, arcs: int) -> None:
        """Remember joined pools of so many arcs that were just solved."""
        self._parts.pop(pools, None)
        self._parts[pools] = part, arcs
        while sum(arcs for _, arcs in self._parts.values()) > self._most_arcs:
            self._parts.popitem(last=False)


def _carry(kept: Kept, net: Network, tail: Ints, head: Ints) -> State:
    """Return a kept basis on another network: what is in both stays as it was.

    1. Nodes by name, arcs by their ends. 2. An arc of both keeps its flow. 3. A node keeps its parent where the arc
    between them is still there; else it hangs on the market by its curve. 4. Injections are what flows require.
    """
    number = {name: place for place, name in enumerate(net.names)}
    place = np.array([number.get(name, -1) for name in kept.names], dtype=np.int64)  # 1
    arc = _found(place[kept.tail], place[kept.head], tail, head, net.nodes)
    both = np.flatnonzero(arc >= 0)
    flow = np.zeros(len(tail), dtype=np.int64)
    flow[arc[both]] = kept.state.flow[both]  # 2
    pred = kept.state.tree[PRED]
    held = np.flatnonzero((pred != CURVE) & (np.arange(len(pred)) > 0))  # 3
    held = held[arc[pred[held]] >= 0]
    parent, by = np.zeros(net.nodes, dtype=np.int64), np.full(net.nodes, CURVE, dtype=np.int64)
    parent[place[held]] = place[kept.state.tree[PARENT, held]]
    by[place[held]] = arc[pred[held]]
    z = np.zeros(net.nodes, dtype=np.int64)  # 4
    np.add.at(z, tail, flow)
    np.subtract.at(z, head, flow)
    by[0] = 0
    return State(plant(parent, by), np.zeros(net.nodes, dtype=np.int64), z, flow)


def _found(old_tail: Ints, old_head: Ints, tail: Ints, head: Ints, nodes: int) -> Ints:
    """Return for each old arc, its ends numbered anew (-1: gone), the arc between the same ends, -1 where none is."""
    key = tail * nodes + head
    sort = np.argsort(key)
    wanted = np.where((old_tail < 0) | (old_head < 0), -1, old_tail * nodes + old_head)
    at = np.minimum(np.searchsorted(key[sort], wanted), len(key) - 1)
    if not len(key):
        return np.full(len(wanted), -1, dtype=np.int64)
    return np.asarray(np.where(key[sort[at]] == wanted, sort[at], -1))
