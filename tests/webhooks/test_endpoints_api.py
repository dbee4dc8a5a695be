"""Endpoints over HTTP: registered, changed, paused, rotated; what was sent is listed and can be sent again."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import worker
from app.kit.ids import new_id
from app.webhooks import rules, service
from tests.outbox.test_events_api import DEPOK, PONGGOK, key_of
from tests.outbox.test_relay import publish
from tests.webhooks.receivers import endpoint_of


async def queue(api: Any) -> None:
    await publish(api)
    while await api.database.retried(lambda session: service.queue(session, now=api.clock.now())):
        pass


async def deliveries(api: Any, endpoint: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api.walk(f"/v1/webhook-endpoints/{endpoint['id']}/deliveries?limit=200", key)
    return found


async def test_a_secret_is_shown_once(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    endpoint = await endpoint_of(scenario, key)
    assert endpoint["secret"].startswith("whsec_")
    headers = scenario.as_(key)
    read = await scenario.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=headers)
    assert read.headers["etag"] == '"1"'
    assert endpoint["secret"] not in read.text
    assert endpoint["secret"] not in (await scenario.get("/v1/webhook-endpoints", headers=headers)).text


async def test_a_repeated_registration_is_answered_without_the_secret(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    await endpoint_of(scenario, key)
    body = {"url": "https://hooks.example/dua"}
    headers = scenario.as_(key, **{"Idempotency-Key": "satu"})
    first = await scenario.post("/v1/webhook-endpoints", json=body, headers=headers)
    again = await scenario.post("/v1/webhook-endpoints", json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {name: value for name, value in first.json().items() if name != "secret"}


async def test_an_endpoint_changes_with_its_version(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    endpoint = await endpoint_of(scenario, key, event_types=["order.*"])
    address = f"/v1/webhook-endpoints/{endpoint['id']}"
    for version, status in ((None, 428), ('"7"', 412), ('"1"', 200), ('"1"', 412)):
        headers = scenario.as_(key) | ({"If-Match": version} if version else {})
        answer = await scenario.patch(address, json={"status": "paused", "event_types": None}, headers=headers)
        assert answer.status_code == status, answer.text
    read = (await scenario.get(address, headers=scenario.as_(key))).json()
    assert (read["status"], read["event_types"], read["version"]) == ("paused", None, 2)


async def test_an_organization_has_ten_endpoints_and_each_address_once(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    for number in range(rules.MOST_ENDPOINTS):
        await endpoint_of(scenario, key, f"https://hooks.example/{number}")
        body = {"url": "https://hooks.example/0"}
        if number == 1:
            answer = await scenario.post("/v1/webhook-endpoints", json=body, headers=scenario.as_(key))
            assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_exists")
    answer = await scenario.post("/v1/webhook-endpoints", json={"url": "https://x.example/"}, headers=scenario.as_(key))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


async def test_an_endpoint_is_told_what_its_organization_may_see_and_wants(scenario: Any) -> None:
    key, other, hub = key_of(scenario, DEPOK), key_of(scenario, PONGGOK), scenario.keys.hub
    await queue(scenario)
    mine = await endpoint_of(scenario, key, event_types=["demand.*"])
    foreign = await endpoint_of(scenario, other)
    hubs = await endpoint_of(scenario, hub, event_types=["demand.published"])
    body = {"commodity": "jeruk", "min_grade": "A", "quantity": 10, "unit": "kg", "max_price_idr": 9000}
    assert (await scenario.post("/v1/demands", json=body, headers=scenario.as_(key))).status_code == 201
    await queue(scenario)
    assert [one["type"] for one in await deliveries(scenario, mine, key)] == ["demand.published"]
    assert "demand.published" not in [one["type"] for one in await deliveries(scenario, foreign, other)]
    assert [one["type"] for one in await deliveries(scenario, hubs, hub)] == ["demand.published"]


async def test_what_was_missed_can_be_sent_again(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    await queue(scenario)
    endpoint = await endpoint_of(scenario, key)
    address = f"/v1/webhook-endpoints/{endpoint['id']}/redeliver"
    seen = await scenario.walk("/v1/events?limit=200", key)
    all_ = await scenario.post(address, json={"after": 0}, headers=scenario.as_(key))
    assert all_.json() == {"queued": len(seen), "last": seen[-1]["position"]}
    assert {one["position"] for one in await deliveries(scenario, endpoint, key)} == {one["position"] for one in seen}
    foreign = next(n for n in range(1, 99) if n not in {one["position"] for one in seen})
    one = {"positions": [seen[0]["position"], foreign]}
    assert (await scenario.post(address, json=one, headers=scenario.as_(key))).json()["queued"] == 1


@pytest.mark.parametrize("body", [{}, {"after": 1, "positions": [1]}, {"positions": []}, {"after": -1}])
async def test_sending_again_needs_one_of_two(scenario: Any, body: dict[str, Any]) -> None:
    key = key_of(scenario, DEPOK)
    endpoint = await endpoint_of(scenario, key)
    address = f"/v1/webhook-endpoints/{endpoint['id']}/redeliver"
    assert (await scenario.post(address, json=body, headers=scenario.as_(key))).status_code == 422


async def test_the_hub_registers_for_another_and_nobody_else_does(scenario: Any) -> None:
    me = (await scenario.get("/v1/me", headers=scenario.as_(key_of(scenario, DEPOK)))).json()["organization"]["id"]
    endpoint = await endpoint_of(scenario, scenario.keys.hub, organization=me)
    assert endpoint["organization"] == me
    body = {"url": "https://hooks.example/3", "organization": me}
    answer = await scenario.post("/v1/webhook-endpoints", json=body, headers=scenario.as_(key_of(scenario, PONGGOK)))
    assert answer.status_code == 404


async def test_finished_deliveries_are_listed_for_thirty_days_and_can_be_sent_again_later(scenario: Any) -> None:
    key = key_of(scenario, DEPOK)
    await queue(scenario)
    endpoint = await endpoint_of(scenario, key)
    for _ in range(3):
        await endpoint_of(scenario, key, f"https://hooks.example/{new_id()}")
    await queue(scenario)
    first, *waiting = [one["position"] for one in reversed(await deliveries(scenario, endpoint, key))]
    async with scenario.database.transaction() as session:
        done = "UPDATE webhook_deliveries SET status = 'delivered', finished_at = :at WHERE position = :first"
        await session.execute(text(done), {"at": scenario.clock.now(), "first": first})
    for days, listed in ((30, [first, *waiting]), (1, waiting)):
        scenario.clock.at += timedelta(days=days)
        await worker.tidy(scenario.database, scenario.clock.now())
        assert sorted(one["position"] for one in await deliveries(scenario, endpoint, key)) == listed
    assert waiting
    address = f"/v1/webhook-endpoints/{endpoint['id']}/redeliver"
    again = await scenario.post(address, json={"positions": [first]}, headers=scenario.as_(key))
    assert again.is_success, again.text
    assert first in [one["position"] for one in await deliveries(scenario, endpoint, key)]
