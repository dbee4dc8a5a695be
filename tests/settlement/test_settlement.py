"""From a final receipt to paid farmers, through the API."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.settlement import service
from app.settlement.due import bill_due
from tests.settlement.deliveries import DEPOK, PONGGOK, SEGIRI, Delivered, deliver, organization, producers


async def bill(api: Any, fee_permille: int = 0) -> None:
    await bill_due(api.database, api.clock.now(), fee_permille=fee_permille)


async def settlement(api: Any, order: Delivered, key: str | None = None) -> dict[str, Any]:
    answer = await api.get(f"/v1/orders/{order.id}/settlement", headers=api.as_(key or api.keys.hub))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def pay(api: Any, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = await api.post("/v1/payments", json=body, headers=api.as_(api.keys.hub))
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def pay_everybody(api: Any, order: Delivered) -> None:
    for payee in (await settlement(api, order))["payees"]:
        if payee["open_idr"] > 0:
            await pay(api, direction="out", account=payee["account"], amount_idr=payee["open_idr"])


async def test_one_payment_reaches_every_producer_and_the_order_is_settled(scenario: Any) -> None:
    first, second = await producers(scenario, 2)
    order = await deliver(scenario, {first: 6000, second: 4000})
    await bill(scenario)
    told = await settlement(scenario, order)
    assert (told["billed_idr"], told["open_idr"], told["due_on"]) == (271_800_000, 271_800_000, "2026-11-24")
    assert [line["buyer_pays_idr"] for line in told["lines"]] == [163_080_000, 108_720_000]
    dues = {payee["name"]: payee["due_idr"] for payee in told["payees"]}
    assert dues[first] == 159_000_000
    assert sum(dues.values()) == 271_800_000

    paid = await pay(scenario, organization=str(order.buyer_id), amount_idr=271_800_000, orders=[str(order.id)])
    assert [(part["number"], part["amount_idr"]) for part in paid["orders"]] == [(order.number, 271_800_000)]
    told = await settlement(scenario, order)
    assert (told["open_idr"], told["due_on"], told["status"]) == (0, None, "delivered")
    assert {share["name"]: share["amount_idr"] for share in told["payments"][0]["shares"]} == dues

    await pay_everybody(scenario, order)
    told = await settlement(scenario, order)
    assert told["status"] == "settled"
    assert {payee["open_idr"] for payee in told["payees"]} == {0}


async def test_a_part_of_a_bill_is_split_in_proportion_to_the_rupiah(scenario: Any) -> None:
    names = await producers(scenario, 3)
    order = await deliver(scenario, dict(zip(names, (100, 200, 333), strict=True)))
    await bill(scenario)
    paid = 0
    for amount in (1, 7, 1_000_003, 5_000_000):
        await pay(scenario, organization=str(order.buyer_id), amount_idr=amount)
        paid += amount
        told = await settlement(scenario, order)
        assert sum(payee["shared_idr"] for payee in told["payees"]) == paid
        for payee in told["payees"]:
            assert abs(payee["shared_idr"] * told["billed_idr"] - paid * payee["due_idr"]) < 4 * told["billed_idr"]


async def test_what_is_lost_beyond_the_tolerance_is_the_producers_with_every_deduction_visible(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, lost_g=100_000)
    await bill(scenario, fee_permille=5)
    (line,) = (await settlement(scenario, order))["lines"]
    assert (line["loaded_g"], line["payable_g"], line["buyer_pays_idr"]) == (1_000_000, 900_000, 24_462_000)
    deductions = {one["kind"]: one["amount_idr"] for one in line["deductions"]}
    assert deductions == {"collection_of_loss": 6_000, "freight_of_loss": 62_000, "hub_fee": 119_250}
    assert line["producer_gets_idr"] == 23_850_000 - 6_000 - 62_000 - 119_250
    payees = {payee["kind"]: payee["due_idr"] for payee in (await settlement(scenario, order))["payees"]}
    assert (payees["carrier"], payees["collection"]) == (620_000, 60_000)


async def test_within_the_tolerance_the_loaded_weight_is_paid(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, lost_g=10_000)
    await bill(scenario)
    (line,) = (await settlement(scenario, order))["lines"]
    assert (line["payable_g"], line["deductions"]) == (1_000_000, [])


async def test_a_receipt_is_billed_once(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    for _ in range(2):
        await bill(scenario)
    again = await scenario.database.retried(
        lambda session: service.bill(session, receipt_id=order.receipt_id, fee_permille=0, now=scenario.clock.now())
    )
    assert again is False
    assert (await settlement(scenario, order))["billed_idr"] == 27_180_000


async def test_an_overpayment_is_credit_and_meets_the_next_bill(scenario: Any) -> None:
    first = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    paid = await pay(scenario, organization=str(first.buyer_id), amount_idr=30_000_000, orders=[str(first.id)])
    assert [part["amount_idr"] for part in paid["orders"]] == [27_180_000, 2_820_000]
    assert paid["orders"][1]["order_id"] is None
    second = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    told = await settlement(scenario, second)
    assert (told["received_idr"], told["open_idr"]) == (2_820_000, 24_360_000)
    assert [payment["direction"] for payment in told["payments"]] == ["set_off"]
    assert sum(payee["shared_idr"] for payee in told["payees"]) == 2_820_000


async def test_an_order_that_is_named_twice_is_paid_once(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    paid = await pay(scenario, orders=[str(order.id)] * 2, amount_idr=2 * 27_180_000)
    assert [(part["number"], part["amount_idr"]) for part in paid["orders"]] == [
        (order.number, 27_180_000),
        (None, 27_180_000),
    ]


async def test_a_payment_without_orders_pays_the_oldest_due_first(scenario: Any) -> None:
    late = await deliver(scenario, {PONGGOK: 1000}, terms="net_30")
    soon = await deliver(scenario, {PONGGOK: 1000}, terms="net_7")
    await bill(scenario)
    await pay(scenario, organization=str(soon.buyer_id), amount_idr=30_000_000)
    assert (await settlement(scenario, soon))["open_idr"] == 0
    told = await settlement(scenario, late)
    assert (told["open_idr"], told["due_on"]) == (24_360_000, "2026-12-24")


async def test_what_is_paid_before_delivery_waits_for_the_bill(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, terms="down_payment", arrived=False)
    told = await settlement(scenario, order)
    assert (told["down_payment_idr"], told["down_payment_due_on"] is None) == (8_154_000, False)
    await pay(scenario, orders=[str(order.id)], amount_idr=8_154_000)
    told = await settlement(scenario, order)
    assert (told["received_idr"], told["open_idr"], told["payments"][0]["shares"]) == (8_154_000, -8_154_000, [])


async def test_nobody_is_paid_out_more_than_is_due(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    producer = str(await organization(scenario, PONGGOK))
    refused = await pay(scenario, 409, direction="out", organization=producer, amount_idr=26_500_001)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("more_than_due", "/amount_idr")
    await pay(scenario, direction="out", organization=producer, amount_idr=26_500_000)
    refused = await pay(scenario, 409, direction="out", organization=producer, amount_idr=1)
    assert refused["code"] == "more_than_due"
    assert (await settlement(scenario, order))["status"] == "delivered"


async def test_a_producers_loss_meets_what_is_due_to_it_elsewhere(scenario: Any) -> None:
    lost = await deliver(scenario, {PONGGOK: 1000}, lost_g=1_000_000)
    await bill(scenario)
    told = await settlement(scenario, lost)
    (payee,) = [payee for payee in told["payees"] if payee["kind"] == "producer"]
    assert (told["billed_idr"], payee["open_idr"]) == (0, -680_000)
    good = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    (payee,) = [payee for payee in (await settlement(scenario, good))["payees"] if payee["kind"] == "producer"]
    assert (payee["due_idr"], payee["paid_idr"], payee["open_idr"]) == (26_500_000, 680_000, 25_820_000)
    producer = str(await organization(scenario, PONGGOK))
    await pay(scenario, 409, direction="out", organization=producer, amount_idr=25_820_001)
    await pay(scenario, direction="out", organization=producer, amount_idr=25_820_000)


@pytest.mark.parametrize(("days", "on_time"), [(0, 1), (7, 1), (8, 0)])
async def test_a_buyers_record_tells_whether_it_paid_on_time(scenario: Any, days: int, on_time: int) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, terms="net_7")
    await bill(scenario)
    scenario.clock.at += timedelta(days=days)
    await pay(scenario, orders=[str(order.id)], amount_idr=27_180_000)
    await pay_everybody(scenario, order)
    assert await record(scenario, order.buyer_id) == (1, on_time)


async def record(api: Any, buyer_id: UUID) -> tuple[int, ...]:
    """Read how many orders stand in a buyer's record, and how many of them paid on time."""
    statement = text("SELECT record_orders, record_on_time FROM organizations WHERE id = :id")
    async with api.database.reader() as session:
        return tuple((await session.execute(statement, {"id": buyer_id})).one())


