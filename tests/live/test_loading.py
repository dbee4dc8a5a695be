"""Sixteen clients load and cancel the same order at once on a live server: it is loaded, or cancelled, and once."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from app.kit.db import Database
from app.kit.operations import broken_invariants
from tests.conftest import api_on
from tests.live.test_concurrency import CLIENTS, PLANNED, live_server
from tests.orders.trade import Trade


async def contend(url: str, keys: Any, *, protected: bool) -> tuple[list[int], list[int], Counter[str]]:
    """Let half of the clients load a whole order and half cancel it; return their answers and what was broken."""
    async with api_on(url, keys=keys) as api:
        order = await Trade(api).two_farms_one_shop()
        lines = [{"order_line_id": line["id"], "quantity": line["quantity"]} for line in order["lines"]]
        load = {"departure_id": order["departure_id"], "lines": lines}
        with live_server(url, protected=protected) as base:
            limits = httpx.Limits(max_connections=CLIENTS)
            async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60, headers=api.as_(keys.hub)) as client:

                async def ask(path: str, body: dict[str, Any]) -> int:
                    return (await client.post(path, json=body)).status_code

                loads = [ask("/v1/shipments", load) for _ in range(CLIENTS // 2)]
                cancels = [ask(f"/v1/orders/{order['id']}/cancel", {"reason": "batal"}) for _ in loads]
                answers = await asyncio.gather(*(one for pair in zip(loads, cancels, strict=True) for one in pair))
    database = Database(url, pool_size=1)
    async with database.reader() as session:
        broken = Counter({name: count for name, count in (await broken_invariants(session)).items() if count})
    await database.dispose()
    return list(answers[::2]), list(answers[1::2]), broken


async def test_an_order_is_loaded_or_cancelled_and_once(cluster: Any, scenario_template: Any) -> None:
    for attempt in range(5):
        url = await cluster.create("hub_test_loading", scenario_template.template)
        loads, cancels, broken = await contend(url, scenario_template.keys, protected=True)
        assert {*loads, *cancels} <= PLANNED, (attempt, loads, cancels)
        assert loads.count(201) + cancels.count(200) == 1, (attempt, loads, cancels)
        assert not broken, broken
        await cluster.drop("hub_test_loading")


async def test_without_held_orders_the_same_clients_load_twice(cluster: Any, scenario_template: Any) -> None:
    """The control: without holding and locking orders, several trucks carry the same goods."""
    url = await cluster.create("hub_test_loading", scenario_template.template)
    loads, cancels, broken = await contend(url, scenario_template.keys, protected=False)
    assert loads.count(201) + cancels.count(200) > 1, (loads, cancels)
    assert broken
    await cluster.drop("hub_test_loading")
