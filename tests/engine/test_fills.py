"""The search over smallest fills: warm answers change its cost and nothing else."""

from collections.abc import Callable

import numpy as np
import pytest

from app.engine import simplex
from app.engine.book import open_book
from app.engine.clear import clear
from app.engine.compiled import Ints
from app.engine.components import reach_of
from app.engine.fills import Branch, Relaxation, search
from app.engine.flows import Optimum
from app.engine.joint import Solved, alone
from app.engine.memory import Memory
from app.engine.network import Network, build
from benchmarks.fills import choosy, settled
from benchmarks.instances import full
from tests.engine.markets import random_market

Within = Callable[[Relaxation, Ints, Ints, Optimum | None], Branch | None]


def networks(seed: int) -> list[tuple[Network, Solved]]:
    book = random_market(seed + 170_000, orders=6, pools=2, fills=0.5, ties=seed % 2 == 0)
    found = [(net, alone(net, Memory())) for net in (build(open_book(book, pool)) for pool in book.pools)]
    return [(net, root) for net, root in found if root is not None]


def cold(within: Within) -> Within:
    """Return a search that asks every question anew and settles its ties at once."""

    def asked(self: Relaxation, low: Ints, high: Ints, _: Optimum | None) -> Branch | None:
        branch = within(self, low, high, None)
        return None if branch is None else self.tied(branch)

    return asked


def test_a_warm_search_finds_what_a_cold_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surplus, ties, fills and who is turned away, in 200 markets small enough to be searched whole."""
    cases = [case for seed in range(200) for case in networks(seed)]
    warm = [search(net, (), root, reach_of(net)) for net, root in cases]
    monkeypatch.setattr(Relaxation, "within", cold(Relaxation.within))
    searched = 0
    for (net, root), found in zip(cases, warm, strict=True):
        other = search(net, (), root, reach_of(net))
        assert found.value == other.value
        fills = [branch.solved.flow[: len(net.orders)].tolist() for branch in (found, other)]
        assert fills[0] == fills[1]
        searched += found.solved is not root
    assert searched > 50


#: what moves loads between equal flows once left a flow without prices here
NO_PRICES = (709, 3359)


@pytest.mark.parametrize("block", range(8))
def test_smallest_fills_on_shared_departures_clear_and_pass_the_audit(block: int) -> None:
    """An audit that does not hold, or a flow without prices, is an error."""
    for s in (*range(block, 320, 8), *NO_PRICES[block : block + 1]):
        book = random_market(
            s + 2_000_000, orders=4 + s % 6, pools=1 + s % 3, tight=s % 4 != 0, fills=0.2 * (s % 4), ties=s % 5 == 0
        )
        assert clear(book).certificate.checked, s


def pivots(monkeypatch: pytest.MonkeyPatch, net: Network, root: Solved) -> int:
    """Return the pivots of a search; where nobody starts warm, of as many cold solutions."""
    spent: list[int] = []

    def counting(*question: object) -> simplex.State:
        state = solve(*question)  # type: ignore[arg-type]
        spent.append(state.pivots)
        return state

    solve = simplex.solve
    with monkeypatch.context() as patch:
        patch.setattr(simplex, "solve", counting)
        search(net, (), root, reach_of(net))
    return sum(spent)


def test_a_child_starts_from_its_parent_s_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pivots are counted, and a search whose children start from nothing is the control."""
    net = choosy(full(300, 20, 1), 0.2, 1)
    root = alone(net, Memory())
    assert root is not None
    warm = pivots(monkeypatch, net, root)
    monkeypatch.setattr(Relaxation, "within", cold(Relaxation.within))
    assert warm < pivots(monkeypatch, net, root) / 4


@pytest.mark.parametrize("seed", [1, 2])
def test_a_book_with_many_smallest_fills_has_prices_and_a_proof(seed: int) -> None:
    net = choosy(full(500, 20, seed), 0.2, seed)
    surplus, missed, holds = settled(net)
    assert holds
    assert surplus > 0
    assert missed > 0


def test_a_fill_below_the_smallest_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: without turning anybody away what holds no longer holds."""
    net = choosy(full(500, 20, 1), 0.2, 1)

    def idle(net: Network, _rows: object, root: Solved, _reach: int) -> Branch:
        return Branch(np.zeros(net.arcs, dtype=np.int64), net.cap, root)

    monkeypatch.setattr("benchmarks.fills.search", idle)
    assert not settled(net)[2]
