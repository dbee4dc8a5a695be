"""One side proposes other terms, once; the other takes them or leaves them, and nobody's ask or limit is told."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.worker import close_due
from tests.matching.melons import FIRST, OTHER_SHOP, SHOP, quantities
from tests.orders.trade import Trade


@pytest_asyncio.fixture
async def proposed(scenario: Any) -> Any:
    """A trade with one proposal: 600 kg asked at 8,000 for a limit of 10,000; the shop wants 800."""
    trade = Trade(scenario)
    listing, need = await trade.offer(quantity=600), await trade.need(quantity=800)
    await trade.clear()
    (match,) = await trade.matches()
    return trade, listing, need, match


async def test_an_accepted_counter_offer_confirms_both_sides_at_its_terms(proposed: Any) -> None:
    trade, listing, need, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    offered = await trade.done(address, SHOP, producer_price_idr=7500, quantity=500)
    shown = offered["counter_offer"]
    assert (shown["side"], shown["status"], shown["quantity"]) == ("demand", "open", 500)
    assert shown["delivered_price_idr"] == 7500 + match["collection_idr"] + match["freight_idr"]
    agreed = await trade.done(f"{address}/accept", FIRST)
    assert (agreed["status"], agreed["quantity"], agreed["producer_price_idr"]) == ("confirmed", 500, 7500)
    assert agreed["counter_offer"]["status"] == "accepted"
    # below the ask with its owner's consent
    assert agreed["producer_gain_idr"] == 0
    order = await trade.order()
    assert (order["quantity"], order["lines"][0]["delivered_price_idr"]) == (500, agreed["delivered_price_idr"])
    assert quantities(await trade.read(FIRST, listing)) == (100, 0, 500, 0)
    assert quantities(await trade.read(SHOP, need)) == (300, 0, 500, 0)


async def test_a_counter_offer_may_ask_for_more_and_for_another_departure(proposed: Any) -> None:
    trade, listing, need, match = proposed
    found = await trade.api.walk(f"/v1/lanes/{match['lane_id']}/departures?from={match['departs_on']}")
    before = {row["id"]: row["booked_kg"] for row in found}
    later = found[1]
    await trade.change(FIRST, listing, quantity=700, unit="kg")
    address = f"/matches/{match['id']}/counter-offer"
    await trade.done(address, FIRST, quantity=700, departure_id=later["id"], producer_price_idr=11_000)
    agreed = await trade.done(f"{address}/accept", SHOP)
    assert (agreed["quantity"], agreed["departure_id"]) == (700, later["id"])
    assert agreed["buyer_saving_idr"] == 0
    after = {
        row["id"]: row["booked_kg"]
        for row in await trade.api.walk(f"/v1/lanes/{match['lane_id']}/departures?from={match['departs_on']}")
    }
    assert after[match["departure_id"]] == before[match["departure_id"]] - 600
    assert after[later["id"]] == before[later["id"]] + 700
    assert quantities(await trade.read(SHOP, need)) == (100, 0, 700, 0)


async def test_a_declined_counter_offer_leaves_the_proposal_as_it_was(proposed: Any) -> None:
    trade, _, _, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    await trade.done(address, SHOP, producer_price_idr=7000)
    declined = await trade.done(f"{address}/decline", FIRST)
    assert (declined["status"], declined["confirmed_by"]) == ("proposed", [])
    assert declined["producer_price_idr"] == match["producer_price_idr"]
    again = await trade.post(address, SHOP, producer_price_idr=7500)
    assert (again.status_code, again.json()["code"]) == (409, "counter_offer_exists")
    for who in (FIRST, SHOP):
        await trade.answer(who, match, "confirm")
    assert (await trade.order())["lines"][0]["producer_price_idr"] == match["producer_price_idr"]


async def test_who_offers_cannot_answer_and_strangers_see_nothing(proposed: Any) -> None:
    trade, _, _, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    early = await trade.post(f"{address}/accept", FIRST)
    assert (early.status_code, early.json()["code"]) == (409, "no_counter_offer")
    await trade.done(address, SHOP, producer_price_idr=7000)
    own = await trade.post(f"{address}/accept", SHOP)
    assert (own.status_code, own.json()["code"]) == (409, "no_counter_offer")
    for action in ("", "/accept", "/decline"):
        assert (
            await trade.post(address + action, OTHER_SHOP, **({} if action else {"quantity": 1}))
        ).status_code == 404


async def test_a_side_that_has_confirmed_is_bound(proposed: Any) -> None:
    trade, _, _, match = proposed
    await trade.answer(SHOP, match, "confirm")
    bound = await trade.post(f"/matches/{match['id']}/counter-offer", SHOP, producer_price_idr=7000)
    assert (bound.status_code, bound.json()["code"]) == (409, "match_not_proposed")


async def test_nothing_is_answered_after_its_time(proposed: Any) -> None:
    trade, _, _, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    await trade.done(address, SHOP, producer_price_idr=7000)
    trade.api.clock.at += timedelta(hours=25)
    late = await trade.post(f"{address}/accept", FIRST)
    assert (late.status_code, late.json()["code"]) == (409, "match_not_proposed")


@pytest.mark.parametrize("ending", ["declined", "lapsed", "confirmed"])
async def test_an_open_counter_offer_ends_with_its_match(proposed: Any, ending: str) -> None:
    trade, _, _, match = proposed
    await trade.done(f"/matches/{match['id']}/counter-offer", SHOP, producer_price_idr=7000)
    if ending == "lapsed":
        trade.api.clock.at += timedelta(hours=25)
        await close_due(trade.api.database, trade.api.clock.now())
    else:
        for who in (FIRST,) if ending == "declined" else (FIRST, SHOP):
            await trade.answer(who, match, "decline" if ending == "declined" else "confirm")
    (ended,) = await trade.matches()
    assert (ended["status"], ended["counter_offer"]["status"]) == (ending, "lapsed")
    async with trade.api.database.reader() as session:
        stored = (await session.execute(text("SELECT status, answered_at FROM counter_offers"))).one()
    assert stored == ("lapsed", trade.api.clock.now())


async def test_more_than_is_open_is_gone(proposed: Any) -> None:
    trade, _, _, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    await trade.done(address, SHOP, quantity=601)
    gone = await trade.post(f"{address}/accept", FIRST)
    assert (gone.status_code, gone.json()["code"]) == (409, "quantity_gone")


async def test_an_offer_says_something_new(proposed: Any) -> None:
    trade, _, _, match = proposed
    same = await trade.post(f"/matches/{match['id']}/counter-offer", SHOP, quantity=match["quantity"])
    assert (same.status_code, same.json()["errors"][0]["code"]) == (422, "nothing_new")


@pytest.mark.parametrize(("who", "prices"), [(SHOP, (7999, 8000, 8001)), (FIRST, (9000, 12_000, 90_000))])
async def test_trying_prices_does_not_find_the_others_figure(proposed: Any, who: str, prices: tuple[int, ...]) -> None:
    """The asked 8,000 and the limit of 10,000 stand on either side: what is answered is the same but for the price."""
    trade, *_, match = proposed
    address = f"/matches/{match['id']}/counter-offer"
    told = set()
    for price in prices:
        answer = (await trade.done(address, who, producer_price_idr=price)) | {"version": 0, "counter_offer": None}
        told.add(str(answer))
        async with trade.api.database.transaction() as session:
            await session.execute(text("DELETE FROM counter_offers"))
    assert len(told) == 1
