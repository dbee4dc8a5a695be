"""What both sides confirm becomes an order; before loading it can be cancelled, and everything returns."""

from typing import Any

import pytest

from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP, quantities
from tests.orders.trade import Trade, line_of


async def test_what_one_buyer_gets_on_one_departure_is_one_order(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    assert order["number"].startswith("BTC-2026-0")
    assert (order["status"], order["source"], order["delivery"]) == ("confirmed", "clearing", "franco")
    assert (order["quantity"], order["loaded_quantity"], order["received_quantity"]) == (1000, 0, 0)
    assert (order["payment_terms"], order["down_payment_percent"], order["tolerance_percent"]) == ("cash", 0, 1)
    matches = {match["id"]: match for match in await trade.matches()}
    assert {line["match_id"] for line in order["lines"]} == set(matches)
    for line in order["lines"]:
        match = matches[line["match_id"]]
        for name in ("quantity", "grade", "producer_price_idr", "freight_idr", "delivered_price_idr", "listing_id"):
            assert line[name] == match[name]
        assert (order["departure_id"], order["departs_on"]) == (match["departure_id"], match["departs_on"])
    assert order["value_idr"] == sum(line["quantity"] * line["delivered_price_idr"] for line in order["lines"])


async def test_one_side_alone_makes_no_order(scenario: Any) -> None:
    trade = Trade(scenario)
    await trade.offer()
    await trade.need()
    await trade.clear()
    (match,) = await trade.matches()
    await trade.answer(FIRST, match, "confirm")
    assert await trade.orders() == []
    await trade.answer(SHOP, match, "confirm", quantity=500)
    assert [order["quantity"] for order in await trade.orders()] == [500]


async def test_who_fetches_at_the_hub_has_an_order_without_departure(scenario: Any) -> None:
    trade = Trade(scenario)
    await trade.two_farms_one_shop(delivery="loco")
    order = await trade.order()
    assert (order["delivery"], order["departure_id"], order["lane_code"]) == ("loco", None, None)
    assert len(order["lines"]) == 2
    assert all(line["freight_idr"] == 0 for line in order["lines"])


async def test_the_buyers_terms_stand_on_its_orders(scenario: Any) -> None:
    trade = Trade(scenario)
    shop = (await trade.get("/me", SHOP)).json()["organization"]
    assert shop["payment_terms"] == "cash"
    headers = scenario.as_(scenario.keys.hub, **{"If-Match": f'"{shop["version"]}"'})
    changed = await scenario.patch(
        f"/v1/organizations/{shop['id']}", json={"payment_terms": "down_payment"}, headers=headers
    )
    assert changed.json()["payment_terms"] == "down_payment"
    order = await trade.two_farms_one_shop()
    assert (order["payment_terms"], order["down_payment_percent"]) == ("down_payment", 30)


async def test_each_party_sees_its_part_and_whom_to_call(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    seen = await trade.order(FIRST, id=order["id"])
    assert [line["producer"]["name"] for line in seen["lines"]] == [FIRST]
    assert seen["quantity"] == 600
    assert seen["buyer"]["name"] == SHOP
    assert seen["buyer"]["telephone"]
    assert SECOND not in str(seen)
    bought = await trade.order(SHOP, id=order["id"])
    assert {line["producer"]["name"] for line in bought["lines"]} == {FIRST, SECOND}
    assert all(line["producer"]["telephone"] for line in bought["lines"])
    assert await trade.orders(OTHER_SHOP) == []
    assert (await trade.get(f"/orders/{order['id']}", OTHER_SHOP)).status_code == 404
    assert (await trade.post(f"/orders/{order['id']}/cancel", OTHER_SHOP, reason="iseng")).status_code == 404


async def test_the_history_tells_who_and_for_whom(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shop = order["buyer"]["id"]
    await trade.done(f"/orders/{order['id']}/cancel", organization=shop, reason="Toko tutup")
    history = (await trade.order())["history"]
    told = [(step["event"], step["acting_for"]) for step in history if step["event"] != "match.proposed"]
    accepted = [step for step in told if step[0] == "match.accepted"]
    assert sorted(accepted) == sorted([("match.accepted", FIRST), ("match.accepted", SECOND)])
    assert [step for step in told if step not in accepted] == [
        ("match.confirmed", SHOP),
        ("order.confirmed", SHOP),
        ("order.line_added", SHOP),
        ("match.confirmed", SHOP),
        ("order.line_added", SHOP),
        ("order.cancelled", SHOP),
    ]
    assert {step["by"] for step in history} == {"Hub BTC Kota Blitar"}
    assert history[-1]["facts"] == {"number": order["number"], "reason": "Toko tutup"}
    added = [step for step in (await trade.order(FIRST))["history"] if step["event"] == "order.line_added"]
    assert [step["facts"]["quantity"] for step in added] == [600]
    # a producer is not told what the other one answered
    assert [step["event"] for step in (await trade.order(FIRST))["history"]].count("match.accepted") == 1


async def test_the_history_of_an_order_has_its_counter_offers_and_its_shipments(scenario: Any) -> None:
    trade = Trade(scenario)
    await trade.offer(FIRST, quantity=600)
    await trade.need(SHOP, quantity=600)
    await trade.clear()
    (match,) = await trade.matches()
    await trade.done(f"/matches/{match['id']}/counter-offer", SHOP, quantity=500)
    await trade.done(f"/matches/{match['id']}/counter-offer/accept", FIRST)
    await trade.on_the_way(await trade.order())
    for who in ("hub", SHOP, FIRST):
        history = (await trade.order(who))["history"]
        assert [(step["event"], step["by"]) for step in history if step["by"] != "Hub BTC Kota Blitar"] == [
            ("counter_offer.made", SHOP),
            ("counter_offer.accepted", FIRST),
            ("match.confirmed", FIRST),
            ("order.confirmed", FIRST),
            ("order.line_added", FIRST),
        ]
        assert [step["event"] for step in history][-5:] == [
            "order.scheduled",
            "shipment.loaded",
            "order.dispatched",
            "shipment.dispatched",
            "shipment.arrived",
        ]


@pytest.mark.parametrize("who", [SHOP, "hub"])
async def test_cancelled_quantity_and_room_return_at_once(scenario: Any, who: str) -> None:
    trade = Trade(scenario)
    listing, need = await trade.offer(quantity=600), await trade.need(quantity=600)
    await trade.clear()
    (match,) = await trade.matches()
    departures = f"/lanes/{match['lane_id']}/departures?from={match['departs_on']}&until={match['departs_on']}"
    booked = (await trade.get(departures)).json()["items"][0]["booked_kg"]
    await trade.confirm_all()
    assert quantities(await trade.read(FIRST, listing)) == (0, 0, 600, 0)
    order = await trade.order()
    cancelled = await trade.done(f"/orders/{order['id']}/cancel", who, reason="Tidak jadi")
    assert (cancelled["status"], cancelled["cancel_reason"], cancelled["quantity"]) == ("cancelled", "Tidak jadi", 600)
    assert quantities(await trade.read(FIRST, listing)) == (600, 0, 0, 0)
    assert quantities(await trade.read(SHOP, need)) == (600, 0, 0, 0)
    assert (await trade.get(departures)).json()["items"][0]["booked_kg"] == booked - 600
    again = await trade.post(f"/orders/{order['id']}/cancel", who, reason="Sekali lagi")
    assert (again.status_code, again.json()["code"]) == (409, "order_not_under_way")


async def test_a_producer_cancels_its_own_part_only(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    await trade.done(f"/orders/{order['id']}/cancel", FIRST, reason="Gagal panen")
    left = await trade.order(SHOP)
    assert (left["status"], left["quantity"], left["cancel_reason"]) == ("confirmed", 400, None)
    assert line_of(left, FIRST)["quantity"] == 0
    assert left["history"][-1]["event"] == "order.reduced"
    assert left["history"][-1]["facts"]["cancelled"] == 600
    assert "Gagal panen" not in str(await trade.order(SECOND))
    again = await trade.post(f"/orders/{order['id']}/cancel", FIRST, reason="Lagi")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_cancel")
    last = await trade.done(f"/orders/{order['id']}/cancel", SECOND, reason="Kami juga")
    assert last["status"] == "cancelled"


async def test_what_returns_to_a_closed_listing_is_withdrawn(scenario: Any) -> None:
    trade = Trade(scenario)
    listing = await trade.offer(quantity=600)
    await trade.need(quantity=500, min_quantity=500)
    await trade.clear()
    await trade.confirm_all()
    await trade.done(f"/listings/{listing['id']}/withdraw", FIRST)
    await trade.done(f"/orders/{(await trade.order())['id']}/cancel", SHOP, reason="Tidak jadi")
    assert quantities(await trade.read(FIRST, listing)) == (0, 0, 0, 600)


async def test_only_the_hub_acts_for_a_party_and_only_for_one_of_the_order(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    stranger = (await trade.get("/me", OTHER_SHOP)).json()["organization"]["id"]
    first = line_of(order, FIRST)["producer"]["id"]
    for who, organization in (("hub", stranger), (SHOP, first)):
        answer = await trade.post(f"/orders/{order['id']}/cancel", who, reason="x", organization=organization)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/organization")
    for_first = await trade.done(f"/orders/{order['id']}/cancel", reason="x", organization=first)
    assert (for_first["status"], for_first["quantity"]) == ("confirmed", 400)


async def test_later_confirmations_join_the_order_while_it_is_open(scenario: Any) -> None:
    trade = Trade(scenario)
    await trade.offer(FIRST, quantity=600)
    await trade.offer(SECOND, quantity=400)
    await trade.need(SHOP, quantity=1000)
    await trade.clear()
    first, second = await trade.matches()
    for match in (first, second):
        for side in ("listing", "demand"):
            await trade.done(f"/matches/{match['id']}/confirm", side=side)
        (order,) = await trade.orders()
    assert (order["version"], len(order["lines"])) == (2, 2)
