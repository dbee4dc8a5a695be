"""A market that is cleared again after a few changes gives what a cold clearing gives, proven over all orders."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.engine import reclear
from app.engine.bands import Orders, certify, fills
from app.engine.reclear import Reclearing
from benchmarks.instances import Instance, full
from tests.engine.test_bands import arcs_of, orders_of


def changed(dice: np.random.Generator, market: Instance, reclearing: Reclearing) -> None:
    """Change some orders on the spot: gone, back, or of another size."""
    picked = dice.choice(len(market.node), 6, replace=False)
    market.quantity[picked] = dice.integers(0, 400, len(picked)) * dice.integers(0, 2, len(picked))
    reclearing.change(picked, market.quantity[picked])


@pytest.mark.parametrize("seed", range(40))
def test_five_changes_give_what_a_cold_clearing_gives(seed: int) -> None:
    """Surplus, and fills that are proven over all orders, those at untouched places too."""
    dice, market = np.random.default_rng(seed), full(60 + 10 * seed, 4, seed)
    arcs = arcs_of(market)
    reclearing = Reclearing(market.nodes, arcs, orders_of(market))
    for _ in range(5):
        changed(dice, market, reclearing)
        orders = orders_of(market)
        assert certify(arcs, orders, reclearing.state, reclearing.fill) == reclearing.surplus
        assert Reclearing(market.nodes, arcs, replace(orders, quantity=orders.quantity.copy())).surplus == (
            reclearing.surplus
        )


def test_few_orders_are_dealt_to_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    dealt: list[int] = []

    def counting(orders: Orders, state: object) -> object:
        dealt.append(len(orders.node))
        return fills(orders, state)  # type: ignore[arg-type]

    monkeypatch.setattr(reclear, "fills", counting)
    market = full(20_000, 20, 1)
    reclearing = Reclearing(market.nodes, arcs_of(market), orders_of(market))
    changed(np.random.default_rng(1), market, reclearing)
    assert dealt[0] == len(market.node)
    assert dealt[1] < dealt[0] / 20


def many_changes(market: Instance, reclearing: Reclearing) -> None:
    for seed in range(20):
        changed(np.random.default_rng(seed), market, reclearing)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a unit too much is dealt": lambda patch: patch.setattr(reclear, "fills", lambda *known: fills(*known) + 1),
    "curves are not amended": lambda patch: patch.setattr(reclear, "amend", lambda curves, *_: curves),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_no_surplus(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what is dealt or solved wrongly does not pass the proof of what was touched."""
    market = full(400, 4, 3)
    reclearing = Reclearing(market.nodes, arcs_of(market), orders_of(market))
    FAULTS[fault](monkeypatch)
    with pytest.raises(ArithmeticError):
        many_changes(market, reclearing)
