"""Posting, reading, changing, renewing and withdrawing needs through HTTP; they expire by the day of their city."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.worker import close_due

DEPOK, SEGIRI = "Pedagang telur Depok (contoh)", "Distributor Segiri Samarinda (contoh)"
EGGS = {"commodity": "telur-ayam-ras", "min_grade": "II", "quantity": 10, "unit": "ton", "max_price_idr": 28400}


async def post(api: Any, who: str = DEPOK, **changes: Any) -> Any:
    return await api.post("/v1/demands", json={**EGGS, **changes}, headers=api.as_(api.keys.buyers[who]))


async def posted(api: Any, who: str = DEPOK, **changes: Any) -> dict[str, Any]:
    answer = await post(api, who, **changes)
    assert answer.status_code == 201, answer.text
    demand: dict[str, Any] = answer.json()
    return demand


async def act(api: Any, demand: dict[str, Any], action: str, body: dict[str, Any] | None = None) -> Any:
    url = f"/v1/demands/{demand['id']}/{action}"
    return await api.post(url, json=body, headers=api.as_(api.keys.buyers[DEPOK]))


async def change(api: Any, demand: dict[str, Any], body: dict[str, Any], version: int | None = None) -> Any:
    tag = f'"{demand["version"] if version is None else version}"'
    headers = api.as_(api.keys.buyers[DEPOK], **{"If-Match": tag})
    return await api.patch(f"/v1/demands/{demand['id']}", json=body, headers=headers)


async def mine(api: Any, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/demands?limit=2{query}", api.keys.buyers[DEPOK])
    return found


async def test_five_fields_are_enough(scenario: Any) -> None:
    answer = await post(scenario)
    assert answer.status_code == 201, answer.text
    demand = answer.json()
    assert answer.headers["location"] == f"/v1/demands/{demand['id']}"
    assert answer.headers["etag"] == '"1"'
    expected = {
        "status": "open",
        "quantity": 10_000,
        "open_quantity": 10_000,
        "unit": "kg",
        "max_price_idr": 28400,
        "region": "32.76",
        "hub": "35.72",
        "delivery": "franco",
        "min_quantity": 1,
        "min_remaining_shelf_life_days": 0,
        "deliver_from": "2026-11-25",
        "deliver_by": "2026-12-08",
        "entered": {"quantity": "10", "unit": "ton", "price_idr": 28400, "price_unit": "kg"},
    }
    assert {name: demand[name] for name in expected} == expected
    assert [(note["kind"], note["position"]) for note in demand["price_notes"]] == [("hap", "below")]


async def test_a_limit_for_a_package_rounds_down(scenario: Any) -> None:
    demand = await posted(scenario, unit="ikat", quantity="400", max_price_idr=291004)
    assert (demand["quantity"], demand["max_price_idr"]) == (3750, 31040)
    assert demand["entered"] == {"quantity": "400", "unit": "ikat", "price_idr": 291004, "price_unit": "ikat"}


async def test_a_repeated_post_is_answered_with_the_first_answer(scenario: Any) -> None:
    headers = scenario.as_(scenario.keys.buyers[DEPOK], **{"Idempotency-Key": "k1"})
    first, second = [await scenario.post("/v1/demands", json=EGGS, headers=headers) for _ in range(2)]
    assert (first.content, first.headers["location"]) == (second.content, second.headers["location"])
    assert second.headers["idempotency-replayed"] == "true"
    assert len(await mine(scenario)) == 2


async def test_a_change_needs_the_version_that_was_read(scenario: Any) -> None:
    demand = await posted(scenario)
    unseen = await scenario.patch(
        f"/v1/demands/{demand['id']}", json={"quantity": 8}, headers=scenario.as_(scenario.keys.buyers[DEPOK])
    )
    assert unseen.status_code == 428
    assert (await change(scenario, demand, {"quantity": 8}, version=7)).status_code == 412
    changed = await change(scenario, demand, {"quantity": 8, "max_price_idr": 28500, "deliver_by": "2026-12-10"})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["quantity"], changed.json()["max_price_idr"]) == (8000, 28500)
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')


@pytest.mark.parametrize("field", ["commodity", "min_grade", "delivery", "region", "status", "organization"])
async def test_what_makes_a_demand_what_it_is_does_not_change(scenario: Any, field: str) -> None:
    demand = await posted(scenario)
    refused = await change(scenario, demand, {field: demand[field]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{field}")


async def test_lists_are_filtered_sorted_and_walked(scenario: Any) -> None:
    for number in range(4):
        scenario.clock.at += timedelta(seconds=1)
        await posted(scenario, external_ref=f"PO-{number}", quantity=number + 1, max_price_idr=28000 + number)
    whole = await mine(scenario)
    created = [datetime.fromisoformat(row["created_at"]) for row in whole]
    assert created == sorted(created, reverse=True)
    assert len(whole) == 5
    limits = [row["max_price_idr"] for row in await mine(scenario, "&sort=-max_price_idr")]
    assert limits == [28400, 28003, 28002, 28001, 28000]
    quantities = [row["quantity"] for row in await mine(scenario, "&sort=quantity&status=open")]
    assert quantities == [1000, 2000, 3000, 4000]
    assert [row["external_ref"] for row in await mine(scenario, "&external_ref=PO-2")] == ["PO-2"]
    assert await mine(scenario, "&min_grade=I") == []
    assert await mine(scenario, "&deliver_from=2026-12-09") == []
    assert len(await mine(scenario, "&region=32.76&commodity=telur-ayam-ras&deliver_by=2026-11-25")) == 4


async def test_an_own_number_is_used_once_in_an_organisation(scenario: Any) -> None:
    await posted(scenario, external_ref="PO-1")
    again = await post(scenario, external_ref="PO-1")
    assert (again.status_code, again.json()["code"]) == (409, "external_ref_taken")
    assert (await post(scenario, SEGIRI, external_ref="PO-1")).status_code == 201


async def test_withdrawing_takes_the_open_part(scenario: Any) -> None:
    demand = await posted(scenario)
    withdrawn = (await act(scenario, demand, "withdraw")).json()
    assert (withdrawn["status"], withdrawn["withdrawn_quantity"], withdrawn["open_quantity"]) == ("withdrawn", 10000, 0)
    again = await act(scenario, demand, "withdraw")
    assert (again.status_code, again.json()["code"]) == (409, "not_live")


async def test_a_quantity_is_not_lowered_under_what_is_matched(scenario: Any) -> None:
    demand = (await mine(scenario, "&status=exhausted"))[0]
    refused = await change(scenario, demand, {"quantity": 9.999})
    assert (refused.status_code, refused.json()["code"]) == (409, "below_matched")
    raised = await change(scenario, demand, {"quantity": 11})
    assert (raised.json()["status"], raised.json()["open_quantity"]) == ("open", 1000)


async def test_one_tap_lets_a_price_hold_on(scenario: Any) -> None:
    demand = await posted(scenario, price_valid_until="2026-11-24")
    renewed = await act(scenario, demand, "renew")
    assert renewed.json()["price_valid_until"] == "2026-12-01"
    higher = await act(scenario, demand, "renew", {"max_price_idr": 28600, "price_valid_until": "2026-11-28"})
    assert (higher.json()["max_price_idr"], higher.json()["price_valid_until"]) == (28600, "2026-11-28")


async def test_a_batch_answers_each_item(scenario: Any) -> None:
    items = [EGGS, {**EGGS, "quantity": "NaN"}, {**EGGS, "external_ref": "A"}, {**EGGS, "external_ref": "A"}]
    key = scenario.as_(scenario.keys.buyers[DEPOK])
    answer = await scenario.post("/v1/demands/batch", json={"items": items}, headers=key)
    assert answer.status_code == 207, answer.text
    results = answer.json()["items"]
    assert [(item["index"], item["status"]) for item in results] == [(0, 201), (1, 422), (2, 201), (3, 409)]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/quantity"
    assert {results[0]["id"], results[2]["id"]} <= {row["id"] for row in await mine(scenario)}
    before = len(await mine(scenario))
    atomic = await scenario.post("/v1/demands/batch?atomic=true", json={"items": items}, headers=key)
    assert atomic.status_code == 422
    assert len(await mine(scenario)) == before


async def test_a_demand_expires_by_the_day_of_its_city(scenario: Any) -> None:
    """Samarinda keeps WITA: its day ends an hour before Depok's."""
    until = {"deliver_by": "2026-11-25"}
    by_city = {city: await posted(scenario, city, **until) for city in (SEGIRI, DEPOK)}

    async def statuses() -> list[str]:
        return [
            (
                await scenario.get(f"/v1/demands/{demand['id']}", headers=scenario.as_(scenario.keys.buyers[city]))
            ).json()["status"]
            for city, demand in by_city.items()
        ]

    for instant, expected in (
        ("2026-11-25T22:59:59+07:00", ["open", "open"]),
        ("2026-11-25T23:00:00+07:00", ["expired", "open"]),
        ("2026-11-26T00:00:00+07:00", ["expired", "expired"]),
    ):
        scenario.clock.at = datetime.fromisoformat(instant)
        await close_due(scenario.database, scenario.clock.now())
        assert await statuses() == expected


async def test_who_fetches_at_the_hub_uses_no_departure(opening: Any) -> None:
    loco = await posted(opening, delivery="loco", max_price_idr=27500, quantity=5, deliver_by="2026-11-28")
    run = await opening.post(
        "/v1/clearing-runs", json={"commodities": ["telur-ayam-ras"]}, headers=opening.as_(opening.keys.hub)
    )
    matches = await opening.walk(f"/v1/clearing-runs/{run.json()['id']}/matches", opening.keys.buyers[DEPOK])
    own = [match for match in matches if match["demand_id"] == loco["id"]]
    assert sum(match["quantity"] for match in own) == 5000
    for match in own:
        assert (match["departure_id"], match["lane_id"], match["freight_idr"], match["scarcity_idr"]) == (
            None,
            None,
            0,
            0,
        )
        assert match["departs_on"] == match["arrives_on"]
        assert match["delivered_price_idr"] == match["producer_price_idr"] + match["collection_idr"] <= 27500
