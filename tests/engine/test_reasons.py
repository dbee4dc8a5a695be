"""Reasons against the rules as the text tells them, pair by pair; each checkable from prices and matches."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pytest

from app.engine.clear import clear
from app.engine.model import Clearing, Demand, Departure, Listing, Market, Pool, Reason, Unmatched
from tests.engine.markets import random_market
from tests.engine.pairwise import Pair, pairs

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


@pytest.mark.parametrize("block", range(8))
@pytest.mark.parametrize("tight", [False, True])
def test_every_other_reason_can_be_checked_from_prices_and_matches(*, block: int, tight: bool) -> None:
    for seed in range(block * 50, block * 50 + 50):
        book = random_market(seed + 95_000, orders=5, pools=1 + seed % 2, tight=tight, fills=0.15, ties=seed % 3 == 0)
        clearing = clear(book)
        ways = pairs(book)
        for pool, order, row in left_over(book, clearing):
            if row.reason.value not in RULES:
                mine = [p for p in ways if p.pool is pool and (p.listing is order or p.demand is order)]
                assert holds(book, clearing, order, row, mine), (seed, row)


@pytest.mark.parametrize("seed", [200_950, 201_151])
def test_a_departure_with_room_is_no_reason_even_where_only_a_bound_is_proven(seed: int) -> None:
    """Buyer and seller at one price, room on the way: they trade, for volume, although nothing is gained."""
    book = random_market(
        seed, orders=4 + seed % 4, pools=1 + seed % 3, tight=True, fills=0.15 * (seed % 3), ties=seed % 3 == 0
    )
    clearing = clear(book)
    assert clearing.certificate.status == "bounded"
    ways = pairs(book)
    for pool, order, row in left_over(book, clearing):
        if row.reason.value not in RULES:
            mine = [p for p in ways if p.pool is pool and (p.listing is order or p.demand is order)]
            assert holds(book, clearing, order, row, mine), row


def holds(book: Market, clearing: Clearing, order: Listing | Demand, row: Unmatched, mine: list[Pair]) -> bool:
    """Whether a reason is true of the pairs that the order could have traded in."""
    partners, fill = defaultdict(set), defaultdict(int)
    for m in clearing.matches:
        if m.commodity == row.commodity:
            for one, other in (("s" + m.listing_id, "d" + m.demand_id), ("d" + m.demand_id, "s" + m.listing_id)):
                partners[one].add(other)
                fill[one] += m.quantity
    me = ("s" if isinstance(order, Listing) else "d") + order.id

    def other(pair: Pair) -> tuple[str, Listing | Demand]:
        return ("d" + pair.demand.id, pair.demand) if pair.listing is order else ("s" + pair.listing.id, pair.listing)

    least = max(pair.gain for pair in mine)
    affordable = [pair for pair in mine if pair.gain >= 0]
    match row.reason:
        case Reason.PRICE_GAP:
            return least < 0 and row.detail == {"gap_idr": -least}
        case Reason.MIN_QUANTITY:
            sides = [order, *(other(pair)[1] for pair in affordable)]
            return any(min(one.min_quantity, one.quantity) > 1 for one in sides)
        case Reason.LANE_FULL:
            full = {k.id: k for k in book.departures}[str(row.detail["departure_id"])]
            return is_full(book, clearing, full, row.commodity) and any(p.departure is full for p in affordable)
        case Reason.OUTBID:
            return any(partners[other(pair)[0]] - {me} for pair in affordable) and int(row.detail["gap_idr"]) >= 0
        case _:
            rest = [one.quantity - fill[name] for name, one in map(other, affordable) if name[0] != me[0]]
            return (
                row.reason is Reason.SOLD_OUT
                and not any(rest)
                and not any(partners[other(pair)[0]] - {me} for pair in affordable)
            )


def is_full(book: Market, clearing: Clearing, departure: Departure, commodity: str) -> bool:
    weight = {pool.commodity: pool.unit_weight_g for pool in book.pools}
    load = sum(m.quantity * weight[m.commodity] for m in clearing.matches if m.departure_id == departure.id)
    return departure.free_g - load < weight[commodity]
