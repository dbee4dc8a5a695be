"""Clearings that a trader would recognise."""

import subprocess
import sys
from dataclasses import replace

import pytest

from app.engine.canonical import decode_market, encode_clearing, encode_market, sha256
from app.engine.clear import clear
from app.engine.model import Agreement, Clearing, Market, Pool, Reason, Unmatched
from app.engine.pairs import candidates_for_demand, candidates_for_listing, freight_idr
from tests.engine.markets import CITY, FAR_CITY, HUB, TODAY, demand, departure, listing, market


def left(clearing: Clearing, name: str) -> Unmatched:
    return next(row for row in clearing.unmatched if row.id == name)


def sold(clearing: Clearing) -> dict[tuple[str, str], int]:
    return {(m.listing_id, m.demand_id): m.quantity for m in clearing.matches}


def test_the_cheapest_offer_serves_the_highest_need() -> None:
    clearing = clear(
        market(
            [listing("dear", 5, 12), listing("cheap", 5, 8)],
            [demand("high", 5, 20), demand("low", 5, 9)],
            [departure("k", 1, 5)],
        )
    )
    assert sold(clearing) == {("cheap", "high"): 5}


def test_a_price_lies_midway_between_what_both_sides_could_bear() -> None:
    clearing = clear(market([listing("s", 5, 10)], [demand("d", 5, 20)], [departure("k", 1, 9)]))
    assert [(m.producer_price_idr, m.delivered_price_idr) for m in clearing.matches] == [(15, 15)]


def test_ties_go_to_the_earlier_post_then_to_the_lower_id() -> None:
    offers = [listing("a", 4, 10, posted_at=2), listing("b", 4, 10, posted_at=1), listing("c", 4, 10, posted_at=2)]
    clearing = clear(market(offers, [demand("d", 6, 20)], [departure("k", 1, 9)]))
    assert sold(clearing) == {("b", "d"): 4, ("a", "d"): 2}


def test_a_better_grade_serves_a_lower_need_only_where_grades_substitute() -> None:
    offers, needs, ways = [listing("best", 3, 10, grade=1)], [demand("d", 3, 20, min_grade=2)], [departure("k", 1, 9)]
    assert sold(clear(market(offers, needs, ways))) == {("best", "d"): 3}
    frozen = clear(market(offers, needs, ways, substitute=False))
    assert sold(frozen) == {}
    assert left(frozen, "d").reason is Reason.GRADE


def test_a_full_departure_pays_its_scarcity_to_the_producers() -> None:
    """The example of docs/engine.md."""
    needs = [demand("d", 10, 20), demand("e", 10, 16)]
    clearing = clear(market([listing("s", 20, 10)], needs, [departure("k", 1, 10, freight_idr_per_kg=2)]))
    (only,) = clearing.matches
    assert (only.demand_id, only.quantity) == ("d", 10)
    assert (only.producer_price_idr, only.freight_idr, only.scarcity_idr, only.delivered_price_idr) == (10, 2, 6, 18)
    assert clearing.certificate.surplus_idr == 80
    lost = {"departure_id": "k", "lane": "k", "scarcity_idr": 6}
    assert [left(clearing, name).reason for name in ("e", "s")] == [Reason.LANE_FULL, Reason.LANE_FULL]
    assert left(clearing, "e").detail == left(clearing, "s").detail == lost


def test_what_spoils_first_has_no_precedence_over_the_earlier_post() -> None:
    offers = [
        listing("keeps", 4, 10, posted_at=1),
        listing("spoils", 4, 10, posted_at=2, best_before=TODAY + 3, best_before_chilled=TODAY + 3),
    ]
    clearing = clear(market(offers, [demand("d", 4, 20)], [departure("k", 1, 9)]))
    assert sold(clearing) == {("keeps", "d"): 4}


def test_the_earlier_of_two_departures_carries_first_then_the_lower_lane() -> None:
    ways = [departure("b", 2, 3), departure("c", 1, 3), departure("a", 2, 3)]
    clearing = clear(market([listing("s", 7, 10)], [demand("d", 7, 20)], ways))
    assert {m.departure_id: m.quantity for m in clearing.matches} == {"c": 3, "a": 3, "b": 1}


def test_a_day_earlier_outweighs_all_lanes() -> None:
    """The first to arrive carries, whatever the codes of the lanes; this one is the last of eight."""
    later = [departure(lane, 2, 9) for lane in "abcdefg"]
    (only,) = clear(market([listing("s", 5, 10)], [demand("d", 5, 20)], [*later, departure("z", 1, 9)])).matches
    assert only.departure_id == "z"


def test_a_cheaper_lane_is_worth_the_wait() -> None:
    ways = [departure("fast", 1, 9, freight_idr_per_kg=5), departure("slow", 8, 9, freight_idr_per_kg=4)]
    (only,) = clear(market([listing("s", 7, 10)], [demand("d", 7, 20)], ways)).matches
    assert (only.departure_id, only.freight_idr) == ("slow", 4)


