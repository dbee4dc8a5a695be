"""The ground of a pool is kept between clearings while classes and legs stay, and never longer."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from app.engine import ground as laying
from app.engine.audit import AuditError
from app.engine.book import Plan, open_book
from app.engine.canonical import arrange, encode_clearing
from app.engine.clear import clear
from app.engine.ground import Ground, Grounds, lay, same
from app.engine.memory import Memory
from app.engine.model import Demand, Listing, Market, Pool
from benchmarks.books import book as seeded_book
from tests.engine.markets import random_market

BOOK = arrange(seeded_book(400, seed=11))


def plan_of(book: Market) -> Plan:
    """Return the plan of a market's first pool."""
    return open_book(book, book.pools[0]).plan


def changed(book: Market, listing: Callable[[Listing], Listing], demand: Callable[[Demand], Demand]) -> Market:
    """Return the market with every order changed."""
    pools = (
        replace(p, listings=tuple(map(listing, p.listings)), demands=tuple(map(demand, p.demands))) for p in book.pools
    )
    return replace(book, pools=tuple(pools))


def equal(one: Ground, other: Ground) -> bool:
    """Return whether two grounds are the same to the last arc."""
    columns = (field.name for field in fields(Ground) if field.name != "names")
    return one.names == other.names and all(np.array_equal(getattr(one, c), getattr(other, c)) for c in columns)


def test_figures_that_move_every_day_leave_the_ground_as_it_is() -> None:
    """Quantities, prices, freight and free capacity change between two clearings; classes and lanes stay."""
    moved = changed(
        BOOK,
        lambda s: replace(
            s, quantity=s.quantity + 5, ask_idr=s.ask_idr - 10, collection_idr=70, posted_at=-s.posted_at
        ),
        lambda d: replace(d, quantity=d.quantity * 2, limit_idr=d.limit_idr + 10, min_quantity=d.quantity),
    )
    booked = (
        replace(k, free_g=k.free_g * 9 // 10, freight_idr_per_kg=k.freight_idr_per_kg + 3) for k in BOOK.departures
    )
    moved = replace(moved, departures=tuple(booked))
    memory = Memory()
    clear(BOOK, memory)
    assert encode_clearing(clear(moved, memory)) == encode_clearing(clear(moved))
    assert memory.grounds.found == 1


@pytest.mark.parametrize("part", ["supply", "needs", "ways"])
def test_one_other_figure_is_another_plan(part: str) -> None:
    """Every column of a plan counts; a column that is added to it counts by itself."""
    plan = plan_of(BOOK)
    assert same(plan, plan_of(BOOK))
    for column in fields(getattr(plan, part)):
        other = getattr(getattr(plan, part), column.name).copy()
        other[-1] += 1
        columns: Any = replace(getattr(plan, part), **{column.name: other})
        assert not same(plan, replace(plan, **{part: columns})), column.name
    others: dict[str, Any] = {"substitutes": not plan.substitutes, "places": (), "legs": ()}
    for name, value in others.items():
        assert not same(plan, replace(plan, **{name: value}))


CHANGES: dict[str, Callable[[Market], Market]] = {
    "an order of a new class": lambda book: replace(
        book,
        pools=(
            replace(
                book.pools[0], listings=(*book.pools[0].listings, replace(book.pools[0].listings[0], id="new", grade=9))
            ),
        ),
    ),
    "windows open a day later": lambda book: changed(
        book, lambda s: replace(s, first_day=s.first_day + 1), lambda d: d
    ),
    "needs ask for more life": lambda book: changed(
        book, lambda s: s, lambda d: replace(d, min_life_days=d.min_life_days + 2)
    ),
    "grades no longer substitute": lambda book: replace(book, pools=(replace(book.pools[0], grades_substitute=False),)),
    "a departure arrives later": lambda book: replace(
        book, departures=tuple(replace(k, arrives_on=k.arrives_on + 1) for k in book.departures)
    ),
    "a lane is no longer cooled": lambda book: replace(
        book, departures=tuple(replace(k, chilled=False) for k in book.departures)
    ),
    "a departure is fully booked": lambda book: replace(
        book, departures=(replace(book.departures[0], free_g=0), *book.departures[1:])
    ),
    "an agreement ends": lambda book: replace(book, agreements=book.agreements[1:]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_ways_gets_a_new_ground(change: str) -> None:
    memory, other = Memory(), CHANGES[change](BOOK)
    clear(BOOK, memory)
    assert encode_clearing(clear(other, memory)) == encode_clearing(clear(other))
    assert memory.grounds.found == 0


@pytest.mark.parametrize("change", CHANGES)
def test_a_ground_kept_too_long_would_be_seen(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with the comparison of plans switched off, the old ground gives another answer or none."""
    monkeypatch.setattr(laying, "same", lambda *_: True)
    memory, other = Memory(), CHANGES[change](BOOK)
    clear(BOOK, memory)
    try:
        stale = encode_clearing(clear(other, memory))
    except (AuditError, IndexError, KeyError):
        stale = b""
    assert stale != encode_clearing(clear(other))


def test_the_ground_used_least_lately_is_forgotten_first() -> None:
    plan = plan_of(BOOK)
    grounds = Grounds(most_arcs=len(lay(plan).tail) * 5 // 2)
    for pool in ("a", "b", "a", "c", "a", "b"):
        assert equal(grounds.of(pool, plan), lay(plan))
    assert grounds.found == 2
    nothing = Grounds(most_arcs=0)
    assert equal(nothing.of("a", plan), nothing.of("a", plan))
    assert nothing.found == 0


def test_nodes_have_names_of_their_own() -> None:
    """A basis is carried over to another network by the names of nodes: no two may be alike."""
    for seed in range(100):
        book = arrange(random_market(seed + 40_000, orders=8, pools=1, ties=seed % 2 == 0))
        found = lay(plan_of(book))
        assert len(set(found.names)) == found.nodes == len(found.names)
        assert not len(found.tail) or max(found.tail.max(), found.head.max()) < found.nodes


def test_a_pool_without_orders_has_no_ground() -> None:
    found = lay(plan_of(replace(BOOK, pools=(Pool("empty", 1000, False, (), ()),))))  # noqa: FBT003
    assert (found.nodes, len(found.tail), found.names) == (1, 0, ("market",))
