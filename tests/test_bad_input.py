"""Bad input: a planned answer that names the field, in two languages, and nothing stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, select, table

PONGGOK, DEPOK = "Koperasi peternak Ponggok (contoh)", "Pedagang telur Depok (contoh)"
LISTING = {"commodity": "telur-ayam-ras", "grade": "II", "quantity": 400, "unit": "peti-15", "price_idr": 397500}
DEMAND = {"commodity": "telur-ayam-ras", "min_grade": "II", "quantity": 10, "unit": "ton", "max_price_idr": 28400}


async def rows(api: Any) -> tuple[int, ...]:
    async with api.database.reader() as session:
        return tuple(
            [
                await session.scalar(select(func.count()).select_from(table(name)))
                for name in ("listings", "demands", "outbox", "idempotency_keys", "allocations", "matches")
            ]
        )


def post_of(api: Any, kind: str) -> tuple[str, str]:
    key = api.keys.producers[PONGGOK] if kind == "listings" else api.keys.buyers[DEPOK]
    return f"/v1/{kind}", key


COMMON: list[tuple[dict[str, Any], str]] = [
    ({"commodity": "emas"}, "/commodity"),
    ({"commodity": 7}, "/commodity"),
    ({"quantity": 0}, "/quantity"),
    ({"quantity": -1}, "/quantity"),
    ({"quantity": True}, "/quantity"),
    ({"quantity": "1_000"}, "/quantity"),
    ({"quantity": "1e3"}, "/quantity"),
    ({"quantity": "sepuluh"}, "/quantity"),
    ({"quantity": None}, "/quantity"),
    ({"quantity": 10**12}, "/quantity"),
    ({"quantity": 10.5, "unit": "kg"}, "/quantity"),
    ({"quantity": "0.001", "unit": "kg"}, "/quantity"),
    ({"quantity": 1, "unit": "butir"}, "/quantity"),
    ({"unit": "karung-50"}, "/unit"),
    ({"unit": "kg", "unit_base_quantity": 2}, "/unit_base_quantity"),
    ({"price_unit": "karung-50"}, "/price_unit"),
    ({"min_quantity": 10**6}, "/min_quantity"),
    ({"region": "99.99"}, "/region"),
    ({"id": "x"}, "/id"),
    ({"status": "open"}, "/status"),
    ({"proposed_quantity": 5}, "/proposed_quantity"),
    ({"version": 9}, "/version"),
    ({"created_at": "2026-01-01T00:00:00Z"}, "/created_at"),
    ({"whatever": 1}, "/whatever"),
    ({"external_ref": "x" * 256}, "/external_ref"),
    ({"external_ref": ""}, "/external_ref"),
    ({"note": "x" * 3000}, "/note"),
    ({"note": "a\u0007b"}, "/note"),
    ({"price_valid_until": "2026-11-23"}, "/price_valid_until"),
    ({"price_valid_until": "besok"}, "/price_valid_until"),
]
OF_LISTINGS: list[tuple[dict[str, Any], str]] = [
    ({"grade": "premium"}, "/grade"),
    ({"price_idr": 0}, "/price_idr"),
    ({"price_idr": -5}, "/price_idr"),
    ({"price_idr": 26500.5}, "/price_idr"),
    ({"price_idr": "26500"}, "/price_idr"),
    ({"price_idr": False}, "/price_idr"),
    ({"price_idr": 2 * 10**9, "price_unit": "kg"}, "/price_idr"),
    ({"available_from": "2026-12-05", "available_until": "2026-12-01"}, "/available_until"),
    ({"available_from": "2026-11-20", "available_until": "2026-11-23"}, "/available_until"),
    ({"available_until": "2026-12-30"}, "/available_until"),
    ({"available_from": "2026-02-30"}, "/available_from"),
    ({"available_from": 1}, "/available_from"),
    ({"available_from": "0001-01-01"}, "/available_from"),
    ({"available_from": "9999-12-31"}, "/available_from"),
    ({"best_before": "2026-11-01"}, "/best_before"),
    ({"best_before_chilled": "2099-01-01"}, "/best_before_chilled"),
    ({"region": "32.76"}, "/region"),
    ({"papers": {"nkv": 7}}, "/papers/nkv"),
]
OF_DEMANDS: list[tuple[dict[str, Any], str]] = [
    ({"min_grade": "premium"}, "/min_grade"),
    ({"max_price_idr": 0}, "/max_price_idr"),
    ({"max_price_idr": 10**18}, "/max_price_idr"),
    ({"delivery": "cif"}, "/delivery"),
    ({"deliver_from": "2026-12-05", "deliver_by": "2026-12-01"}, "/deliver_by"),
    ({"deliver_by": "2027-02-01"}, "/deliver_by"),
    ({"min_remaining_shelf_life_days": -1}, "/min_remaining_shelf_life_days"),
    ({"min_remaining_shelf_life_days": 2.5}, "/min_remaining_shelf_life_days"),
]
CASES = [
    pytest.param(kind, changes, pointer, id=f"{kind}-{json.dumps(changes)[:50]}")
    for kind, own in (("listings", OF_LISTINGS), ("demands", OF_DEMANDS))
    for changes, pointer in (*COMMON, *own)
]


@pytest.mark.parametrize(("kind", "changes", "pointer"), CASES)
async def test_a_wrong_field_is_named_and_nothing_is_stored(
    scenario: Any, kind: str, changes: dict[str, Any], pointer: str
) -> None:
    url, key = post_of(scenario, kind)
    body = {**(LISTING if kind == "listings" else DEMAND), **changes}
    before = await rows(scenario)
    told = []
    for language in ("id", "en"):
        headers = scenario.as_(key, **{"Accept-Language": language, "Idempotency-Key": "k"})
        answer = await scenario.post(url, json=body, headers=headers)
        assert answer.status_code == 422, answer.text
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text
        told.append(answer.json()["errors"][0]["detail"])
    assert told[0] != told[1]
    assert await rows(scenario) == before


@pytest.mark.parametrize("field", ["commodity", "grade", "quantity", "unit", "price_idr"])
async def test_each_of_the_five_fields_is_required(scenario: Any, field: str) -> None:
    body = {name: value for name, value in LISTING.items() if name != field}
    answer = await scenario.post("/v1/listings", json=body, headers=scenario.as_(scenario.keys.producers[PONGGOK]))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")


def with_quantity(written: str) -> bytes:
    return json.dumps({**LISTING, "quantity": "?"}).replace('"?"', written).encode()


RAW = {
    "NaN": with_quantity("NaN"),
    "Infinity": with_quantity("-Infinity"),
    "1e400": with_quantity("1e400"),
    "2^63": with_quantity(str(2**63)),
    "a thousand digits": with_quantity("1" * 1000),
    "duplicate keys": b'{"commodity": "beras", "commodity": "telur-ayam-ras"}',
    "NUL": json.dumps({**LISTING, "note": "a\0b"}).encode(),
    "lone surrogate": json.dumps({**LISTING, "note": "\ud800"}).encode(),
    "UTF-16": json.dumps(LISTING).encode("utf-16"),
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "half": b'{"commodity": ',
    "a list": b"[]",
    "a text": b'"beras"',
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("name", RAW)
async def test_a_body_that_cannot_be_trusted_is_refused(scenario: Any, name: str) -> None:
    before = await rows(scenario)
    headers = scenario.as_(scenario.keys.producers[PONGGOK], **{"Content-Type": "application/json"})
    for url in ("/v1/listings", "/v1/listings/batch"):
        answer = await scenario.post(url, content=RAW[name], headers=headers)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert await rows(scenario) == before


async def test_a_body_over_the_limit_is_refused_announced_or_not(scenario: Any) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(1100):
            yield b" " * 1024

    headers = scenario.as_(scenario.keys.producers[PONGGOK], **{"Content-Type": "application/json"})
    for content in (b" " * (1024 * 1024 + 1), in_pieces()):
        answer = await scenario.post("/v1/listings", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("body", ["1.5", "-6e16", "5", '"x"', "true", "[]"])
async def test_a_body_that_is_no_object_is_refused_where_none_is_needed_too(scenario: Any, body: str) -> None:
    hub = scenario.as_(scenario.keys.hub, **{"Content-Type": "application/json"})
    (match, *_) = (await scenario.get("/v1/matches?status=proposed", headers=hub)).json()["items"]
    before = await rows(scenario)
    for url in ("/v1/clearing-runs", f"/v1/matches/{match['id']}/decline", f"/v1/listings/{match['listing_id']}/renew"):
        answer = await scenario.post(url, content=body.encode(), headers=hub)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, ""), answer.text
    assert await rows(scenario) == before


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
async def test_another_media_type_is_refused(scenario: Any, media_type: str) -> None:
    headers = scenario.as_(scenario.keys.producers[PONGGOK], **{"Content-Type": media_type})
    answer = await scenario.post("/v1/listings", content=json.dumps(LISTING).encode(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("key", ["", "x", "btc_demo_short", "x" * 256, "btc_test_" + "A" * 43])
async def test_a_key_that_is_none_opens_nothing(scenario: Any, key: str) -> None:
    answer = await scenario.get("/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_listing_by_a_buyer_and_a_demand_by_a_producer_are_forbidden(scenario: Any) -> None:
    buyer, producer = scenario.keys.buyers[DEPOK], scenario.keys.producers[PONGGOK]
    assert (await scenario.post("/v1/listings", json=LISTING, headers=scenario.as_(buyer))).status_code == 403
    assert (await scenario.post("/v1/demands", json=DEMAND, headers=scenario.as_(producer))).status_code == 403


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "bad_request"),
        ("sort=secret", "bad_request"),
        ("cursor=forged", "invalid_cursor"),
        ("cursor=WyJhIiwgImIiLCAiYyJd", "invalid_cursor"),
        ("cursor=" + "A" * 400, "invalid_cursor"),
        ("limit=0", "invalid"),
        ("limit=201", "invalid"),
        ("limit=ten", "invalid"),
        ("available_from=2026-13-01", "invalid"),
        ("organization=7", "invalid"),
        ("status=lost", "invalid"),
        ("commodity=%00", "bad_request"),
    ],
)
async def test_a_wrong_query_is_refused(scenario: Any, query: str, code: str) -> None:
    answer = await scenario.get(f"/v1/listings?{query}", headers=scenario.as_(scenario.keys.hub))
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "filtered",
    [
        "agreements?status",
        "price-references?kind",
        "matches?status",
        "demands?status",
        "lanes?status",
        "organizations?role",
    ],
)
async def test_a_word_outside_a_fixed_list_is_refused(scenario: Any, filtered: str) -> None:
    answer = await scenario.get(f"/v1/{filtered}=lost", headers=scenario.as_(scenario.keys.hub))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, filtered.partition("?")[2])


async def test_a_cursor_fits_only_its_own_list_and_owner(scenario: Any) -> None:
    hub = scenario.as_(scenario.keys.hub)
    first = (await scenario.get("/v1/listings?limit=1&sort=price_idr", headers=hub)).json()
    assert (await scenario.get(first["next"], headers=hub)).status_code == 200
    cursor = first["next"].partition("cursor=")[2]
    foreign = scenario.as_(scenario.keys.producers[PONGGOK])
    for url, headers in (
        (f"/v1/listings?limit=1&sort=-price_idr&cursor={cursor}", hub),
        (f"/v1/demands?limit=1&sort=price_idr&cursor={cursor}", hub),
        (first["next"], foreign),
    ):
        assert (await scenario.get(url, headers=headers)).json()["code"] in ("invalid_cursor", "bad_request")


async def test_a_percent_sign_matches_only_itself(scenario: Any) -> None:
    hub = scenario.as_(scenario.keys.hub)
    assert (await scenario.get("/v1/listings?external_ref=%25", headers=hub)).json()["items"] == []
    assert (await scenario.get("/v1/regions/%25")).status_code == 404


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
async def test_an_idempotency_key_has_bounds(scenario: Any, key: str) -> None:
    headers = scenario.as_(scenario.keys.producers[PONGGOK], **{"Idempotency-Key": key})
    answer = await scenario.post("/v1/listings", json=LISTING, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "Idempotency-Key")


async def test_a_quantity_cannot_go_below_what_is_matched(scenario: Any) -> None:
    key = scenario.as_(scenario.keys.buyers[DEPOK])
    (demand, *_) = (await scenario.get("/v1/demands", headers=key)).json()["items"]
    assert demand["proposed_quantity"] == 10000
    answer = await scenario.patch(
        f"/v1/demands/{demand['id']}", json={"quantity": 9}, headers={**key, "If-Match": f'"{demand["version"]}"'}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "below_matched")


@pytest.mark.parametrize("body", [{"commodity": "beras"}, {"id": "x"}, {"quantity": None}, {"price_idr": "1"}, []])
async def test_a_patch_takes_only_what_may_change(scenario: Any, body: Any) -> None:
    key = scenario.as_(scenario.keys.producers[PONGGOK], **{"If-Match": '"2"'})
    (listing, *_) = (await scenario.get("/v1/listings", headers=key)).json()["items"]
    answer = await scenario.patch(f"/v1/listings/{listing['id']}", json=body, headers=key)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("address", ["/v1/nothing", "/v1/listings/7", "/v1/regions/a/b"])
async def test_an_unknown_address_is_a_problem_too(scenario: Any, address: str) -> None:
    answer = await scenario.get(address, headers=scenario.as_(scenario.keys.hub))
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_unknown_method_is_a_problem_too(scenario: Any) -> None:
    answer = await scenario.put("/v1/listings", headers=scenario.as_(scenario.keys.hub))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


DEPARTURES, RUNS = "/v1/lanes/{lane}/departures", "/v1/clearing-runs"
ENDS_OF_THE_CALENDAR = [
    (DEPARTURES, {"departs_on": "0001-01-01"}, "/departs_on"),
    (DEPARTURES, {"departs_on": "9999-12-31"}, "/departs_on"),
    (RUNS, {"dry_run": True, "as_of": "9999-12-31T23:59:59Z"}, "/as_of"),
    (RUNS, {"dry_run": True, "as_of": "0001-01-01T00:00:00+14:00"}, "/as_of"),
    (RUNS, {"dry_run": True, "as_of": "2026-11-24T08:00:00"}, "/as_of"),
    (RUNS, {"dry_run": True, "as_of": 1790000000}, "/as_of"),
    (RUNS, {"as_of": "2026-11-24T08:00:00Z"}, "/as_of"),
]


@pytest.mark.parametrize(("address", "body", "pointer"), ENDS_OF_THE_CALENDAR)
async def test_days_and_instants_must_be_written_out_and_near(
    scenario: Any, address: str, body: dict[str, Any], pointer: str
) -> None:
    hub = scenario.as_(scenario.keys.hub)
    lane = (await scenario.get("/v1/lanes?limit=1")).json()["items"][0]["id"]
    answer = await scenario.post(address.format(lane=lane), json=body, headers=hub)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text
