"""Numbers, terms and progress of orders."""

import pytest

from app.orders.rules import (
    TRANSITIONS,
    PaymentTerms,
    Progress,
    State,
    Terms,
    anything_loaded,
    is_delivered,
    order_number,
    terms_of,
)


def test_a_number_tells_the_year_and_goes_on_counting() -> None:
    assert order_number(123, 2026) == "BTC-2026-000123"
    assert order_number(1_234_567, 2027) == "BTC-2027-1234567"


def test_an_order_leads_to_settled_or_cancelled_and_no_further() -> None:
    ends = {to for _, to in TRANSITIONS} - {before for before, _ in TRANSITIONS}
    assert ends == {State.SETTLED, State.CANCELLED}
    assert [before for before, to in TRANSITIONS if to is State.CANCELLED] == [State.CONFIRMED]


def test_terms_default_to_one_percent_and_thirty_percent_down() -> None:
    assert terms_of(PaymentTerms.CASH) == Terms(PaymentTerms.CASH, 0, 1)
    assert terms_of(PaymentTerms.DOWN_PAYMENT) == Terms(PaymentTerms.DOWN_PAYMENT, 30, 1)
    assert terms_of(PaymentTerms.NET_7, down_payment_percent=50, tolerance_percent=0) == Terms(PaymentTerms.NET_7, 0, 0)
    assert terms_of(PaymentTerms.DOWN_PAYMENT, down_payment_percent=50).down_payment_percent == 50


@pytest.mark.parametrize(
    ("lines", "so_far"),
    [
        ([Progress(10, 0, 0)], (False, False)),
        ([Progress(10, 10, 0), Progress(5, 0, 0)], (True, False)),
        ([Progress(10, 10, 10), Progress(5, 5, 0)], (True, False)),
        ([Progress(10, 10, 10), Progress(0, 0, 0)], (True, True)),
    ],
)
def test_an_order_is_delivered_when_all_that_is_ordered_was_received(
    lines: list[Progress], so_far: tuple[bool, bool]
) -> None:
    assert (anything_loaded(lines), is_delivered(lines)) == so_far
