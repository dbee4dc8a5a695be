"""Looking before posting or clearing: options, outlook and quotes show what could be, and name nobody."""

from typing import Any

import pytest

from tests.matching.melons import FIRST, SECOND, SHOP, Melons

NAMES = (FIRST, SECOND, SHOP)


async def options(market: Melons, demand: dict[str, Any], who: str = SHOP) -> list[dict[str, Any]]:
    path = f"/v1/demands/{demand['id']}/options?limit=200"
    found: list[dict[str, Any]] = await market.api.walk(path, market.keys[who])
    return found


async def outlook(market: Melons, listing: dict[str, Any], who: str = FIRST) -> list[dict[str, Any]]:
    path = f"/v1/listings/{listing['id']}/outlook?limit=200"
    found: list[dict[str, Any]] = await market.api.walk(path, market.keys[who])
    return found


async def quote(market: Melons, who: str = SHOP, **query: Any) -> Any:
    asked = {"commodity": "melon", "min_grade": "A", "quantity": 1000, "region": "35.78", **query}
    return await market.api.get("/v1/quotes", params=asked, headers=market.api.as_(market.keys[who]))


async def test_options_are_ranked_with_their_price_built_up(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer(FIRST, price_idr=8033)
    await market.offer(SECOND, price_idr=7911, quantity=200)
    demand = await market.need()
    found = [option for option in await options(market, demand, "hub") if option["fits"]]
    landed = [option["landed_price_idr"] for option in found]
    assert landed == sorted(landed)
    assert set(landed) == {7911 + 250, 8033 + 250}
    assert {(option["collection_idr"], option["freight_idr"]) for option in found} == {(0, 250)}
    assert {option["landed_price_idr"]: option["quantity"] for option in found} == {8161: 200, 8283: 600}
    rounded = {option["landed_price_idr"] for option in await options(market, demand) if option["fits"]}
    assert rounded == {8200, 8300}


@pytest.mark.parametrize(
    ("need", "why_not"),
    [
        ({"max_price_idr": 8000}, "price_gap"),
        ({"min_remaining_shelf_life_days": 30}, "freshness"),
        ({"deliver_from": "2026-11-24", "deliver_by": "2026-11-24"}, "window"),
    ],
)
async def test_an_option_says_what_forbids_it(scenario: Any, need: dict[str, Any], why_not: str) -> None:
    market = Melons(scenario)
    await market.offer(price_idr=8033)
    found = await options(market, await market.need(**need))
    next_truck = [option for option in found if option["arrives_on"] == "2026-11-26"]
    assert [(option["fits"], option["why_not"]) for option in next_truck] == [(False, why_not)]


async def test_the_outlook_ranks_what_could_be_earned_at_the_gate(scenario: Any) -> None:
    market = Melons(scenario)
    await market.need(max_price_idr=10033)
    listing = await market.offer(price_idr=8000)
    assert {row["producer_price_idr"] for row in await outlook(market, listing, "hub") if row["fits"]} == {9783}
    assert {row["producer_price_idr"] for row in await outlook(market, listing) if row["fits"]} == {9700}


async def test_what_has_nothing_open_is_asked_about_as_a_whole(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer(FIRST, quantity=1000)
    demand = await market.need(quantity=1000)
    await market.clear()
    await market.offer(SECOND, quantity=700)
    assert (await market.read(SHOP, demand))["open_quantity"] == 0
    assert {option["quantity"] for option in await options(market, demand) if option["fits"]} == {700}


async def test_a_quote_climbs_the_cheapest_supply_first(scenario: Any) -> None:
    market = Melons(scenario)
    await market.offer(FIRST, price_idr=8033)
    await market.offer(SECOND, price_idr=7911, quantity=200)
    ladder = (await quote(market)).json()
    assert ladder["items"] == [
        {"landed_price_idr": 8200, "quantity": 200, "cumulative_quantity": 200},
        {"landed_price_idr": 8300, "quantity": 600, "cumulative_quantity": 800},
    ]
    assert (ladder["quantity"], ladder["available_quantity"], ladder["unit"]) == (1000, 800, "kg")
    enough = (await quote(market, quantity=150)).json()
    assert [rung["quantity"] for rung in enough["items"]] == [150]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"commodity": "emas"}, "commodity"),
        ({"min_grade": "premium"}, "min_grade"),
        ({"region": "99.99"}, "region"),
        ({"deliver_by": "2026-11-23"}, "deliver_by"),
        ({"deliver_by": "2026-12-30"}, "deliver_by"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": "1e3"}, "quantity"),
    ],
)
async def test_what_is_wrong_with_a_question_is_named(scenario: Any, query: dict[str, Any], named: str) -> None:
    refused = await quote(Melons(scenario), **query)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"].strip("/") for error in refused.json()["errors"]] == [named]


async def test_nobody_is_named(scenario: Any) -> None:
    market = Melons(scenario)
    listing, demand = await market.offer(), await market.need()
    path = f"/v1/demands/{demand['id']}/options"
    told = [
        (await scenario.get(path, headers=scenario.as_(market.keys[SHOP]))).text,
        (await scenario.get(f"/v1/listings/{listing['id']}/outlook", headers=scenario.as_(market.keys[FIRST]))).text,
        (await quote(market)).text,
    ]
    for text in told:
        assert not any(order[name] in text for order in (listing, demand) for name in ("id", "organization"))
        assert not any(name in text for name in NAMES)
