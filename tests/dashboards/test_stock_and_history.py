"""Stock by age, room by lane, prices as they went, and what the figures rest on."""

from typing import Any

import pytest
from sqlalchemy import text

from app.settlement.benefit import OBSERVED_HOLDS_DAYS
from tests.dashboards.test_dashboards import items, matches


async def confirm_all(api: Any) -> None:
    ids = [match["id"] for match in await matches(api)]
    for side in ("listing", "demand"):
        body = {"ids": ids, "side": side}
        answer = await api.post("/v1/matches/confirm", json=body, headers=api.as_(api.keys.hub))
        assert answer.status_code == 200, answer.text


async def test_freshness_holds_the_stock_that_has_not_come_as_far_as_the_stage(scenario: Any) -> None:
    listings = await scenario.walk("/v1/listings?limit=200", scenario.keys.hub)
    for stage, counters in (("proposed", ("open",)), ("ordered", ("open", "proposed"))):
        rows = await items(scenario, "freshness", f"stage={stage}")
        shown = sum(row["quantity_kg"] for row in rows)
        expected = sum(row[f"{counter}_quantity"] for row in listings for counter in counters)
        assert shown == expected > 0


async def test_stock_is_at_risk_when_a_third_of_its_shelf_life_is_left(scenario: Any) -> None:
    """The same stock, older by a day each time: nothing, nothing, all of it."""
    async with scenario.database.transaction() as session:
        await session.execute(
            text("""UPDATE listings SET available_from = '2026-11-21', best_before = '2026-11-30'
                     WHERE commodity = 'durian'""")
        )
    fresh = (await items(scenario, "freshness", "commodity=durian&from=2026-11-01"))[0]
    assert (fresh["age_days"], fresh["shelf_life_days"], fresh["remaining_days"]) == (3, 9, 6)
    assert fresh["at_risk_kg"] == 0
    for days, at_risk in ((1, 0), (2, 0), (3, fresh["quantity_kg"])):
        scenario.clock.at = scenario.clock.at.replace(day=24 + days)
        (row,) = await items(scenario, "freshness", "commodity=durian&from=2026-11-01")
        assert (row["remaining_days"], row["at_risk_kg"]) == (6 - days, at_risk)


async def test_stock_that_is_not_ready_yet_does_not_age_and_frozen_stock_is_kept_chilled(scenario: Any) -> None:
    (durian,) = await items(scenario, "freshness", "commodity=durian")
    assert durian["on"] == "2026-11-25"
    assert (durian["age_days"], durian["shelf_life_days"], durian["remaining_days"]) == (0, 3, 3)
    (frozen,) = await items(scenario, "freshness", "commodity=daging-ayam")
    assert frozen["grade"] == "beku"
    assert (frozen["remaining_days"], frozen["at_risk_kg"]) == (frozen["shelf_life_days"], 0)
    assert frozen["shelf_life_days"] > 30


async def test_lanes_carry_what_flows_say_and_leave_the_room_that_departures_have(scenario: Any) -> None:
    lanes = await items(scenario, "lanes")
    flows = await items(scenario, "flows")
    assert sum(row["carried_kg"] for row in lanes) == sum(row["quantity_kg"] for row in flows if row["lane"]) > 0
    for row in lanes:
        assert row["carried_kg"] + row["free_kg"] == row["capacity_kg"]
    train = [row for row in lanes if row["lane"] == "LN-05" and row["full_departures"]]
    assert [row["carried_kg"] for row in train] == [5000] * 5
    assert {row["scarcity_idr"] for row in train} == {5000 * 190}
    assert {row["freight_idr"] for row in train} == {5000 * 600}


async def test_a_region_sees_the_lanes_to_it_and_those_that_carry_its_goods(scenario: Any) -> None:
    everything, depok, grower = [
        {row["lane"] for row in await items(scenario, "lanes", query)} for query in ("", "region=32.76", "region=35.05")
    ]
    assert depok < everything
    carrying = {row["lane"] for row in await items(scenario, "flows", "region=35.05")}
    assert grower == carrying - {None}


