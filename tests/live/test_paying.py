"""Sixteen clients pay the same due, the same bill, at once on a live server: nobody is paid twice."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from app.kit.db import Database
from app.kit.operations import broken_invariants
from app.settlement.due import bill_due
from tests.conftest import NOW, api_on
from tests.live.test_concurrency import CLIENTS, PLANNED, live_server
from tests.settlement.deliveries import PONGGOK, deliver

DUE_IDR, BILL_IDR, PART_IDR = 26_500_000, 27_180_000, 4_000_000


async def pay_at_once(url: str, keys: Any, *, protected: bool) -> tuple[Counter[int], dict[str, int], dict[str, Any]]:
    """Let every client pay the whole due out and a part of the bill in; return answers, broken views, settlement."""
    async with api_on(url, keys=keys) as api:
        order = await deliver(api, {PONGGOK: 1000})
        await bill_due(api.database, NOW, fee_permille=0)
        path, hub = f"/v1/orders/{order.id}/settlement", api.as_(keys.hub)
        payees = (await api.get(path, headers=hub)).json()["payees"]
        (account,) = [payee["account"] for payee in payees if payee["kind"] == "producer"]
        out = {"direction": "out", "account": account, "amount_idr": DUE_IDR}
        into = {"orders": [str(order.id)], "amount_idr": PART_IDR}
        limits = httpx.Limits(max_connections=2 * CLIENTS)
        with live_server(url, protected=protected) as base:
            async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60, headers=hub) as client:
                asked = [client.post("/v1/payments", json=body) for body in (out, into) for _ in range(CLIENTS)]
                answers = await asyncio.gather(*asked)
        told = (await api.get(path, headers=hub)).json()
    database = Database(url, pool_size=1)
    async with database.reader() as session:
        broken = {name: count for name, count in (await broken_invariants(session)).items() if count}
    await database.dispose()
    return Counter(answer.status_code for answer in answers[:CLIENTS]), broken, told | {"into": answers[CLIENTS:]}


async def test_a_due_is_paid_once_by_sixteen_clients(cluster: Any, scenario_template: Any) -> None:
    url = await cluster.create("hub_test_paying", scenario_template.template)
    out, broken, told = await pay_at_once(url, scenario_template.keys, protected=True)
    assert set(out) <= PLANNED
    assert out[201] == 1, out
    paid = sum(answer.status_code == 201 for answer in told["into"]) * PART_IDR
    assert told["received_idr"] == min(paid, BILL_IDR)
    assert sum(payee["shared_idr"] for payee in told["payees"]) == min(paid, BILL_IDR)
    assert not broken
    await cluster.drop("hub_test_paying")


async def test_without_held_accounts_the_same_clients_pay_twice(cluster: Any, scenario_template: Any) -> None:
    """The control: without the locks of accounts the farmer is paid several times for the same eggs."""
    url = await cluster.create("hub_test_paying", scenario_template.template)
    out, broken, _ = await pay_at_once(url, scenario_template.keys, protected=False)
    assert out[201] > 1
    assert broken["payouts"]
    await cluster.drop("hub_test_paying")
