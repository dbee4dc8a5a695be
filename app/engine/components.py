"""The whole market: pools alone where they can be, joined where they share a departure that would be overfull."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.engine.claim import Arc, Bound, Claim
from app.engine.compiled import Ints
from app.engine.door import check_range
from app.engine.fills import Branch, rejected, search
from app.engine.joint import Proof, Solved, alone, common_grams, finish, make_rows, relax
from app.engine.memory import Memory
from app.engine.model import Listing
from app.engine.network import Network, join
from app.engine.prices import Published, exist, publish
from app.engine.question import Row, worth


@dataclass(slots=True)
class Part:
    """Pools that are solved together, on the way to a result."""

    commodities: tuple[str, ...]
    net: Network
    rows: list[Row] = field(default_factory=list)
    reach: int = 1
    root: Solved | None = None
    branch: Branch | None = None
    #: the root without who was turned away
    final: Solved | None = None
    flow: Ints | None = None


@dataclass(frozen=True, slots=True)
class Component:
    """Pools that were solved together: network, whole flow, published prices, and what proves them."""

    commodities: tuple[str, ...]
    net: Network
    rows: tuple[Row, ...]
    #: shape (arcs,), base units
    flow: Ints
    published: Published
    #: order arcs turned away for their smallest fill
    turned_away: Ints
    proof: Proof
    linear_proof: Proof
    #: rupiah
    surplus: int
    gap: int
    linear_gap: int

    @property
    def price(self) -> Ints:
        """Published prices at the nodes, shape (nodes,), rupiah per base unit."""
        return self.published.price

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return matched base units and surplus in rupiah by commodity."""
        found: dict[str, tuple[int, int]] = {}
        sold = self.flow[: len(self.net.orders)].tolist()
        for name, order, fill in zip(self.net.commodity, self.net.orders, sold, strict=True):
            quantity, surplus = found.get(name, (0, 0))
            if isinstance(order, Listing):
                cost = order.ask_idr + order.collection_idr
                found[name] = (quantity + fill, surplus - fill * cost)
            else:
                found[name] = (quantity, surplus + fill * order.limit_idr)
        return found

    def claim(self) -> Claim:
        """Return the claim that the audit is to examine."""
        net, named = self.net, [None if leg.departure is None else leg.departure.id for leg in self.net.legs]
        orders = [
            (name, "listing" if isinstance(order, Listing) else "demand", order.id)
            for name, order in zip(net.commodity, net.orders, strict=True)
        ]
        least = net.least.tolist()
        columns = (net.tail, net.head, net.cost, net.cap, self.flow, net.leg, net.weight)
        arcs = []
        for number, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            tail, head, cost, cap, flow, leg, weight = row
            departure = named[leg] if leg >= 0 else None
            if number < len(orders):
                arcs.append(Arc(tail, head, cost, cap, flow, order=orders[number], least=least[number]))
            else:
                arcs.append(Arc(tail, head, cost, cap, flow, departure, weight if departure is not None else 0))
        return Claim(
            commodities=self.commodities,
            arcs=arcs,
            price=self.price.tolist(),
            turned_away=frozenset(self.turned_away.tolist()),
            allotted=frozenset(named[int(net.leg[arc])] or "" for arc in self.published.allotted),
            bound=self._bound(self.proof),
            linear_bound=self._bound(self.linear_proof),
            surplus=self.surplus,
            gap=self.gap,
            linear_gap=self.linear_gap,
        )

    def _bound(self, proof: Proof) -> Bound:
        prices = zip(self.rows, proof.row_price, strict=True)
        return Bound(
            proof.scale, proof.price.tolist(), tuple((row.departure, row.grams, price) for row, price in prices)
        )


def settle_market(networks: dict[str, Network], memory: Memory | None = None) -> list[Component]:
    """Return the components of a market, solved; `networks` by commodity; `memory` makes it faster, and nothing else.

    1. Every pool alone, capacity on each arc. 2. While departures are overfull in total: join the pools that load them
    and solve those again with capacity on each departure; ties, smallest fills and stage B shift loads and may
    overfill departures in turn. 3. Prices and proofs. Raises ArithmeticError where that does not end.
    """
    grams = common_grams(networks.values())
    memory = memory or Memory()
    parts = [Part((name,), net, reach=reach_of(net), root=alone(net, memory)) for name, net in networks.items()]  # 1
    while True:  # 2
        for part in parts:
            part.root = part.root or relax(part.net, part.rows, _none(part.net), part.net.cap)
            if part.rows:
                memory.keep_part(part.commodities, part, part.net.arcs)
        flows = [part.root.flow for part in parts if part.root is not None]
        if not _overfull(parts, flows):
            flows = [_finish(part) for part in parts]
        overfull = _overfull(parts, flows)
        if not overfull:
            return [_component(part) for part in parts]  # 3
        joined = _join(parts, flows, networks, overfull, grams)
        if _shape(joined) == _shape(parts):  # the same questions would be asked for ever
            message = f"departures stay overfull whoever shares them: {', '.join(sorted(overfull))}"
            raise ArithmeticError(message)
        parts = [_again(part, memory) for part in joined]


def _shape(parts: Sequence[Part]) -> list[tuple[tuple[str, ...], bool]]:
    """Return who is solved together, and with rows or without."""
    return [(part.commodities, bool(part.rows)) for part in parts]


