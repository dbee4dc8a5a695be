"""Commodities and price references through HTTP: who may post which price, and what a price says of a post."""

from typing import Any

import pytest

SURVEY = {
    "commodity": "telur-ayam-ras",
    "level": "retail",
    "min_idr": 29000,
    "max_idr": 30500,
    "source": "survei pasar",
}
HET = {**SURVEY, "kind": "het", "level": "consumer", "price_zone": 1, "valid_from": "2026-11-24"}


async def post(api: Any, body: dict[str, Any], key: str) -> Any:
    return await api.post("/v1/price-references", json=body, headers=api.as_(key))


async def patch(api: Any, price: dict[str, Any], body: dict[str, Any], key: str, version: int = 1) -> Any:
    headers = api.as_(key, **{"If-Match": f'"{version}"'})
    return await api.patch(f"/v1/price-references/{price['id']}", json=body, headers=headers)


async def test_a_commodity_comes_with_its_grades_units_and_shelf_life(api: Any) -> None:
    eggs = (await api.get("/v1/commodities/telur-ayam-ras")).json()
    expected = {"base_unit": "kg", "unit_weight_g": 1000, "grades_substitute": True, "name": "Telur ayam ras"}
    assert {name: eggs[name] for name in expected} == expected
    assert eggs["shelf_life_days"] == {"ambient": 14, "chilled": 30}
    assert [(grade["code"], grade["rank"]) for grade in eggs["grades"]] == [
        ("I", 1),
        ("II", 2),
        ("III", 3),
        ("bentes", 4),
    ]
    units = {unit["code"]: (unit["base_quantity"], unit["fixed"]) for unit in eggs["units"]}
    assert (units["peti-15"], units["ton"]) == (("15", False), ("1000", True))
    assert (await api.get("/v1/commodities/emas")).status_code == 404


async def test_commodities_are_listed_by_category(api: Any) -> None:
    found = await api.walk("/v1/commodities?category=livestock&limit=2")
    assert {row["category"] for row in found} == {"livestock"}
    assert "telur-ayam-ras" in {row["code"] for row in found}


async def test_an_observer_posts_todays_price_of_its_own_region(scenario: Any) -> None:
    posted = await post(scenario, SURVEY, scenario.keys.observer)
    assert posted.status_code == 201, posted.text
    price = posted.json()
    days = {"valid_from": "2026-11-24", "valid_until": "2026-11-24"}
    expected = {"kind": "observed", "region": "32.76", **days, **SURVEY}
    assert {name: price[name] for name in expected} == expected
    on_the_day = await scenario.walk("/v1/price-references?kind=observed&region=32.76&on=2026-11-24")
    assert price["id"] in {row["id"] for row in on_the_day}
    assert price["id"] not in {row["id"] for row in await scenario.walk("/v1/price-references?on=2026-11-25")}


@pytest.mark.parametrize("change", [{"region": "64.72"}, {"kind": "het"}, {"kind": "hap", "region": "32.76"}])
async def test_an_observer_posts_nothing_else(scenario: Any, change: dict[str, Any]) -> None:
    refused = await post(scenario, {**SURVEY, **change}, scenario.keys.observer)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await post(scenario, {**SURVEY, **change}, scenario.keys.hub)).status_code == 201


async def test_a_price_is_changed_by_its_poster_or_the_hub(scenario: Any) -> None:
    mine = (await post(scenario, SURVEY, scenario.keys.observer)).json()
    hubs = (await post(scenario, SURVEY, scenario.keys.hub)).json()
    assert (await patch(scenario, mine, {"min_idr": 28000}, scenario.keys.observer)).json()["min_idr"] == 28000
    assert (await patch(scenario, mine, {"note": "diperiksa"}, scenario.keys.hub, version=2)).status_code == 200
    assert (await patch(scenario, mine, {"note": "lagi"}, scenario.keys.hub, version=2)).status_code == 412
    assert (await patch(scenario, hubs, {"min_idr": 28000}, scenario.keys.observer)).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"commodity": "emas"}, "/commodity"),
        ({"grade": "premium"}, "/grade"),
        ({"region": "99.99"}, "/region"),
        ({"min_idr": 0}, "/min_idr"),
        ({"max_idr": 10**8 + 1}, "/max_idr"),
        ({"max_idr": 28999}, "/max_idr"),
        ({"price_zone": 4}, "/price_zone"),
        ({"valid_until": "2026-11-23"}, "/valid_until"),
        ({"kind": "gossip"}, "/kind"),
        ({"source": ""}, "/source"),
    ],
)
async def test_what_is_wrong_with_a_price_is_named(scenario: Any, change: dict[str, Any], pointer: str) -> None:
    refused = await post(scenario, {**SURVEY, **change}, scenario.keys.hub)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_a_new_ceiling_marks_posts_and_blocks_none(scenario: Any) -> None:
    assert (await post(scenario, HET, scenario.keys.hub)).status_code == 201
    demand = {"commodity": "telur-ayam-ras", "min_grade": "II", "quantity": 1, "unit": "ton", "max_price_idr": 31000}
    buyer = scenario.keys.buyers["Pedagang telur Depok (contoh)"]
    posted = await scenario.post("/v1/demands", json=demand, headers=scenario.as_(buyer))
    assert posted.status_code == 201, posted.text
    marked = {"kind": "het", "level": "consumer", "min_idr": 29000, "max_idr": 30500, "position": "above"}
    assert marked in posted.json()["price_notes"]


@pytest.mark.parametrize(("price_idr", "position"), [(26499, "below"), (26500, "at"), (26501, "above")])
async def test_an_ask_is_marked_against_the_reference_of_its_level(
    scenario: Any, price_idr: int, position: str
) -> None:
    body = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 1, "unit": "ton", "price_idr": price_idr}
    key = scenario.keys.producers["Koperasi peternak Ponggok (contoh)"]
    posted = await scenario.post("/v1/listings", json=body, headers=scenario.as_(key))
    assert [(note["kind"], note["position"]) for note in posted.json()["price_notes"]] == [("hap", position)]
