"""The engine against independent solvers and brute force, on seeded small markets."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import chain, combinations

import pytest

from app.engine import components
from app.engine.canonical import encode_clearing
from app.engine.clear import clear
from app.engine.joint import make_rows
from app.engine.model import Clearing, Demand, Listing, Market
from app.engine.network import Network
from app.engine.question import Row
from benchmarks.books import book as seeded_book
from tests.engine.markets import TODAY, demand, departure, listing, market, random_market
from tests.engine.pairwise import best_surplus


def filled(clearing: Clearing) -> dict[tuple[str, str, str], int]:
    totals: dict[tuple[str, str, str], int] = {}
    for match in clearing.matches:
        for key in (
            (match.commodity, "listing", match.listing_id),
            (match.commodity, "demand", match.demand_id),
        ):
            totals[key] = totals.get(key, 0) + match.quantity
    return totals


def orders_of(book: Market) -> list[tuple[tuple[str, str, str], Listing | Demand]]:
    return [
        ((pool.commodity, side, order.id), order)
        for pool in book.pools
        for side, orders in (("listing", pool.listings), ("demand", pool.demands))
        for order in orders
    ]


def short_of_fill(book: Market, clearing: Clearing) -> list[tuple[str, str, str]]:
    done = filled(clearing)
    return [key for key, order in orders_of(book) if 0 < done.get(key, 0) < min(order.min_quantity, order.quantity)]


@pytest.mark.parametrize("block", range(20))
def test_two_thousand_markets_equal_an_independent_solver(block: int) -> None:
    """Grades, windows, freshness, chilled lanes, loco, agreements, ties; shared departures in half of them."""
    for seed in range(block * 100, block * 100 + 100):
        tight = seed % 2 == 1
        book = random_market(seed, orders=4, pools=1 + seed % 3, tight=tight, ties=seed % 5 == 0)
        clearing = clear(book)
        certificate, best = clearing.certificate, best_surplus(book)
        assert certificate.surplus_idr == best, seed
        assert certificate.lp_gap_idr >= certificate.gap_idr >= 0, seed
        assert (certificate.status == "optimal") == (certificate.gap_idr == 0), seed


@pytest.mark.parametrize("seed", range(150))
def test_smallest_fills_lie_between_what_prices_allow_and_what_quantities_allow(seed: int) -> None:
    """No worse than any choice of rejected orders whose plain optimum keeps all fills, no better than without fills."""
    book = random_market(seed + 5000, orders=3, fills=0.5, tight=seed % 3 == 0)
    clearing = clear(book)
    assert short_of_fill(book, clearing) == []
    choosy = [key for key, order in orders_of(book) if min(order.min_quantity, order.quantity) > 1]
    best = 0
    for rejected in chain.from_iterable(combinations(choosy, size) for size in range(len(choosy) + 1)):
        trial = clear(without(book, set(rejected)))
        if not short_of_fill(without(book, set(rejected), fills=True), trial) and trial.certificate.gap_idr == 0:
            best = max(best, trial.certificate.surplus_idr)
    assert best <= clearing.certificate.surplus_idr <= best_surplus(book)


def without(book: Market, rejected: set[tuple[str, str, str]], *, fills: bool = False) -> Market:
    """Return the market without some orders, and, unless `fills`, without smallest fills."""
    pools = tuple(
        replace(
            pool,
            listings=tuple(
                order if fills else replace(order, min_quantity=1)
                for order in pool.listings
                if (pool.commodity, "listing", order.id) not in rejected
            ),
            demands=tuple(
                order if fills else replace(order, min_quantity=1)
                for order in pool.demands
                if (pool.commodity, "demand", order.id) not in rejected
            ),
        )
        for pool in book.pools
    )
    return replace(book, pools=pools)


def test_the_whole_optimum_is_below_the_fractional_one() -> None:
    """One departure carries several freshness steps: the linear programme gives 29, the whole optimum is 25."""
    days = {"first_day": TODAY, "last_day": TODAY + 2}
    book = market(
        [listing("A", 2, 3, best_before=TODAY + 3, **days), listing("B", 1, 3, best_before=TODAY + 1, **days)],
        [demand("C", 2, 14, min_life_days=0, **days), demand("D", 1, 17, min_life_days=2, **days)],
        [departure("k1", 1, 1), departure("k2", 2, 1), departure("k3", 2, 1)],
    )
    clearing = clear(book)
    assert clearing.certificate.surplus_idr == best_surplus(book) == 25
    assert clearing.certificate.gap_idr <= 4


@pytest.mark.parametrize("seed", range(60))
def test_the_same_bytes_come_out_for_permuted_input(seed: int) -> None:
    book = random_market(seed + 9000, orders=5, pools=2, tight=seed % 2 == 0, fills=0.2, ties=True)
    dice = random.Random(seed)

    def shuffled(rows: tuple) -> tuple:  # type: ignore[type-arg]
        return tuple(dice.sample(rows, len(rows)))

    pools = [
        replace(pool, listings=shuffled(pool.listings), demands=shuffled(pool.demands)) for pool in shuffled(book.pools)
    ]
    other = Market(tuple(pools), shuffled(book.departures), shuffled(book.agreements), book.first_departure_day)
    assert encode_clearing(clear(other)) == encode_clearing(clear(book))


def test_the_same_bytes_come_out_for_any_hash_seed_and_number_of_threads() -> None:
    program = (
        "from tests.engine.markets import random_market as m; from app.engine.canonical import *;"
        "from app.engine.clear import clear;"
        "print([sha256(encode_clearing(clear(m(s, orders=6, pools=2, tight=True, fills=0.3)))) for s in range(8)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "NUMBA_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed, threads in (("0", "1"), ("1", "2"), ("4242", "4"))
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("seed", range(200))
def test_money_adds_up_to_the_rupiah(seed: int) -> None:
    """Payments = receipts + collection + freight + scarcity; gains and savings add up to the surplus."""
    book = random_market(seed + 20000, orders=5, pools=2, tight=seed % 2 == 0)
    clearing = clear(book)
    orders = dict(orders_of(book))
    surplus = scarcity = 0
    for m in clearing.matches:
        parts = m.producer_price_idr + m.collection_idr + m.freight_idr + m.scarcity_idr
        assert parts == m.delivered_price_idr
        ask = orders[m.commodity, "listing", m.listing_id].ask_idr  # type: ignore[union-attr]
        limit = orders[m.commodity, "demand", m.demand_id].limit_idr  # type: ignore[union-attr]
        assert m.producer_price_idr >= ask
        assert m.delivered_price_idr <= limit
        surplus += m.quantity * (m.producer_price_idr - ask + limit - m.delivered_price_idr)
        scarcity += m.quantity * m.scarcity_idr
    assert surplus + scarcity == clearing.certificate.surplus_idr


def test_equals_are_treated_equally() -> None:
    """One hub price for equal goods on one departure; one delivered price a demand, one producer price a listing."""
    for seed in range(200):
        book = random_market(seed + 30000, orders=6, tight=seed % 2 == 0)
        orders = dict(orders_of(book))
        prices: dict[object, set[int]] = {}
        for m in clear(book).matches:
            s = orders[m.commodity, "listing", m.listing_id]
            assert isinstance(s, Listing)
            goods = (m.departure_id, m.departs_on, s.hub, s.grade, s.best_before, s.best_before_chilled)
            prices.setdefault(goods, set()).add(m.producer_price_idr + m.collection_idr)
            prices.setdefault(("s", m.listing_id), set()).add(m.producer_price_idr)
            prices.setdefault(("d", m.demand_id), set()).add(m.delivered_price_idr)
        assert all(len(found) == 1 for found in prices.values()), seed


def test_a_book_of_two_thousand_orders_clears_to_a_proven_optimum() -> None:
    clearing = clear(seeded_book(2000, seed=7))
    assert (clearing.certificate.status, clearing.certificate.gap_idr) == ("optimal", 0)
    assert len(clearing.matches) > 500


def test_departures_that_stay_overfull_are_an_error_and_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are too large by a unit let the same departure be overfull again and again."""

    def too_large(net: Network, grams: dict[str, int]) -> list[Row]:
        return [replace(row, capacity=row.capacity + 1) for row in make_rows(net, grams)]

    monkeypatch.setattr(components, "make_rows", too_large)
    with pytest.raises(ArithmeticError, match="stay overfull"):
        clear(random_market(900_067, orders=4, pools=2, tight=True))