@pytest.mark.parametrize("paid_idr", [0, 27_179_999])
async def test_who_never_pays_has_a_record_too(scenario: Any, paid_idr: int) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, terms="net_7")
    await bill(scenario)
    if paid_idr:
        await pay(scenario, orders=[str(order.id)], amount_idr=paid_idr)
    for days, expected in ((7, (0, 0)), (1, (1, 0)), (30, (1, 0))):
        scenario.clock.at += timedelta(days=days)
        await bill(scenario)
        assert await record(scenario, order.buyer_id) == expected
    await pay(scenario, orders=[str(order.id)], amount_idr=27_180_000 - paid_idr)
    await pay_everybody(scenario, order)
    assert await record(scenario, order.buyer_id) == (1, 0)


async def test_what_the_bank_booked_in_time_is_on_time_though_the_hub_recorded_it_later(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, terms="net_7")
    await bill(scenario)
    paid_on = scenario.clock.at.date().isoformat()
    scenario.clock.at += timedelta(days=8)
    await bill(scenario)
    assert await record(scenario, order.buyer_id) == (1, 0)
    await pay(scenario, orders=[str(order.id)], amount_idr=27_180_000, on=paid_on)
    await pay_everybody(scenario, order)
    assert await record(scenario, order.buyer_id) == (1, 1)


