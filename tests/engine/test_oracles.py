"""Ties, smallest fills and prices against solvers that know nothing of networks."""

from collections import defaultdict
from itertools import chain, combinations

import pytest
from ortools.sat.python import cp_model

from app.engine.book import open_book
from app.engine.clear import clear
from app.engine.components import settle_market
from app.engine.model import Clearing, Demand, Listing, Market
from app.engine.network import build
from tests.engine.markets import random_market
from tests.engine.pairwise import Pair, pairs

Name = tuple[str, str, str]


class Pairwise:
    """The pairwise programme of a market, open to other rows and another aim."""

    def __init__(self, book: Market, without: frozenset[Name] = frozenset()) -> None:
        self.model = cp_model.CpModel()
        self.ways: list[tuple[Pair, cp_model.IntVar]] = []
        self.fill: defaultdict[Name, list[cp_model.IntVar]] = defaultdict(list)
        load = defaultdict(list)
        for pair in pairs(book):
            offer, request = ("listing", *pair.listing_key), ("demand", *pair.demand_key)
            if {offer, request} & without:
                continue
            x = self.model.new_int_var(0, min(pair.listing.quantity, pair.demand.quantity), "")
            self.ways.append((pair, x))
            self.fill[offer].append(x)
            self.fill[request].append(x)
            if pair.departure is not None:
                load[pair.departure.id, pair.departure.free_g].append(x * pair.pool.unit_weight_g)
        for name, order in named(book).items():
            self.model.add(sum(self.fill[name]) <= order.quantity)
        for (_, free), terms in load.items():
            self.model.add(sum(terms) <= free)

    def surplus(self) -> cp_model.LinearExpr:
        return cp_model.LinearExpr.sum([x * pair.gain for pair, x in self.ways])

    def most(self, aim: cp_model.LinearExpr) -> tuple[int, cp_model.CpSolver] | None:
        self.model.maximize(aim)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.solve(self.model) != cp_model.OPTIMAL:
            return None
        return round(solver.objective_value), solver


def named(book: Market) -> dict[Name, Listing | Demand]:
    return {
        (side, pool.commodity, order.id): order
        for pool in book.pools
        for side, orders in (("listing", pool.listings), ("demand", pool.demands))
        for order in orders
    }


def fills(clearing: Clearing) -> dict[Name, int]:
    found: defaultdict[Name, int] = defaultdict(int)
    for m in clearing.matches:
        found["listing", m.commodity, m.listing_id] += m.quantity
        found["demand", m.commodity, m.demand_id] += m.quantity
    return dict(found)


def is_linear(book: Market) -> bool:
    """Whether every pool was solved alone, without a shared departure."""
    networks = {pool.commodity: build(open_book(book, pool)) for pool in book.pools}
    return not any(part.rows for part in settle_market(networks))


def posting_breaks_ties(seed: int) -> None:
    """Rupiah * K + (V - rank - rank), as one objective: the engine reaches its optimum in stages.

    Without rows one flow alone has it; where departures are shared, and the gap is 0, as much is required.
    """
    book = random_market(seed + 50_000, orders=6, ties=True, tight=seed % 2 == 1)
    clearing, programme, orders = clear(book), Pairwise(book), named(book)
    if clearing.certificate.gap_idr:
        return
    placed = {name for pair, _ in programme.ways for name in sides(pair)}
    posted = sorted(placed, key=lambda n: (orders[n].posted_at, orders[n].id, n[0] == "listing", n[1]))
    rank = {name: place for place, name in enumerate(posted, 1)}
    volume, scale = 2 * len(rank) + 1, 4 * len(rank) + 2
    tie = [volume - sum(rank[name] for name in sides(pair)) for pair, _ in programme.ways]
    gain = [x * (pair.gain * scale + more) for (pair, x), more in zip(programme.ways, tie, strict=True)]
    found = programme.most(cp_model.LinearExpr.sum(gain))
    assert found is not None
    done = fills(clearing)
    ours = sum(fill * ((volume if name[0] == "listing" else 0) - rank[name]) for name, fill in done.items())
    assert clearing.certificate.surplus_idr * scale + ours == found[0], seed
    if is_linear(book):
        one = {name: sum(found[1].value(x) for x in parts) for name, parts in programme.fill.items()}
        assert {name: fill for name, fill in one.items() if fill} == done, seed