def _again(part: Part, memory: Memory) -> Part:
    """Return a joined part with the answer it had, where it asks what it asked then."""
    before = memory.recall_part(part.commodities)
    if part.root is not None or not isinstance(before, Part) or not _same(part, before):
        return part
    return replace(part, root=before.root, branch=before.branch, final=before.final, flow=before.flow)


def _same(one: Part, other: Part) -> bool:
    """Whether two parts ask the same in every figure; who asks does not matter but for the order of posting."""

    def figures(part: Part) -> list[Ints]:
        net, on = part.net, [column for row in part.rows for column in (row.arcs, row.units)]
        capacity = np.array([row.capacity for row in part.rows])
        return [net.tail, net.head, net.cost, net.cap, net.leg, net.weight, net.least, net.turn, capacity, *on]

    def ways(part: Part) -> list[tuple[str, int]]:
        return [(leg.lane, leg.arrives_on) for leg in part.net.legs]

    a, b = figures(one), figures(other)
    return len(a) == len(b) and all(map(np.array_equal, a, b)) and ways(one) == ways(other)


def _none(net: Network) -> Ints:
    return np.zeros(net.arcs, dtype=np.int64)


def reach_of(net: Network, rows: Sequence[Row] = ()) -> int:
    """Return a price above every path's, refusing a network whose figures could overflow.

    A row's price is at most an order's, for a unit of the row's weight: a base unit that weighs more pays it as often.
    """
    orders = len(net.orders)
    return check_range(
        price_idr=int(np.abs(net.cost[:orders]).max(initial=0)),
        units=max((int(row.units.max()) for row in rows), default=1),
        freight_idr=int(net.cost[orders:].max(initial=0)),
        departure_arcs=int((net.leg >= 0).sum()),
        orders=orders,
    )


def _overfull(parts: Sequence[Part], flows: Sequence[Ints]) -> frozenset[str]:
    """Return the departures that carry more grams than are free."""
    load: Counter[str] = Counter()
    free: dict[str, int] = {}
    for part, flow in zip(parts, flows, strict=True):
        for name, grams in _loads(part.net, flow):
            load[name] += grams
        free |= {leg.departure.id: leg.departure.free_g for leg in part.net.legs if leg.departure is not None}
    return frozenset(name for name, grams in load.items() if grams > free[name])


def _loads(net: Network, flow: Ints) -> Iterable[tuple[str, int]]:
    """Yield what each loaded departure arc carries, grams."""
    for arc in np.flatnonzero((net.leg >= 0) & (flow > 0)).tolist():
        departure = net.legs[int(net.leg[arc])].departure
        if departure is not None:
            yield departure.id, int(flow[arc]) * int(net.weight[arc])


def _join(
    parts: Sequence[Part],
    flows: Sequence[Ints],
    networks: dict[str, Network],
    overfull: frozenset[str],
    grams: dict[str, int],
) -> list[Part]:
    """Join the parts that load an overfull departure, and give them rows; the others stay as they are.

    What one departure cannot carry moves to the next and overfills that one: a joined part gets the rows of all its
    departures at once, or it would be solved once for each.
    """
    groups: list[tuple[list[Part], set[str]]] = []
    for part, flow in zip(parts, flows, strict=True):
        names = {name for name, _ in _loads(part.net, flow)} & overfull
        meeting = [group for group in groups if group[1] & names]
        groups = [group for group in groups if group not in meeting]
        groups.append(([p for group in meeting for p in group[0]] + [part], names.union(*(g[1] for g in meeting))))
    result = []
    for members, names in groups:
        if names:
            commodities = tuple(sorted(name for member in members for name in member.commodities))
            net = join([networks[name] for name in commodities])
            rows = make_rows(net, grams)
            result.append(Part(commodities, net, rows, reach_of(net, rows)))
        else:
            result += members
    return sorted(result, key=lambda part: part.commodities)


def _finish(part: Part) -> Ints:
    """Return the part's flow after the search over smallest fills and after stage B."""
    if part.root is None:
        message = "a part was to be finished before it was solved"
        raise ValueError(message)
    if part.branch is None or part.flow is None:
        part.branch = search(part.net, part.rows, part.root, part.reach)
        if part.branch.solved is part.root and not part.rows:
            part.flow = part.root.flow
            return part.flow
        solved = part.branch.solved
        part.flow = finish(part.net, part.rows, solved, part.branch.low, part.branch.high)
        if part.rows and (part.net.least > 1).any() and not exist(part.net, part.rows, part.flow, part.reach):
            part.flow = solved.flow  # an equal flow, but with smallest fills not every one has prices
    return part.flow


def _component(part: Part) -> Component:
    """Publish prices and gather the proofs: without lower bounds on fills, with and without who was turned away."""
    net, root, branch, flow = part.net, part.root, part.branch, part.flow
    if root is None or branch is None or flow is None:
        message = "a part was to be published before it was solved"
        raise ValueError(message)
    if part.final is None:
        part.final = root if branch.solved is root else relax(net, part.rows, _none(net), branch.high) or root
    final = part.final
    surplus = worth(net.cost, flow)
    exact = final.bound == surplus and final.exact
    return Component(
        commodities=part.commodities,
        net=net,
        rows=tuple(part.rows),
        flow=flow,
        published=publish(net, part.rows, flow, final.proof if part.rows and exact else None, part.reach),
        turned_away=rejected(net, branch),
        proof=final.proof,
        linear_proof=root.proof,
        surplus=surplus,
        gap=final.bound - surplus,
        linear_gap=root.bound - surplus,
    )
