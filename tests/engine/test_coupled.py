"""A market of another kind: zones of electricity, lines, prices below zero; by hand and against libraries."""

import random
from itertools import pairwise

import numpy as np
import pytest

from app.engine.bands import Orders
from app.engine.compiled import Ints
from app.engine.coupled import Coupling, couple
from app.engine.simplex import Arcs
from tests.engine.test_simplex import Book, ints, least_cost

#: zone, price a MWh, MWh, whether it is an offer
Lot = tuple[int, int, int, bool]
#: from, to, cost a MWh, MW
Line = tuple[int, int, int, int]

#: three zones in a row, lines both ways: as docs/engine.md has it
ROW: list[Line] = [(1, 2, 0, 50), (2, 1, 0, 50), (2, 3, 0, 30), (3, 2, 0, 30)]
BIDS: list[Lot] = [(1, 200, 60, False), (2, 200, 70, False), (3, 200, 60, False)]
PLANTS: list[Lot] = [(2, 50, 60, True), (3, 90, 50, True)]


def lines_of(lines: list[Line]) -> Arcs:
    columns = np.array(lines, dtype=np.int64).reshape(-1, 4).T
    return Arcs(columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2].copy(), columns[3].copy())


def orders_of(lots: list[Lot]) -> Orders:
    zone, price, quantity, offer = (list(column) for column in zip(*lots, strict=True))
    return Orders(ints(zone), ints(price), ints(quantity), np.array(offer, dtype=bool))


def prices(found: Coupling) -> list[int]:
    """Return the prices of all zones, where there is one price each."""
    assert found.lowest.tolist() == found.highest.tolist()
    return found.lowest[1:].tolist()


def test_three_zones_split_where_lines_are_full() -> None:
    """Zone 1 sends 50 of 50 to zone 2, that 30 of 30 to zone 3: each price is that of the plant that runs in part."""
    found = couple(3, lines_of(ROW), orders_of([(1, -20, 100, True), (1, 40, 100, True), *PLANTS, *BIDS]))
    assert found.fill.tolist() == [100, 10, 50, 30, 60, 70, 60]
    assert found.flow.tolist() == [50, 0, 30, 0]
    assert prices(found) == [40, 50, 90]
    assert found.surplus == 34_400


def test_too_much_wind_behind_a_full_line_makes_a_price_below_zero() -> None:
    found = couple(3, lines_of(ROW), orders_of([(1, -20, 150, True), *PLANTS, *BIDS]))
    assert found.fill.tolist() == [110, 50, 30, 60, 70, 60]
    assert prices(found) == [-20, 50, 90]
    assert found.surplus == 35_000


def test_zones_with_room_between_them_have_one_price() -> None:
    """With lines of 500 the wind and the coal of zone 1 serve 190: coal runs in part everywhere."""
    wide = [(a, b, cost, 500) for a, b, cost, _ in ROW]
    found = couple(3, lines_of(wide), orders_of([(1, -20, 100, True), (1, 40, 100, True), *PLANTS, *BIDS]))
    assert prices(found) == [40, 40, 40]
    assert found.surplus == 200 * 190 + 20 * 100 - 40 * 90
    tolls = [(a, b, 3, 500) for a, b, _, _ in ROW]
    assert prices(couple(3, lines_of(tolls), orders_of([(1, 40, 200, True), *PLANTS, *BIDS]))) == [40, 43, 46]


def test_a_range_of_prices_is_told_by_its_ends() -> None:
    """All of 10 at 30 for all of 10 at 80: any price between the two."""
    found = couple(1, lines_of([]), orders_of([(1, 30, 10, True), (1, 80, 10, False), (1, 20, 5, False)]))
    assert (found.lowest[1], found.highest[1], found.surplus) == (30, 80, 500)


def drawn(dice: random.Random) -> tuple[int, list[Line], list[Lot]]:
    """Draw zones with offers and bids in one place, parallel and opposite lines, tolls, prices of either sign, ties."""
    zones = dice.randint(1, 6)
    lines = []
    for a, b in pairwise([dice.randint(1, zones) for _ in range(dice.randint(1, 12))]):
        if a != b:
            toll = dice.choice([0, 0, 1, 7])
            lines += [(a, b, toll, dice.randint(0, 40)), (b, a, toll, dice.randint(0, 40))]
    wide = dice.choice([5, 500])
    lots = [
        (dice.randint(1, zones), dice.randint(-wide, 2 * wide), dice.randint(0, 60), dice.random() < 0.5)
        for _ in range(dice.randint(1, 30))
    ]
    return zones, lines, lots


def slack(lines: Arcs, orders: Orders, found: Coupling, price: Ints) -> bool:
    """Whether prices and quantities prove each other."""
    gain = np.where(orders.offer, price[orders.node] - orders.price, orders.price - price[orders.node])
    rent = price[lines.head] - price[lines.tail] - lines.cost
    return not (
        ((gain > 0) & (found.fill < orders.quantity)).any()
        or ((gain < 0) & (found.fill > 0)).any()
        or ((rent > 0) & (found.flow < lines.cap)).any()
        or ((rent < 0) & (found.flow > 0)).any()
    )


@pytest.mark.parametrize("block", range(4))
def test_coupled_markets_equal_other_solvers_and_both_ends_of_their_prices_hold(block: int) -> None:
    below = 0
    for seed in range(block * 100, block * 100 + 100):
        zones, rows, lots = drawn(random.Random(seed))
        lines, orders = lines_of(rows), orders_of(lots)
        found = couple(zones, lines, orders)
        none = np.zeros_like(orders.node)
        tail = np.concatenate([lines.tail, np.where(orders.offer, none, orders.node)])
        head = np.concatenate([lines.head, np.where(orders.offer, orders.node, none)])
        cost = np.concatenate([lines.cost, np.where(orders.offer, orders.price, -orders.price)])
        cap = np.concatenate([lines.cap, orders.quantity])
        assert found.surplus == -least_cost(Book(zones + 1, tail, head, cost, cap)), seed
        for price in (found.lowest, found.highest, (found.lowest + found.highest) // 2):
            assert slack(lines, orders, found, price), seed
        below += bool((found.highest[1:] < 0).any())
    assert below > 5


@pytest.mark.parametrize(
    ("lines", "lot", "error"),
    [
        ([(1, 4, 0, 5)], (1, 10, 5, True), ValueError),
        ([(2, 2, 0, 5)], (1, 10, 5, True), ValueError),
        ([], (0, 10, 5, True), ValueError),
        ([(1, 2, 0, -1)], (1, 10, 5, True), ValueError),
        ([], (1, 2**58, 5, True), OverflowError),
        ([], (1, 10, 2**60, False), OverflowError),
    ],
)
def test_what_has_no_meaning_or_does_not_fit_is_refused(lines: list[Line], lot: Lot, error: type[Exception]) -> None:
    with pytest.raises(error):
        couple(3, lines_of(lines), orders_of([lot]))
