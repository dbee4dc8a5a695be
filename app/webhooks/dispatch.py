"""What a sender does in the database: takes what is due under a lease, and writes down how it went."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.outbox.events import WORKER
from app.outbox.service import told
from app.webhooks import queries, rules
from app.webhooks.courier import Reply
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from app.webhooks.rules import Progress, Status
from app.webhooks.service import tell


@dataclass(frozen=True, slots=True)
class Pace:
    """How a sender goes about it; tests are in more of a hurry."""

    #: waiting before each attempt
    schedule: tuple[timedelta, ...] = rules.SCHEDULE
    #: A delivery is free again after this: longer than an attempt takes, so that only a dead sender loses one.
    lease: timedelta = timedelta(seconds=60)
    #: attempts at once, at one endpoint and at all together
    each: int = 16
    together: int = 800
    #: an endpoint that failed for this long without a success gets one attempt at a time
    suspect: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery in the hands of a sender."""

    endpoint_id: UUID
    position: int
    #: the end of the lease; who holds another no longer may say how it went
    lease: datetime
    url: str
    secrets: tuple[str, ...]
    body: str


# 1. Each endpoint has its own short list of what is due, as long as it has attempts free: none waits for another.
# 2. What another sender locks or leases is skipped. 3. Oldest first, where all together are too many.
_TAKE = text("""
WITH due AS (
    SELECT waiting.endpoint_id, waiting.position
    FROM webhook_endpoints AS endpoint
    JOIN organizations ON organizations.id = endpoint.organization_id AND organizations.status = 'active'
    LEFT JOIN unnest(CAST(:busy AS uuid[]), CAST(:counts AS int[])) AS busy (id, count) ON busy.id = endpoint.id
    CROSS JOIN LATERAL (
        SELECT endpoint_id, position, next_attempt_at
        FROM webhook_deliveries
        WHERE endpoint_id = endpoint.id AND status = 'pending' AND next_attempt_at <= :now
            AND (leased_until IS NULL OR leased_until <= :now)
        ORDER BY next_attempt_at, position
        LIMIT greatest(
            0,
            CASE WHEN endpoint.failing_since < :suspect THEN 1 ELSE CAST(:each AS int) END - coalesce(busy.count, 0)
        )
        FOR UPDATE SKIP LOCKED
    ) AS waiting
    WHERE endpoint.status = 'enabled'
    ORDER BY waiting.next_attempt_at
    LIMIT :room
)
UPDATE webhook_deliveries AS delivery
SET leased_until = :until
FROM due
WHERE delivery.endpoint_id = due.endpoint_id AND delivery.position = due.position
RETURNING delivery.endpoint_id, delivery.position
""")


async def take(session: AsyncSession, *, busy: Mapping[UUID, int], pace: Pace, now: datetime) -> list[Parcel]:
    """Take what is due under a lease; `busy` says how many attempts this sender has under way at each endpoint."""
    room = pace.together - sum(busy.values())
    if room <= 0:
        return []
    until = now + pace.lease
    parameters = {
        "busy": list(busy),
        "counts": list(busy.values()),
        "now": now,
        "suspect": now - pace.suspect,
        "each": pace.each,
        "room": room,
        "until": until,
    }
    taken = (await session.execute(_TAKE, parameters)).all()
    if not taken:
        return []
    endpoints = await queries.endpoints(session, [row.endpoint_id for row in taken])
    events = await queries.events_at(session, [row.position for row in taken])
    bodies = {position: json.dumps(told(event), ensure_ascii=False) for position, event in events.items()}
    return [
        Parcel(
            endpoint_id=row.endpoint_id,
            position=row.position,
            lease=until,
            url=endpoints[row.endpoint_id].url,
            secrets=_secrets(endpoints[row.endpoint_id], now),
            body=bodies[row.position],
        )
        for row in taken
    ]


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> tuple[str, ...]:
    """Return the secrets that sign, the newest first."""
    old, until = endpoint.previous_secret, endpoint.previous_secret_until
    return (endpoint.secret, old) if old is not None and until is not None and now < until else (endpoint.secret,)


async def settle(session: AsyncSession, parcel: Parcel, reply: Reply, *, pace: Pace, now: datetime) -> None:
    """Write down how an attempt went: delivered, to be tried again, or failed; disable what fails lastingly.

    Does nothing when the lease ended and another sender took the delivery, or when its endpoint is gone.
    """
    key = (parcel.endpoint_id, parcel.position)
    delivery = await session.get(WebhookDelivery, key, with_for_update=True, populate_existing=True)
    if delivery is None or delivery.leased_until != parcel.lease:
        return
    attempt = {"at": now.isoformat(), "status": reply.status, "error": reply.error, "ms": reply.milliseconds}
    delivery.attempts = [*delivery.attempts, attempt][-rules.REMEMBERED :]
    delivery.leased_until = None
    if rules.accepts(reply.status):
        delivery.status, delivery.finished_at = Progress.DELIVERED, now
        await session.flush()
        await session.execute(_RECOVERED, {"id": parcel.endpoint_id})
        return
    delivery.failures += 1
    again = rules.next_attempt(delivery.failures, now, retry_after=reply.retry_after, schedule=pace.schedule)
    if again is None:
        delivery.status, delivery.finished_at = Progress.FAILED, now
    else:
        delivery.next_attempt_at = again
    await session.flush()
    await session.execute(_FAILING, {"id": parcel.endpoint_id, "now": now})
    await _disable_if_lasting(session, parcel.endpoint_id, gone=reply.status == rules.GONE, now=now)


_RECOVERED = text("UPDATE webhook_endpoints SET failing_since = NULL WHERE id = :id AND failing_since IS NOT NULL")
_FAILING = text("UPDATE webhook_endpoints SET failing_since = :now WHERE id = :id AND failing_since IS NULL")


async def _disable_if_lasting(session: AsyncSession, endpoint_id: UUID, *, gone: bool, now: datetime) -> None:
    endpoint = await rows.find(session, WebhookEndpoint, endpoint_id)
    lasting = endpoint.failing_since is not None and rules.is_lasting(endpoint.failing_since, now)
    if not gone and not lasting:
        return
    endpoint = await rows.lock(session, WebhookEndpoint, endpoint_id)
    if endpoint.status == Status.DISABLED:
        return
    endpoint.status = Status.DISABLED
    endpoint.version += 1
    await session.flush()
    await tell(session, "disabled", endpoint, now, WORKER, reason="gone" if gone else "failing")
