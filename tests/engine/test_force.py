"""Five offers and five requests: the engine finds what trying every assignment finds."""

from dataclasses import replace
from functools import cache

import pytest

from app.engine.clear import clear
from app.engine.model import Market
from tests.engine.markets import random_market
from tests.engine.pairwise import Pair, pairs

SIDE = 5
BLOCKS, SEEDS = 10, 500


def small(seed: int) -> Market | None:
    """Return a market of five offers and five requests of one to three units each; None where the dice say fewer."""
    book = random_market(seed + 300_000, orders=SIDE, tight=True, ties=seed % 3 == 0)
    (pool,) = book.pools
    if (len(pool.listings), len(pool.demands)) != (SIDE, SIDE):
        return None
    listings = tuple(replace(row, quantity=1 + row.quantity % 3) for row in pool.listings)
    demands = tuple(replace(row, quantity=1 + row.quantity % 3) for row in pool.demands)
    return replace(book, pools=(replace(pool, listings=listings, demands=demands),))


def most_by_force(book: Market) -> int:
    """Return the greatest surplus of all whole assignments, pair after pair and quantity after quantity.

    What is left of offers, of the request at hand and of departures says all about what may still come.
    """
    ways = sorted(pairs(book), key=lambda pair: pair.demand.id)
    offers = sorted({pair.listing.id for pair in ways})
    rides = sorted({pair.departure.id for pair in ways if pair.departure})
    free = {row.id: row.free_g // book.pools[0].unit_weight_g for row in book.departures}

    def less(have: tuple[int, ...], place: int | None, taken: int) -> tuple[int, ...]:
        return tuple(amount - taken * (i == place) for i, amount in enumerate(have))

    @cache
    def rest(at: int, stock: tuple[int, ...], room: tuple[int, ...], need: int) -> int:
        if at == len(ways):
            return 0
        pair: Pair = ways[at]
        if not at or ways[at - 1].demand is not pair.demand:
            need = pair.demand.quantity
        offer = offers.index(pair.listing.id)
        ride = rides.index(pair.departure.id) if pair.departure else None
        most = min(stock[offer], need, room[ride] if ride is not None else need)
        return max(
            taken * pair.gain + rest(at + 1, less(stock, offer, taken), less(room, ride, taken), need - taken)
            for taken in range(most + 1)
        )

    quantity = {pair.listing.id: pair.listing.quantity for pair in ways}
    return rest(0, tuple(quantity[name] for name in offers), tuple(free[name] for name in rides), 0)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_five_offers_and_five_requests_equal_brute_force(block: int) -> None:
    """Grades, windows, freshness, shared departures, fetching at the hub: some hundreds of markets in all."""
    books = [book for seed in range(block * SEEDS, block * SEEDS + SEEDS) if (book := small(seed))]
    best = [most_by_force(book) for book in books]
    assert [clear(book).certificate.surplus_idr for book in books] == best
    assert sum(surplus > 0 for surplus in best) > 15
