"""Organisations and their keys through HTTP: registered, changed, suspended; shown once, rotated, revoked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

NEW = {
    "name": "Koperasi Ngoran",
    "role": "producer",
    "kind": "koperasi",
    "region": "35.05",
    "telephone": "+62800123456",
}
PONGGOK, SRENGAT = "Koperasi peternak Ponggok (contoh)", "Peternak Srengat (contoh)"


async def me(api: Any, key: str) -> Any:
    return await api.get("/v1/me", headers=api.as_(key))


async def keys_url(api: Any, key: str) -> str:
    return f"/v1/organizations/{(await me(api, key)).json()['organization']['id']}/api-keys"


async def new_key(api: Any, key: str, **headers: str) -> Any:
    return await api.post(await keys_url(api, key), json={"label": "telepon"}, headers=api.as_(key, **headers))


async def test_the_hub_registers_an_organisation_and_its_key_opens_the_door(scenario: Any) -> None:
    hub = scenario.as_(scenario.keys.hub)
    registered = await scenario.post("/v1/organizations", json=NEW, headers=hub)
    assert registered.status_code == 201, registered.text
    organization = registered.json()
    assert {name: organization[name] for name in NEW} == NEW
    assert (organization["hub"], organization["status"]) == ("35.72", "active")
    assert registered.headers["location"] == f"/v1/organizations/{organization['id']}"
    key = await scenario.post(f"{registered.headers['location']}/api-keys", json={}, headers=hub)
    assert key.status_code == 201, key.text
    assert (await me(scenario, key.json()["secret"])).json()["organization"] == organization


async def test_a_name_is_taken_once_for_each_role(scenario: Any) -> None:
    hub = scenario.as_(scenario.keys.hub)
    assert (await scenario.post("/v1/organizations", json=NEW, headers=hub)).status_code == 201
    again = await scenario.post("/v1/organizations", json=NEW, headers=hub)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    buyer = await scenario.post("/v1/organizations", json={**NEW, "role": "buyer"}, headers=hub)
    assert buyer.status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"region": "99.99"}, "/region"),
        ({"role": "carrier"}, "/role"),
        ({"telephone": "nol delapan"}, "/telephone"),
        ({"name": ""}, "/name"),
        ({"status": "suspended"}, "/status"),
        ({"hub": "35.72"}, "/hub"),
    ],
)
async def test_what_is_wrong_with_an_organisation_is_named(scenario: Any, change: dict[str, Any], pointer: str) -> None:
    body = {**NEW, **change}
    refused = await scenario.post("/v1/organizations", json=body, headers=scenario.as_(scenario.keys.hub))
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_a_suspended_organisation_is_told_so_until_it_is_active_again(scenario: Any) -> None:
    key, hub = scenario.keys.producers[PONGGOK], scenario.as_(scenario.keys.hub)
    url = f"/v1/organizations/{(await me(scenario, key)).json()['organization']['id']}"
    for version, status, expected in ((1, "suspended", 403), (2, "active", 200)):
        headers = {**hub, "If-Match": f'"{version}"'}
        assert (await scenario.patch(url, json={"status": status}, headers=headers)).status_code == 200
        assert (await me(scenario, key)).status_code == expected


async def test_the_hub_cannot_post_for_a_suspended_organisation(scenario: Any) -> None:
    key, hub = scenario.keys.producers[PONGGOK], scenario.as_(scenario.keys.hub)
    organization = (await me(scenario, key)).json()["organization"]["id"]
    headers = {**hub, "If-Match": '"1"'}
    await scenario.patch(f"/v1/organizations/{organization}", json={"status": "suspended"}, headers=headers)
    body = {"commodity": "beras", "grade": "medium", "quantity": 1, "unit": "ton", "price_idr": 12000}
    refused = await scenario.post("/v1/listings", json={**body, "organization": organization}, headers=hub)
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")


async def test_organisations_are_listed_by_role_region_and_status(scenario: Any) -> None:
    found = await scenario.walk("/v1/organizations?role=buyer&region=64.72&region=62.71&limit=3", scenario.keys.hub)
    names = [organization["name"] for organization in found]
    assert names == sorted(names)
    assert {(row["role"], row["region"]) for row in found} == {("buyer", "64.72"), ("buyer", "62.71")}
    assert await scenario.walk("/v1/organizations?status=suspended", scenario.keys.hub) == []


async def test_a_key_is_shown_once_and_stored_as_a_hash(scenario: Any) -> None:
    created = await new_key(scenario, scenario.keys.producers[PONGGOK])
    assert created.status_code == 201, created.text
    secret = created.json()["secret"]
    assert secret.startswith("btc_test_")
    listed = await scenario.walk(await keys_url(scenario, secret), secret)
    assert [row["prefix"] for row in listed if secret.startswith(row["prefix"])] == [created.json()["prefix"]]
    assert all("secret" not in row for row in listed)
    async with scenario.database.reader() as session:
        stored = (
            await session.execute(text("SELECT to_jsonb(k)::text || encode(k.hash, 'escape') FROM api_keys k"))
        ).all()
    assert all(secret not in row[0] for row in stored)


async def test_a_repeated_creation_gives_the_same_key_without_its_secret(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    first, second = [await new_key(scenario, key, **{"Idempotency-Key": "kunci"}) for _ in range(2)]
    assert second.headers["idempotency-replayed"] == "true"
    assert second.json() == {name: value for name, value in first.json().items() if name != "secret"}
    assert first.json()["secret"] not in second.text


async def test_a_rotated_key_works_on_for_its_overlap(scenario: Any) -> None:
    old = scenario.keys.producers[PONGGOK]
    url = f"{await keys_url(scenario, old)}/{(await me(scenario, old)).json()['key_id']}/rotate"
    rotated = await scenario.post(url, json={"overlap_hours": 2}, headers=scenario.as_(old))
    assert rotated.status_code == 201, rotated.text
    new = rotated.json()["secret"]
    assert [(await me(scenario, key)).status_code for key in (old, new)] == [200, 200]
    scenario.clock.at += timedelta(hours=2)
    assert [(await me(scenario, key)).status_code for key in (old, new)] == [401, 200]
    again = await scenario.post(url, json={}, headers=scenario.as_(new))
    assert (again.status_code, again.json()["code"]) == (409, "key_not_live")


async def test_a_rotation_never_lengthens_a_life(scenario: Any) -> None:
    old = scenario.keys.producers[PONGGOK]
    url = f"{await keys_url(scenario, old)}/{(await me(scenario, old)).json()['key_id']}/rotate"
    for hours in (1, 100):
        assert (await scenario.post(url, json={"overlap_hours": hours}, headers=scenario.as_(old))).status_code == 201
    scenario.clock.at += timedelta(hours=1)
    assert (await me(scenario, old)).status_code == 401


async def test_a_revoked_key_opens_nothing_from_that_moment(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    url = f"{await keys_url(scenario, key)}/{(await me(scenario, key)).json()['key_id']}"
    for _ in range(2):
        assert (await scenario.delete(url, headers=scenario.as_(scenario.keys.hub))).status_code == 204
    assert (await me(scenario, key)).status_code == 401


async def test_the_last_use_of_a_key_is_written_once_a_minute(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    url = await keys_url(scenario, key)

    async def last_use() -> str:
        return str((await scenario.walk(url, key))[0]["last_used_at"])

    first = await last_use()
    assert first == "2026-11-24T01:00:00Z"
    scenario.clock.at += timedelta(seconds=59)
    assert await last_use() == first
    scenario.clock.at += timedelta(seconds=1)
    assert await last_use() == "2026-11-24T01:01:00Z"


async def test_another_organisations_key_is_not_found(scenario: Any) -> None:
    mine, other = scenario.keys.producers[PONGGOK], scenario.keys.producers[SRENGAT]
    foreign = (await me(scenario, other)).json()["key_id"]
    url = f"{await keys_url(scenario, mine)}/{foreign}"
    assert (await scenario.delete(url, headers=scenario.as_(mine))).status_code == 404
    assert (await scenario.post(f"{url}/rotate", json={}, headers=scenario.as_(mine))).status_code == 404
    assert (await me(scenario, other)).status_code == 200


async def test_an_organisation_holds_twenty_live_keys_at_most(scenario: Any) -> None:
    key = scenario.keys.producers[PONGGOK]
    answers = [await new_key(scenario, key) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [201] * 19 + [409]
    assert answers[-1].json()["code"] == "too_many_keys"
    url = f"{await keys_url(scenario, key)}/{answers[0].json()['id']}"
    assert (await scenario.delete(url, headers=scenario.as_(key))).status_code == 204
    assert (await new_key(scenario, key)).status_code == 201


@pytest.mark.parametrize(
    "key", ["", "x", "btc_test_short", "btc_test_" + "a" * 43, "btc_test_" + "a" * 300, "\u00e9" * 52]
)
async def test_what_is_no_key_of_ours_is_unauthenticated(scenario: Any, key: str) -> None:
    answer = await scenario.get("/v1/me", headers={"Authorization": f"Bearer {key}".encode()})
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
