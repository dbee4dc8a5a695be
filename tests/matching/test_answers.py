"""Answering matches through HTTP: confirmed by both, in part, many at once, by the hub; declined; what returns."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.worker import close_due
from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP, Melons, quantities


@pytest_asyncio.fixture
async def market(scenario: Any) -> Melons:
    """Two offers of 600 kg for a need of 1,000 kg that takes 900 kg at least, cleared: 600 and 400 kg proposed."""
    melons = Melons(scenario)
    await melons.offer(FIRST, price_idr=8000)
    await melons.offer(SECOND, price_idr=8200)
    await melons.need(min_quantity=900)
    await melons.clear()
    return melons


async def both(market: Melons) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first farm's match and the second's."""
    (first,), (second,) = await market.matches(FIRST), await market.matches(SECOND)
    assert (first["quantity"], second["quantity"]) == (600, 400)
    return first, second


async def demand_of(market: Melons) -> dict[str, Any]:
    (demand,) = await market.api.walk("/v1/demands?commodity=melon", market.keys[SHOP])
    found: dict[str, Any] = demand
    return found


async def listing_of(market: Melons, who: str) -> dict[str, Any]:
    (listing,) = await market.api.walk("/v1/listings?commodity=melon", market.keys[who])
    found: dict[str, Any] = listing
    return found


async def booked(market: Melons, match: dict[str, Any]) -> int:
    async with market.api.database.reader() as session:
        grams = text("SELECT sum(booked_g) FROM allocations WHERE match_id = :id")
        return int(await session.scalar(grams, {"id": match["id"]}) or 0)


async def test_the_second_confirmation_makes_it_an_order(market: Melons) -> None:
    match, _ = await both(market)
    first = await market.answer(FIRST, match, "confirm")
    assert (first.status_code, first.json()["status"], first.json()["confirmed_by"]) == (200, "proposed", ["listing"])
    assert first.json()["counterparty"]["telephone"] is None
    assert quantities(await listing_of(market, FIRST)) == (0, 600, 0, 0)
    second = (await market.answer(SHOP, match, "confirm")).json()
    assert (second["status"], second["confirmed_by"]) == ("confirmed", ["listing", "demand"])
    assert second["counterparty"]["telephone"].startswith("+62")
    assert quantities(await listing_of(market, FIRST)) == (0, 0, 600, 0)
    assert quantities(await demand_of(market)) == (0, 400, 600, 0)
    assert await booked(market, match) == 600_000


@pytest.mark.parametrize("action", ["confirm", "decline"])
async def test_what_was_answered_is_not_answered_again(market: Melons, action: str) -> None:
    match, other = await both(market)
    await market.answer(FIRST, match, "confirm")
    await market.answer(SHOP, match, "confirm")
    await market.answer(SHOP, other, "decline")
    for ended in (match, other):
        again = await market.answer(SHOP, ended, action)
        assert (again.status_code, again.json()["code"]) == (409, "match_not_proposed")


async def test_confirming_ones_own_side_twice_is_still_one_side(market: Melons) -> None:
    match, _ = await both(market)
    answers = [await market.answer(FIRST, match, "confirm") for _ in range(2)]
    assert [answer.json()["confirmed_by"] for answer in answers] == [["listing"], ["listing"]]


async def test_taking_less_returns_the_rest_to_both_and_frees_the_departure(market: Melons) -> None:
    match, _ = await both(market)
    taken = await market.answer(SHOP, match, "confirm", quantity=500)
    assert (taken.status_code, taken.json()["quantity"]) == (200, 500), taken.text
    assert quantities(await listing_of(market, FIRST)) == (100, 500, 0, 0)
    assert quantities(await demand_of(market)) == (100, 900, 0, 0)
    assert await booked(market, match) == 500_000
    await market.answer(FIRST, match, "confirm")
    assert quantities(await listing_of(market, FIRST)) == (100, 0, 500, 0)


@pytest.mark.parametrize(
    ("quantity", "code", "pointer"),
    [
        (499, "below_smallest_fill", "/quantity"),
        (601, "invalid", "/quantity"),
        (0, "invalid", "/quantity"),
        (1.5, "invalid", "/quantity"),
        ("500", "invalid", "/quantity"),
        (True, "invalid", "/quantity"),
    ],
)
async def test_a_part_lies_between_the_smallest_fill_and_the_proposal(
    market: Melons, quantity: Any, code: str, pointer: str
) -> None:
    match, _ = await both(market)
    refused = await market.answer(SHOP, match, "confirm", quantity=quantity)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert quantities(await listing_of(market, FIRST)) == (0, 600, 0, 0)