async def test_history_is_a_band_of_the_daily_prices(scenario: Any) -> None:
    query = "commodity=telur-ayam-ras&region=31"
    days = await items(scenario, "prices", query)
    (band,) = [
        row
        for row in await items(
            scenario, "prices-history", f"{query}&granularity=month&from=2026-12-01&until=2026-12-31"
        )
        if row["kind"] == "trade" and row["grade"] == days[0]["grade"]
    ]
    shown = [row["delivered_idr"] for row in days if row["on"] >= "2026-12-01" and row["grade"] == band["grade"]]
    assert (band["level"], band["low_idr"], band["high_idr"]) == ("delivered", min(shown), max(shown))
    assert band["low_idr"] <= band["average_idr"] <= band["high_idr"]


async def test_history_goes_back_to_what_markets_showed(scenario: Any) -> None:
    query = "commodity=telur-ayam-ras&region=64.72&from=2025-09-01&until=2025-12-31&granularity=month"
    rows = {(row["kind"], row["level"]): row for row in await items(scenario, "prices-history", query)}
    seen = rows["observed", "retail"]
    assert (seen["on"], seen["low_idr"], seen["average_idr"], seen["high_idr"]) == ("2025-10-01", 31500, 33000, 34500)
    assert (rows["hap", "consumer"]["on"], rows["hap", "consumer"]["average_idr"]) == ("2025-09-01", 30000)
    assert ("observed", "farm_gate") not in rows


async def quality(api: Any, check: str, query: str = "") -> tuple[int, int]:
    rows = [row for row in await items(api, "data-quality", query) if row["check"] == check]
    for row in rows:
        assert row["missing_permille"] == row["missing"] * 1000 // row["records"]
    return sum(row["records"] for row in rows), sum(row["missing"] for row in rows)


async def test_quality_counts_stock_without_the_papers_it_needs(scenario: Any) -> None:
    records, missing = await quality(scenario, "stock_has_its_papers")
    assert records == missing > 0
    async with scenario.database.transaction() as session:
        await session.execute(text("""UPDATE listings SET papers = '{"nkv": "NKV-35"}'"""))
    assert await quality(scenario, "stock_has_its_papers") == (records, 0)


async def test_quality_counts_trade_without_a_reference_of_its_day(scenario: Any) -> None:
    eggs = "commodity=telur-ayam-ras"
    trades = len([match for match in await matches(scenario) if match["commodity"] == "telur-ayam-ras"])
    assert await quality(scenario, "trade_has_a_farm_gate_reference", eggs) == (trades, 0)
    records, missing = await quality(scenario, "trade_has_a_city_reference", "commodity=belimbing")
    assert records == missing > 0
    price = {"commodity": "belimbing", "level": "retail", "region": "32.76", "min_idr": 15000, "source": "survei"}
    for seen_on, still in (("2026-11-10", 0), ("2026-11-24", 1)):
        body = {**price, "valid_from": seen_on, "valid_until": seen_on}
        answer = await scenario.post("/v1/price-references", json=body, headers=scenario.as_(scenario.keys.hub))
        assert answer.status_code == 201, answer.text
        found = await quality(scenario, "trade_has_a_city_reference", "commodity=belimbing&region=32.76")
        assert (found[0] - found[1] > 0) == bool(still)
    assert OBSERVED_HOLDS_DAYS < 14


@pytest.mark.parametrize("table", ["listings", "demands"])
async def test_quality_counts_prices_that_no_longer_hold(scenario: Any, table: str) -> None:
    check = "stock_holds_its_price" if table == "listings" else "need_holds_its_price"
    records, missing = await quality(scenario, check)
    assert missing == 0 < records
    async with scenario.database.transaction() as session:
        await session.execute(text(f"UPDATE {table} SET price_valid_until = '2026-11-23'"))  # noqa: S608 - one of two
    assert await quality(scenario, check) == (records, records)
