"""The relay: positions without gaps, in an order that loses nobody, whatever commits when and whoever is killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.ids import new_id
from app.outbox import relay
from app.outbox.events import WORKER, Event
from app.outbox.service import record
from app.parties import queries as parties
from tests.conftest import NOW, until


def event(name: str = "test.happened", *organizations: UUID) -> Event:
    return Event(name, new_id(), organizations, NOW, WORKER, {})


async def publish(api: Any) -> int:
    """Publish all that waits; return how many events that were."""
    published = 0
    while count := await api.database.retried(lambda session: relay.publish(session, now=NOW, hubs_of=parties.hubs_of)):
        published += count
    return published


async def positions(api: Any) -> list[tuple[int, int]]:
    """Return ids and positions in the order of positions."""
    async with api.database.reader() as session:
        rows = await session.execute(text("SELECT id, position FROM outbox WHERE position > 0 ORDER BY position"))
        return [(row.id, row.position) for row in rows]


@asynccontextmanager
async def open_transaction(api: Any) -> AsyncIterator[AsyncSession]:
    """A transaction that is committed when the test says so."""
    async with api.database.transaction() as session:
        yield session


async def test_positions_begin_at_one_and_have_no_gaps(committed: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(relay, "BATCH", 7)
    count = await publish(committed)
    assert count > 50
    assert [position for _, position in await positions(committed)] == list(range(1, count + 1))
    assert await publish(committed) == 0


async def test_what_commits_late_gets_a_later_position(committed: Any) -> None:
    """The control: a reader that goes on from the highest id it saw never hears of it."""
    await publish(committed)
    seen_position, seen_id = len(await positions(committed)), max(id_ for id_, _ in await positions(committed))
    async with open_transaction(committed) as late:
        await record(late, event("test.late"))
        async with open_transaction(committed) as early:
            await record(early, event("test.early"))
        assert await publish(committed) == 1
        by_position = [id_ for id_, position in await positions(committed) if position > seen_position]
        by_id = [id_ for id_, _ in await positions(committed) if id_ > seen_id]
        seen_position, seen_id = seen_position + 1, max(by_id)
    assert await publish(committed) == 1
    by_position += [id_ for id_, position in await positions(committed) if position > seen_position]
    by_id += [id_ for id_, _ in await positions(committed) if id_ > seen_id]
    assert len(by_position) == 2
    assert len(by_id) == 1, "the control must lose one: otherwise the test above shows nothing"


async def test_what_is_rolled_back_is_not_told(committed: Any) -> None:
    await publish(committed)
    before = len(await positions(committed))
    async with committed.database.engine.connect() as connection, AsyncSession(connection) as session:
        await record(session, event())
        await session.rollback()
    async with open_transaction(committed) as session:
        await record(session, event())
    assert await publish(committed) == 1
    assert [position for _, position in await positions(committed)][-1] == before + 1


async def test_one_relay_works_at_a_time(committed: Any) -> None:
    async with open_transaction(committed) as first:
        assert await relay.publish(first, now=NOW, hubs_of=parties.hubs_of) > 0
        assert await publish(committed) == 0
    async with open_transaction(committed) as session:
        await record(session, event())
    assert await publish(committed) == 1


async def test_a_relay_that_dies_leaves_its_work_to_the_next(committed: Any) -> None:
    count = len(await waiting(committed))
    session = await committed.database.engine.connect()
    await session.begin()
    async with AsyncSession(session) as dying:
        assert await relay.publish(dying, now=NOW, hubs_of=parties.hubs_of) > 0
        async with committed.database.reader() as reader:
            await reader.execute(text(KILL_OTHERS))
    await session.invalidate()
    await session.close()
    assert await publish(committed) == count
    assert [position for _, position in await positions(committed)] == list(range(1, count + 1))


KILL_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def waiting(api: Any) -> list[int]:
    async with api.database.reader() as session:
        return list(await session.scalars(text("SELECT id FROM outbox WHERE published_at IS NULL")))


async def test_relays_side_by_side_publish_everything_once(committed: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(relay, "BATCH", 5)
    monkeypatch.setattr(relay, "LOOKS_EVERY", 0.001)
    stop, count = asyncio.Event(), len(await waiting(committed))
    relays = [relay.run(committed.database, committed.clock, stop, hubs_of=parties.hubs_of) for _ in range(4)]

    async def write() -> None:
        for _ in range(100):
            async with open_transaction(committed) as session:
                await record(session, event())

    async def nothing_waits() -> bool:
        return not await waiting(committed)

    async def finish() -> None:
        await asyncio.gather(*(write() for _ in range(4)))
        await until(nothing_waits)
        stop.set()

    await asyncio.wait_for(asyncio.gather(*relays, finish()), 60)
    assert [position for _, position in await positions(committed)] == list(range(1, count + 401))


async def test_a_failing_round_does_not_end_the_relay(scenario: Any, monkeypatch: Any) -> None:
    stop, rounds = asyncio.Event(), []

    async def fails(*_arguments: Any, **_more: Any) -> int:
        rounds.append(1)
        if len(rounds) == 3:
            stop.set()
        raise RuntimeError("no")

    monkeypatch.setattr(relay, "publish", fails)
    monkeypatch.setattr(relay, "LOOKS_EVERY", 0.001)
    await asyncio.wait_for(relay.run(scenario.database, scenario.clock, stop, hubs_of=parties.hubs_of), 30)
    assert len(rounds) == 3