async def test_many_are_confirmed_at_once_or_none(market: Melons) -> None:
    match, other = await both(market)
    ids = [other["id"], match["id"]]
    headers = market.api.as_(market.keys[SHOP])
    done = await market.api.post("/v1/matches/confirm", json={"ids": ids}, headers=headers)
    assert done.status_code == 200, done.text
    assert [item["id"] for item in done.json()["items"]] == ids
    assert {tuple(item["confirmed_by"]) for item in done.json()["items"]} == {("demand",)}
    assert (await market.answer(FIRST, match, "confirm")).json()["status"] == "confirmed"
    refused = await market.api.post("/v1/matches/confirm", json={"ids": ids}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "match_not_proposed")
    hub = market.api.as_(market.keys["hub"])
    unknown = {"ids": [other["id"], "0199aaaa-0000-7000-8000-000000000000"], "side": "listing"}
    assert (await market.api.post("/v1/matches/confirm", json=unknown, headers=hub)).status_code == 404
    (still,) = await market.matches(SECOND)
    assert (still["status"], still["confirmed_by"]) == ("proposed", ["demand"])


async def test_the_hub_answers_for_a_side_and_the_history_says_for_whom(market: Melons) -> None:
    match, _ = await both(market)
    nameless = await market.answer("hub", match, "confirm")
    assert (nameless.status_code, nameless.json()["errors"][0]["pointer"]) == (422, "/side")
    done = await market.answer("hub", match, "confirm", side="listing")
    assert (done.status_code, done.json()["confirmed_by"]) == (200, ["listing"])
    assert {done.json()[side]["name"] for side in ("producer", "buyer")} == {FIRST, SHOP}
    async with market.api.database.reader() as session:
        event = text("SELECT actor_id <> principal_id, principal_id FROM outbox WHERE name = 'match.accepted'")
        other, principal = (await session.execute(event)).one()
    assert (other, str(principal)) == (True, (await listing_of(market, FIRST))["organization"])


async def test_what_returns_when_the_hub_takes_less_returns_for_that_side(market: Melons) -> None:
    match, _ = await both(market)
    done = await market.answer("hub", match, "confirm", side="listing", quantity=match["quantity"] - 100)
    assert done.status_code == 200, done.text
    async with market.api.database.reader() as session:
        event = text("SELECT principal_id FROM outbox WHERE name = 'listing.reopened' AND subject_id = :id")
        principal = await session.scalar(event, {"id": match["listing_id"]})
    assert str(principal) == (await listing_of(market, FIRST))["organization"]


async def test_a_party_does_not_answer_for_the_other(market: Melons) -> None:
    match, _ = await both(market)
    for who, side in ((FIRST, "demand"), (SHOP, "listing")):
        refused = await market.answer(who, match, "confirm", side=side)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/side")
    assert (await market.answer(SHOP, match, "confirm", side="demand")).json()["confirmed_by"] == ["demand"]


@pytest.mark.parametrize("withdraw", [False, True])
async def test_what_is_declined_returns_or_is_withdrawn_by_who_declined(market: Melons, withdraw: bool) -> None:  # noqa: FBT001
    match, _ = await both(market)
    declined = await market.answer(FIRST, match, "decline", reason="truk rusak", withdraw=withdraw)
    assert (declined.status_code, declined.json()["status"]) == (200, "declined"), declined.text
    assert declined.json()["decline_reason"] == "truk rusak"
    assert quantities(await listing_of(market, FIRST)) == ((0, 0, 0, 600) if withdraw else (600, 0, 0, 0))
    assert (await demand_of(market))["withdrawn_quantity"] == 0
    assert await booked(market, match) == 0


async def test_an_order_left_below_its_smallest_fill_lapses_its_other_proposals(market: Melons) -> None:
    match, other = await both(market)
    await market.answer(FIRST, match, "decline")
    (lapsed,) = await market.matches(SECOND)
    assert (lapsed["id"], lapsed["status"]) == (other["id"], "lapsed")
    assert quantities(await demand_of(market)) == (1000, 0, 0, 0)
    assert quantities(await listing_of(market, SECOND)) == (600, 0, 0, 0)
    assert await booked(market, other) == 0


async def test_an_order_still_above_its_smallest_fill_keeps_them(scenario: Any) -> None:
    """The control: the same market without a smallest fill."""
    melons = Melons(scenario)
    await melons.offer(FIRST, price_idr=8000)
    await melons.offer(SECOND, price_idr=8200)
    await melons.need()
    await melons.clear()
    match, _ = await both(melons)
    await melons.answer(FIRST, match, "decline")
    assert [row["status"] for row in await melons.matches(SECOND)] == ["proposed"]


async def test_what_was_confirmed_stays_when_the_rest_falls_short(market: Melons) -> None:
    match, other = await both(market)
    for who in (SECOND, SHOP):
        await market.answer(who, other, "confirm")
    await market.answer(FIRST, match, "decline")
    assert [row["status"] for row in await market.matches(SECOND)] == ["confirmed"]
    assert quantities(await demand_of(market)) == (600, 0, 400, 0)


