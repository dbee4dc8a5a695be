"""Posting, reading, changing and withdrawing stock through HTTP."""

from typing import Any

PONGGOK = "Koperasi peternak Ponggok (contoh)"
EGGS = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 400, "unit": "peti-15", "price_idr": 397500}


async def post(api: Any, body: dict[str, Any], **headers: str) -> Any:
    return await api.post("/v1/listings", json=body, headers=api.as_(api.keys.producers[PONGGOK], **headers))


async def test_five_fields_are_enough(scenario: Any) -> None:
    response = await post(scenario, EGGS)
    assert response.status_code == 201, response.text
    listing = response.json()
    assert response.headers["location"] == f"/v1/listings/{listing['id']}"
    assert response.headers["etag"] == '"1"'
    expected = {"quantity": 6000, "price_idr": 26500, "region": "35.05", "hub": "35.72", "min_quantity": 1}
    assert {name: listing[name] for name in expected} == expected
    assert listing["entered"] == {"quantity": "400", "unit": "peti-15", "price_idr": 397500, "price_unit": "peti-15"}
    days = ("available_from", "available_until", "best_before", "best_before_chilled")
    assert [listing[day] for day in days] == ["2026-11-24", "2026-12-01", "2026-12-08", "2026-12-24"]
    assert listing["price_notes"] == [
        {"kind": "hap", "level": "producer", "min_idr": 26500, "max_idr": 26500, "position": "at"}
    ]


async def test_a_repeated_post_is_answered_with_the_first_answer(scenario: Any) -> None:
    first = await post(scenario, EGGS, **{"Idempotency-Key": "k1"})
    second = await post(scenario, EGGS, **{"Idempotency-Key": "k1"})
    other = await post(scenario, {**EGGS, "quantity": 401}, **{"Idempotency-Key": "k1"})
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_change_needs_the_version_that_was_read(scenario: Any) -> None:
    listing = (await post(scenario, EGGS)).json()
    key = scenario.keys.producers[PONGGOK]
    url = f"/v1/listings/{listing['id']}"
    assert (await scenario.patch(url, json={"quantity": 300}, headers=scenario.as_(key))).status_code == 428
    stale = await scenario.patch(url, json={"quantity": 300}, headers=scenario.as_(key, **{"If-Match": '"7"'}))
    assert stale.status_code == 412
    changed = await scenario.patch(url, json={"quantity": 300}, headers=scenario.as_(key, **{"If-Match": '"1"'}))
    assert changed.status_code == 200, changed.text
    assert changed.json()["quantity"] == 4500
    assert changed.headers["etag"] == '"2"'


async def test_withdrawing_takes_the_open_part(scenario: Any) -> None:
    listing = (await post(scenario, EGGS)).json()
    url = f"/v1/listings/{listing['id']}/withdraw"
    withdrawn = await scenario.post(url, headers=scenario.as_(scenario.keys.producers[PONGGOK]))
    assert withdrawn.status_code == 200, withdrawn.text
    assert withdrawn.json()["status"] == "withdrawn"
    assert withdrawn.json()["withdrawn_quantity"] == 6000


async def test_another_partys_listing_is_not_found(scenario: Any) -> None:
    listing = (await post(scenario, EGGS)).json()
    other = scenario.keys.producers["Peternak Srengat (contoh)"]
    response = await scenario.get(f"/v1/listings/{listing['id']}", headers=scenario.as_(other))
    assert response.status_code == 404


async def test_a_batch_answers_each_item(scenario: Any) -> None:
    body = {"items": [EGGS, {**EGGS, "quantity": 0}, {**EGGS, "external_ref": "A"}, {**EGGS, "external_ref": "A"}]}
    key = scenario.as_(scenario.keys.producers[PONGGOK])
    response = await scenario.post("/v1/listings/batch", json=body, headers=key)
    assert response.status_code == 207, response.text
    assert [item["status"] for item in response.json()["items"]] == [201, 422, 201, 409]
    atomic = await scenario.post("/v1/listings/batch?atomic=true", json=body, headers=key)
    assert atomic.status_code == 422
    assert {error["pointer"] for error in atomic.json()["errors"]} == {"/items/1/quantity", "/items/3/external_ref"}