def sides(pair: Pair) -> tuple[Name, Name]:
    return ("listing", *pair.listing_key), ("demand", *pair.demand_key)


@pytest.mark.parametrize("block", range(10))
def test_fills_are_those_of_one_programme_in_which_posting_breaks_ties(block: int) -> None:
    for seed in range(block * 40, block * 40 + 40):
        posting_breaks_ties(seed)


def earliest_arrival_carries(seed: int) -> None:
    """With the same fills at the same surplus no other choice of departures arrives earlier in total."""
    book = random_market(seed + 60_000, orders=6, ties=True, tight=seed % 2 == 1)
    clearing, programme = clear(book), Pairwise(book)
    if clearing.certificate.gap_idr:
        return
    done = fills(clearing)
    for name, parts in programme.fill.items():
        programme.model.add(sum(parts) == done.get(name, 0))
    programme.model.add(programme.surplus() == clearing.certificate.surplus_idr)
    days = [x * -(p.day if p.departure is None else p.departure.arrives_on) for p, x in programme.ways]
    found = programme.most(cp_model.LinearExpr.sum(days))
    assert found is not None
    assert sum(m.quantity * m.arrives_on for m in clearing.matches) == -found[0], seed


@pytest.mark.parametrize("block", range(10))
def test_among_departures_the_earliest_arrival_carries(block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        earliest_arrival_carries(seed)


@pytest.mark.parametrize("block", range(15))
def test_smallest_fills_give_the_most_that_any_choice_of_rejected_orders_gives(block: int) -> None:
    """Prices exist for a result exactly if it is optimal without the orders turned away, ignoring smallest fills."""
    for seed in range(block * 10, block * 10 + 10):
        book = random_market(seed + 70_000, orders=5, fills=0.4, ties=seed % 3 == 0)
        if not is_linear(book):
            continue
        orders = named(book)
        choosy = [name for name, order in orders.items() if min(order.min_quantity, order.quantity) > 1]
        best = 0
        for away in chain.from_iterable(combinations(choosy, size) for size in range(len(choosy) + 1)):
            without = frozenset(away)
            free, held = Pairwise(book, without), Pairwise(book, without)
            for name in set(choosy) - without:
                order = orders[name]
                held.model.add(sum(held.fill[name]) >= min(order.min_quantity, order.quantity))
            most, kept = free.most(free.surplus()), held.most(held.surplus())
            if most is not None and kept is not None and most[0] == kept[0]:
                best = max(best, kept[0])
        assert clear(book).certificate.surplus_idr == best, seed


@pytest.mark.parametrize("tight", [False, True])
def test_no_pair_is_left_that_would_gain_at_the_prices_where_a_departure_has_room(*, tight: bool) -> None:
    """Also between orders that traded elsewhere or not at all: an order without a price stands for its own."""
    for seed in range(300):
        book = random_market(seed + 80_000, orders=5, pools=2, tight=tight)
        clearing = clear(book)
        weight = {pool.commodity: pool.unit_weight_g for pool in book.pools}
        room: defaultdict[str | None, int] = defaultdict(int, {k.id: k.free_g for k in book.departures})
        hub: dict[Name, int] = {}
        delivered: dict[Name, int] = {}
        for m in clearing.matches:
            hub["listing", m.commodity, m.listing_id] = m.producer_price_idr + m.collection_idr
            delivered["demand", m.commodity, m.demand_id] = m.delivered_price_idr
            room[m.departure_id] -= m.quantity * weight[m.commodity]
        for pair in pairs(book):
            if pair.departure is None or room[pair.departure.id] >= pair.pool.unit_weight_g:
                s, d = pair.listing, pair.demand
                cost = s.ask_idr + s.collection_idr
                freight = d.limit_idr - cost - pair.gain
                pays = delivered.get(("demand", *pair.demand_key), d.limit_idr)
                assert pays - freight <= hub.get(("listing", *pair.listing_key), cost), seed