async def test_a_proposal_past_its_time_is_not_confirmed_even_before_the_worker_comes(market: Melons) -> None:
    match, _ = await both(market)
    assert match["expires_at"] == "2026-11-24T17:00:00Z"
    market.api.clock.at += timedelta(hours=16)
    late = await market.answer(FIRST, match, "confirm")
    assert (late.status_code, late.json()["code"]) == (409, "match_not_proposed")
    await close_due(market.api.database, market.api.clock.now())
    assert [row["status"] for row in await market.matches(FIRST)] == ["lapsed"]
    assert quantities(await listing_of(market, FIRST)) == (600, 0, 0, 0)


async def test_a_proposal_keeps_its_terms_when_the_post_changes(market: Melons) -> None:
    match, _ = await both(market)
    listing = await listing_of(market, FIRST)
    changed = await market.change(FIRST, listing, price_idr=9900, available_until="2026-11-30")
    assert changed.status_code == 200, changed.text
    for who in (FIRST, SHOP):
        await market.answer(who, match, "confirm")
    (confirmed,) = await market.matches(FIRST)
    kept = ("producer_price_idr", "producer_gain_idr", "delivered_price_idr", "departs_on")
    assert [confirmed[name] for name in kept] == [match[name] for name in kept]


async def test_what_returns_to_a_closed_post_becomes_withdrawn(market: Melons) -> None:
    match, _ = await both(market)
    listing = await listing_of(market, FIRST)
    await market.change(FIRST, listing, quantity=700)
    key = market.api.as_(market.keys[FIRST])
    await market.api.post(f"/v1/listings/{listing['id']}/withdraw", headers=key)
    assert quantities(await listing_of(market, FIRST)) == (0, 600, 0, 100)
    await market.answer(SHOP, match, "decline")
    closed = await listing_of(market, FIRST)
    assert (closed["status"], quantities(closed)) == ("withdrawn", (0, 0, 0, 700))


async def test_an_exhausted_post_reopens_when_quantity_returns(market: Melons) -> None:
    match, _ = await both(market)
    assert (await listing_of(market, FIRST))["status"] == "exhausted"
    await market.answer(SHOP, match, "decline")
    assert (await listing_of(market, FIRST))["status"] == "open"
    again = await market.clear()
    assert again["matches"] == 2


@pytest.mark.parametrize("action", ["confirm", "decline"])
async def test_a_third_partys_answer_finds_no_match(market: Melons, action: str) -> None:
    match, _ = await both(market)
    for who in (SECOND, OTHER_SHOP):
        assert (await market.answer(who, match, action)).status_code == 404
    assert [row["status"] for row in await market.matches(FIRST)] == ["proposed"]


async def test_each_side_sees_its_own_gain_and_not_the_others(market: Melons) -> None:
    (sold,), bought = await market.matches(FIRST), await market.matches(SHOP)
    (same,) = [match for match in bought if match["id"] == sold["id"]]
    assert sold["producer_gain_idr"] == sold["quantity"] * (sold["producer_price_idr"] - 8000)
    assert (sold["buyer_saving_idr"], same["producer_gain_idr"]) == (None, None)
    assert same["buyer_saving_idr"] == same["quantity"] * (10000 - same["delivered_price_idr"])
    assert (sold["counterparty"]["name"], same["counterparty"]["name"]) == (SHOP, FIRST)
    assert (sold["producer"], sold["buyer"]) == (None, None)


async def test_matches_are_filtered_by_status(market: Melons) -> None:
    match, _ = await both(market)
    await market.answer(FIRST, match, "decline")
    assert {row["status"] for row in await market.matches("hub", "&status=declined&status=lapsed")} == {
        "declined",
        "lapsed",
    }
    assert await market.matches("hub", "&status=confirmed") == []


async def test_answers_at_once_have_one_winner(committed: Any) -> None:
    melons = Melons(committed)
    listing, demand = await melons.offer(), await melons.need(quantity=600)
    await melons.clear()
    (match,) = await melons.matches()
    await melons.answer(FIRST, match, "confirm")
    answers = await asyncio.gather(
        melons.answer(SHOP, match, "confirm"),
        melons.answer(SHOP, match, "decline"),
        melons.answer(FIRST, match, "decline"),
        melons.answer("hub", match, "confirm", side="demand", quantity=100),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (ended,) = await melons.matches()
    owned, wanted = await melons.read(FIRST, listing), await melons.read(SHOP, demand)
    ordered = ended["quantity"] if ended["status"] == "confirmed" else 0
    for order in (owned, wanted):
        assert quantities(order) == (600 - ordered, 0, ordered, 0)
