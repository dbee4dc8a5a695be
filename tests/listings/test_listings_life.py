"""A listing's life through HTTP: found, renewed, changed within its open part, expired by its own local day."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.worker import close_due

PONGGOK, SRENGAT = "Koperasi peternak Ponggok (contoh)", "Peternak Srengat (contoh)"
EGGS = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 400, "unit": "peti-15", "price_idr": 397500}


async def post(api: Any, **changes: Any) -> Any:
    return await api.post("/v1/listings", json={**EGGS, **changes}, headers=api.as_(api.keys.producers[PONGGOK]))


async def posted(api: Any, **changes: Any) -> dict[str, Any]:
    answer = await post(api, **changes)
    assert answer.status_code == 201, answer.text
    listing: dict[str, Any] = answer.json()
    return listing


async def act(api: Any, listing: dict[str, Any], action: str, body: dict[str, Any] | None = None) -> Any:
    url = f"/v1/listings/{listing['id']}/{action}"
    return await api.post(url, json=body, headers=api.as_(api.keys.producers[PONGGOK]))


async def change(api: Any, listing: dict[str, Any], body: dict[str, Any]) -> Any:
    headers = api.as_(api.keys.producers[PONGGOK], **{"If-Match": f'"{listing["version"]}"'})
    return await api.patch(f"/v1/listings/{listing['id']}", json=body, headers=headers)


async def read(api: Any, listing: dict[str, Any], **headers: str) -> Any:
    return await api.get(f"/v1/listings/{listing['id']}", headers=api.as_(api.keys.producers[PONGGOK], **headers))


async def mine(api: Any, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/listings?limit=2{query}", api.keys.producers[PONGGOK])
    return found


async def test_lists_are_filtered_sorted_and_walked(scenario: Any) -> None:
    for number in range(5):
        await posted(scenario, quantity=100 + number, external_ref=f"KP-{number}", price_idr=400000 - number)
    whole = await mine(scenario)
    assert len(whole) == len({row["id"] for row in whole}) == 7
    created = [datetime.fromisoformat(row["created_at"]) for row in whole]
    assert created == sorted(created, reverse=True)
    asks = [row["price_idr"] for row in await mine(scenario, "&sort=price_idr")]
    assert asks == sorted(row["price_idr"] for row in whole)
    assert [row["external_ref"] for row in await mine(scenario, "&external_ref=KP-3&external_ref=KP-9")] == ["KP-3"]
    assert {row["grade"] for row in await mine(scenario, "&grade=bentes")} == {"bentes"}
    assert {row["status"] for row in await mine(scenario, "&status=exhausted")} == {"exhausted"}
    assert await mine(scenario, "&commodity=beras") == []
    assert len(await mine(scenario, "&available_until=2026-11-24")) == 7
    assert await mine(scenario, "&available_from=2026-12-02") == []


async def test_a_walk_stays_whole_while_others_post(scenario: Any) -> None:
    before = await mine(scenario)
    scenario.clock.at += timedelta(seconds=1)
    first = await scenario.get("/v1/listings?limit=1", headers=scenario.as_(scenario.keys.producers[PONGGOK]))
    await posted(scenario)
    rest = await scenario.walk(first.json()["next"], scenario.keys.producers[PONGGOK])
    assert [row["id"] for row in (*first.json()["items"], *rest)] == [row["id"] for row in before]


async def test_a_percent_sign_in_a_filter_is_a_percent_sign(scenario: Any) -> None:
    await posted(scenario, external_ref="KP-17")
    await posted(scenario, external_ref="100%")
    assert await mine(scenario, "&external_ref=%25") == []
    assert await mine(scenario, "&external_ref=KP_17") == []
    assert [row["external_ref"] for row in await mine(scenario, "&external_ref=100%25")] == ["100%"]


async def test_what_has_not_changed_is_not_sent_again(scenario: Any) -> None:
    listing = await posted(scenario)
    first = await read(scenario, listing)
    assert first.headers["etag"] == '"1"'
    again = await read(scenario, listing, **{"If-None-Match": '"1"'})
    assert (again.status_code, again.content) == (304, b"")
    assert (await change(scenario, listing, {"note": "baru"})).status_code == 200
    assert (await read(scenario, listing, **{"If-None-Match": '"1"'})).status_code == 200
    headers = scenario.as_(scenario.keys.producers[PONGGOK])
    page = await scenario.get("/v1/listings", headers=headers)
    tag = {"If-None-Match": page.headers["etag"]}
    assert (await scenario.get("/v1/listings", headers={**headers, **tag})).status_code == 304
    await posted(scenario)
    assert (await scenario.get("/v1/listings", headers={**headers, **tag})).status_code == 200


async def test_an_own_number_is_used_once_in_an_organisation(scenario: Any) -> None:
    await posted(scenario, external_ref="KP-17")
    again = await post(scenario, external_ref="KP-17")
    assert (again.status_code, again.json()["code"]) == (409, "external_ref_taken")
    assert again.json()["errors"][0]["pointer"] == "/external_ref"
    other = scenario.as_(scenario.keys.producers[SRENGAT])
    assert (await scenario.post("/v1/listings", json={**EGGS, "external_ref": "KP-17"}, headers=other)).is_success
    second = await posted(scenario)
    taken = await change(scenario, second, {"external_ref": "KP-17"})
    assert (taken.status_code, taken.json()["code"]) == (409, "external_ref_taken")


async def test_a_change_keeps_what_was_typed_and_measures_it_again(scenario: Any) -> None:
    listing = await posted(scenario, min_quantity=67)
    assert listing["min_quantity"] == 1005
    changed = (await change(scenario, listing, {"quantity": "50", "price_idr": 400000})).json()
    assert (changed["quantity"], changed["price_idr"], changed["min_quantity"]) == (750, 26667, 750)
    assert changed["entered"] == {"quantity": "50", "unit": "peti-15", "price_idr": 400000, "price_unit": "peti-15"}
    own = (await change(scenario, changed, {"unit_base_quantity": 16})).json()
    assert (own["quantity"], own["price_idr"]) == (800, 25000)
    kilograms = await change(
        scenario, own, {"unit": "kg", "price_unit": "kg", "unit_base_quantity": None, "price_idr": 26000}
    )
    assert (kilograms.status_code, kilograms.json()["quantity"], kilograms.json()["price_idr"]) == (200, 50, 26000)


async def test_null_is_only_for_what_may_be_empty(scenario: Any) -> None:
    listing = await posted(scenario, note="tolong cepat", external_ref="A")
    emptied = await change(scenario, listing, {"note": None, "external_ref": None})
    assert (emptied.json()["note"], emptied.json()["external_ref"]) == (None, None)
    refused = await change(scenario, emptied.json(), {"quantity": None, "available_from": None})
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/quantity", "/available_from"}


async def test_a_quantity_is_not_lowered_under_what_is_matched(scenario: Any) -> None:
    listing = (await mine(scenario, "&status=exhausted"))[0]
    assert (listing["quantity"], listing["proposed_quantity"]) == (6000, 6000)
    refused = await change(scenario, listing, {"quantity": 5999})
    assert (refused.status_code, refused.json()["code"]) == (409, "below_matched")
    assert refused.json()["errors"][0]["pointer"] == "/quantity"
    raised = await change(scenario, listing, {"quantity": 6500})
    assert (raised.json()["status"], raised.json()["open_quantity"]) == ("open", 500)
    back = await change(scenario, raised.json(), {"quantity": 6000})
    assert (back.json()["status"], back.json()["open_quantity"]) == ("exhausted", 0)


async def test_withdrawing_leaves_proposals_standing(scenario: Any) -> None:
    listing = (await mine(scenario, "&status=exhausted"))[0]
    raised = (await change(scenario, listing, {"quantity": 6500})).json()
    withdrawn = (await act(scenario, raised, "withdraw")).json()
    assert (withdrawn["status"], withdrawn["proposed_quantity"], withdrawn["withdrawn_quantity"]) == (
        "withdrawn",
        6000,
        500,
    )
    for action in ("withdraw", "renew"):
        again = await act(scenario, withdrawn, action)
        assert (again.status_code, again.json()["code"]) == (409, "not_live")
    assert (await change(scenario, withdrawn, {"note": "x"})).json()["code"] == "not_live"


async def test_a_price_past_its_day_is_skipped_until_it_is_renewed(scenario: Any) -> None:
    listing = await posted(scenario, commodity="beras", grade="premium", quantity=5, unit="ton", price_idr=13900)
    dated = (await change(scenario, listing, {"price_valid_until": "2026-11-24"})).json()
    scenario.clock.at += timedelta(days=1)
    reasons = []
    for renewed in (False, True):
        if renewed:
            answer = await act(scenario, dated, "renew")
            assert (answer.status_code, answer.json()["price_valid_until"]) == (200, "2026-12-02"), answer.text
        headers = scenario.as_(scenario.keys.hub)
        run = await scenario.post(
            "/v1/clearing-runs", json={"commodities": ["beras"], "dry_run": True}, headers=headers
        )
        left = await scenario.walk(f"/v1/clearing-runs/{run.json()['id']}/unmatched?limit=200", scenario.keys.hub)
        reasons += [next((row["reason"] for row in left if row["id"] == listing["id"]), "matched")]
    assert reasons == ["price_expired", "matched"]


async def test_a_renewal_may_change_the_price_and_the_day(scenario: Any) -> None:
    listing = await posted(scenario, price_valid_until="2026-11-25")
    renewed = await act(scenario, listing, "renew", {"price_idr": 405000, "price_valid_until": "2026-11-30"})
    assert (renewed.json()["price_idr"], renewed.json()["price_valid_until"]) == (27000, "2026-11-30")
    past = await act(scenario, listing, "renew", {"price_valid_until": "2026-11-23"})
    assert (past.status_code, past.json()["errors"][0]["pointer"]) == (422, "/price_valid_until")


async def test_a_listing_expires_when_its_last_local_day_is_over(scenario: Any) -> None:
    listing = await posted(scenario, available_until="2026-11-24")
    for instant, status in (("2026-11-24T23:59:59+07:00", "open"), ("2026-11-25T00:00:00+07:00", "expired")):
        scenario.clock.at = datetime.fromisoformat(instant)
        await close_due(scenario.database, scenario.clock.now())
        assert (await read(scenario, listing)).json()["status"] == status
    assert (await read(scenario, listing)).json()["withdrawn_quantity"] == 6000


async def test_the_hub_posts_for_a_party_and_the_history_says_so(scenario: Any) -> None:
    owner = (await mine(scenario))[0]["organization"]
    hub = scenario.as_(scenario.keys.hub)
    answer = await scenario.post("/v1/listings", json={**EGGS, "organization": owner}, headers=hub)
    assert (answer.status_code, answer.json()["organization"]) == (201, owner), answer.text
    assert answer.json()["id"] in {row["id"] for row in await mine(scenario)}
    refused = await scenario.post("/v1/listings", json=EGGS, headers=hub)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/organization")
    buyer = (await scenario.walk("/v1/organizations?role=buyer", scenario.keys.hub))[0]["id"]
    wrong = await scenario.post("/v1/listings", json={**EGGS, "organization": buyer}, headers=hub)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "wrong_role")
    foreign = scenario.as_(scenario.keys.producers[SRENGAT])
    assert (
        await scenario.post("/v1/listings", json={**EGGS, "organization": owner}, headers=foreign)
    ).status_code == 404


@pytest.mark.parametrize("size", [1000, 1001])
async def test_a_batch_holds_a_thousand_listings(scenario: Any, size: int) -> None:
    key = scenario.as_(scenario.keys.producers[PONGGOK])
    answer = await scenario.post("/v1/listings/batch", json={"items": [EGGS] * size}, headers=key)
    assert answer.status_code == (207 if size == 1000 else 422)
    if size == 1000:
        assert {item["status"] for item in answer.json()["items"]} == {201}
