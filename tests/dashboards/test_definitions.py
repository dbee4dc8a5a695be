"""What the figures mean where it is easy to get them wrong."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.worker import close_due

PAGES = tuple("summary balance prices prices-history flows freshness lanes service-level benefit data-quality".split())
RICE_OF_SAMARINDA = "commodity=beras&region=64.72&from=2026-11-24&until=2026-12-31&granularity=month"


async def items(api: Any, page: str, query: str = "") -> list[dict[str, Any]]:
    answer = await api.get(f"/v1/dashboard/{page}?{query}")
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    return rows


async def figures(api: Any, query: str = "") -> dict[str, Any]:
    return {row["metric"]: row["value"] for row in await items(api, "summary", query)}


async def ask(api: Any, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
    answer = await api.post(path, json=body, headers=api.as_(key))
    assert answer.status_code in {200, 201}, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def trade(api: Any, stock: dict[str, Any], need: dict[str, Any], buyer: str) -> None:
    """Post stock and a need for it, and clear their commodity."""
    await ask(api, "/v1/listings", stock, api.keys.producers["Koperasi peternak Ponggok (contoh)"])
    await ask(api, "/v1/demands", need, api.keys.buyers[buyer])
    await ask(api, "/v1/clearing-runs", {"commodities": [stock["commodity"]]}, api.keys.hub)


async def test_a_need_that_expired_unserved_stays_uncovered(scenario: Any) -> None:
    await close_due(scenario.database, scenario.clock.at + timedelta(days=25))
    (rice,) = await items(scenario, "balance", RICE_OF_SAMARINDA)
    assert (rice["demand"], rice["matched"], rice["uncovered"]) == (300_000, 0, 300_000)
    assert (await figures(scenario, RICE_OF_SAMARINDA))["fill_rate"] == 0


async def test_a_need_that_was_taken_back_is_no_longer_needed(scenario: Any) -> None:
    hub = scenario.as_(scenario.keys.hub)
    (need,) = (await scenario.get("/v1/demands?region=64.72&commodity=beras", headers=hub)).json()["items"]
    await ask(scenario, f"/v1/demands/{need['id']}/withdraw", {}, scenario.keys.hub)
    (rice,) = await items(scenario, "balance", RICE_OF_SAMARINDA)
    assert (rice["demand"], rice["matched"], rice["uncovered"]) == (66_000, 66_000, 0)


async def test_what_is_ordered_is_not_yet_delivered(scenario: Any) -> None:
    matches = (await scenario.get("/v1/matches?limit=200", headers=scenario.as_(scenario.keys.hub))).json()["items"]
    ids = [match["id"] for match in matches]
    for side in ("listing", "demand"):
        await ask(scenario, "/v1/matches/confirm", {"ids": ids, "side": side}, scenario.keys.hub)
    ordered, delivered = [await items(scenario, "balance", f"stage={stage}") for stage in ("ordered", "delivered")]
    assert sum(row["matched"] for row in ordered) == sum(match["quantity"] for match in matches)
    assert sum(row["matched"] for row in delivered) == 0
    assert sum(row["uncovered"] for row in delivered) == sum(row["demand"] for row in ordered)
    assert (await figures(scenario, "stage=delivered"))["fill_rate"] == 0


async def test_a_part_of_a_city_stands_for_the_city(scenario: Any) -> None:
    whole = await items(scenario, "flows", "region=31")
    assert whole
    assert await items(scenario, "flows", "region=31.71") == whole


async def test_a_region_sees_what_comes_from_it_and_through_it(scenario: Any) -> None:
    everything, grown, brought = [
        await items(scenario, "flows", query) for query in ("", "region=35.05", "region=35.72")
    ]
    assert brought == everything
    assert 0 < sum(row["quantity_kg"] for row in grown) < sum(row["quantity_kg"] for row in brought)
    async with scenario.database.reader() as session:
        value = await session.scalar(
            text("""SELECT sum(m.quantity * m.delivered_price_idr) FROM matches m
                     WHERE m.listing_id IN (SELECT id FROM listings WHERE region = '35.05')""")
        )
    assert (await figures(scenario, "region=35.05"))["traded_value"] == value


async def test_two_ways_of_counting_households_double_no_sum(scenario: Any) -> None:
    (before,) = await items(scenario, "balance", RICE_OF_SAMARINDA)
    async with scenario.database.transaction() as session:
        await session.execute(text("INSERT INTO consumption VALUES ('64.72', 'beras', 'household', 1, NULL, 'test')"))
    assert await items(scenario, "balance", RICE_OF_SAMARINDA) == [before]


async def test_what_the_buyer_fetches_is_priced_at_the_hub_and_goes_to_its_city(scenario: Any) -> None:
    stock = {"commodity": "jeruk", "grade": "A", "quantity": 500, "unit": "kg", "price_idr": 9000}
    need = {"commodity": "jeruk", "min_grade": "A", "quantity": 500, "unit": "kg", "max_price_idr": 9900}
    await trade(scenario, stock, {**need, "delivery": "loco"}, "Toko buah Depok (contoh)")
    (price,) = await items(scenario, "prices", "commodity=jeruk")
    assert price["region_name"] == "Kota Blitar"
    assert await items(scenario, "prices", "commodity=jeruk&region=32.76") == []
    (flow,) = await items(scenario, "flows", "commodity=jeruk&region=32.76")
    assert (flow["origin"], flow["destination"], flow["lane"], flow["quantity_kg"]) == ("35.72", "32.76", None, 500)


async def test_references_that_are_equally_near_make_a_range(scenario: Any) -> None:
    beef = {"commodity": "daging-sapi", "quantity": 200, "unit": "kg"}
    stock = {**beef, "grade": "paha-depan", "price_idr": 110_000, "best_before": "2026-12-20"}
    need = {**beef, "min_grade": "paha-depan", "max_price_idr": 125_000}
    await trade(scenario, stock, need, "Hotel dan restoran Surabaya (contoh)")
    (price,) = await items(scenario, "prices", "commodity=daging-sapi")
    assert (price["reference_min_idr"], price["reference_max_idr"]) == (130_000, 140_000)


async def test_a_reference_for_the_grade_and_zone_goes_before_one_for_all(scenario: Any) -> None:
    rows = {(row["grade"], row["region"]): row for row in await items(scenario, "prices", "commodity=beras")}
    assert rows["premium", "64.72"]["reference_max_idr"] == 15_400
    assert {row["reference_max_idr"] for (grade, _), row in rows.items() if grade == "medium"} == {13_500}


async def test_open_stock_is_counted_where_it_stands(scenario: Any) -> None:
    everywhere, growers, city = [
        (await figures(scenario, query))["open_listings"] for query in ("", "region=35.05&region=35.72", "region=32.76")
    ]
    assert everywhere == growers > city == 0


async def test_figures_do_not_follow_from_asks_and_limits(scenario: Any) -> None:
    """Other asks and limits behind the same prices: not a byte differs. The control: the hub does see it."""
    public = [f"/v1/dashboard/{page}?format={written}" for page in PAGES for written in ("json", "csv")]
    before = [(await scenario.get(path)).content for path in public]
    gains = (await scenario.get("/v1/matches", headers=scenario.as_(scenario.keys.hub))).content
    async with scenario.database.transaction() as session:
        await session.execute(text("UPDATE matches SET ask_idr = 1, limit_idr = 99999999"))
        await session.execute(text("UPDATE listings SET price_idr = 1, entered_price_idr = 1"))
        await session.execute(text("UPDATE demands SET max_price_idr = 99999999, entered_price_idr = 99999999"))
    assert [(await scenario.get(path)).content for path in public] == before
    assert (await scenario.get("/v1/matches", headers=scenario.as_(scenario.keys.hub))).content != gains


@pytest.mark.parametrize(
    ("query", "first", "until"),
    [
        ("", "2026-10-27", "2026-12-29"),
        ("from=2027-06-01", "2027-06-01", "2027-08-03"),
        ("until=2026-01-31", "2025-11-29", "2026-01-31"),
        ("from=2026-01-01&until=2027-02-04", "2026-01-01", "2027-02-04"),
    ],
)
async def test_a_day_that_is_not_given_is_filled_in(scenario: Any, query: str, first: str, until: str) -> None:
    meta = (await scenario.get(f"/v1/dashboard/flows?{query}")).json()["meta"]
    assert meta["period"] == {"from": first, "until": until}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("query", "pointer"), [("from=0001-01-01&until=0001-01-02", "from"), ("until=9999-12-31", "until")]
)
async def test_days_at_the_ends_of_the_calendar_are_refused(scenario: Any, page: str, query: str, pointer: str) -> None:
    answer = await scenario.get(f"/v1/dashboard/{page}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("query", "timezone"),
    [
        ("", "Asia/Jakarta"),
        ("region=64.72", "Asia/Makassar"),
        ("region=62.71", "Asia/Pontianak"),
        ("region=64.72&region=32.76", "Asia/Jakarta"),
    ],
)
async def test_days_are_those_of_the_region_asked_for(scenario: Any, query: str, timezone: str) -> None:
    assert (await scenario.get(f"/v1/dashboard/flows?{query}")).json()["meta"]["timezone"] == timezone
