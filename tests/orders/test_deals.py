"""A deal made at the desk is an order under the same checks as a match; its prices are the parties' own."""

from typing import Any

import pytest

from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP, quantities
from tests.orders.trade import Trade, line_of


async def party(trade: Trade, who: str) -> str:
    return str((await trade.get("/me", who)).json()["organization"]["id"])


async def departure(trade: Trade, destination: str = "35.78") -> dict[str, Any]:
    """Return the first departure to a city that a run could use."""
    lanes = (await trade.get(f"/lanes?destination={destination}")).json()["items"]
    found = await trade.api.walk(f"/v1/lanes/{lanes[0]['id']}/departures?from=2026-11-26")
    row: dict[str, Any] = found[0]
    return row


async def test_stock_and_need_that_stand_already_become_an_order(scenario: Any) -> None:
    trade = Trade(scenario)
    listing, need = await trade.offer(quantity=600, price_idr=9500), await trade.need(quantity=1000, max_price_idr=9000)
    leaves = await departure(trade)
    line = {"listing_id": listing["id"], "quantity": 400, "producer_price_idr": 9200}
    order = await trade.done("/orders", demand_id=need["id"], departure_id=leaves["id"], lines=[line])
    assert (order["source"], order["status"], order["delivery"]) == ("deal", "confirmed", "franco")
    (sold,) = order["lines"]
    # below the ask and above the limit: both sides have agreed
    assert (sold["match_id"], sold["producer_price_idr"], sold["scarcity_idr"]) == (None, 9200, 0)
    assert sold["delivered_price_idr"] == 9200 + sold["collection_idr"] + sold["freight_idr"] > 9200
    assert quantities(await trade.read(FIRST, listing)) == (200, 0, 400, 0)
    assert quantities(await trade.read(SHOP, need)) == (600, 0, 400, 0)
    row = (await scenario.walk(f"/v1/lanes/{leaves['lane_id']}/departures?from={leaves['departs_on']}"))[0]
    assert row["booked_kg"] == leaves["booked_kg"] + 400
    await trade.done(f"/orders/{order['id']}/cancel", SHOP, reason="Tidak jadi")
    assert quantities(await trade.read(FIRST, listing)) == (600, 0, 0, 0)


async def test_what_nobody_has_posted_is_posted_with_the_deal(scenario: Any) -> None:
    trade = Trade(scenario)
    leaves = await departure(trade)
    lines = [
        {"producer": await party(trade, FIRST), "grade": "A", "quantity": 300, "producer_price_idr": 8000},
        {
            "producer": await party(trade, SECOND),
            "grade": "B",
            "quantity": "0.2",
            "unit": "ton",
            "producer_price_idr": 7000,
        },
    ]
    lines[1] |= {"producer_price_idr": 7000}
    order = await trade.done(
        "/orders",
        buyer=await party(trade, SHOP),
        commodity="melon",
        departure_id=leaves["id"],
        payment_terms="down_payment",
        down_payment_percent=50,
        tolerance_percent=2,
        lines=lines,
    )
    assert (order["quantity"], order["arrives_on"]) == (500, leaves["arrives_on"])
    assert (order["payment_terms"], order["down_payment_percent"], order["tolerance_percent"]) == (
        "down_payment",
        50,
        2,
    )
    need = (await trade.get(f"/demands/{order['demand_id']}", SHOP)).json()
    assert (need["status"], need["min_grade"], need["ordered_quantity"]) == ("exhausted", "B", 500)
    listing = (await trade.get(f"/listings/{line_of(order, SECOND)['listing_id']}", SECOND)).json()
    assert (listing["status"], listing["ordered_quantity"], listing["price_idr"]) == ("exhausted", 200, 7000)
    shipment = await trade.on_the_way(await trade.order(id=order["id"]))
    await trade.receive(shipment, order, 500_000)
    assert (await trade.order(id=order["id"]))["status"] == "delivered"


async def test_a_deal_is_recorded_for_the_buyer_and_each_line_for_its_producer(scenario: Any) -> None:
    trade = Trade(scenario)
    lines = [
        {"producer": await party(trade, who), "grade": "A", "quantity": 300, "producer_price_idr": 8000}
        for who in (FIRST, SECOND)
    ]
    leaves = await departure(trade)
    order = await trade.done(
        "/orders", buyer=await party(trade, SHOP), commodity="melon", departure_id=leaves["id"], lines=lines
    )
    history = (await trade.order(id=order["id"]))["history"]
    assert [(step["event"], step["acting_for"]) for step in history] == [
        ("order.confirmed", SHOP),
        ("order.line_added", FIRST),
        ("order.line_added", SECOND),
    ]


