"""What the engine refuses to compute with, and that it is exact up to there."""

from dataclasses import replace

import pytest

from app.engine import door
from app.engine.clear import clear
from app.engine.door import MarketRefusedError, check_range
from app.engine.model import Agreement, Market
from tests.engine.markets import CITY, HUB, TODAY, demand, departure, listing, market

BOOK = market([listing("s", 5, 10)], [demand("d", 5, 20)], [departure("k", 1, 9)])


def changed(rows: str, **changes: object) -> Market:
    """Change the only row of one kind."""
    (pool,) = BOOK.pools
    if rows == "pool":
        return replace(BOOK, pools=(replace(pool, **changes),))
    if rows == "agreement":
        return replace(BOOK, agreements=(Agreement(**{"hub": HUB, "region": CITY, "first_day": 0, **changes}),))
    if rows == "departure":
        return replace(BOOK, departures=(replace(BOOK.departures[0], **changes),))
    return replace(BOOK, pools=(replace(pool, **{rows: (replace(getattr(pool, rows)[0], **changes),)}),))


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        ("listings", {"quantity": 0}),
        ("listings", {"quantity": 10**9 + 1}),
        ("listings", {"quantity": 5.0}),
        ("listings", {"quantity": True}),
        ("listings", {"ask_idr": -1}),
        ("listings", {"ask_idr": 10**8 + 1}),
        ("listings", {"collection_idr": -1}),
        ("listings", {"grade": 0}),
        ("listings", {"best_before": -1}),
        ("listings", {"best_before_chilled": -1}),
        ("listings", {"min_quantity": -1}),
        ("listings", {"first_day": -1}),
        ("listings", {"posted_at": 2**63}),
        ("demands", {"quantity": 0}),
        ("demands", {"limit_idr": -1}),
        ("demands", {"limit_idr": 10**8 + 1}),
        ("demands", {"min_grade": 0}),
        ("demands", {"min_life_days": -1}),
        ("demands", {"last_day": 10**9}),
        ("demands", {"loco": True, "last_day": 10**6, "first_day": 0}),
        ("departure", {"freight_idr_per_kg": -1}),
        ("departure", {"free_g": -1}),
        ("departure", {"departs_on": -1}),
        ("departure", {"arrives_on": TODAY}),
        ("agreement", {"first_day": -1, "last_day": TODAY}),
        ("agreement", {"last_day": -1}),
        ("pool", {"unit_weight_g": 0}),
        ("pool", {"listings": (listing("s", 5, 10), listing("s", 5, 11))}),
        ("pool", {"demands": (demand("d", 5, 10), demand("d", 5, 11))}),
    ],
)
def test_a_figure_out_of_bounds_is_refused(rows: str, changes: dict[str, object]) -> None:
    if changes.get("loco"):  # the stock must wait as long as the buyer
        book = changed("listings", first_day=0, last_day=10**6)
        book = replace(book, pools=(replace(book.pools[0], demands=changed(rows, **changes).pools[0].demands),))
    else:
        book = changed(rows, **changes)
    with pytest.raises(MarketRefusedError):
        clear(book)


def test_names_that_differ_only_in_normal_form_are_one_name_twice() -> None:
    offers = (listing("caf\u00e9", 5, 10), listing("cafe\u0301", 5, 11))
    with pytest.raises(MarketRefusedError, match="occurs twice"):
        clear(changed("pool", listings=offers))


def test_pools_of_one_name_are_refused() -> None:
    with pytest.raises(MarketRefusedError, match="occurs twice"):
        clear(replace(BOOK, pools=BOOK.pools * 2))


def test_more_orders_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = tuple(listing(name, 5, 10) for name in "abc")
    assert clear(changed("pool", listings=offers)).certificate.checked
    assert door.MAX_ORDERS == 10**6
    monkeypatch.setattr(door, "MAX_ORDERS", 2)
    with pytest.raises(MarketRefusedError, match="listings must be a whole number from 0 to 2, not 3"):
        clear(changed("pool", listings=offers))


def test_prices_along_a_path_must_fit_into_60_bits() -> None:
    bounds = {"price_idr": 10**8, "freight_idr": 10**8, "orders": 10**6}
    assert check_range(**bounds, departure_arcs=1000) > 10**8 + 1000 * 2 * 10**8
    with pytest.raises(MarketRefusedError, match="60 bits"):
        check_range(**bounds, departure_arcs=10_000)


def test_money_is_exact_at_the_bounds_of_price_and_quantity() -> None:
    """Two grades share a departure, so that a row is priced at these figures too."""
    book = market(
        [listing("s", 10**9, 0), listing("t", 10**9, 1, grade=2)],
        [demand("d", 10**9, 10**8), demand("e", 10**9, 10**8 - 1, min_grade=2)],
        [departure("k", 1, 10**9 + 7)],
    )
    certificate = clear(book).certificate
    assert (certificate.gap_idr, certificate.surplus_idr) == (0, 10**17 + 7 * (10**8 - 2))


def test_a_row_s_price_counts_as_often_as_a_base_unit_weighs() -> None:
    """Goods of a gram and of a ton share a departure: a rupiah a gram is a million a ton."""
    prices = {"price_idr": 10**8, "freight_idr": 0, "departure_arcs": 2, "orders": 4}
    assert check_range(**prices) < check_range(**prices, units=10**6)
    light = replace(BOOK.pools[0], commodity="a", unit_weight_g=1, listings=(listing("s", 10, 0),))
    light = replace(light, demands=(demand("d", 10, 10**8),))
    heavy = replace(light, commodity="b", unit_weight_g=10**9)
    book = replace(BOOK, pools=(light, heavy), departures=(replace(departure("k", 1, 1), free_g=10**9 + 5),))
    with pytest.raises(MarketRefusedError, match="60 bits"):
        clear(book)
    assert clear(replace(book, pools=(light, replace(heavy, unit_weight_g=1000)))).certificate.gap_idr >= 0


def test_goods_on_one_departure_must_fit_into_64_bits() -> None:
    """Twelve arcs of one departure may each carry all of it, before a row holds them: together more than 2^63 grams."""
    offers = tuple(listing(f"s{i}", 10**9, i, grade=1 + i % 12) for i in range(24))
    needs = tuple(demand(f"d{i}", 10**9, 10**6 - i, min_grade=1 + i % 12) for i in range(24))
    book = changed("pool", listings=offers, demands=needs, unit_weight_g=10**9, grades_substitute=False)
    book = replace(book, departures=(replace(departure("k", 1, 1), free_g=2**60),))
    with pytest.raises(MarketRefusedError, match="grams that could be traded"):
        clear(book)
