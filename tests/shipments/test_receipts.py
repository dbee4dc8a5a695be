"""Receipts become final once: by the buyer's word, after a day, or by the hub's decision."""

from typing import Any

import pytest
import pytest_asyncio

from tests.matching.melons import FIRST, OTHER_SHOP, SECOND, SHOP
from tests.orders.trade import Trade, line_of


@pytest_asyncio.fixture
async def there(scenario: Any) -> Any:
    """A trade whose order has arrived: 600 kg and 400 kg."""
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    return trade, order, await trade.on_the_way(order)


def paid(receipt: dict[str, Any]) -> int | None:
    return sum(line["payable_g"] for line in receipt["lines"]) if receipt["final_at"] else None


async def test_a_loss_within_the_tolerance_is_paid_and_final_at_the_buyers_word(there: Any) -> None:
    trade, order, shipment = there
    receipt = await trade.receive(shipment, order, 990_000)
    assert (receipt["final_at"], receipt["lines"]) == (None, [])
    agreed = await trade.done(f"/receipts/{receipt['id']}/acknowledge", SHOP)
    assert paid(agreed) == 1_000_000
    again = await trade.post(f"/receipts/{receipt['id']}/acknowledge", SHOP)
    assert (again.status_code, again.json()["code"]) == (409, "receipt_final")


async def test_a_loss_beyond_it_leaves_the_producers_a_day_to_object(there: Any) -> None:
    trade, order, shipment = there
    receipt = await trade.receive(shipment, order, 989_000, broken_g=9000, refused_g=30_000, reason="busuk")
    agreed = await trade.done(f"/receipts/{receipt['id']}/acknowledge", SHOP)
    assert (agreed["acknowledged_at"] is not None, paid(agreed)) == (True, None)
    assert (await trade.post(f"/receipts/{receipt['id']}/acknowledge", SHOP)).json()["code"] == "receipt_acknowledged"
    assert (await trade.post(f"/orders/{order['id']}/disputes", SHOP, note="x")).json()[
        "code"
    ] == "receipt_acknowledged"
    await trade.hours_pass(23.9)
    assert paid((await trade.receipts(order))[0]) is None
    await trade.hours_pass(0.2)
    (final,) = await trade.receipts(order)
    assert paid(final) == 950_000
    first, second = (line_of(order, who)["id"] for who in (FIRST, SECOND))
    assert {line["order_line_id"]: line["payable_g"] for line in final["lines"]} == {first: 570_000, second: 380_000}


async def test_what_the_buyer_writes_itself_is_acknowledged_at_once(there: Any) -> None:
    trade, order, shipment = there
    receipt = await trade.receive(shipment, order, 1_000_000, SHOP)
    assert (receipt["acknowledged_at"], paid(receipt)) == (receipt["received_at"], 1_000_000)


async def test_a_receipt_is_written_once_and_makes_sense(there: Any) -> None:
    trade, order, shipment = there
    address = f"/shipments/{shipment['id']}/receipts"
    for body, pointer in (
        ({"net_weight_g": 100, "broken_g": 60, "refused_g": 50, "reason": "x"}, "/refused_g"),
        ({"net_weight_g": 100, "refused_g": 50}, "/reason"),
        ({"net_weight_g": 1_500_001}, "/net_weight_g"),
        ({"net_weight_g": -1}, "/net_weight_g"),
        ({"net_weight_g": 1, "order_id": shipment["id"]}, "/order_id"),
    ):
        answer = await trade.post(address, **{"order_id": order["id"], **body})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
    assert (await trade.post(address, OTHER_SHOP, order_id=order["id"], net_weight_g=1)).status_code == 404
    assert (await trade.post(address, FIRST, order_id=order["id"], net_weight_g=1)).status_code == 403
    await trade.receive(shipment, order, 1_000_000)
    again = await trade.post(address, order_id=order["id"], net_weight_g=1)
    assert (again.status_code, again.json()["code"]) == (409, "receipt_exists")