async def test_a_deal_may_be_fetched_at_the_hub(scenario: Any) -> None:
    trade = Trade(scenario)
    line = {"producer": await party(trade, FIRST), "grade": "A", "quantity": 100, "producer_price_idr": 8000}
    order = await trade.done(
        "/orders", buyer=await party(trade, SHOP), commodity="melon", on="2026-11-26", lines=[line]
    )
    assert (order["delivery"], order["departs_on"], order["arrives_on"]) == ("loco", "2026-11-26", "2026-11-26")
    assert order["lines"][0]["freight_idr"] == 0


async def test_a_deal_takes_no_more_than_is_open(scenario: Any) -> None:
    trade = Trade(scenario)
    listing, need = await trade.offer(quantity=600), await trade.need(quantity=500)
    leaves = await departure(trade)
    for quantity, status in ((601, 409), (501, 409), (500, 201)):
        line = {"listing_id": listing["id"], "quantity": quantity, "producer_price_idr": 8000}
        answer = await trade.post("/orders", demand_id=need["id"], departure_id=leaves["id"], lines=[line])
        assert answer.status_code == status, answer.text
    assert answer.json()["quantity"] == 500


async def test_a_full_departure_takes_no_deal(scenario: Any) -> None:
    trade = Trade(scenario)
    leaves = await departure(trade)
    headers = scenario.as_(scenario.keys.hub, **{"If-Match": f'"{leaves["version"]}"'})
    capacity = {"capacity_kg": leaves["booked_kg"] + 99}
    assert (await scenario.patch(f"/v1/departures/{leaves['id']}", json=capacity, headers=headers)).status_code == 200
    line = {"producer": await party(trade, FIRST), "grade": "A", "quantity": 100, "producer_price_idr": 8000}
    buyer = await party(trade, SHOP)
    answer = await trade.post("/orders", buyer=buyer, commodity="melon", departure_id=leaves["id"], lines=[line])
    assert (answer.status_code, answer.json()["code"]) == (409, "quantity_gone")


FRESH = {"min_remaining_shelf_life_days": 3}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        (
            {"lines": {"best_before": "2026-11-26"}, "need": {"min_remaining_shelf_life_days": 3}},
            "/lines/0",
            "freshness",
        ),
        ({"need": {"deliver_by": "2026-11-25"}}, "/lines/0", "window"),
        ({"need": {"min_grade": "A"}, "lines": {"grade": "B"}}, "/lines/0", "grade"),
        ({"need": {"region": "32.76"}}, "/lines/0", "no_lane"),
        ({"need": {"region": "35.71"}}, "/lines/0", "no_agreement"),
        ({"lines": {"grade": "Z"}}, "/lines/0/grade", "unknown_grade"),
        ({"lines": {"quantity": "0.5"}}, "/lines/0/quantity", "not_whole"),
        ({"lines": {"unit": "peti-15"}}, "/lines/0/unit", "unknown_unit"),
        ({"lines": {"grade": None}}, "/lines/0/grade", "missing"),
        ({"lines": {"producer": None}}, "/lines/0/listing_id", "one_of"),
        ({"lines": {"producer": SHOP}}, "/lines/0/producer", "wrong_role"),
        ({"deal": {"commodity": "beras"}}, "/commodity", "commodity"),
        ({"deal": {"demand_id": None}}, "/demand_id", "one_of"),
        ({"deal": {"departure_id": "018f0000-0000-7000-8000-000000000000"}}, "/departure_id", "unknown_departure"),
        ({"deal": {"on": "2026-12-31"}}, "/on", "other_day"),
        ({"deal": {"departure_id": None, "on": "2026-11-24"}}, "/on", "day"),
        ({"deal": {"tolerance_percent": 101}}, "/tolerance_percent", "less_than_equal"),
    ],
)
async def test_the_same_rules_bind_as_in_a_clearing(
    scenario: Any, change: dict[str, Any], pointer: str, code: str
) -> None:
    trade = Trade(scenario)
    need = await trade.need(quantity=1000, **{"min_grade": "B", **change.get("need", {})})
    line = {"producer": FIRST, "grade": "A", "quantity": 100, "producer_price_idr": 8000, **change.get("lines", {})}
    if line["producer"] is not None:
        line["producer"] = await party(trade, line["producer"])
    leaves = await departure(trade)
    deal = {"demand_id": need["id"], "departure_id": leaves["id"], "lines": [line], **change.get("deal", {})}
    answer = await trade.post("/orders", **deal)
    assert answer.status_code == 422, answer.text
    error = answer.json()["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code), answer.text


async def test_deals_are_recorded_by_the_hub_for_parties_of_its_own(scenario: Any) -> None:
    trade = Trade(scenario)
    listing, need = await trade.offer(), await trade.need(OTHER_SHOP)
    line = {"listing_id": listing["id"], "quantity": 1, "producer_price_idr": 1}
    assert (await trade.post("/orders", SHOP, demand_id=need["id"], lines=[line])).status_code == 403
    unknown = {**line, "listing_id": need["id"]}
    leaves = await departure(trade)
    answer = await trade.post("/orders", demand_id=need["id"], departure_id=leaves["id"], lines=[unknown])
    assert answer.status_code == 404