async def test_each_party_sees_what_is_its_own(scenario: Any) -> None:
    first, second = await producers(scenario, 2)
    order = await deliver(scenario, {first: 6000, second: 4000})
    await bill(scenario)
    await pay(scenario, orders=[str(order.id)], amount_idr=100_000_000)
    told = await settlement(scenario, order, scenario.keys.producers[first])
    assert {line["producer"] for line in told["lines"]} == {first}
    assert [payee["name"] for payee in told["payees"]] == [first]
    assert (told["billed_idr"], told["bills"], told["value_idr"]) == (None, [], None)
    (payment,) = told["payments"]
    assert [share["name"] for share in payment["shares"]] == [first]
    assert payment["amount_idr"] == payment["shares"][0]["amount_idr"] == told["payees"][0]["shared_idr"]
    assert second not in str(told)
    bought = await settlement(scenario, order, scenario.keys.buyers[DEPOK])
    assert (bought["received_idr"], bought["payees"], bought["payments"][0]["shares"]) == (100_000_000, [], [])
    assert {line["producer_gets_idr"] for line in bought["lines"]} == {None}
    foreign = await scenario.get(
        f"/v1/orders/{order.id}/settlement", headers=scenario.as_(scenario.keys.buyers[SEGIRI])
    )
    assert foreign.status_code == 404


