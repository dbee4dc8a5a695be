"""Whatever is delivered, lost and paid, in whatever order: the ledger adds up after every step."""

import random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.kit.operations import broken_invariants
from app.settlement import queries, service
from app.settlement.due import bill_due, give_back
from tests.matching.melons import SHOP
from tests.orders.trade import Trade
from tests.settlement.deliveries import DEPOK, PONGGOK, SEGIRI, Delivered, deliver, organization, producers
from tests.settlement.test_settlement import bill, pay, settlement, statements


class Market:
    """Random steps, and a small model of what buyers owe."""

    def __init__(self, api: Any, seed: int, names: list[str]) -> None:
        self.api, self.random, self.names = api, random.Random(seed), names
        self.billed = dict.fromkeys((DEPOK, SEGIRI), 0)
        self.paid = dict.fromkeys((DEPOK, SEGIRI), 0)
        self.orders: list[Delivered] = []
        self.paid_out = 0

    async def step(self) -> None:
        await self.random.choice([self.deliver, self.pay_in, self.pay_in, self.pay_out])()

    async def deliver(self) -> None:
        buyer = self.random.choice((DEPOK, SEGIRI))
        loads = {name: self.random.randint(1, 3000) for name in self.random.sample(self.names, 2)}
        loaded = sum(loads.values()) * 1000
        lost = self.random.choice((0, loaded // 100, loaded // 7, loaded))
        terms = self.random.choice(("cash", "net_7", "net_30"))
        order = await deliver(self.api, loads, buyer=buyer, lost_g=lost, terms=terms)
        await bill_due(self.api.database, self.api.clock.now(), fee_permille=self.random.choice((0, 3)))
        self.orders.append(order)
        self.billed[buyer] += (await settlement(self.api, order))["billed_idr"]

    async def pay_in(self) -> None:
        buyer = self.random.choice((DEPOK, SEGIRI))
        amount = self.random.randint(1, 90_000_000)
        await pay(self.api, organization=str(await organization(self.api, buyer)), amount_idr=amount)
        self.paid[buyer] += amount

    async def pay_out(self) -> None:
        if not self.orders:
            return
        for payee in (await settlement(self.api, self.random.choice(self.orders)))["payees"]:
            if payee["kind"] != "hub_fee" and payee["open_idr"] > 0:
                amount = self.random.randint(1, payee["open_idr"])
                sent = {"direction": "out", "account": payee["account"], "amount_idr": amount}
                answer = await self.api.post("/v1/payments", json=sent, headers=self.api.as_(self.api.keys.hub))
                # its debt of another order may be more than this
                assert answer.status_code in (201, 409), answer.text
                self.paid_out += amount if answer.status_code == 201 else 0

    async def check(self) -> None:
        told = await statements(self.api)
        assert sum(one["closing_idr"] for one in told) == 0
        balances = {one["name"]: one["closing_idr"] for one in told if one["kind"] == "buyer"}
        for buyer in (DEPOK, SEGIRI):
            assert balances.get(buyer, 0) == self.billed[buyer] - self.paid[buyer]
        bank = sum(one["closing_idr"] for one in told if one["kind"] == "bank")
        assert bank == sum(self.paid.values()) - self.paid_out
        async with self.api.database.reader() as session:
            broken = await broken_invariants(session)
            assert not any(broken.values()), broken
            # nothing that is left to do was left undone
            assert await queries.orders_to_settle(session) == []


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_delivered_and_paid_the_ledger_adds_up(scenario: Any, seed: int) -> None:
    market = Market(scenario, seed, await producers(scenario, 5))
    for _ in range(12):
        await market.step()
        await market.check()
    assert market.orders
    assert sum(market.paid.values())


async def test_money_paid_ahead_of_a_cancelled_order_becomes_credit(scenario: Any) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, terms="down_payment", arrived=False)
    await pay(scenario, orders=[str(order.id)], amount_idr=8_154_000)
    cancelled = await scenario.post(
        f"/v1/orders/{order.id}/cancel", json={"reason": "truk mogok"}, headers=scenario.as_(scenario.keys.hub)
    )
    assert cancelled.status_code == 200, cancelled.text
    await give_back(scenario.database, scenario.clock.now())
    other = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    assert (await settlement(scenario, order))["received_idr"] == 0
    assert (await settlement(scenario, other))["received_idr"] == 8_154_000
    refused = await pay(scenario, 422, orders=[str(order.id)], amount_idr=1)
    assert refused["errors"][0]["code"] == "cancelled"


async def test_money_paid_for_a_part_that_is_cancelled_after_the_last_bill_becomes_credit(scenario: Any) -> None:
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop(first=600, second=400)
    receipt = await trade.receive(await trade.on_the_way(order, first=600), order, 600_000)
    await trade.done(f"/receipts/{receipt['id']}/acknowledge", SHOP)
    await bill(scenario)
    path = f"/orders/{order['id']}/settlement"
    billed = (await trade.get(path)).json()["billed_idr"]
    await pay(scenario, orders=[order["id"]], amount_idr=order["value_idr"])
    await trade.done(f"/orders/{order['id']}/cancel", reason="truk mogok")
    await give_back(scenario.database, scenario.clock.now())
    told = (await trade.get(path)).json()
    assert (told["status"], told["received_idr"], told["open_idr"]) == ("delivered", billed, 0)
    credit = {"direction": "out", "organization": order["buyer"]["id"]}
    await pay(scenario, 409, amount_idr=order["value_idr"] - billed + 1, **credit)
    await pay(scenario, amount_idr=order["value_idr"] - billed, **credit)


async def test_a_buyers_credit_can_be_paid_back(scenario: Any) -> None:
    buyer = str(await organization(scenario, DEPOK))
    await pay(scenario, organization=buyer, amount_idr=1_000)
    await pay(scenario, 409, direction="out", organization=buyer, amount_idr=1_001)
    await pay(scenario, direction="out", organization=buyer, amount_idr=1_000)
    (told,) = [one for one in await statements(scenario) if one["kind"] == "buyer"]
    assert told["closing_idr"] == 0


@pytest.mark.parametrize("table", ["bills", "payments", "transfers", "shares"])
@pytest.mark.parametrize("change", ["UPDATE {} SET amount_idr = 7", "DELETE FROM {}"])
async def test_what_the_ledger_says_stays_said(scenario: Any, table: str, change: str) -> None:
    order = await deliver(scenario, {PONGGOK: 1000})
    await bill(scenario)
    await pay(scenario, orders=[str(order.id)], amount_idr=5)
    async with scenario.database.reader() as session:
        tamper = await session.begin_nested()
        with pytest.raises(DBAPIError, match="append-only"):
            await session.execute(text(change.format(table)))
        await tamper.rollback()


async def test_a_bill_that_fails_holds_up_no_other(scenario: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = await deliver(scenario, {PONGGOK: 1000}), await deliver(scenario, {PONGGOK: 500})
    issue = service._issue

    async def fails(session: Any, order: Any, *rest: Any) -> None:
        if order.id == broken.id:
            raise RuntimeError("no")
        await issue(session, order, *rest)

    monkeypatch.setattr(service, "_issue", fails)
    await bill(scenario)
    assert [(await settlement(scenario, order))["billed_idr"] for order in (broken, fine)] == [0, 13_590_000]
    monkeypatch.undo()
    await bill(scenario)
    assert (await settlement(scenario, broken))["billed_idr"] == 27_180_000
