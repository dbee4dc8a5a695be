"""What came of it: delivered quantities, promises kept, and a benefit that adds up to the rupiah."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.dashboards.test_dashboards import items
from tests.dashboards.test_stock_and_history import confirm_all
from tests.settlement.deliveries import PONGGOK, deliver

EGGS = "commodity=telur-ayam-ras"
PARTS = ("collection_idr", "freight_idr", "scarcity_idr")


async def test_what_has_arrived_is_delivered_everywhere(scenario: Any) -> None:
    depok = f"{EGGS}&region=32.76&stage=delivered"
    before = (await items(scenario, "balance", depok))[0]
    await deliver(scenario, {PONGGOK: 1000})
    (flow,) = await items(scenario, "flows", depok)
    assert (flow["quantity_kg"], flow["value_idr"], flow["stage"]) == (1000, 27_180_000, "delivered")
    (price,) = await items(scenario, "prices", depok)
    assert (price["producer_idr"], price["delivered_idr"]) == (26_500, 27_180)
    after = await items(scenario, "balance", depok)
    assert sum(row["matched"] for row in after) == before["matched"] + 1000
    (lane,) = [row for row in await items(scenario, "lanes", depok) if row["carried_kg"]]
    assert (lane["carried_kg"], lane["freight_idr"]) == (1000, 620_000)
    figures = {row["metric"]: row["value"] for row in await items(scenario, "summary", depok)}
    assert (figures["traded_value"], figures["trades"]) == (27_180_000, 1)
    assert figures["fill_rate"] > 0
    stock = await items(scenario, "freshness", f"{EGGS}&stage=delivered")
    ordered = await items(scenario, "freshness", f"{EGGS}&stage=ordered")
    assert sum(row["quantity_kg"] for row in stock) == sum(row["quantity_kg"] for row in ordered)


async def test_benefit_adds_up_to_the_rupiah_and_to_its_matches(scenario: Any) -> None:
    await confirm_all(scenario)
    rows = await items(scenario, "benefit", "stage=ordered")
    assert {row["commodity"] for row in rows} > {"telur-ayam-ras", "beras"}
    for row in rows:
        parts = sum(row[part] for part in PARTS)
        assert row["producers_idr"] + parts == row["delivered_idr"]
        if row["farm_gate_idr"] is not None and row["city_idr"] is not None:
            assert row["farmer_gain_idr"] + parts + row["city_saving_idr"] == row["city_idr"] - row["farm_gate_idr"]
    gains = await lines_of_all_orders(scenario)
    for name in ("farmer_gain_idr", "city_saving_idr", *PARTS):
        assert sum(line[name] or 0 for line in gains) == sum(row[name] or 0 for row in rows)
    assert any(line["match_id"] and line["farmer_gain_idr"] for line in gains)


async def lines_of_all_orders(api: Any) -> list[dict[str, Any]]:
    hub, found = api.as_(api.keys.hub), []
    for order in await api.walk("/v1/orders?limit=200", api.keys.hub):
        answer = await api.get(f"/v1/orders/{order['id']}/settlement", headers=hub)
        found += answer.json()["benefit"]
    return found


async def test_benefit_names_the_reference_that_it_used_or_says_that_there_is_none(scenario: Any) -> None:
    (eggs,) = await items(scenario, "benefit", f"{EGGS}&region=32.76&granularity=month&until=2026-11-30")
    assert (eggs["farm_gate_kind"], eggs["farm_gate_level"], eggs["farm_gate_price_idr"]) == ("hap", "producer", 26_500)
    assert (eggs["city_kind"], eggs["city_level"], eggs["city_price_idr"]) == ("hap", "consumer", 30_000)
    references = await scenario.walk("/v1/price-references?commodity=telur-ayam-ras&limit=200")
    assert {eggs["farm_gate_reference"], eggs["city_reference"]} <= {row["id"] for row in references}
    fruit = await items(scenario, "benefit", "commodity=belimbing")
    assert fruit
    for row in fruit:
        assert {row[name] for name in ("farm_gate_kind", "farmer_gain_idr", "city_kind", "city_saving_idr")} == {None}


async def test_a_price_seen_on_that_day_goes_before_one_that_is_set(scenario: Any) -> None:
    seen = {"commodity": "telur-ayam-ras", "source": "survei", "valid_from": "2026-11-24", "valid_until": "2026-11-24"}
    for price in (
        {"level": "farm_gate", "region": "35.05", "min_idr": 24_000, "max_idr": 24_577},
        {"level": "retail", "region": "32.76", "min_idr": 29_000, "max_idr": 31_000},
        {"level": "wholesale", "region": "32.76", "min_idr": 28_100, "max_idr": 28_500},
    ):
        answer = await scenario.post(
            "/v1/price-references", json={**seen, **price}, headers=scenario.as_(scenario.keys.hub)
        )
        assert answer.status_code == 201, answer.text
    rows = await items(scenario, "benefit", f"{EGGS}&region=32.76&granularity=month&until=2026-11-30")
    assert {(row["farm_gate_kind"], row["farm_gate_price_idr"]) for row in rows} >= {("observed", 24_577)}
    assert {(row["city_level"], row["city_price_idr"]) for row in rows} == {("wholesale", 28_100)}


async def service_level(api: Any, query: str = "") -> dict[str, Any]:
    (row,) = await items(api, "service-level", f"granularity=month&{query}")
    return row


@pytest.mark.parametrize(("late_days", "on_time"), [(0, 1), (1, 0)])
async def test_an_order_is_on_time_when_it_all_arrived_by_the_promised_day(
    scenario: Any, late_days: int, on_time: int
) -> None:
    order = await deliver(scenario, {PONGGOK: 1000}, lost_g=30_000)
    async with scenario.database.transaction() as session:
        statement = text(
            """UPDATE shipments s
                  SET arrived_at = (o.arrives_on + CAST(:days AS int) + time '12:00') AT TIME ZONE 'Asia/Jakarta'
                 FROM receipts r JOIN orders o ON o.id = r.order_id
                WHERE r.shipment_id = s.id AND o.id = :id"""
        )
        await session.execute(statement, {"days": late_days, "id": order.id})
        refused = text("UPDATE receipts SET refused_g = 20000, broken_g = 10000, reason = 'pecah' WHERE order_id = :id")
        await session.execute(refused, {"id": order.id})
    row = await service_level(scenario, "region=32.76")
    assert (row["orders"], row["on_time"], row["late"], row["on_time_permille"]) == (
        1,
        on_time,
        1 - on_time,
        1000 * on_time,
    )
    assert (row["ordered_kg"], row["accepted_kg"], row["broken_kg"], row["refused_kg"]) == (1000, 940, 10, 20)
    assert row["fill_permille"] == 940
    assert await items(scenario, "service-level", "region=64.72") == []


async def test_what_never_came_is_late_once_its_day_is_over(scenario: Any) -> None:
    await deliver(scenario, {PONGGOK: 1000}, arrived=False)
    assert await items(scenario, "service-level") == []
    scenario.clock.at += timedelta(days=5)
    row = await service_level(scenario)
    assert (row["orders"], row["late"], row["accepted_kg"], row["fill_permille"]) == (1, 1, 0, 0)
    assert await service_level(scenario, "stage=ordered") == row
    assert await items(scenario, "service-level", "stage=delivered") == []


async def test_the_hub_sees_who_kept_its_promises_and_nobody_else_does(scenario: Any) -> None:
    await deliver(scenario, {PONGGOK: 600, "Peternak Kademangan (contoh)": 400})
    path = "/v1/dashboard/service-level?by={}&granularity=month"
    hub = scenario.as_(scenario.keys.hub)
    for by, expected in (
        ("buyer", {"Pedagang telur Depok (contoh)": 1000}),
        ("producer", {PONGGOK: 600, "Peternak Kademangan (contoh)": 400}),
    ):
        rows = (await scenario.get(path.format(by), headers=hub)).json()["items"]
        assert {row["party_name"]: row["accepted_kg"] for row in rows} == expected
        assert (await scenario.get(path.format(by))).status_code == 401
        for key in (scenario.keys.observer, scenario.keys.producers[PONGGOK]):
            assert (await scenario.get(path.format(by), headers=scenario.as_(key))).status_code == 403
    (row,) = (await scenario.get(path.format("city"))).json()["items"]
    assert (row["party"], row["party_name"], row["accepted_kg"]) == (None, None, 1000)
