"""What a weight costs, who bears a loss and how a payment is split: examples, then properties."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settlement.rules import (
    AccountKind,
    Entry,
    Kind,
    Prices,
    bill_line,
    cost,
    down_payment,
    due_on,
    spend,
    split,
)

EGGS = Prices(producer_idr=26_500, collection_idr=60, freight_idr=620, scarcity_idr=190)


def balances(entries: list[Entry]) -> Counter[AccountKind]:
    """What each account owes, below 0 what it is owed."""
    sums: Counter[AccountKind] = Counter()
    for entry in entries:
        sums[entry.debit] += entry.amount_idr
        sums[entry.credit] -= entry.amount_idr
    return sums


def test_within_the_tolerance_the_loaded_weight_is_paid_and_nobody_bears_a_loss() -> None:
    owed = balances(bill_line(loaded_g=1_000_000, payable_g=1_000_000, unit_weight_g=1000, prices=EGGS, fee_permille=0))
    assert owed == {
        AccountKind.BUYER: 27_370_000,
        AccountKind.PRODUCER: -26_690_000,
        AccountKind.COLLECTION: -60_000,
        AccountKind.CARRIER: -620_000,
    }


def test_beyond_it_the_producer_bears_the_goods_and_their_way() -> None:
    entries = bill_line(loaded_g=1_000_000, payable_g=900_000, unit_weight_g=1000, prices=EGGS, fee_permille=5)
    by_kind = {entry.kind: entry.amount_idr for entry in entries}
    assert by_kind == {
        Kind.GOODS: 23_850_000,
        Kind.SCARCITY: 171_000,
        Kind.COLLECTION: 54_000,
        Kind.FREIGHT: 558_000,
        Kind.COLLECTION_OF_LOSS: 6_000,
        Kind.FREIGHT_OF_LOSS: 62_000,
        Kind.HUB_FEE: 119_250,
    }
    owed = balances(entries)
    assert owed[AccountKind.CARRIER] == -620_000
    assert owed[AccountKind.PRODUCER] == -(23_850_000 + 171_000 - 6_000 - 62_000 - 119_250)


def test_goods_that_are_lost_leave_the_producer_with_their_freight() -> None:
    owed = balances(bill_line(loaded_g=500_000, payable_g=0, unit_weight_g=1000, prices=EGGS, fee_permille=5))
    assert (owed[AccountKind.BUYER], owed[AccountKind.PRODUCER]) == (0, 500 * 680)


@pytest.mark.parametrize(
    ("weight_g", "price_idr", "unit_weight_g", "rupiah"),
    [(1, 500, 1000, 1), (1, 499, 1000, 0), (3, 1500, 1000, 5), (250, 4000, 250, 4000), (0, 10**8, 1, 0)],
)
def test_half_a_rupiah_counts_as_one(weight_g: int, price_idr: int, unit_weight_g: int, rupiah: int) -> None:
    assert cost(weight_g, price_idr, unit_weight_g) == rupiah


price = st.integers(0, 10**8)


@given(
    loaded=st.integers(1, 10**9),
    lost=st.integers(0, 10**9),
    unit=st.integers(1, 100_000),
    prices=st.builds(Prices, st.integers(1, 10**8), price, price, price),
    fee=st.integers(0, 1000),
)
def test_every_bill_balances_to_the_rupiah(loaded: int, lost: int, unit: int, prices: Prices, fee: int) -> None:
    payable = max(0, loaded - lost)
    entries = bill_line(loaded_g=loaded, payable_g=payable, unit_weight_g=unit, prices=prices, fee_permille=fee)
    assert all(entry.amount_idr > 0 and entry.debit != entry.credit for entry in entries)
    owed = balances(entries)
    assert sum(owed.values()) == 0
    parts = (prices.producer_idr, prices.scarcity_idr, prices.collection_idr, prices.freight_idr)
    assert owed[AccountKind.BUYER] == sum(cost(payable, part, unit) for part in parts)
    assert -owed[AccountKind.CARRIER] == cost(loaded, prices.freight_idr, unit)
    assert -owed[AccountKind.COLLECTION] == cost(loaded, prices.collection_idr, unit)


def test_one_payment_reaches_every_producer_by_the_written_rule() -> None:
    """100 over 1:1:1 leaves one rupiah, which goes to the first of equal fractions."""
    assert split(100, {"a": 50, "b": 50, "c": 50}) == {"a": 34, "b": 33, "c": 33}
    assert split(10, {"a": 1, "b": 2, "c": 30}) == {"b": 1, "c": 9}
    assert split(33, {"a": 1, "b": 2, "c": 30}) == {"a": 1, "b": 2, "c": 30}
    assert split(0, {"a": 1}) == {}


@pytest.mark.parametrize(("amount", "dues"), [(2, {"a": 1}), (-1, {"a": 1}), (1, {}), (1, {"a": 2, "b": -1})])
def test_what_is_not_due_cannot_be_split(amount: int, dues: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot be split"):
        split(amount, dues)


@given(dues=st.dictionaries(st.integers(0, 99), st.integers(0, 10**15), min_size=1, max_size=12), data=st.data())
def test_splits_add_up_and_nobody_gets_more_than_its_due(dues: dict[int, int], data: st.DataObject) -> None:
    total = sum(dues.values())
    amount = data.draw(st.integers(0, total))
    parts = split(amount, dues)
    assert sum(parts.values()) == amount
    for key, part in parts.items():
        assert 0 < part <= dues[key]
        # never a whole rupiah away from its exact part
        assert abs(part * total - amount * dues[key]) < total


@given(
    dues=st.dictionaries(st.integers(0, 99), st.integers(0, 10**12), min_size=1, max_size=6),
    payments=st.lists(st.integers(1, 10**12), max_size=6),
)
def test_payments_one_after_another_never_pay_a_due_twice(dues: dict[int, int], payments: list[int]) -> None:
    left = dict(dues)
    for payment in payments:
        amount = min(payment, sum(left.values()))
        for key, part in split(amount, left).items():
            left[key] -= part
    assert all(open_idr >= 0 for open_idr in left.values())
    assert sum(left.values()) == max(0, sum(dues.values()) - sum(payments))


@given(st.integers(0, 10**12), st.lists(st.tuples(st.integers(0, 5), st.integers(-(10**9), 10**12)), max_size=8))
def test_what_is_spent_and_what_is_left_are_the_amount(amount: int, opens: list[tuple[int, int]]) -> None:
    parts, left = spend(amount, opens)
    assert sum(parts.values()) + left == amount
    assert left == 0 or sum(parts.values()) == sum(max(0, open_idr) for _, open_idr in opens)


def test_the_oldest_bill_is_paid_first() -> None:
    assert spend(150, [("first", 100), ("second", 100)]) == ({"first": 100, "second": 50}, 0)
    assert spend(250, [("first", 100), ("second", 100)]) == ({"first": 100, "second": 100}, 50)


@pytest.mark.parametrize(
    ("terms", "day"),
    [
        ("cash", date(2026, 12, 1)),
        ("down_payment", date(2026, 12, 1)),
        ("net_7", date(2026, 12, 8)),
        ("net_14", date(2026, 12, 15)),
        ("net_30", date(2026, 12, 31)),
    ],
)
def test_terms_say_when_a_bill_is_due(terms: str, day: date) -> None:
    assert due_on(terms, date(2026, 12, 1)) == day


def test_a_down_payment_is_a_part_of_the_orders_value() -> None:
    assert down_payment(276_300_000, 30) == 82_890_000
    assert down_payment(5, 10) == 1
