"""Units into base units, prices per base unit, prices against references: rules without a database."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.rules import (
    ASK_LEVELS,
    LIMIT_LEVELS,
    CommodityFacts,
    RegulatedPrice,
    Typed,
    UnitFacts,
    check_window,
    measure,
    price_notes,
    price_per_base_unit,
    shown,
)
from app.kit.problems import Invalid

EGGS = CommodityFacts(
    code="telur-ayam-ras",
    name="Telur ayam ras",
    name_en="Chicken egg",
    base_unit="kg",
    unit_weight_g=1000,
    grades_substitute=True,
    grades={"I": 1, "II": 2},
    units={
        "kg": UnitFacts(Decimal(1), fixed=True),
        "ton": UnitFacts(Decimal(1000), fixed=True),
        "peti-15": UnitFacts(Decimal(15), fixed=False),
        "ikat": UnitFacts(Decimal("9.375"), fixed=False),
    },
    ambient_days=14,
    chilled_days=30,
)
TODAY = date(2026, 11, 24)


def typed(
    quantity: str,
    unit: str,
    price: int,
    price_unit: str | None = None,
    least: str | None = None,
    own: str | None = None,
) -> Typed:
    return Typed(
        Decimal(quantity), unit, price, price_unit, Decimal(least) if least else None, Decimal(own) if own else None
    )


@pytest.mark.parametrize(
    ("given_as", "quantity", "ask", "limit", "least", "price_unit"),
    [
        (typed("400", "peti-15", 397500), 6000, 26500, 26500, 1, "peti-15"),
        (typed("400", "ikat", 291000), 3750, 31040, 31040, 1, "ikat"),
        (typed("10", "ton", 28400), 10000, 28400, 28400, 1, "kg"),
        (typed("2.5", "ton", 28400500, "ton"), 2500, 28401, 28400, 1, "ton"),
        (typed("3", "ikat", 100000, "ikat", "1"), 28, 10667, 10666, 9, "ikat"),
        (typed("10", "peti-15", 160000, None, "2", "16"), 160, 10000, 10000, 32, "peti-15"),
        (typed("10", "peti-15", 26500, "kg", None, "16"), 160, 26500, 26500, 1, "kg"),
    ],
)
def test_what_is_typed_becomes_whole_base_units_and_rupiah(
    given_as: Typed, quantity: int, ask: int, limit: int, least: int, price_unit: str
) -> None:
    as_ask = measure(EGGS, given_as, rounds_up=True, price_field="price_idr")
    as_limit = measure(EGGS, given_as, rounds_up=False, price_field="max_price_idr")
    assert (as_ask.quantity, as_ask.min_quantity, as_ask.price_unit) == (quantity, least, price_unit)
    assert (as_ask.price_idr, as_limit.price_idr) == (ask, limit)


@given(price=st.integers(1, 10**15), units=st.decimals("0.000001", "1000000", places=6))
def test_a_rounded_price_is_never_worse_for_who_posted_it(price: int, units: Decimal) -> None:
    ask = price_per_base_unit(price, units, rounds_up=True)
    limit = price_per_base_unit(price, units, rounds_up=False)
    assert limit * units <= price <= ask * units
    assert 0 <= ask - limit <= 1


@given(quantity=st.decimals("0.000001", "1000000", places=6), weight=st.decimals("0.5", "1000", places=6))
def test_a_quantity_rounds_down_by_less_than_a_unit(quantity: Decimal, weight: Decimal) -> None:
    own = typed(str(quantity), "ikat", 10**9, "kg", None, str(weight))
    exact = quantity * weight
    if not 1 <= exact < 10**9 + 1:
        with pytest.raises(Invalid):
            measure(EGGS, own, rounds_up=True, price_field="price_idr")
        return
    cheap = Typed(own.quantity, own.unit, 1000, "kg", None, own.unit_base_quantity)
    measured = measure(EGGS, cheap, rounds_up=True, price_field="price_idr").quantity
    assert 0 <= exact - measured < 1


@pytest.mark.parametrize(
    ("bad", "pointer", "code"),
    [
        (typed("1", "karung-50", 100), "/unit", "unknown_unit"),
        (typed("1", "kg", 100, "karung-50"), "/price_unit", "unknown_unit"),
        (typed("1.5", "kg", 100), "/quantity", "not_whole"),
        (typed("0.01", "peti-15", 100), "/quantity", "quantity_bounds"),
        (typed("1000001", "ton", 100), "/quantity", "quantity_bounds"),
        (typed("1", "ton", 100, None, "2"), "/min_quantity", "above_quantity"),
        (typed("1", "ton", 100, None, None, "900"), "/unit_base_quantity", "fixed_unit"),
        (typed("1", "kg", 10**8 + 1), "/price_idr", "price_bounds"),
    ],
)
def test_what_cannot_be_measured_names_the_field(bad: Typed, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        measure(EGGS, bad, rounds_up=True, price_field="price_idr")
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


def test_a_limit_below_a_rupiah_is_refused() -> None:
    with pytest.raises(Invalid):
        measure(EGGS, typed("1", "peti-15", 14), rounds_up=False, price_field="max_price_idr")
    assert measure(EGGS, typed("1", "peti-15", 14), rounds_up=True, price_field="price_idr").price_idr == 1


@pytest.mark.parametrize(
    ("first", "last", "refused"),
    [
        ("2026-11-24", "2026-11-24", None),
        ("2026-11-24", "2026-12-29", None),
        ("2026-10-20", "2026-11-24", None),
        ("2026-11-24", "2026-12-30", "beyond_horizon"),
        ("2026-11-20", "2026-11-23", "in_the_past"),
        ("2026-10-19", "2026-11-24", "in_the_past"),
        ("2026-11-26", "2026-11-25", "reversed_window"),
    ],
)
def test_windows_lie_between_today_and_the_horizon(first: str, last: str, refused: str | None) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    if refused is None:
        check_window(*days, TODAY, first_field="available_from", last_field="available_until")
        return
    with pytest.raises(Invalid) as raised:
        check_window(*days, TODAY, first_field="available_from", last_field="available_until")
    assert [error.code for error in raised.value.errors] == [refused]


@pytest.mark.parametrize(
    ("price_idr", "grade", "zone", "on", "levels", "positions"),
    [
        (14900, "premium", 1, TODAY, LIMIT_LEVELS, ["at"]),
        (14901, "premium", 1, TODAY, LIMIT_LEVELS, ["above"]),
        (14899, "premium", 1, TODAY, LIMIT_LEVELS, ["below"]),
        (14900, "medium", 1, TODAY, LIMIT_LEVELS, []),
        (14900, "premium", 2, TODAY, LIMIT_LEVELS, []),
        (14900, "premium", 1, date(2027, 1, 1), LIMIT_LEVELS, []),
        (14900, "premium", 1, date(2025, 12, 31), LIMIT_LEVELS, []),
        (14900, "premium", 1, TODAY, ASK_LEVELS, ["within"]),
    ],
)
def test_prices_are_marked_by_day_grade_zone_and_level(
    price_idr: int, grade: str, zone: int, on: date, levels: tuple[str, ...], positions: list[str]
) -> None:
    days = date(2026, 1, 1), date(2026, 12, 31)
    regulated = (
        RegulatedPrice("het", "consumer", "premium", 1, 14900, 14900, *days),
        RegulatedPrice("hpp", "mill", None, None, 12000, 15000, *days),
    )
    notes = price_notes(regulated, price_idr=price_idr, grade=grade, price_zone=zone, levels=levels, on=on)
    assert [note["position"] for note in notes] == positions


@pytest.mark.parametrize(
    ("quantity", "written"), [("400", "400"), ("1E+3", "1000"), ("2.500000", "2.5"), ("0.000001", "0.000001")]
)
def test_quantities_are_shown_as_people_write_them(quantity: str, written: str) -> None:
    assert shown(Decimal(quantity)) == written
