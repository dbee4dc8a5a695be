"""Long work: a large run becomes a job, a worker does it once, who asked may follow it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app import worker
from app.jobs import service as jobs
from app.kit.principal import Principal, Role
from app.matching.errors import ClearingStale


@pytest_asyncio.fixture
async def small(scenario: Any) -> Any:
    """The opening scenario on a hub that thinks eleven orders are many."""
    hub = scenario.app.state.hub
    hub.settings = replace(hub.settings, clearing_job_threshold=10)
    return scenario


async def ask(api: Any, **body: Any) -> Any:
    return await api.post("/v1/clearing-runs", json=body, headers=api.as_(api.keys.hub))


async def job_of(api: Any, answer: Any, key: str | None = None) -> Any:
    return await api.get(answer.headers["location"], headers=api.as_(key or api.keys.hub))


async def runs(api: Any) -> int:
    return len(await api.walk("/v1/clearing-runs", api.keys.hub))


async def test_a_large_run_is_accepted_as_a_job_and_done_by_the_worker(small: Any) -> None:
    accepted = await ask(small)
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["location"] == f"/v1/jobs/{accepted.json()['id']}"
    waiting = (await job_of(small, accepted)).json()
    assert (waiting["kind"], waiting["status"], waiting["progress"]) == (
        "clearing_run",
        "queued",
        {"done": 0, "total": 0},
    )
    assert await runs(small) == 1
    assert await worker.do_next_job(small.database, small.clock)
    done = (await job_of(small, accepted)).json()
    assert (done["status"], done["progress"], done["problem"]) == ("done", {"done": 1, "total": 1}, None)
    run = await small.get(done["result_url"], headers=small.as_(small.keys.hub))
    assert (run.status_code, run.json()["dry_run"]) == (200, False)
    assert not await worker.do_next_job(small.database, small.clock)


async def test_a_job_clears_the_instant_that_was_asked_for(small: Any) -> None:
    accepted = await ask(small, dry_run=True, as_of="2026-11-26T08:00:00+07:00")
    await worker.do_next_job(small.database, small.clock)
    run = await small.get((await job_of(small, accepted)).json()["result_url"], headers=small.as_(small.keys.hub))
    assert run.json()["as_of"] == "2026-11-26T01:00:00Z"


async def test_a_small_run_is_done_at_once(small: Any) -> None:
    assert (await ask(small, commodities=["durian"])).status_code == 201


async def test_a_job_given_back_after_its_run_was_written_writes_no_second_one(small: Any) -> None:
    accepted = await ask(small, dry_run=True)
    await worker.do_next_job(small.database, small.clock)
    async with small.database.transaction() as session:
        await session.execute(text("UPDATE jobs SET status = 'running', leased_until = :at"), {"at": small.clock.now()})
    small.clock.at += timedelta(seconds=1)
    assert await worker.do_next_job(small.database, small.clock)
    assert (await job_of(small, accepted)).json()["status"] == "done"
    assert await runs(small) == 2


async def test_a_job_is_held_by_one_worker_until_its_lease_ends(small: Any) -> None:
    await ask(small)

    async def claim() -> Any:
        return await small.database.retried(lambda session: jobs.claim(session, now=small.clock.now()))

    held = await claim()
    assert held.attempts == 1
    assert await claim() is None
    small.clock.at += jobs.LEASE + timedelta(seconds=1)
    again = await claim()
    assert (again.id, again.attempts) == (held.id, 2)


async def test_a_job_that_fails_three_times_stays_failed_and_says_why(small: Any, monkeypatch: Any) -> None:
    async def fails(*_arguments: Any) -> str:
        raise ClearingStale

    monkeypatch.setitem(worker.HANDLERS, "clearing_run", fails)
    accepted = await ask(small)
    seen = []
    for _ in range(jobs.ATTEMPTS):
        assert await worker.do_next_job(small.database, small.clock)
        seen.append((await job_of(small, accepted)).json()["status"])
    assert seen == ["queued", "queued", "failed"]
    assert (await job_of(small, accepted)).json()["problem"]["code"] == "clearing_stale"
    assert not await worker.do_next_job(small.database, small.clock)


async def test_a_bug_in_a_job_tells_nothing_of_the_inside(small: Any, monkeypatch: Any) -> None:
    async def breaks(*_arguments: Any) -> str:
        raise RuntimeError("password=hunter2")

    monkeypatch.setitem(worker.HANDLERS, "clearing_run", breaks)
    accepted = await ask(small)
    await worker.do_next_job(small.database, small.clock)
    problem = (await job_of(small, accepted)).json()["problem"]
    assert problem["code"] == "internal"
    assert "hunter2" not in str(problem)


async def test_anothers_job_is_not_found(small: Any) -> None:
    accepted = await ask(small)
    producer = next(iter(small.keys.producers.values()))
    assert (await job_of(small, accepted, producer)).status_code == 404
    assert (await job_of(small, accepted)).status_code == 200


async def test_the_stream_of_a_job_ends_with_it(small: Any) -> None:
    accepted = await ask(small, dry_run=True)
    await worker.do_next_job(small.database, small.clock)
    stream = await small.get(f"{accepted.headers['location']}/events", headers=small.as_(small.keys.hub))
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.startswith("event: job\ndata: {")
    assert stream.text.count("event: job") == 1
    assert '"status":"done"' in stream.text


@pytest.mark.parametrize("role", [Role.PRODUCER, Role.HUB])
async def test_a_job_is_visible_to_who_asked(small: Any, role: Role) -> None:
    key = small.keys.hub if role is Role.HUB else next(iter(small.keys.producers.values()))
    me = (await small.get("/v1/me", headers=small.as_(key))).json()["organization"]
    principal = Principal(me["id"], role, me["region"], me["hub"])
    async with small.database.transaction() as session:
        job = await jobs.enqueue(session, kind="clearing_run", params={}, principal=principal, now=small.clock.now())
    assert (await small.get(f"/v1/jobs/{job.id}", headers=small.as_(key))).status_code == 200