def test_two_commodities_share_a_departure_by_what_a_gram_gains() -> None:
    eggs = Pool("telur", 1000, True, (listing("s", 9, 10),), (demand("d", 9, 20),))  # noqa: FBT003
    fruit = Pool("durian", 3000, True, (listing("s", 9, 10),), (demand("d", 9, 34),))  # noqa: FBT003
    book = Market((eggs, fruit), (departure("k", 1, 10),), market([], [], []).agreements, TODAY)
    clearing = clear(book)
    assert {m.commodity: m.quantity for m in clearing.matches} == {"telur": 7, "durian": 1}
    assert clearing.certificate.surplus_idr == 7 * 10 + 24  # nine eggs alone would leave a kilogram empty
    dearer = replace(fruit, demands=(demand("d", 9, 44),))
    assert {m.commodity: m.quantity for m in clear(replace(book, pools=(eggs, dearer))).matches} == {
        "telur": 1,
        "durian": 3,
    }


def test_goods_that_would_arrive_spoilt_stay() -> None:
    offers = [listing("s", 3, 10, best_before=TODAY + 5, best_before_chilled=TODAY + 9)]
    needs = [demand("d", 3, 20, min_life_days=3)]
    warm = clear(market(offers, needs, [departure("k", 3, 9)]))
    assert left(warm, "d").reason is left(warm, "s").reason is Reason.FRESHNESS
    assert sold(clear(market(offers, needs, [departure("k", 3, 9, chilled=True)]))) == {("s", "d"): 3}


def test_freshness_is_named_where_a_slower_cooled_lane_would_come_too_late() -> None:
    offers = [listing("s", 3, 10, best_before=TODAY + 5, best_before_chilled=TODAY + 20)]
    needs = [demand("d", 3, 20, min_life_days=3, last_day=TODAY + 4)]
    ways = [departure("warm", 3, 9), replace(departure("cooled", 2, 9, chilled=True), arrives_on=TODAY + 9)]
    clearing = clear(market(offers, needs, ways))
    assert left(clearing, "d").reason is left(clearing, "s").reason is Reason.FRESHNESS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"listings": []}, Reason.NO_COUNTERPARTY),
        ({"agreements": ()}, Reason.NO_AGREEMENT),
        ({"departures": ()}, Reason.NO_LANE),
        ({"grade": 3}, Reason.GRADE),
        ({"last_day": TODAY}, Reason.WINDOW),
        ({"best_before": TODAY + 2, "best_before_chilled": TODAY + 2}, Reason.FRESHNESS),
        ({"price_expired": True}, Reason.PRICE_EXPIRED),
        ({"ask_idr": 30}, Reason.PRICE_GAP),
    ],
)
def test_a_demand_is_told_which_rule_keeps_it_from_all_stock(changes: dict[str, object], reason: Reason) -> None:
    offer = listing("s", 5, 10)
    book = market(
        [replace(offer, **{k: v for k, v in changes.items() if k in offer.__slots__})],
        [demand("d", 5, 20, min_life_days=2)],
        [departure("k", 1, 9)],
    )
    if "listings" in changes:
        book = replace(book, pools=(replace(book.pools[0], listings=()),))
    book = replace(book, **{name: value for name, value in changes.items() if name in ("agreements", "departures")})
    unmatched = left(clear(book), "d")
    assert unmatched.reason is reason
    assert unmatched.detail == ({"gap_idr": 10} if reason is Reason.PRICE_GAP else {})


def test_an_outbid_demand_is_told_by_how_much() -> None:
    clearing = clear(market([listing("s", 5, 10)], [demand("d", 5, 20), demand("e", 5, 14)], [departure("k", 1, 50)]))
    lost = left(clearing, "e")
    assert (lost.reason, lost.detail) == (Reason.OUTBID, {"gap_idr": clearing.matches[0].delivered_price_idr - 14})


def test_what_is_affordable_runs_out() -> None:
    clearing = clear(market([listing("s", 5, 10)], [demand("d", 8, 20)], [departure("k", 1, 50)]))
    assert (left(clearing, "d").quantity, left(clearing, "d").reason) == (3, Reason.SOLD_OUT)


def test_an_outbid_listing_is_told_by_how_much() -> None:
    offers = [listing("cheap", 5, 10), listing("dear", 5, 14)]
    clearing = clear(market(offers, [demand("d", 5, 20)], [departure("k", 1, 50)]))
    lost = left(clearing, "dear")
    assert (lost.reason, lost.detail) == (Reason.OUTBID, {"gap_idr": 14 - clearing.matches[0].delivered_price_idr})


def test_a_tie_that_was_lost_has_a_gap_of_nothing() -> None:
    needs = [demand("first", 5, 20, posted_at=1), demand("second", 5, 20, posted_at=2)]
    clearing = clear(market([listing("s", 5, 10)], needs, [departure("k", 1, 50)]))
    lost = left(clearing, "second")
    assert (lost.reason, lost.detail) == (Reason.OUTBID, {"gap_idr": 0})