@pytest.mark.parametrize(
    ("who", "net_weight_g", "decision", "payable_g"),
    [
        (FIRST, 900_000, {"outcome": "upheld"}, 1_000_000),
        (FIRST, 900_000, {"outcome": "rejected"}, 900_000),
        (FIRST, 900_000, {"outcome": "split", "payable_g": 950_001}, 950_001),
        (SHOP, 1_000_000, {"outcome": "upheld", "payable_g": 700_000}, 700_000),
        (SHOP, 995_000, {"outcome": "upheld"}, 995_000),
    ],
)
async def test_a_dispute_is_decided_by_the_hub(
    there: Any, who: str, net_weight_g: int, decision: dict[str, Any], payable_g: int
) -> None:
    trade, order, shipment = there
    receipt = await trade.receive(shipment, order, net_weight_g)
    dispute = await trade.done(f"/orders/{order['id']}/disputes", who, note="Timbangan kami lain")
    assert dispute["receipt_id"] == receipt["id"]
    assert (await trade.post(f"/receipts/{receipt['id']}/acknowledge", SHOP)).json()["code"] == "receipt_disputed"
    await trade.hours_pass(48)
    assert paid((await trade.receipts(order))[0]) is None
    resolved = await trade.resolve(dispute, note="Ditimbang ulang", **decision)
    assert (resolved.status_code, resolved.json()["payable_g"]) == (200, payable_g)
    (final,) = await trade.receipts(order, SHOP)
    assert (paid(final), final["dispute"]["outcome_note"]) == (payable_g, "Ditimbang ulang")
    again = await trade.resolve(resolved.json(), outcome="upheld")
    assert (again.status_code, again.json()["code"]) == (409, "dispute_resolved")
    events = [step["event"] for step in (await trade.order(id=order["id"]))["history"]]
    assert events[-3:] == ["dispute.opened", "dispute.resolved", "receipt.final"]


async def test_a_dispute_comes_in_time_once_and_from_a_party(there: Any) -> None:
    trade, order, shipment = there
    address = f"/orders/{order['id']}/disputes"
    early = await trade.post(address, SHOP, note="belum tiba")
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/receipt_id")
    await trade.receive(shipment, order, 900_000)
    assert (await trade.post(address, OTHER_SHOP, note="iseng")).status_code == 404
    nameless = await trade.post(address, note="untuk siapa")
    assert (nameless.status_code, nameless.json()["errors"][0]["pointer"]) == (422, "/organization")
    foreign = await trade.post(address, SHOP, note="x", receipt_id=order["id"])
    assert foreign.json()["errors"][0]["pointer"] == "/receipt_id"
    opened = await trade.done(address, note="Bu Sri", organization=line_of(order, FIRST)["producer"]["id"])
    assert opened["opened_by"] == line_of(order, FIRST)["producer"]["id"]
    second = await trade.post(address, SECOND, note="kami juga")
    assert (second.status_code, second.json()["code"]) == (409, "receipt_disputed")


async def test_a_day_later_it_is_too_late(there: Any) -> None:
    trade, order, shipment = there
    await trade.receive(shipment, order, 900_000)
    await trade.hours_pass(24)
    late = await trade.post(f"/orders/{order['id']}/disputes", FIRST, note="telat")
    assert (late.status_code, late.json()["code"]) == (409, "receipt_final")


async def test_a_decision_says_what_it_means(there: Any) -> None:
    trade, order, shipment = there
    await trade.receive(shipment, order, 900_000)
    dispute = await trade.done(f"/orders/{order['id']}/disputes", FIRST, note="x")
    for decision in (
        {"outcome": "split"},
        {"outcome": "split", "payable_g": 1_000_001},
        {"outcome": "rejected", "payable_g": 5},
    ):
        answer = await trade.resolve(dispute, **decision)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/payable_g")
    assert (await trade.resolve({**dispute, "version": 9}, outcome="upheld")).status_code == 412


async def test_refused_goods_stand_in_the_record(there: Any) -> None:
    trade, order, shipment = there
    receipt = await trade.receive(shipment, order, 1_000_000, refused_g=50_000, reason="memar")
    await trade.hours_pass(25)
    assert receipt["reason"] == "memar"
    await trade.offer(FIRST)
    await trade.need()
    await trade.clear()
    (match,) = await trade.matches(SHOP, "&status=proposed")
    assert match["counterparty"]["record"] == {"orders": 1, "on_time": 0, "refused": 1}
