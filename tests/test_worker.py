"""The worker's rounds: what is due lapses and expires, old answers are forgotten, a failing step ends nothing."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app import worker


async def test_unanswered_matches_lapse_when_their_time_is_over(scenario: Any) -> None:
    key = scenario.keys.hub
    before = await scenario.walk("/v1/matches?status=proposed&limit=200", key)
    first = min(match["expires_at"] for match in before)
    # departures of the 25th close with the 24th, the others wait their 24 hours
    assert first == "2026-11-24T17:00:00Z"
    closing = {match["id"] for match in before if match["expires_at"] == first}
    scenario.clock.at += timedelta(hours=16)
    await worker.close_due(scenario.database, scenario.clock.now())
    lapsed = {match["id"] for match in await scenario.walk("/v1/matches?status=lapsed&limit=200", key)}
    assert closing <= lapsed < {match["id"] for match in before}
    scenario.clock.at += timedelta(hours=8)
    await worker.close_due(scenario.database, scenario.clock.now())
    assert await scenario.walk("/v1/matches?status=proposed", key) == []
    for kind in ("listings", "demands"):
        rows = await scenario.walk(f"/v1/{kind}?status=open&status=exhausted&limit=200", key)
        assert all(row["open_quantity"] == row["quantity"] for row in rows)
    async with scenario.database.reader() as session:
        assert await session.scalar(text("SELECT sum(booked_g) FROM departures")) == 0


async def test_a_match_that_lapses_leaves_a_line_in_the_history(scenario: Any) -> None:
    scenario.clock.at += timedelta(hours=24)
    await worker.close_due(scenario.database, scenario.clock.now())
    async with scenario.database.reader() as session:
        told = text("SELECT count(*), count(actor_id) FROM outbox WHERE name = 'match.lapsed'")
        assert (await session.execute(told)).one() == (32, 0)


async def test_old_answers_are_forgotten_after_three_days(scenario: Any) -> None:
    key = scenario.keys.producers["Koperasi peternak Ponggok (contoh)"]
    body = {"commodity": "durian", "grade": "A", "quantity": 100, "unit": "kg", "price_idr": 39000}
    headers = scenario.as_(key, **{"Idempotency-Key": "satu"})
    first = await scenario.post("/v1/listings", json=body, headers=headers)
    for hours, same in ((71, True), (2, False)):
        scenario.clock.at += timedelta(hours=hours)
        await worker.tidy(scenario.database, scenario.clock.now())
        again = await scenario.post("/v1/listings", json=body, headers=headers)
        assert (again.json()["id"] == first.json()["id"]) is same


async def test_a_failing_step_ends_neither_the_worker_nor_the_round(committed: Any, monkeypatch: Any) -> None:
    stop, rounds, billed = asyncio.Event(), [], []

    async def fails(*_arguments: Any) -> None:
        rounds.append(1)
        if len(rounds) == 3:
            stop.set()
        raise RuntimeError("no")

    async def bills(*_arguments: Any, **_named: Any) -> None:
        billed.append(1)

    monkeypatch.setattr(worker, "close_due", fails)
    monkeypatch.setattr(worker.settlement, "bill_due", bills)
    monkeypatch.setattr(worker, "IDLE", 0.001)
    await asyncio.wait_for(worker.work(committed.database, committed.clock, stop), 30)
    assert len(rounds) == len(billed) == 3


async def test_a_long_job_holds_up_nothing_that_is_due(committed: Any, monkeypatch: Any) -> None:
    stop, begun, enough, billed = asyncio.Event(), asyncio.Event(), asyncio.Event(), []

    async def takes_long(*_arguments: Any) -> bool:
        begun.set()
        await enough.wait()
        return True

    async def bills(*_arguments: Any, **_named: Any) -> None:
        await begun.wait()
        billed.append(1)
        if len(billed) == 3:
            enough.set()
            stop.set()

    monkeypatch.setattr(worker, "do_next_job", takes_long)
    monkeypatch.setattr(worker.settlement, "bill_due", bills)
    monkeypatch.setattr(worker, "IDLE", 0.001)
    await asyncio.wait_for(worker.work(committed.database, committed.clock, stop), 30)
    assert len(billed) == 3


async def test_due_work_that_fails_holds_up_no_other(scenario: Any) -> None:
    async def half(session: Any, number: int) -> None:
        await session.execute(text("UPDATE regions SET note = note || :n WHERE code = '35.72'"), {"n": f" {number}"})
        if number == 2:
            raise RuntimeError("no")

    async with scenario.database.transaction() as session:
        await session.execute(text("UPDATE regions SET note = '' WHERE code = '35.72'"))
    await scenario.database.each([1, 2, 3], half)
    async with scenario.database.reader() as session:
        assert await session.scalar(text("SELECT note FROM regions WHERE code = '35.72'")) == " 1 3"
