"""The relay: gives events their positions and tells whoever listens.

A position is given after the event's transaction ended, by one relay at a time. So positions have no gaps, and who has
seen position n has been able to see all before it. The order of ids promises neither: a lower id may commit later.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.clock import Clock
from app.kit.db import Database
from app.outbox import queries

LOG = logging.getLogger("hub.relay")

#: notifications go here; the payload names the organisations concerned, or nothing where they are too many
CHANNEL = "events"
#: whoever holds this advisory lock is the relay
LOCK = 4_020_265
#: events that one transaction publishes at most
BATCH = 1000
#: a payload holds 8,000 bytes
MOST_NAMED = 200
#: Seconds between two looks at an empty outbox. A notification by each writer instead would make all of them wait for
#: one another: NOTIFY holds a lock of the whole database while it commits.
LOOKS_EVERY = 0.2

#: says which hub organisations belong to, by their ids
HubsOf = Callable[[AsyncSession, Collection[UUID]], Awaitable[Mapping[UUID, str]]]

_PUBLISH = text("""
UPDATE outbox
SET position = :last + given.place, hub = given.hub, published_at = :now
FROM unnest(CAST(:ids AS bigint[]), CAST(:hubs AS text[])) WITH ORDINALITY AS given (id, hub, place)
WHERE outbox.id = given.id
""")


async def run(database: Database, clock: Clock, stop: asyncio.Event, *, hubs_of: HubsOf) -> None:
    """Publish what is recorded until `stop`. A failure is logged and tried again."""
    while not stop.is_set():
        count = 0
        try:
            count = await database.retried(lambda session: publish(session, now=clock.now(), hubs_of=hubs_of))
        except Exception:
            LOG.exception("publishing failed")
        if count < BATCH:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOKS_EVERY)


async def publish(session: AsyncSession, *, now: datetime, hubs_of: HubsOf) -> int:
    """Publish the oldest recorded events; returns how many: none while another relay is at it.

    1. Hold the lock until the transaction has ended: what the next relay reads includes what this one wrote.
    2. Read what waits, in the order of its ids; a subject's events have theirs in order, because its row is locked.
    3. Give the positions after the last one, and note each event's hub.
    4. Notify, which PostgreSQL does once the transaction is committed.
    """
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return 0
    waiting = await queries.unpublished(session, BATCH)
    if not waiting:
        return 0
    concerned = {organization for event in waiting for organization in event.organizations}
    hubs = await hubs_of(session, concerned | {event.actor_id for event in waiting if event.actor_id is not None})
    given = [_hub((*event.organizations, event.actor_id), hubs) for event in waiting]
    last = await queries.last_position(session)
    await session.execute(_PUBLISH, {"last": last, "now": now, "ids": [event.id for event in waiting], "hubs": given})
    named = ",".join(map(str, concerned)) if len(concerned) <= MOST_NAMED else ""
    await session.execute(select(func.pg_notify(CHANNEL, named)))
    return len(waiting)


def _hub(organizations: Iterable[UUID | None], hubs: Mapping[UUID, str]) -> str | None:
    return next((hubs[one] for one in organizations if one is not None and one in hubs), None)
