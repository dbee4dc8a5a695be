"""One intent, one effect: a POST sent again with its key, by one organisation, within 72 hours."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.kit.idempotency import StoredAnswer

PONGGOK, SRENGAT = "Koperasi peternak Ponggok (contoh)", "Peternak Srengat (contoh)"
RICE = {"commodity": "beras", "grade": "medium", "quantity": 1, "unit": "ton", "price_idr": 12000}


async def post(api: Any, body: Any, who: str = PONGGOK, key: str = "satu", url: str = "/v1/listings") -> Any:
    headers = api.as_(api.keys.producers[who], **{"Idempotency-Key": key})
    return await api.post(url, json=body, headers=headers)


async def stored(api: Any) -> int:
    async with api.database.reader() as session:
        return int(await session.scalar(select(func.count()).select_from(StoredAnswer)))


async def listings(api: Any, who: str = PONGGOK) -> int:
    return len(await api.walk("/v1/listings?commodity=beras&limit=200", api.keys.producers[who]))


async def test_the_first_answer_comes_again_byte_for_byte(scenario: Any) -> None:
    first = await post(scenario, RICE)
    await scenario.post(f"{first.headers['location']}/withdraw", headers=scenario.as_(scenario.keys.producers[PONGGOK]))
    again = await post(scenario, RICE)
    assert (again.status_code, again.content) == (201, first.content)
    for name in ("content-type", "location", "etag"):
        assert again.headers[name] == first.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await listings(scenario) == 1


async def test_without_a_key_each_post_is_one_of_its_own(scenario: Any) -> None:
    """The control: what the key prevents."""
    for _ in range(2):
        headers = scenario.as_(scenario.keys.producers[PONGGOK])
        assert (await scenario.post("/v1/listings", json=RICE, headers=headers)).status_code == 201
    assert await listings(scenario) == 2


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({**RICE, "quantity": 2}, "/v1/listings"),
        (RICE, "/v1/listings?"),
        ({"items": [RICE]}, "/v1/listings/batch"),
        ({"items": [RICE]}, "/v1/listings/batch?atomic=true"),
    ],
)
async def test_a_key_belongs_to_one_request(scenario: Any, body: Any, url: str) -> None:
    await post(scenario, RICE)
    other = await post(scenario, body, url=url)
    if body == RICE:
        assert other.status_code == 201
        return
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await listings(scenario) == 1


async def test_another_organisation_may_use_the_same_key(scenario: Any) -> None:
    first, second = await post(scenario, RICE), await post(scenario, RICE, SRENGAT)
    assert first.json()["id"] != second.json()["id"]
    assert "idempotency-replayed" not in second.headers


async def test_a_refusal_is_not_kept_so_that_the_corrected_request_passes(scenario: Any) -> None:
    assert (await post(scenario, {**RICE, "grade": "emas"})).status_code == 422
    assert await stored(scenario) == 0
    assert (await post(scenario, RICE)).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 201, "x" * 256, "a\tb"])
async def test_a_key_has_one_to_two_hundred_characters(scenario: Any, key: str) -> None:
    refused = await post(scenario, RICE, key=key)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "Idempotency-Key")
    assert await listings(scenario) == 0


async def test_a_second_request_waits_for_the_first_to_end(committed: Any) -> None:
    me = (await committed.get("/v1/me", headers=committed.as_(committed.keys.producers[PONGGOK]))).json()
    name = f"{me['organization']['id']}:satu"
    async with committed.database.transaction() as session:
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        running = await post(committed, RICE)
        assert (running.status_code, running.json()["code"]) == (409, "idempotency_key_in_use")
        assert running.headers["retry-after"] == "1"
    assert (await post(committed, RICE)).status_code == 201


async def test_requests_at_once_with_one_key_have_one_effect(committed: Any) -> None:
    answers = await asyncio.gather(*[post(committed, RICE) for _ in range(8)])
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await listings(committed) == 1


async def test_a_rolled_back_change_keeps_no_answer(committed: Any, monkeypatch: Any) -> None:
    async def fails(*_arguments: Any, **_named: Any) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patched:
        patched.setattr("app.listings.service.record", fails)
        assert (await post(committed, RICE)).status_code == 500
    assert (await stored(committed), await listings(committed)) == (0, 0)
    assert (await post(committed, RICE)).status_code == 201
    assert (await stored(committed), await listings(committed)) == (1, 1)


async def test_a_clearing_run_sent_again_is_not_run_again(committed: Any) -> None:
    headers = committed.as_(committed.keys.hub, **{"Idempotency-Key": "pagi"})
    first, again = [await committed.post("/v1/clearing-runs", json={}, headers=headers) for _ in range(2)]
    assert (first.status_code, again.content) == (201, first.content)
    assert len(await committed.walk("/v1/clearing-runs", committed.keys.hub)) == 2