def test_who_is_turned_away_for_its_smallest_fill_is_told_what_it_missed_at_most() -> None:
    needs = [demand("d", 8, 20, min_quantity=6), demand("e", 2, 18)]
    clearing = clear(market([listing("s", 5, 10)], needs, [departure("k", 1, 50)]))
    assert sold(clearing) == {("s", "e"): 2}
    lost = left(clearing, "d")
    assert (lost.reason, lost.detail) == (Reason.MIN_QUANTITY, {"missed_idr": 8 * (20 - 10)})
    assert (left(clearing, "s").reason, left(clearing, "s").detail) == (Reason.MIN_QUANTITY, {})


def test_a_smallest_fill_is_kept_or_nothing_is_traded() -> None:
    book = market([listing("s", 5, 10)], [demand("d", 8, 20, min_quantity=6)], [departure("k", 1, 50)])
    clearing = clear(book)
    assert sold(clearing) == {}
    assert left(clearing, "d").reason is Reason.MIN_QUANTITY
    assert clearing.certificate.lp_gap_idr == 50


def test_a_region_without_an_agreement_on_the_day_of_departure_is_not_matched() -> None:
    book = market([listing("s", 5, 10)], [demand("d", 5, 20)], [departure("k", 2, 9, arrives_on=TODAY + 3)])
    just = replace(book, agreements=(Agreement(HUB, CITY, TODAY + 2, TODAY + 2),))
    until = replace(book, agreements=(Agreement(HUB, CITY, TODAY, TODAY + 1),))
    other = replace(book, agreements=(Agreement(HUB, CITY, TODAY, TODAY + 9, ("beras",)),))
    assert sold(clear(until)) == sold(clear(other)) == {}
    assert sold(clear(book)) == sold(clear(just)) == {("s", "d"): 5}


def test_a_buyer_may_fetch_at_the_hub_without_a_departure() -> None:
    clearing = clear(market([listing("s", 5, 10)], [demand("d", 5, 20, loco=True)], []))
    (only,) = clearing.matches
    assert (only.departure_id, only.freight_idr, only.departs_on) == (None, 0, only.arrives_on)
    assert [(price.level, price.region) for price in clearing.prices] == [("hub", HUB)]


def test_prices_are_published_where_goods_arrive() -> None:
    clearing = clear(market([listing("s", 5, 10)], [demand("d", 5, 20)], [departure("k", 1, 9, freight_idr_per_kg=4)]))
    (price,) = clearing.prices
    assert (price.level, price.region, price.day, price.traded_quantity) == ("delivered", CITY, TODAY + 1, 5)
    assert price.price_idr == clearing.matches[0].delivered_price_idr


def test_freight_rounds_up_to_a_whole_rupiah_a_unit() -> None:
    assert freight_idr(departure("k", 1, 9, freight_idr_per_kg=1900), 63) == 120


def test_options_say_what_forbids_each_way() -> None:
    book = market([listing("s", 5, 10)], [demand("d", 5, 20)], [departure("a", 1, 9), departure("b", 30, 9)])
    (pool,) = book.pools
    found = {c.departure.id: c.why_not for c in candidates_for_demand(book, pool, pool.demands[0]) if c.departure}
    assert found == {"a": None, "b": Reason.WINDOW}
    mirrored = candidates_for_listing(book, pool, pool.listings[0])
    assert {c.departure.id: c.why_not for c in mirrored if c.departure} == found


def test_a_market_reads_back_from_its_canonical_bytes() -> None:
    book = market([listing("s", 5, 10)], [demand("d", 5, 20, region=FAR_CITY)], [departure("k", 1, 9)])
    data = encode_market(book)
    assert encode_market(decode_market(data)) == data
    assert len(sha256(data)) == 64


def test_names_in_another_normal_form_are_the_same_names() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    book = market([listing(composed, 5, 10)], [demand("d", 5, 20)], [departure("k", 1, 9)])
    other = market([listing(decomposed, 5, 10)], [demand("d", 5, 20)], [departure("k", 1, 9)])
    assert encode_market(book) == encode_market(other)
    assert encode_clearing(clear(book)) == encode_clearing(clear(other))


def test_an_empty_market_clears_to_nothing() -> None:
    clearing = clear(Market((), (), (), TODAY))
    assert (clearing.matches, clearing.unmatched, clearing.certificate.surplus_idr) == ((), (), 0)


def test_the_solver_prints_nothing() -> None:
    """In a process of its own: HiGHS prints its banner once."""
    program = (
        "from tests.engine.markets import demand, departure, listing, market; from app.engine.clear import clear;"
        "clear(market([listing('s', 5, 10)], [demand('d', 5, 20)], [departure('k', 1, 9)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
