"""Regions and agreements through HTTP: read by anybody, changed by the hub, opening trade only while in force."""

from typing import Any

import pytest

PKS = {"region": "35.71", "instrument": "PKS", "signed_on": "2026-11-01", "valid_until": "2027-11-01"}


async def patch(api: Any, url: str, body: dict[str, Any], version: int = 1) -> Any:
    return await api.patch(url, json=body, headers=api.as_(api.keys.hub, **{"If-Match": f'"{version}"'}))


async def test_a_region_says_where_it_lies_and_who_gathers_its_supply(api: Any) -> None:
    region = (await api.get("/v1/regions/35.05")).json()
    expected = {
        "name": "Kabupaten Blitar",
        "province": "Jawa Timur",
        "timezone": "Asia/Jakarta",
        "role": "producer",
        "hub": "35.72",
        "trades_as": "35.05",
        "collection_idr_per_kg": 60,
        "collection_days": 0,
    }
    assert {name: region[name] for name in expected} == expected


async def test_a_part_of_jakarta_trades_as_jakarta(api: Any) -> None:
    parts = await api.walk("/v1/regions?role=partner_part")
    assert parts
    assert {part["trades_as"] for part in parts} == {"31"}


async def test_regions_are_walked_page_by_page_without_a_gap(api: Any) -> None:
    whole = await api.walk("/v1/regions?limit=200")
    assert await api.walk("/v1/regions?limit=7") == whole
    codes = [region["code"] for region in whole]
    assert codes == sorted(codes)
    names = [region["name"] for region in await api.walk("/v1/regions?sort=-name&limit=5")]
    assert names == sorted((region["name"] for region in whole), reverse=True)


async def test_only_agreements_in_force_come_with_the_reference_data(api: Any) -> None:
    found = await api.walk("/v1/agreements")
    assert {agreement["status"] for agreement in found} == {"in_force"}
    assert {agreement["region"] for agreement in found} == {"31", "32.75", "32.76", "33.72", "35.78", "62.71", "64.72"}
    assert [row["code"] for row in await api.walk("/v1/agreements?region=64.72")] == ["AGR-02"]


async def test_the_hub_changes_what_collecting_costs(scenario: Any) -> None:
    changed = await patch(scenario, "/v1/regions/35.05", {"collection_idr_per_kg": 75, "collection_days": 1})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["collection_idr_per_kg"], changed.headers["etag"]) == (75, '"2"')
    assert (await patch(scenario, "/v1/regions/35.05", {"collection_days": 0})).status_code == 412
    assert (await patch(scenario, "/v1/regions/99.99", {"collection_days": 0})).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"hub": "99.99"}, "/hub"), ({"collection_days": 31}, "/collection_days"), ({"name": "Blitar"}, "/name")],
)
async def test_what_is_wrong_with_a_region_is_named(scenario: Any, body: dict[str, Any], pointer: str) -> None:
    refused = await patch(scenario, "/v1/regions/35.05", body)
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_an_agreement_is_signed_changed_and_ended(scenario: Any) -> None:
    signed = await scenario.post("/v1/agreements", json=PKS, headers=scenario.as_(scenario.keys.hub))
    assert signed.status_code == 201, signed.text
    agreement = signed.json()
    assert {name: agreement[name] for name in PKS} == PKS
    assert (agreement["hub"], agreement["status"], agreement["commodities"]) == ("35.72", "in_force", None)
    ended = await patch(scenario, f"/v1/agreements/{agreement['id']}", {"status": "ended"})
    assert (ended.status_code, ended.json()["status"]) == (200, "ended")
    assert agreement["id"] in {row["id"] for row in await scenario.walk("/v1/agreements?status=ended")}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"region": "99.99"}, "/region"),
        ({"signed_on": "2026-13-01"}, "/signed_on"),
        ({"valid_until": "2026-10-31"}, "/valid_until"),
        ({"commodities": []}, "/commodities"),
        ({"commodities": ["beras", "emas"]}, "/commodities/1"),
        ({"hub": "35.72"}, "/hub"),
    ],
)
async def test_what_is_wrong_with_an_agreement_is_named(scenario: Any, change: dict[str, Any], pointer: str) -> None:
    refused = await scenario.post("/v1/agreements", json={**PKS, **change}, headers=scenario.as_(scenario.keys.hub))
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_a_demand_from_a_region_without_agreement_is_kept_and_told_why(opening: Any) -> None:
    hub, key = opening.as_(opening.keys.hub), opening.keys.buyers["Pasar Segiri Samarinda (contoh)"]
    for agreement in await opening.walk("/v1/agreements?region=64.72"):
        assert (await patch(opening, f"/v1/agreements/{agreement['id']}", {"status": "suspended"})).status_code == 200
    run = (await opening.post("/v1/clearing-runs", json={"commodities": ["belimbing"]}, headers=hub)).json()
    left = await opening.walk(f"/v1/clearing-runs/{run['id']}/unmatched", key)
    assert [(row["quantity"], row["reason"]) for row in left] == [(1000, "no_agreement")]
    assert (await opening.walk("/v1/demands?commodity=belimbing", key))[0]["status"] == "open"