async def statements(api: Any, query: str = "", key: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/statements?limit=200&{query}", key or api.keys.hub)
    return found


async def test_a_statement_tells_a_party_every_step_of_its_account(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    scenario.clock.at += timedelta(days=1)
    producer = str(await organization(scenario, PONGGOK))
    await pay(scenario, direction="out", organization=producer, amount_idr=20_000_000)
    (told,) = await statements(scenario, key=scenario.keys.producers[PONGGOK])
    steps = [(line["kind"], line["number"], line["balance_idr"]) for line in told["lines"]]
    assert steps == [("goods", order.number, -26_500_000), ("paid_out", order.number, -6_500_000)]
    assert (told["opening_idr"], told["closing_idr"]) == (0, -6_500_000)
    assert "rupiah" in told["split_rule"]
    (second_day,) = await statements(scenario, "from=2026-11-25", key=scenario.keys.producers[PONGGOK])
    assert (second_day["opening_idr"], len(second_day["lines"])) == (-26_500_000, 1)


async def test_all_accounts_of_the_hub_add_up_to_nothing(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000, (await producers(scenario, 1))[0]: 500}, lost_g=70_000)
    await bill(scenario, fee_permille=3)
    await pay(scenario, orders=[str(order.id)], amount_idr=50_000_000)
    await pay(scenario, direction="out", organization=str(await organization(scenario, PONGGOK)), amount_idr=77)
    told = await statements(scenario)
    assert {one["kind"] for one in told} == {"bank", "buyer", "carrier", "collection", "hub_fee", "producer"}
    assert sum(one["closing_idr"] for one in told) == 0
    (bank,) = [one for one in told if one["kind"] == "bank"]
    assert bank["closing_idr"] == 50_000_000 - 77


@pytest.mark.parametrize("named", ["account", "organization"])
async def test_a_payment_is_recorded_for_its_party_however_it_is_named(scenario: Any, named: str) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    payees = {payee["name"]: payee for payee in (await settlement(scenario, order))["payees"]}
    farm = await organization(scenario, PONGGOK)
    value = payees[PONGGOK]["account"] if named == "account" else str(farm)
    await pay(scenario, direction="out", amount_idr=1000, **{named: value})
    buyer = {"orders": [str(order.id)]} if named == "account" else {"organization": str(order.buyer_id)}
    await pay(scenario, amount_idr=1000, **buyer)
    async with scenario.database.reader() as session:
        statement = text("SELECT principal_id FROM outbox WHERE name LIKE 'payment.%' ORDER BY id")
        assert list(await session.scalars(statement)) == [farm, order.buyer_id]


async def test_payments_are_listed_to_their_party(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    await pay(scenario, orders=[str(order.id)], amount_idr=1_000_000, reference="TRX-1", on="2026-11-23")
    await pay(scenario, 409, orders=[str(order.id)], amount_idr=1_000_000, reference="TRX-1")
    buyer, hub = scenario.keys.buyers[DEPOK], scenario.keys.hub
    (mine,) = await scenario.walk("/v1/payments", buyer)
    assert (mine["reference"], mine["on"], mine["direction"], mine["name"]) == ("TRX-1", "2026-11-23", "in", DEPOK)
    assert await scenario.walk("/v1/payments?on_from=2026-11-24", hub) == []
    assert await scenario.walk("/v1/payments?direction=out", hub) == []
    assert await scenario.walk("/v1/payments", scenario.keys.producers[PONGGOK]) == []
    assert await scenario.walk("/v1/payments?sort=on&on_until=2026-11-23", hub) == [mine]


async def test_money_that_is_lost_is_noticed(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    sent = {"orders": [str(order.id)], "amount_idr": 5}
    key = scenario.as_(scenario.keys.hub, **{"Idempotency-Key": "bayar-1"})
    answers = [await scenario.post("/v1/payments", json=sent, headers=key) for _ in range(3)]
    assert Counter(answer.status_code for answer in answers) == {201: 3}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await settlement(scenario, order))["received_idr"] == 5


BAD_PAYMENTS: list[tuple[dict[str, Any], str]] = [
    ({}, "/organization"),
    ({"amount_idr": 0}, "/amount_idr"),
    ({"amount_idr": -5}, "/amount_idr"),
    ({"amount_idr": 10**15 + 1}, "/amount_idr"),
    ({"amount_idr": True}, "/amount_idr"),
    ({"amount_idr": "5"}, "/amount_idr"),
    ({"amount_idr": 5.5}, "/amount_idr"),
    ({"direction": "sideways"}, "/direction"),
    ({"direction": "set_off"}, "/direction"),
    ({"direction": "out"}, "/account"),
    ({"on": "2026-11-25"}, "/on"),
    ({"on": "2025-01-01"}, "/on"),
    ({"on": "kemarin"}, "/on"),
    ({"orders": ["BTC"]}, "/orders/0"),
    ({"orders": "BTC"}, "/orders"),
    ({"reference": ""}, "/reference"),
    ({"reference": "x" * 201}, "/reference"),
    ({"hub": "35.72"}, "/hub"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_PAYMENTS)
async def test_a_payment_that_makes_no_sense_is_refused(scenario: Any, body: dict[str, Any], pointer: str) -> None:
    refused = await pay(scenario, 422, **{"amount_idr": 5, **body})
    assert pointer in [error["pointer"] for error in refused["errors"]]
    assert await scenario.walk("/v1/payments", scenario.keys.hub) == []


async def test_a_payment_of_anothers_order_or_to_nobody_is_refused(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    other, producer = await organization(scenario, SEGIRI), await organization(scenario, PONGGOK)
    for body, pointer in (
        ({"organization": str(other), "orders": [str(order.id)]}, "/orders"),
        ({"organization": str(producer)}, "/organization"),
        ({"direction": "out", "organization": str(producer)}, "/organization"),
        ({"direction": "out", "account": str(order.id)}, "/account"),
        ({"direction": "out", "account": str(order.id), "organization": str(producer)}, "/account"),
    ):
        refused = await pay(scenario, 422, amount_idr=5, **body)
        assert [error["pointer"] for error in refused["errors"]] == [pointer]
