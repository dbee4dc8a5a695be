"""Which weight is paid, how it is split, what a dispute may decide."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shipments.rules import (
    TRANSITIONS,
    Outcome,
    State,
    decided_g,
    ends_at_acknowledgement,
    is_plausible,
    payable_g,
    shares,
    shipment_number,
)


def test_a_shipment_is_loaded_then_leaves_then_arrives() -> None:
    assert list(TRANSITIONS) == [(State.LOADING, State.IN_TRANSIT), (State.IN_TRANSIT, State.ARRIVED)]
    assert shipment_number(7, 2026) == "SJ-2026-000007"


@pytest.mark.parametrize(
    ("delivery", "accepted_g", "paid_g"),
    [
        ("franco", 1_000_000, 1_000_000),
        # more than was loaded: two scales
        ("franco", 1_004_000, 1_000_000),
        # one percent exactly is within the tolerance
        ("franco", 990_000, 1_000_000),
        ("franco", 989_999, 989_999),
        ("franco", 0, 0),
        ("loco", 500_000, 1_000_000),
    ],
)
def test_the_risk_bearer_carries_what_is_beyond_the_tolerance(delivery: str, accepted_g: int, paid_g: int) -> None:
    paid = payable_g(loaded_g=1_000_000, accepted_g=accepted_g, delivery=delivery, tolerance_percent=1)
    assert paid == paid_g


def test_without_tolerance_every_gram_counts() -> None:
    assert payable_g(loaded_g=1000, accepted_g=999, delivery="franco", tolerance_percent=0) == 999


A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_what_does_not_divide_goes_to_the_largest_remainder_then_to_the_lower_id() -> None:
    assert shares(100, {A: 1, B: 1, C: 1}) == {A: 34, B: 33, C: 33}
    # 33.3 and 66.7
    assert shares(100, {A: 1000, B: 2000}) == {A: 33, B: 67}
    assert shares(0, {A: 5, B: 7}) == {A: 0, B: 0}


@given(
    st.dictionaries(st.uuids(), st.integers(1, 10**12), min_size=1, max_size=20),
    st.integers(0, 10**6),
)
def test_shares_add_up_to_the_gram_and_no_line_gets_more_than_it_loaded(loaded: dict[UUID, int], part: int) -> None:
    payable = sum(loaded.values()) * part // 10**6
    parts = shares(payable, loaded)
    assert sum(parts.values()) == payable
    total = sum(loaded.values())
    for line, weight in loaded.items():
        assert 0 <= parts[line] <= weight
        assert abs(parts[line] * total - payable * weight) < total


@pytest.mark.parametrize(
    ("outcome", "stated_g", "by_rule_g", "decided"),
    [
        (Outcome.REJECTED, None, 900, 900),
        (Outcome.SPLIT, 950, 900, 950),
        (Outcome.SPLIT, None, 900, None),
        (Outcome.UPHELD, 800, 900, 800),
        # producers objected to a loss: they are paid what was loaded
        (Outcome.UPHELD, None, 900, 1000),
        # the buyer objected although the loss was within the tolerance: it pays what it accepted
        (Outcome.UPHELD, None, 1000, 900),
    ],
)
def test_an_outcome_means_a_weight(outcome: Outcome, stated_g: int | None, by_rule_g: int, decided: int | None) -> None:
    assert decided_g(outcome, stated_g, by_rule_g=by_rule_g, loaded_g=1000, accepted_g=900) == decided


def test_the_buyers_word_ends_what_costs_nobody_anything() -> None:
    assert ends_at_acknowledgement(payable=1000, loaded=1000)
    assert not ends_at_acknowledgement(payable=999, loaded=1000)


@pytest.mark.parametrize(("grams", "plausible"), [(400, False), (200_000, True), (600_000, True), (600_001, False)])
def test_kilograms_typed_for_grams_are_noticed(grams: int, plausible: int) -> None:
    assert is_plausible(grams, 400, 1000) == plausible
