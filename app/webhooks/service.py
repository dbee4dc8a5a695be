"""Use cases of endpoints: register, change, rotate the secret, send again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id, new_secret
from app.kit.principal import Principal
from app.outbox.events import Actor, Event, actor_of
from app.outbox.models import OutboxEvent
from app.outbox.queries import last_position
from app.outbox.service import record
from app.parties import service as parties
from app.parties.models import Organization
from app.webhooks import queries, rules
from app.webhooks.errors import TooManyEndpoints
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from app.webhooks.rules import Progress, Status

#: events that one call sends again at most
MOST_AGAIN = 1000
#: deliveries that one call forgets at most
MOST_FORGOTTEN = 10_000


async def visible(
    session: AsyncSession, *, endpoint_id: UUID, principal: Principal, locked: bool = False
) -> WebhookEndpoint:
    """Return an endpoint of the caller, or for the hub one of its organisations'. Raises NotFound (404)."""
    find = rows.lock if locked else rows.find
    endpoint = await find(session, WebhookEndpoint, endpoint_id)
    await parties.visible(session, organization_id=endpoint.organization_id, principal=principal)
    return endpoint


async def create(
    session: AsyncSession, *, organization_id: UUID, principal: Principal, values: Mapping[str, Any], now: datetime
) -> WebhookEndpoint:
    """Register an endpoint, which is told what happens from now on; its row holds the secret to show.

    Raises NotFound (404) for another party's organisation, TooManyEndpoints, EndpointExists (409).
    """
    await parties.visible(session, organization_id=organization_id, principal=principal)
    await rows.lock(session, Organization, organization_id)
    if await queries.count_of(session, organization_id) >= rules.MOST_ENDPOINTS:
        raise TooManyEndpoints
    endpoint = WebhookEndpoint(
        id=new_id(),
        organization_id=organization_id,
        status=Status.ENABLED,
        secret=rules.write_secret(new_secret()),
        since=await last_position(session),
        created_at=now,
        **values,
    )
    session.add(endpoint)
    await session.flush()
    await tell(session, "created", endpoint, now, actor_of(principal, acting_for=organization_id))
    return endpoint


async def change(
    session: AsyncSession,
    *,
    endpoint_id: UUID,
    principal: Principal,
    version: int,
    changes: Mapping[str, object],
    now: datetime,
) -> WebhookEndpoint:
    """Change an endpoint, pause it or enable it again.

    Raises NotFound (404), StaleVersion (412), EndpointExists (409).
    """
    endpoint = await visible(session, endpoint_id=endpoint_id, principal=principal, locked=True)
    await rows.change(session, endpoint, version=version, changes=changes)
    if changes.get("status") == Status.ENABLED:
        endpoint.failing_since = None
        await session.flush()
    actor = actor_of(principal, acting_for=endpoint.organization_id)
    await tell(session, "changed", endpoint, now, actor, status=endpoint.status)
    return endpoint


async def delete(session: AsyncSession, *, endpoint_id: UUID, principal: Principal, now: datetime) -> None:
    """Delete an endpoint and its deliveries. Raises NotFound (404)."""
    endpoint = await visible(session, endpoint_id=endpoint_id, principal=principal, locked=True)
    await session.delete(endpoint)
    await session.flush()
    await tell(session, "deleted", endpoint, now, actor_of(principal, acting_for=endpoint.organization_id))


async def rotate_secret(
    session: AsyncSession, *, endpoint_id: UUID, principal: Principal, overlap: timedelta, now: datetime
) -> WebhookEndpoint:
    """Replace the secret; the old one signs too for `overlap` more. Raises NotFound (404)."""
    endpoint = await visible(session, endpoint_id=endpoint_id, principal=principal, locked=True)
    endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + overlap
    endpoint.secret = rules.write_secret(new_secret())
    endpoint.version += 1
    await session.flush()
    await tell(session, "secret_rotated", endpoint, now, actor_of(principal, acting_for=endpoint.organization_id))
    return endpoint


async def tell(
    session: AsyncSession, what: str, endpoint: WebhookEndpoint, now: datetime, actor: Actor, **facts: str
) -> None:
    """Record what happened to an endpoint; its address may hold a secret and is not told."""
    event = Event(f"webhook_endpoint.{what}", endpoint.id, (endpoint.organization_id,), now, actor, facts)
    await record(session, event)


#: the columns that queueing fills
QUEUED = ["endpoint_id", "position", "status", "failures", "next_attempt_at", "attempts", "created_at"]


def _queued_values(now: datetime) -> tuple[Any, ...]:
    none: list[Any] = []
    attempts = literal(none, WebhookDelivery.attempts.type)
    return (
        WebhookEndpoint.id,
        OutboxEvent.position,
        literal(Progress.PENDING),
        literal(0),
        literal(now),
        attempts,
        literal(now),
    )


async def redeliver(
    session: AsyncSession,
    *,
    endpoint: WebhookEndpoint,
    after: int | None,
    positions: Sequence[int],
    now: datetime,
) -> list[int]:
    """Queue events again or for the first time: what the endpoint wants after a position, or just these positions.

    Returns the positions queued, in order, at most 1,000: the oldest. What is being sent at this moment is left alone.
    """
    ours = (
        queries.visible_pairs(*_queued_values(now))
        .where(WebhookEndpoint.id == endpoint.id)
        .where(OutboxEvent.position.in_(positions) if after is None else OutboxEvent.position > after)
        .where(or_(literal(after is None), queries.wanted()))
        .order_by(OutboxEvent.position)
        .limit(MOST_AGAIN)
    )
    statement = insert(WebhookDelivery).from_select(QUEUED, ours)
    again = statement.on_conflict_do_update(
        index_elements=["endpoint_id", "position"],
        set_={"status": Progress.PENDING, "failures": 0, "next_attempt_at": now, "finished_at": None},
        where=or_(WebhookDelivery.leased_until.is_(None), WebhookDelivery.leased_until <= now),
    )
    queued = await session.scalars(again.returning(WebhookDelivery.position))
    return sorted(queued)


async def queue(session: AsyncSession, *, now: datetime, limit: int = 1000) -> int:
    """Make deliveries of the events published since the last time; returns how many events it went through.

    The cursor moves in the same transaction and whoever moves it holds its row: each event is queued once.
    """
    progress = await queries.progress(session)
    if progress is None:
        return 0
    until = min(progress.position + limit, await last_position(session))
    count = until - progress.position
    if count <= 0:
        return 0
    pairs = queries.visible_pairs(*_queued_values(now)).where(
        OutboxEvent.position.between(progress.position + 1, until),
        OutboxEvent.position > WebhookEndpoint.since,
        Organization.status == "active",
        queries.wanted(),
    )
    await session.execute(insert(WebhookDelivery).from_select(QUEUED, pairs).on_conflict_do_nothing())
    progress.position = until
    await session.flush()
    return count


async def forget_old_deliveries(session: AsyncSession, now: datetime) -> None:
    """Delete what was finished 30 days ago, the oldest 10,000 in one call; events stay as they are."""
    is_old = WebhookDelivery.finished_at < now - rules.KEPT
    key = tuple_(WebhookDelivery.endpoint_id, WebhookDelivery.position)
    oldest = select(WebhookDelivery.endpoint_id, WebhookDelivery.position).where(is_old)
    oldest = oldest.order_by(WebhookDelivery.finished_at).limit(MOST_FORGOTTEN)
    # asked twice: what somebody sends again meanwhile is not old any more
    await session.execute(delete_rows(WebhookDelivery).where(is_old, key.in_(oldest)))
