"""Prices of a flow: midway where there is a choice, none where a departure is kept from those who gain."""

import numpy as np

from app.engine.book import open_book
from app.engine.clear import clear
from app.engine.components import settle_market
from app.engine.joint import common_grams, make_rows
from app.engine.network import Network, build
from app.engine.prices import exist, publish
from app.engine.question import Row
from tests.engine.markets import demand, departure, listing, market, random_market
from tests.engine.pairwise import best_surplus

REACH = 1000


def two_grades_on_one_departure() -> tuple[Network, list[Row]]:
    book = market(
        [listing("s", 2, 10), listing("t", 2, 10, grade=2)],
        [demand("d", 2, 20), demand("e", 2, 20, min_grade=2)],
        [departure("k", 1, 3)],
    )
    net = build(open_book(book, book.pools[0]))
    return net, make_rows(net, common_grams([net]))


def test_a_departure_has_one_row_for_all_its_arcs() -> None:
    net, (row,) = two_grades_on_one_departure()
    assert (row.departure, row.capacity) == ("k", 3)
    assert sorted(row.arcs) == np.flatnonzero(net.leg >= 0).tolist()
    assert len(row.arcs) == 2


def test_no_prices_exist_for_an_empty_departure_that_somebody_would_gain_from() -> None:
    net, rows = two_grades_on_one_departure()
    nothing = np.zeros(net.arcs, dtype=np.int64)
    assert not exist(net, rows, nothing, REACH)


def test_scarcity_at_the_allotments_is_named_where_only_that_gives_prices() -> None:
    net, rows = two_grades_on_one_departure()
    nothing = np.zeros(net.arcs, dtype=np.int64)
    published = publish(net, rows, nothing, None, REACH)
    assert set(published.allotted) == set(rows[0].arcs.tolist())


def test_a_whole_optimum_may_need_a_scarcity_although_a_unit_is_free() -> None:
    """Two arcs of one departure would each need the last unit, and the gain takes both: nobody can have it."""
    book = random_market(600_902, orders=6, pools=3, tight=True, fills=0.3)
    parts = settle_market({pool.commodity: build(open_book(book, pool)) for pool in book.pools})
    assert [bool(part.published.allotted) for part in parts] == [False, False, True]
    clearing = clear(book)
    assert clearing.certificate.surplus_idr == best_surplus(book)
    assert clearing.certificate.status == "bounded"
