"""A flow is cut into parcels that add up to it, by machine code, by plain Python, and node by node alike."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from app.engine import clear as clearing
from app.engine import matches, parcels
from app.engine.compiled import Ints
from app.engine.network import Network
from tests.engine.markets import demand, departure, listing, market, random_market


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Network, Ints]]:
    """Collect the networks and flows that clearings cut."""
    found: list[tuple[Network, Ints]] = []

    def trade(net: Network, flow: Ints, price: Ints) -> object:
        found.append((net, flow))
        return matches.trade(net, flow, price)

    monkeypatch.setattr(clearing, "trade", trade)
    return found


def by_nodes(net: Network, flow: Ints) -> Counter[tuple[int, int, int]]:
    """Return what (offer, request, leg) trade as the rule says it: node by node, what comes sorted, then cut."""
    orders = len(net.orders)
    here: defaultdict[int, Counter[tuple[int, int, int]]] = defaultdict(Counter)
    leaving: defaultdict[int, list[int]] = defaultdict(list)
    missing: Counter[int] = Counter()
    for arc in [*np.argsort(net.turn), *range(orders, net.arcs)]:
        if flow[arc]:
            leaving[net.tail[arc]].append(arc)
            missing[net.head[arc]] += net.tail[arc] > 0
    for offer in leaving.pop(0, []):
        here[net.head[offer]][net.turn[offer], -1, offer] = flow[offer]
    found: Counter[tuple[int, int, int]] = Counter()
    while ready := [x for x in leaving if not missing[x]]:
        for x in ready:
            parts = [[*name, much] for name, much in sorted(here[x].items())]
            for arc in leaving.pop(x):
                left, to, missing[net.head[arc]] = flow[arc], net.head[arc], missing[net.head[arc]] - 1
                while left:
                    turn, leg, offer, much = parts[0]
                    part, on = min(left, much), net.leg[arc] if net.leg[arc] >= 0 else leg
                    if to == 0:
                        found[int(offer), int(arc), int(on)] += int(part)
                    here[to][turn, on, offer] += part
                    left, parts[0][3] = left - part, much - part
                    parts = parts[int(much == part) :]
    return found


def woven(seed: int) -> tuple[Network, Ints]:
    """Return a flow whose parts split and meet again: sixty ways over nine nodes, many legs, few orders."""
    dice = np.random.default_rng(seed)
    names, offers, requests = dice.permutation(np.arange(1, 10)), 6, 12
    ends = [dice.choice(9, 2, replace=False) for _ in range(24)]
    number = [(min(pair), max(pair)) for pair in ends]
    at = dice.integers(0, 9, offers + requests)
    tail = np.concatenate([np.zeros(offers, int), names[at[offers:]], [names[a] for a, _ in number]])
    head = np.concatenate([names[at[:offers]], np.zeros(requests, int), [names[b] for _, b in number]])
    flow = np.zeros(len(tail), dtype=np.int64)
    for _ in range(60):
        way = [int(dice.integers(0, offers))]
        while head[way[-1]] > 0 and (onward := np.flatnonzero(tail == head[way[-1]])).size:
            way.append(int(dice.choice(onward)))
        if head[way[-1]] == 0:
            flow[way] += int(dice.integers(1, 9))
    none, legs = np.full(offers + requests, -1), dice.integers(-1, 7, len(number))
    turn, anything = 1 + dice.permutation(offers + requests), np.zeros(len(tail), dtype=np.int64)
    orders = tuple(demand(str(i), 1, 1) for i in range(offers + requests))
    columns = (tail, head, anything, anything, np.concatenate([none, legs]), anything, anything, turn)
    return Network(10, *columns, orders, ("",) * len(orders), ()), flow


def test_parcels_are_what_every_node_cuts_in_the_order_of_posting() -> None:
    for seed in range(200):
        net, flow = woven(seed)
        rows = parcels.cut(net, flow)
        assert Counter({(a, b, leg): much for a, b, leg, much in rows.tolist()}) == by_nodes(net, flow)
        assert len(rows) <= np.count_nonzero(flow)


def test_parcels_fill_every_order_and_load_every_leg_as_the_flow_does(
    flows: list[tuple[Network, Ints]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(40):
        clearing.clear(random_market(seed + 900_000, orders=8, pools=1 + seed % 2, tight=seed % 3 == 0))
    compiled = [parcels.cut(net, flow) for net, flow in flows]
    for name in ("by_tail", "in_turn", "carry"):
        kernel = getattr(parcels, name)
        monkeypatch.setattr(parcels, name, getattr(kernel, "py_func", kernel))
    for (net, flow), rows in zip(flows, compiled, strict=True):
        orders, legs = np.zeros(len(net.orders), dtype=np.int64), np.zeros(len(net.legs), dtype=np.int64)
        for column in (0, 1):
            np.add.at(orders, rows[:, column], rows[:, 3])
        np.add.at(legs, rows[:, 2], rows[:, 3])
        np.subtract.at(legs, net.leg[net.leg >= 0], flow[net.leg >= 0])
        assert orders.tolist() == flow[: len(net.orders)].tolist()
        assert not legs.any()
        assert len(rows) <= np.count_nonzero(flow)  # accepted offers + accepted requests + arcs with flow
        assert parcels.cut(net, flow).tolist() == rows.tolist()
    assert sum(len(rows) for rows in compiled) > 40


@pytest.mark.parametrize(("first", "served"), [("a", [("a", "c"), ("b", "d")]), ("b", [("a", "d"), ("b", "c")])])
def test_the_earlier_offer_goes_to_the_earlier_request(first: str, served: list[tuple[str, str]]) -> None:
    offers = [listing(name, 5, 10, posted_at=0 if name == first else 1) for name in ("a", "b")]
    needs = [demand("c", 5, 20, posted_at=0), demand("d", 5, 20, posted_at=1)]
    found = clearing.clear(market(offers, needs, [departure("k", 1, 100)])).matches
    assert sorted((m.listing_id, m.demand_id) for m in found) == served


def test_a_flow_out_of_balance_is_not_cut() -> None:
    net, flow = woven(1)
    for arc in np.flatnonzero(flow):
        for change in (1, -1):
            wrong = flow.copy()
            wrong[arc] += change
            assert not len(parcels.cut(net, wrong))


def test_a_flow_from_where_no_goods_come_is_not_cut() -> None:
    """Node 3 has no offer and feeds node 2: its arc must not be taken for a request. The control ends one unit less."""
    tail, head, flow = np.array([0, 2, 1, 3]), np.array([1, 0, 2, 2]), np.array([5, 6, 5, 1])
    none, turn, orders = np.zeros(4, dtype=np.int64), np.array([1, 2]), (demand("0", 5, 1), demand("1", 6, 1))
    net = Network(4, tail, head, none, none, np.array([-1, -1, 0, -1]), none, none[:2], turn, orders, ("", ""), ())
    assert not len(parcels.cut(net, flow))
    assert parcels.cut(net, flow - [0, 1, 0, 1]).tolist() == [[0, 1, 0, 5]]
