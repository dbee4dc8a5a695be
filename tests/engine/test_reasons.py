"""Reasons against the rules as the text tells them, pair by pair; each checkable from prices and matches."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from app.engine.clear import clear
from app.engine.model import Clearing, Demand, Listing, Market, Pool, Reason, Unmatched
from tests.engine.markets import random_market
from tests.engine.told import Told, expected, is_true, missed_is_true

#: in the order in which they are asked
RULES = ("no_counterparty", "no_agreement", "no_lane", "grade", "window", "freshness", "price_expired")


def in_force(book: Market, pool: Pool, s: Listing, d: Demand, days: range) -> bool:
    return any(
        (a.hub, a.region) == (s.hub, d.region)
        and max(a.first_day, days.start) <= min(a.last_day, days.stop - 1)
        and (a.commodities is None or pool.commodity in a.commodities)
        for a in book.agreements
    )


def failing(book: Market, pool: Pool, s: Listing, d: Demand) -> Iterator[frozenset[str]]:
    """Yield the rules that forbid a pair, once for each way that joins the two places."""
    broken = {"grade"} if s.grade > d.min_grade or (s.grade != d.min_grade and not pool.grades_substitute) else set()
    broken |= {"price_expired"} if s.price_expired or d.price_expired else set()
    ways: list[tuple[int, int, bool]] = [
        (k.departs_on, k.arrives_on, k.chilled)
        for k in book.departures
        if (k.hub, k.region) == (s.hub, d.region) and not d.loco
    ]
    if d.loco:
        fetched = [*pool.listings, *(other for other in pool.demands if other.loco)]
        first = max(book.first_departure_day, min(order.first_day for order in fetched))
        last = min(max(o.last_day for o in pool.listings), max(o.last_day for o in pool.demands if o.loco))
        ways = [(day, day, False) for day in range(first, max(first, last) + 1)]
    if not ways:
        opened = in_force(book, pool, s, d, range(book.first_departure_day, d.last_day + 1))
        yield frozenset(broken | {"no_lane"} | (set() if opened else {"no_agreement"}))
    for leaves, arrives, chilled in ways:
        rules = set(broken)
        if not in_force(book, pool, s, d, range(leaves, leaves + 1)):
            rules.add("no_agreement")
        if not (s.first_day <= leaves <= s.last_day and d.first_day <= arrives <= d.last_day):
            rules.add("window")
        if (s.best_before_chilled if chilled else s.best_before) - arrives < d.min_life_days:
            rules.add("freshness")
        yield frozenset(rules)


def hard_reason(pairs_failing: set[frozenset[str]]) -> str | None:
    """Return the rule at which the book runs empty, unless it forbids nothing alone and another one does."""
    if frozenset() in pairs_failing:
        return None
    left = [{rules for rules in pairs_failing if not rules & set(RULES[:asked])} for asked in range(len(RULES) + 1)]
    empty = next(
        (RULES[i] for i, (before, after) in enumerate(pairwise(left)) if before and not after), "no_counterparty"
    )
    alone = [rule for rule in RULES if frozenset({rule}) in pairs_failing]
    return empty if empty in alone or not alone else alone[0]


def others(pool: Pool, order: Listing | Demand) -> list[tuple[Listing, Demand]]:
    if isinstance(order, Listing):
        return [(order, d) for d in pool.demands]
    return [(s, order) for s in pool.listings]


def left_over(book: Market, clearing: Clearing) -> Iterator[tuple[Pool, Listing | Demand, Unmatched]]:
    orders = {
        (pool.commodity, side, order.id): (pool, order)
        for pool in book.pools
        for side, rows in (("listing", pool.listings), ("demand", pool.demands))
        for order in rows
    }
    for row in clearing.unmatched:
        yield *orders[row.commodity, row.side, row.id], row


@pytest.mark.parametrize("block", range(6))
def test_the_hard_rule_named_is_the_one_the_text_names(block: int) -> None:
    hard = set()
    for seed in range(block * 100, block * 100 + 100):
        book = random_market(seed + 90_000, orders=3, pools=1 + seed % 2, fills=0.2)
        for pool, order, row in left_over(book, clear(book)):
            expected = hard_reason({rules for pair in others(pool, order) for rules in failing(book, pool, *pair)})
            assert (row.reason.value if row.reason.value in RULES else None) == expected, (seed, row)
            hard.add(expected)
    assert {"grade", "window", "freshness", "price_expired", "no_agreement", None} <= hard


def checked(book: Market) -> Counter[Reason]:
    """Require of a market's clearing that pairs, prices and matches give every reason; count the reasons."""
    clearing = clear(book)
    told, found = Told(book, clearing), Counter[Reason]()
    for row in clearing.unmatched:
        me = (row.side, row.commodity, row.id)
        assert missed_is_true(told, me), row
        if row.reason.value not in RULES:
            assert (row.reason, row.detail) == expected(told, me)
            assert is_true(told, me, row), row
            found[row.reason] += 1
    return found


@pytest.mark.parametrize("block", range(10))
def test_every_other_reason_and_its_figures_follow_from_prices_and_matches(block: int) -> None:
    """Also where several full departures cost the same: the earliest arrival, then the first lane is named."""
    found = Counter[Reason]()
    for seed in range(block * 60, block * 60 + 60):
        fills, ties = 0.25 * (seed % 3), seed % 4 == 0
        found += checked(
            random_market(seed + 95_000, orders=6, pools=1 + seed % 2, tight=seed % 2 == 1, fills=fills, ties=ties)
        )
    assert set(found) == {reason for reason in Reason if reason.value not in RULES}


@pytest.mark.parametrize("seed", [700_078, 700_120, 700_639, 701_035, 701_038])
def test_a_smallest_fill_may_forbid_what_price_and_room_allow(seed: int) -> None:
    """A seller is left at the buyer's very price, and there is room; or one was turned away: no departure was full."""
    n = seed - 700_000
    fills = 0.2 * (n % 3 == 0)
    checked(random_market(seed, orders=6, pools=1 + n % 2, tight=n % 2 == 1, fills=fills, ties=n % 4 == 0))


@pytest.mark.parametrize("seed", [200_950, 201_151])
def test_a_departure_with_room_is_no_reason_even_where_only_a_bound_is_proven(seed: int) -> None:
    """Buyer and seller at one price, room on the way: they trade, for volume, although nothing is gained."""
    fills, ties = 0.15 * (seed % 3), seed % 3 == 0
    book = random_market(seed, orders=4 + seed % 4, pools=1 + seed % 3, tight=True, fills=fills, ties=ties)
    assert clear(book).certificate.status == "bounded"
    checked(book)
