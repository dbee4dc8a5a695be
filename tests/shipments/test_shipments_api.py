"""Orders are loaded on departures, several on one, one on several; weighed; they leave and arrive."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP
from tests.orders.trade import Trade, line_of


async def test_a_shipment_takes_an_order_to_its_buyer(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.load(order)
    assert (shipment["status"], shipment["on"]) == ("loading", order["departs_on"])
    assert shipment["number"].startswith("SJ-2026-")
    assert {line["quantity"] for line in shipment["lines"]} == {600, 400}
    assert (await trade.order())["status"] == "scheduled"
    left = await trade.dispatch(shipment, crates_out=40)
    assert (left["status"], left["crates_out"]) == ("in_transit", 40)
    assert {line["net_weight_g"] for line in left["lines"]} == {600_000, 400_000}
    assert (await trade.order())["status"] == "in_transit"
    there = await trade.arrive(left)
    assert (there["status"], there["receipts"]) == ("arrived", [])
    receipt = await trade.receive(there, order, 998_000, broken_g=1000, crates_back=38)
    assert (receipt["loaded_g"], receipt["accepted_g"]) == (1_000_000, 997_000)
    delivered = await trade.order()
    assert (delivered["status"], delivered["received_quantity"]) == ("delivered", 1000)
    assert [step["event"] for step in delivered["history"]][-7:] == [
        "order.scheduled",
        "shipment.loaded",
        "order.dispatched",
        "shipment.dispatched",
        "shipment.arrived",
        "receipt.recorded",
        "order.delivered",
    ]
    seen = (await trade.get(f"/shipments/{shipment['id']}")).json()
    assert (seen["crates_out"], seen["crates_back"]) == (40, 38)


async def test_no_more_crates_come_back_than_left(scenario: Any) -> None:
    """They left with one truck and come back at the receipts of its two orders."""
    trade = Trade(scenario)
    await trade.offer(FIRST, quantity=1000)
    for _ in range(2):
        await trade.need(quantity=500, min_quantity=500)
    await trade.clear()
    await trade.confirm_all()
    one, other = await trade.orders()
    lines = [{"order_line_id": order["lines"][0]["id"], "quantity": 500} for order in (one, other)]
    shipment = await trade.done("/shipments", departure_id=one["departure_id"], lines=lines)
    await trade.arrive(await trade.dispatch(shipment, crates_out=40))
    await trade.receive(shipment, one, 500_000, crates_back=25)
    address = f"/shipments/{shipment['id']}/receipts"
    answer = await trade.post(address, order_id=other["id"], net_weight_g=500_000, crates_back=16)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/crates_back")
    assert "15" in answer.json()["errors"][0]["detail"]
    await trade.receive(shipment, other, 500_000, crates_back=15)
    seen = (await trade.get(f"/shipments/{shipment['id']}")).json()
    assert (seen["crates_out"], seen["crates_back"]) == (40, 40)


async def test_what_is_fetched_at_the_hub_borrows_no_crates(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop(delivery="loco")
    shipment = await trade.load(order)
    weights = [
        {"order_line_id": line["order_line_id"], "net_weight_g": line["quantity"] * 1000} for line in shipment["lines"]
    ]
    answer = await trade.post(f"/shipments/{shipment['id']}/dispatch", weights=weights, crates_out=1)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/crates_out")
    assert (await trade.dispatch(shipment))["status"] == "arrived"


async def test_one_order_goes_in_several_shipments_and_one_shipment_takes_several_orders(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    first = await trade.on_the_way(order, first=600)
    await trade.receive(first, order, 600_000)
    part = await trade.order()
    assert (part["status"], part["loaded_quantity"], part["received_quantity"]) == ("in_transit", 600, 600)
    second = await trade.on_the_way(order, second=100)
    third = await trade.on_the_way(order, second=300)
    await trade.receive(third, order, 300_000)
    assert (await trade.order())["status"] == "in_transit"
    await trade.receive(second, order, 100_000)
    assert (await trade.order())["status"] == "delivered"
    assert len((await trade.get(f"/shipments?order={order['id']}")).json()["items"]) == 3


async def test_the_rest_may_leave_later_and_its_room_moves_along(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()

    async def booked() -> dict[str, int]:
        found = await scenario.walk(f"/v1/lanes/{order['lane_id']}/departures?from={order['departs_on']}")
        return {row["id"]: row["booked_kg"] for row in found}

    before = await booked()
    later = list(before)[1]
    await trade.load(order, first=600)
    assert await booked() == before
    moved = await trade.load(order, departure=later, second=400)
    after = await booked()
    assert moved["on"] > order["departs_on"]
    assert after[order["departure_id"]] == before[order["departure_id"]] - 400
    assert after[later] == before[later] + 400


async def test_a_full_departure_takes_no_more(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    later = (await scenario.walk(f"/v1/lanes/{order['lane_id']}/departures?from={order['departs_on']}"))[1]
    headers = scenario.as_(scenario.keys.hub, **{"If-Match": f'"{later["version"]}"'})
    smaller = await scenario.patch(
        f"/v1/departures/{later['id']}", json={"capacity_kg": later["booked_kg"] + 399}, headers=headers
    )
    assert smaller.status_code == 200, smaller.text
    line = line_of(order, SECOND)
    body = {"departure_id": later["id"], "lines": [{"order_line_id": line["id"], "quantity": 400}]}
    answer = await trade.post("/shipments", **body)
    assert (answer.status_code, answer.json()["code"]) == (409, "quantity_gone")
    body["lines"] = [{"order_line_id": line["id"], "quantity": 399}]
    assert (await trade.post("/shipments", **body)).status_code == 201


async def test_no_more_is_loaded_than_ordered(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    await trade.load(order, first=500)
    line = line_of(order, FIRST)
    answer = await trade.post(
        "/shipments", departure_id=order["departure_id"], lines=[{"order_line_id": line["id"], "quantity": 101}]
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "above_ordered")


async def test_what_does_not_go_there_is_not_loaded(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    lines = [{"order_line_id": line_of(order, FIRST)["id"], "quantity": 1}]
    lanes = (await trade.get("/lanes")).json()["items"]
    elsewhere = next(lane for lane in lanes if lane["id"] != order["lane_id"])
    other = (await scenario.walk(f"/v1/lanes/{elsewhere['id']}/departures?from={order['departs_on']}"))[0]
    for body, pointer in (
        ({"departure_id": other["id"], "lines": lines}, "/departure_id"),
        ({"departure_id": None, "lines": lines}, "/departure_id"),
        ({"departure_id": str(uuid4()), "lines": lines}, "/departure_id"),
        ({"departure_id": order["departure_id"], "on": "2026-12-31", "lines": lines}, "/on"),
        ({"departure_id": order["departure_id"], "lines": lines * 2}, "/lines/1/order_line_id"),
        (
            {"departure_id": order["departure_id"], "lines": [{"order_line_id": str(uuid4()), "quantity": 1}]},
            "/lines/0/order_line_id",
        ),
        ({"departure_id": order["departure_id"], "lines": []}, "/lines"),
    ):
        answer = await trade.post("/shipments", **body)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text


async def test_a_closed_departure_is_not_loaded(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    days = {"from": order["departs_on"], "until": order["departs_on"]}
    await trade.done(f"/lanes/{order['lane_id']}/closures", **days, reason="gelombang tinggi")
    lines = [{"order_line_id": line_of(order, FIRST)["id"], "quantity": 1}]
    answer = await trade.post("/shipments", departure_id=order["departure_id"], lines=lines)
    assert (answer.status_code, answer.json()["code"]) == (409, "departure_closed")


async def test_every_line_is_weighed_in_grams_before_it_leaves(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.load(order)
    dispatch = f"/shipments/{shipment['id']}/dispatch"
    good = [
        {"order_line_id": line["order_line_id"], "net_weight_g": line["quantity"] * 1000} for line in shipment["lines"]
    ]
    for weights, pointer in (
        (good[:1], "/weights"),
        ([*good, good[0]], "/weights/2/order_line_id"),
        ([*good, {"order_line_id": str(uuid4()), "net_weight_g": 1}], "/weights/2/order_line_id"),
        ([good[0], {**good[1], "net_weight_g": 600}], "/weights/1/net_weight_g"),
    ):
        answer = await trade.post(dispatch, weights=weights)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
    assert (await trade.post(f"/shipments/{shipment['id']}/arrive")).json()["code"] == "shipment_not_in_transit"
    await trade.done(dispatch, weights=good)
    assert (await trade.post(dispatch, weights=good)).json()["code"] == "shipment_not_loading"
    receipt = {"order_id": order["id"], "net_weight_g": 1}
    assert (await trade.post(f"/shipments/{shipment['id']}/receipts", **receipt)).json()[
        "code"
    ] == "shipment_not_arrived"


async def test_goods_fetched_at_the_hub_are_received_as_loaded(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop(delivery="loco")
    shipment = await trade.dispatch(await trade.load(order))
    assert (shipment["status"], shipment["departure_id"], shipment["on"]) == ("arrived", None, "2026-11-24")
    (receipt,) = shipment["receipts"]
    assert (receipt["loaded_g"], receipt["net_weight_g"], receipt["accepted_g"]) == (1_000_000, 1_000_000, 1_000_000)
    assert (await trade.order())["status"] == "delivered"


async def test_each_party_sees_its_part_of_a_shipment(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.on_the_way(order)
    await trade.receive(shipment, order, 900_000)
    address = f"/shipments/{shipment['id']}"
    seen = (await trade.get(address, FIRST)).json()
    assert [line["quantity"] for line in seen["lines"]] == [600]
    assert SECOND not in str(seen)
    assert len((await trade.get(address, SHOP)).json()["lines"]) == 2
    assert (await trade.get(address, OTHER_SHOP)).status_code == 404
    assert (await trade.get("/shipments", OTHER_SHOP)).json()["items"] == []
    await trade.hours_pass(25)
    (receipt,) = await trade.receipts(order, FIRST)
    assert [line["payable_g"] for line in receipt["lines"]] == [540_000]
    (whole,) = await trade.receipts(order, SHOP)
    assert sum(line["payable_g"] for line in whole["lines"]) == 900_000
    assert (await trade.get(f"/orders/{order['id']}/receipts", OTHER_SHOP)).status_code == 404


async def test_only_the_hub_cancels_the_rest_of_what_is_partly_loaded(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.on_the_way(order, first=600)
    cancel = f"/orders/{order['id']}/cancel"
    for who in (SHOP, FIRST, SECOND):
        answer = await trade.post(cancel, who, reason="Tidak jadi")
        assert (answer.status_code, answer.json()["code"]) == (409, "order_loaded")
    rest = await trade.done(cancel, reason="Truk penuh")
    assert (rest["status"], rest["quantity"]) == ("in_transit", 600)
    assert (await trade.post(cancel, reason="Lagi")).json()["code"] == "nothing_to_cancel"
    await trade.receive(shipment, order, 600_000)
    assert (await trade.order())["status"] == "delivered"


async def test_cancelling_the_rest_delivers_what_was_received_already(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    await trade.receive(await trade.on_the_way(order, first=600), order, 600_000)
    assert (await trade.done(f"/orders/{order['id']}/cancel", reason="Sisa batal"))["status"] == "delivered"


@pytest.mark.parametrize(("days", "on_time"), [(0, 1), (3, 0)])
async def test_late_and_short_deliveries_stand_in_the_record(scenario: Any, days: int, on_time: int) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    shipment = await trade.dispatch(await trade.load(order))
    scenario.clock.at += timedelta(days=days)
    scenario.clock.at += timedelta(days=1)
    await trade.arrive(shipment)
    await trade.receive(shipment, order, 1_000_000)
    await trade.hours_pass(25)
    await trade.hours_pass(1)
    await trade.offer(FIRST)
    await trade.need()
    await trade.clear()
    (match,) = await trade.matches(SHOP, "&status=proposed")
    assert match["counterparty"]["record"] == {"orders": 1, "on_time": on_time, "refused": 0}
