"""The histogram and the band give what the whole book gives; amended curves are those made anew."""

from dataclasses import replace

import numpy as np
import pytest

from app.engine import bands
from app.engine.bands import Orders, by_node_and_price, certify, fills, solve_large
from app.engine.compiled import Ints
from app.engine.curves import Curves, make_curves
from app.engine.reclear import amend
from app.engine.simplex import Arcs, solve
from benchmarks.instances import Instance, full, simple


def arcs_of(market: Instance) -> Arcs:
    return Arcs(market.tail.astype(np.int32), market.head.astype(np.int32), market.cost, market.cap)


def orders_of(market: Instance) -> Orders:
    return Orders(market.node, market.price, market.quantity, market.offer)


def curves_of(market: Instance) -> Curves:
    sort, below = by_node_and_price(market.node, market.price), np.zeros(market.nodes, dtype=np.int64)
    np.add.at(below, market.node[~market.offer], market.quantity[~market.offer])
    return make_curves(market.nodes, market.node[sort], market.price[sort], market.quantity[sort], below)


@pytest.mark.parametrize("seed", range(12))
def test_a_band_gives_the_surplus_of_the_whole_book(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few cells, so that bands have to be widened too."""
    market = simple(3000, 12, seed)
    arcs, orders = arcs_of(market), orders_of(market)
    monkeypatch.setattr(bands, "CELLS", 40 if seed % 2 else 4000)
    banded, whole = solve_large(market.nodes, arcs, orders), solve(arcs, curves_of(market))
    assert certify(arcs, orders, banded, fills(orders, banded)) == certify(arcs, orders, whole, fills(orders, whole))


def test_a_certificate_refuses_a_fill_that_prices_forbid() -> None:
    market = simple(500, 8, 1)
    arcs, orders = arcs_of(market), orders_of(market)
    state = solve(arcs, curves_of(market))
    fill = fills(orders, state)
    certify(arcs, orders, state, fill)
    for change in (1, -1):
        wrong = fill.copy()
        wrong[int(np.argmax(fill))] += change
        with pytest.raises(ArithmeticError):
            certify(arcs, orders, state, wrong)


def test_a_warm_answer_on_amended_curves_is_the_cold_one() -> None:
    market, dice = full(2000, 6, 3), np.random.default_rng(5)
    arcs, curves = arcs_of(market), curves_of(market)
    state = solve(arcs, curves)
    for _ in range(5):
        picked = dice.choice(len(market.node), 40, replace=False)
        fresh = dice.integers(0, 400, len(picked))
        curves = amended(curves, market, picked, fresh - market.quantity[picked])
        market.quantity[picked] = fresh
        state = solve(arcs, curves, state)
        orders, cold = orders_of(market), solve(arcs, curves_of(market))
        assert certify(arcs, orders, state, fills(orders, state)) == certify(arcs, orders, cold, fills(orders, cold))


def test_orders_that_come_to_prices_old_and_new_amend_curves_to_those_made_anew() -> None:
    """First only quantities at prices that are there, then a hundred orders at others, some at nodes without a book."""
    market = full(1500, 6, 3)
    late = np.arange(len(market.node)) % 20 == 0
    fewer = replace(
        market,
        node=market.node[~late],
        price=market.price[~late],
        quantity=market.quantity[~late],
        offer=market.offer[~late],
    )
    more = replace(fewer, quantity=fewer.quantity + 3)
    curves = amended(curves_of(fewer), fewer, np.arange(len(fewer.node)), more.quantity - fewer.quantity)
    assert same(curves, curves_of(more))
    whole = replace(market, quantity=np.where(late, market.quantity, market.quantity + 3))
    anew = curves_of(whole)
    assert len(anew.curved) > len(curves.curved)
    assert same(amended(curves, market, np.flatnonzero(late), market.quantity[late]), anew)


def same(one: Curves, other: Curves) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("start", "rate", "begin", "curved")
    )


def amended(curves: Curves, market: Instance, picked: Ints, change: Ints) -> Curves:
    keys = np.stack([market.node[picked], market.price[picked]])
    (node, price), number = np.unique(keys, axis=1, return_inverse=True)
    amount, below = np.zeros(len(node), dtype=np.int64), np.zeros(len(node), dtype=np.int64)
    np.add.at(amount, number, change)
    np.add.at(below, number, np.where(market.offer[picked], 0, change))
    return amend(curves, node, price, amount, below)


def test_orders_in_another_sequence_give_the_same_surplus_and_prices_scale() -> None:
    """Metamorphic: permuted, and with prices, freight and all times three."""
    market, dice = full(1500, 6, 4), np.random.default_rng(6)
    arcs, orders = arcs_of(market), orders_of(market)
    state = solve(arcs, curves_of(market))
    surplus = certify(arcs, orders, state, fills(orders, state))
    turn = dice.permutation(len(market.node))
    turned = replace(
        market,
        node=market.node[turn],
        price=market.price[turn],
        quantity=market.quantity[turn],
        offer=market.offer[turn],
    )
    other = solve(arcs, curves_of(turned))
    assert certify(arcs, orders_of(turned), other, fills(orders_of(turned), other)) == surplus
    thrice = replace(market, price=market.price * 3, cost=market.cost * 3)
    more = solve(arcs_of(thrice), curves_of(thrice))
    assert certify(arcs_of(thrice), orders_of(thrice), more, fills(orders_of(thrice), more)) == 3 * surplus
