"""What operators and orchestrators ask; what every answer carries; limits; documents without the internet."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.kit.limiter import Limiter


async def test_a_process_that_answers_is_healthy(api: Any) -> None:
    assert (await api.get("/healthz")).json() == {"status": "ok"}


async def test_ready_means_migrated_and_adding_up(scenario: Any) -> None:
    ready = await scenario.get("/readyz?invariants")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert len(ready.json()["invariants"]) >= 9
    assert ready.headers["cache-control"] == "no-store"


async def test_a_database_of_another_version_is_not_ready(committed: Any) -> None:
    async with committed.database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = await committed.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.headers["retry-after"] == "1"


async def test_a_sum_that_does_not_add_up_is_not_ready(scenario: Any) -> None:
    async with scenario.database.transaction() as session:
        tamper = await session.begin_nested()
        await session.execute(
            text("UPDATE listings SET proposed_quantity = proposed_quantity - 1 WHERE status = 'exhausted'")
        )
        assert (await scenario.get("/readyz")).status_code == 200
        answer = await scenario.get("/readyz?invariants")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        await tamper.rollback()


async def test_counters_are_for_the_hub_and_by_route(scenario: Any) -> None:
    for code in ("35.05", "99.99"):
        await scenario.get(f"/v1/regions/{code}")
    metrics = await scenario.get("/metrics", headers=scenario.as_(scenario.keys.hub))
    assert metrics.headers["content-type"].startswith("text/plain")
    for status in (200, 404):
        line = f'hub_requests_total{{method="GET",route="/v1/regions/{{code}}",status="{status}"}} 1.0'
        assert line in metrics.text
    assert "35.05" not in metrics.text


async def test_the_documents_need_no_internet(api: Any) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    hosts = set(re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page.text))
    assert hosts == set()
    for address in re.findall(r"(?:src|href)=[\"'](/[^\"']+)[\"']", page.text):
        assert (await api.get(address)).status_code == 200
    assert (await api.get("/openapi.json")).json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("given", ["abc-123", "x" * 65, "a b", None])
async def test_every_answer_has_a_request_id(api: Any, given: str | None) -> None:
    answer = await api.get("/healthz", headers={"X-Request-Id": given} if given else {})
    told = answer.headers["x-request-id"]
    assert (told == given) is (given == "abc-123")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", told)


async def test_public_figures_are_for_any_page_and_keys_for_none(scenario: Any) -> None:
    origin = {"Origin": "https://example.org"}
    assert (await scenario.get("/v1/regions", headers=origin)).headers["access-control-allow-origin"] == "*"
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert (await scenario.options("/v1/listings", headers=asked)).status_code == 400
    keyed = await scenario.get("/v1/me", headers=scenario.as_(scenario.keys.hub))
    assert keyed.headers["cache-control"] == "private, no-cache"
    assert (await scenario.get("/v1/regions")).headers["cache-control"].startswith("public")


async def test_a_key_that_used_up_its_minute_waits_and_others_do_not(scenario: Any) -> None:
    scenario.app.state.hub.limiter = Limiter(3)
    producer, buyer = next(iter(scenario.keys.producers.values())), next(iter(scenario.keys.buyers.values()))
    answers = [await scenario.get("/v1/me", headers=scenario.as_(producer)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await scenario.get("/v1/me", headers=scenario.as_(buyer))).status_code == 200


async def test_a_body_over_the_limit_is_refused_unread(scenario: Any) -> None:
    hub = scenario.app.state.hub
    hub.settings = replace(hub.settings, max_body_bytes=100)
    headers = scenario.as_(scenario.keys.hub, **{"Content-Type": "application/json"})

    async def endless() -> Any:
        for _ in range(1000):
            yield b" " * 50

    for content in (b" " * 101, endless()):
        answer = await scenario.post("/v1/clearing-runs", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
