"""Seventeen relations between the clearings of two markets: what a change of the market may do to its surplus."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.engine.canonical import encode_clearing
from app.engine.clear import clear
from app.engine.model import Demand, Departure, Listing, Market, Pool
from tests.engine.markets import random_market

Rows = tuple[Any, ...]
Relation = Callable[[Market, random.Random], None]


def surplus(book: Market) -> int:
    return clear(book).certificate.surplus_idr


def each_order(book: Market, listing: Callable[[Listing], Rows], demand: Callable[[Demand], Rows]) -> Market:
    """Return the market with every order replaced by none, one or several."""
    pools = tuple(
        replace(
            pool,
            listings=tuple(new for row in pool.listings for new in listing(row)),
            demands=tuple(new for row in pool.demands for new in demand(row)),
        )
        for pool in book.pools
    )
    return replace(book, pools=pools)


def each_departure(book: Market, change: Callable[[Departure], Rows]) -> Market:
    return replace(book, departures=tuple(new for row in book.departures for new in change(row)))


def priced(book: Market, change: Callable[[int], int], collection: Callable[[int], int]) -> Market:
    """Return the market with asks and limits changed by one function, collection by another."""
    return each_order(
        book,
        lambda s: (replace(s, ask_idr=change(s.ask_idr), collection_idr=collection(s.collection_idr)),),
        lambda d: (replace(d, limit_idr=change(d.limit_idr)),),
    )


def same(value: int) -> int:
    return value


def permuted(book: Market, dice: random.Random) -> None:
    """Rows in another order: the same bytes."""

    def mixed(rows: Rows) -> Rows:
        return tuple(dice.sample(rows, len(rows)))

    pools = [replace(pool, listings=mixed(pool.listings), demands=mixed(pool.demands)) for pool in mixed(book.pools)]
    other = Market(tuple(pools), mixed(book.departures), mixed(book.agreements), book.first_departure_day)
    assert encode_clearing(clear(other)) == encode_clearing(clear(book))


def renamed(book: Market, _: random.Random) -> None:
    """Other ids in the same order: the same fills under other names."""
    other = each_order(book, lambda s: (replace(s, id=f"x{s.id}"),), lambda d: (replace(d, id=f"x{d.id}"),))
    expected = [
        replace(match, listing_id=f"x{match.listing_id}", demand_id=f"x{match.demand_id}")
        for match in clear(book).matches
    ]
    assert list(clear(other).matches) == expected


def money_scaled(book: Market, _: random.Random) -> None:
    """All money threefold, freight whole for a base unit: the surplus is threefold."""
    book = each_departure(book, lambda k: (replace(k, freight_idr_per_kg=2 * k.freight_idr_per_kg),))
    other = priced(book, lambda price: 3 * price, lambda price: 3 * price)
    other = each_departure(other, lambda k: (replace(k, freight_idr_per_kg=3 * k.freight_idr_per_kg),))
    assert surplus(other) == 3 * surplus(book)


def prices_shifted(book: Market, _: random.Random) -> None:
    """Every ask and every limit seven rupiah higher: the same surplus."""
    assert surplus(priced(book, lambda price: price + 7, same)) == surplus(book)


def ask_for_collection(book: Market, _: random.Random) -> None:
    """Money moved from asks to collection: the same surplus, the same hub prices."""
    other = each_order(
        book,
        lambda s: (replace(s, ask_idr=0, collection_idr=s.collection_idr + s.ask_idr),),
        lambda d: (d,),
    )
    assert surplus(other) == surplus(book)
    assert clear(other).prices == clear(book).prices


def days_shifted(book: Market, _: random.Random) -> None:
    """Everything eleven days later: the same surplus."""
    by = 11

    def listing(s: Listing) -> Rows:
        keeps = {"best_before": s.best_before + by, "best_before_chilled": s.best_before_chilled + by}
        return (replace(s, first_day=s.first_day + by, last_day=s.last_day + by, **keeps),)

    other = each_order(book, listing, lambda d: (replace(d, first_day=d.first_day + by, last_day=d.last_day + by),))
    other = each_departure(other, lambda k: (replace(k, departs_on=k.departs_on + by, arrives_on=k.arrives_on + by),))
    terms = tuple(replace(a, first_day=a.first_day + by, last_day=a.last_day + by) for a in other.agreements)
    later = replace(other, agreements=terms, first_departure_day=other.first_departure_day + by)
    assert surplus(later) == surplus(book)


def quantities_scaled(book: Market, _: random.Random) -> None:
    """All quantities and capacities threefold: at least three times the surplus, exactly where nothing is shared."""
    other = each_order(
        book, lambda s: (replace(s, quantity=3 * s.quantity),), lambda d: (replace(d, quantity=3 * d.quantity),)
    )
    other = each_departure(other, lambda k: (replace(k, free_g=3 * k.free_g),))
    assert surplus(other) >= 3 * surplus(book)
    roomy = each_departure(book, lambda k: (replace(k, free_g=10**9),))
    assert surplus(each_departure(other, lambda k: (replace(k, free_g=10**9),))) == 3 * surplus(roomy)


def split(book: Market, _: random.Random) -> None:
    """Every order in two parts of the same terms: the same surplus."""

    def parts(order: Any) -> Rows:
        less = order.quantity // 2
        rows = (replace(order, id=f"{order.id}-1", quantity=less), replace(order, quantity=order.quantity - less))
        return rows if less else rows[1:]

    assert surplus(each_order(book, parts, parts)) == surplus(book)


def merged(book: Market, dice: random.Random) -> None:
    """Twins of the same terms become one order: the same surplus."""
    extra = {id(order): dice.randint(1, 4) for pool in book.pools for order in (*pool.listings, *pool.demands)}

    def twins(order: Any) -> Rows:
        return (order, replace(order, id=f"{order.id}-2", quantity=extra[id(order)]))

    def one(order: Any) -> Rows:
        return (replace(order, quantity=order.quantity + extra[id(order)]),)

    assert surplus(each_order(book, twins, twins)) == surplus(each_order(book, one, one))


def dominated(book: Market, _: random.Random) -> None:
    """A listing dearer than every limit, a demand below every ask: the same matches."""
    first = lambda rows, **changes: (*rows, *(replace(row, id="zz", **changes) for row in rows[:1]))  # noqa: E731
    pools = tuple(
        replace(
            pool,
            listings=first(pool.listings, ask_idr=10**6, posted_at=99),
            demands=first(pool.demands, limit_idr=0, posted_at=99),
        )
        for pool in priced(book, lambda price: price + 1, same).pools
    )
    more = replace(book, pools=pools)
    plain = priced(book, lambda price: price + 1, same)
    assert surplus(more) == surplus(plain)
    assert not any("zz" in (m.listing_id, m.demand_id) for m in clear(more).matches)


def unmatched_removed(book: Market, _: random.Random) -> None:
    """Without those who traded nothing: the same surplus."""
    clearing = clear(book)
    traded = {(m.commodity, m.listing_id) for m in clearing.matches} | {
        (m.commodity, m.demand_id) for m in clearing.matches
    }
    pools = tuple(
        replace(
            pool,
            listings=tuple(s for s in pool.listings if (pool.commodity, s.id) in traded),
            demands=tuple(d for d in pool.demands if (pool.commodity, d.id) in traded),
        )
        for pool in book.pools
    )
    assert surplus(replace(book, pools=pools)) == clearing.certificate.surplus_idr


def expired(book: Market, dice: random.Random) -> None:
    """An order whose price has expired trades as one that is not there."""
    gone = {id(order) for pool in book.pools for order in (*pool.listings, *pool.demands) if dice.random() < 0.4}

    def stale(order: Any) -> Rows:
        return (replace(order, price_expired=order.price_expired or id(order) in gone),)

    def away(order: Any) -> Rows:
        return () if id(order) in gone else (order,)

    assert surplus(each_order(book, stale, stale)) == surplus(each_order(book, away, away))


def capacity_tightened(book: Market, dice: random.Random) -> None:
    """Departures with less room: no more surplus, and no less with what they had left taken from them."""
    less = each_departure(book, lambda k: (replace(k, free_g=k.free_g * dice.randint(0, 2) // 2),))
    clearing = clear(book)
    assert surplus(less) <= clearing.certificate.surplus_idr
    weight = {pool.commodity: pool.unit_weight_g for pool in book.pools}
    load = dict.fromkeys((k.id for k in book.departures), 0)
    for m in clearing.matches:
        if m.departure_id is not None:
            load[m.departure_id] += m.quantity * weight[m.commodity]
    assert surplus(each_departure(book, lambda k: (replace(k, free_g=load[k.id]),))) == clearing.certificate.surplus_idr


def departure_doubled(book: Market, _: random.Random) -> None:
    """A departure as two, of which one is empty: the same surplus."""
    other = each_departure(book, lambda k: (k, replace(k, id=f"{k.id}-2", lane="L9", free_g=0)))
    assert surplus(other) == surplus(book)


def freight_for_limit(book: Market, _: random.Random) -> None:
    """Freight and the limits of who does not fetch both higher by the same: the same surplus."""
    pools = tuple(
        replace(
            pool,
            demands=tuple(
                replace(d, limit_idr=d.limit_idr + (0 if d.loco else 2 * pool.unit_weight_g // 500))
                for d in pool.demands
            ),
        )
        for pool in book.pools
    )
    other = replace(book, pools=pools)
    even = each_departure(book, lambda k: (replace(k, freight_idr_per_kg=2 * k.freight_idr_per_kg),))
    other = each_departure(other, lambda k: (replace(k, freight_idr_per_kg=2 * k.freight_idr_per_kg + 4),))
    assert surplus(other) == surplus(even)


def united(book: Market, dice: random.Random) -> None:
    """Two markets that share nothing, cleared together: the sum of both, and the matches of both."""
    other = random_market(dice.randint(0, 10**6), orders=3, tight=True)

    def elsewhere(pool: Pool) -> Pool:
        return replace(
            pool,
            commodity=f"other-{pool.commodity}",
            listings=tuple(replace(s, hub=f"x{s.hub}") for s in pool.listings),
            demands=tuple(replace(d, region=f"x{d.region}") for d in pool.demands),
        )

    far = Market(
        tuple(elsewhere(pool) for pool in other.pools),
        tuple(replace(k, id=f"x{k.id}", hub=f"x{k.hub}", region=f"x{k.region}") for k in other.departures),
        tuple(replace(a, hub=f"x{a.hub}", region=f"x{a.region}", commodities=None) for a in other.agreements),
        other.first_departure_day,
    )
    both = Market(
        book.pools + far.pools,
        book.departures + far.departures,
        book.agreements + far.agreements,
        far.first_departure_day,
    )
    together, alone = clear(both), (clear(book), clear(far))
    assert together.certificate.surplus_idr == sum(one.certificate.surplus_idr for one in alone)
    assert set(together.matches) == {match for one in alone for match in one.matches}


def rules_loosened(book: Market, _: random.Random) -> None:
    """Later last days, longer shelf life, less life asked for, grades that substitute: no less surplus."""
    other = each_order(
        book,
        lambda s: (replace(s, last_day=s.last_day + 1, best_before=s.best_before + 1),),
        lambda d: (replace(d, last_day=d.last_day + 1, min_life_days=max(d.min_life_days - 1, 0)),),
    )
    loose = replace(other, pools=tuple(replace(pool, grades_substitute=True) for pool in other.pools))
    assert surplus(book) <= surplus(other) <= surplus(loose)


RELATIONS: tuple[Relation, ...] = (
    permuted,
    renamed,
    money_scaled,
    prices_shifted,
    ask_for_collection,
    days_shifted,
    quantities_scaled,
    split,
    merged,
    dominated,
    unmatched_removed,
    expired,
    capacity_tightened,
    departure_doubled,
    freight_for_limit,
    united,
    rules_loosened,
)


def held(relation: Relation, seed: int) -> None:
    """Require a relation of one seeded market: several pools, shared departures in half of them, many ties."""
    book = random_market(seed + 110_000, orders=4, pools=1 + seed % 2, tight=seed % 2 == 1, ties=seed % 3 == 0)
    relation(book, random.Random(seed))


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.__name__)
def test_a_relation_between_two_clearings_holds(relation: Relation) -> None:
    for seed in range(30):
        held(relation, seed)
