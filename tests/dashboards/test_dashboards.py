"""Public numbers over the cleared opening scenario."""

import csv
import io
from collections import defaultdict
from typing import Any

import pytest
from sqlalchemy import text

PAGES = tuple("summary balance prices prices-history flows freshness lanes service-level benefit data-quality".split())


async def get(api: Any, page: str, query: str = "", **headers: str) -> Any:
    return await api.get(f"/v1/dashboard/{page}?{query}", headers=headers)


async def items(api: Any, page: str, query: str = "") -> list[dict[str, Any]]:
    answer = await get(api, page, query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["items"]
    return rows


async def matches(api: Any) -> list[dict[str, Any]]:
    answer = await api.get("/v1/matches?limit=200", headers=api.as_(api.keys.hub))
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_the_summary_adds_up_what_was_matched(scenario: Any) -> None:
    figures = {row["metric"]: row for row in await items(scenario, "summary")}
    found = await matches(scenario)
    assert figures["trades"]["value"] == figures["unanswered_proposals"]["value"] == len(found)
    assert figures["traded_value"]["value"] == sum(m["quantity"] * m["delivered_price_idr"] for m in found)
    assert figures["traded_quantity"]["value"] == sum(m["quantity"] for m in found)
    assert figures["traded_value"]["previous"] == 0
    assert 0 < figures["fill_rate"]["value"] < 1000


async def test_flows_carry_the_matches_by_lane_and_day(scenario: Any) -> None:
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for match in await matches(scenario):
        expected[match["arrives_on"], match["commodity"]] += match["quantity"]
    carried: dict[tuple[str, str], int] = defaultdict(int)
    for row in await items(scenario, "flows"):
        assert (row["origin_name"], row["stage"]) == ("Kota Blitar", "proposed")
        carried[row["on"], row["commodity"]] += row["quantity_kg"]
    assert carried == expected


async def test_prices_stand_beside_the_consumers_reference(scenario: Any) -> None:
    (depok,) = await items(scenario, "prices", "region=32.76&commodity=telur-ayam-ras")
    (match,) = [
        m for m in await matches(scenario) if m["commodity"] == "telur-ayam-ras" and m["buyer"]["region"] == "32.76"
    ]
    assert (depok["producer_idr"], depok["delivered_idr"]) == (
        match["producer_price_idr"],
        match["delivered_price_idr"],
    )
    assert (depok["reference_min_idr"], depok["reference_max_idr"]) == (30000, 30000)


async def test_the_balance_shows_what_is_uncovered(scenario: Any) -> None:
    rows = await items(scenario, "balance", "commodity=beras&region=64.72&granularity=month")
    assert sum(row["demand"] for row in rows) == 300_000
    assert sum(row["uncovered"] for row in rows) == 234_000
    assert rows[0]["household_need"] == 1_232_000
    supply = await items(scenario, "balance", "commodity=beras&region=35.05&granularity=month")
    assert sum(row["supply"] for row in supply) == 136_000


async def test_stages_count_what_has_come_so_far(scenario: Any) -> None:
    assert await items(scenario, "flows", "stage=ordered") == []
    (match, *_) = await matches(scenario)
    for side in ("listing", "demand"):
        path = f"/v1/matches/{match['id']}/confirm"
        await scenario.post(path, json={"side": side}, headers=scenario.as_(scenario.keys.hub))
    (ordered,) = await items(scenario, "flows", "stage=ordered")
    assert ordered["quantity_kg"] == match["quantity"]
    assert await items(scenario, "flows", "stage=delivered") == []


async def test_what_is_declined_vanishes(scenario: Any) -> None:
    before = sum(row["orders"] for row in await items(scenario, "flows"))
    (match, *_) = await matches(scenario)
    body = {"side": "demand"}
    await scenario.post(f"/v1/matches/{match['id']}/decline", json=body, headers=scenario.as_(scenario.keys.hub))
    assert sum(row["orders"] for row in await items(scenario, "flows")) == before - 1


@pytest.mark.parametrize("page", PAGES)
async def test_a_dry_run_changes_no_number(scenario: Any, page: str) -> None:
    before = await items(scenario, page)
    answer = await scenario.post("/v1/clearing-runs", json={"dry_run": True}, headers=scenario.as_(scenario.keys.hub))
    assert answer.status_code == 201, answer.text
    assert await items(scenario, page) == before


@pytest.mark.parametrize("page", PAGES)
async def test_csv_holds_the_same_rows(scenario: Any, page: str) -> None:
    expected = await items(scenario, page)
    for dialect, delimiter in (("plain", ","), ("excel-id", ";")):
        answer = await get(scenario, page, f"format=csv&dialect={dialect}")
        assert answer.headers["content-type"].startswith("text/csv")
        read = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=delimiter))
        assert read == [{k: "" if v is None else str(v) for k, v in row.items()} for row in expected]


@pytest.mark.parametrize("page", PAGES)
async def test_polling_gets_304_until_something_happens(scenario: Any, page: str) -> None:
    first = await get(scenario, page)
    again = await get(scenario, page, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    (match, *_) = await matches(scenario)
    scenario.clock.at = scenario.clock.at.replace(hour=9)
    await scenario.post(
        f"/v1/matches/{match['id']}/decline", json={"side": "listing"}, headers=scenario.as_(scenario.keys.hub)
    )
    assert (await get(scenario, page, **{"If-None-Match": first.headers["etag"]})).status_code == 200


@pytest.mark.parametrize("page", PAGES)
async def test_any_origin_may_read(scenario: Any, page: str) -> None:
    answer = await get(scenario, page, Origin="https://depok.example")
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("region=99.99", "region"),
        ("commodity=emas", "commodity"),
        ("from=2026-12-02&until=2026-12-01", "until"),
        ("from=2025-01-01&until=2026-12-01", "until"),
        ("stage=eaten", "stage"),
        ("from=yesterday", "from"),
    ],
)
async def test_a_wrong_parameter_is_named(scenario: Any, page: str, query: str, pointer: str) -> None:
    answer = await get(scenario, page, query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("page", PAGES)
async def test_no_party_is_named(scenario: Any, page: str) -> None:
    async with scenario.database.reader() as session:
        names = (await session.scalars(text("SELECT name FROM organizations"))).all()
    shown = (await get(scenario, page)).text
    assert not [name for name in names if name in shown]
    everything = (await scenario.get("/v1/matches?limit=200", headers=scenario.as_(scenario.keys.hub))).text
    assert [name for name in names if name in everything], "the control: the hub does see names"


async def test_a_cell_that_a_spreadsheet_would_calculate_is_neutralised(scenario: Any) -> None:
    async with scenario.database.transaction() as session:
        await session.execute(text("UPDATE commodities SET name = '=1+1' WHERE code = 'beras'"))
    assert ",'=1+1," in (await get(scenario, "flows", "format=csv&commodity=beras")).text


async def test_days_are_summed_into_weeks_and_months(scenario: Any) -> None:
    days = await items(scenario, "flows", "commodity=telur-ayam-ras&region=31")
    weeks = await items(scenario, "flows", "commodity=telur-ayam-ras&region=31&granularity=week")
    assert sum(row["quantity_kg"] for row in days) == sum(row["quantity_kg"] for row in weeks)
    assert len(weeks) < len(days)
    assert {row["on"] for row in weeks} <= {"2026-11-23", "2026-11-30"}
