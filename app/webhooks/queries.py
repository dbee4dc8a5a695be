"""Reading endpoints, deliveries, and which endpoint wants which event."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, any_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.outbox.models import OutboxEvent
from app.outbox.queries import is_of
from app.parties.models import Organization
from app.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookProgress
from app.webhooks.rules import Status


def endpoints_of(organization_id: UUID) -> Select[WebhookEndpoint]:
    """Return the select of an organisation's endpoints."""
    return select(WebhookEndpoint).where(WebhookEndpoint.organization_id == organization_id)


async def count_of(session: AsyncSession, organization_id: UUID) -> int:
    """Return how many endpoints an organisation has."""
    mine = WebhookEndpoint.organization_id == organization_id
    return await session.scalar(select(func.count()).select_from(WebhookEndpoint).where(mine)) or 0


def deliveries_of(endpoint_id: UUID, *, statuses: Sequence[str] = ()) -> Select[Any]:
    """Return the select of an endpoint's deliveries with the type of their events."""
    statement = (
        select(*WebhookDelivery.__table__.columns, OutboxEvent.name.label("type"))
        .join(OutboxEvent, OutboxEvent.position == WebhookDelivery.position)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
    )
    return statement.where(WebhookDelivery.status.in_(statuses)) if statuses else statement


def visible_pairs(*columns: Any) -> Select[Any]:
    """Return the select of endpoints, each with the published events that its organisation may see.

    The same rule as for reading events: what concerns an organisation, and for a hub all of its own.
    """
    concerns = or_(
        WebhookEndpoint.organization_id == any_(OutboxEvent.organizations),
        and_(Organization.role == "hub", or_(OutboxEvent.hub == Organization.region, OutboxEvent.hub.is_(None))),
    )
    return (
        select(*columns)
        .select_from(OutboxEvent)
        .join(WebhookEndpoint, WebhookEndpoint.status != Status.DISABLED)
        .join(Organization, and_(Organization.id == WebhookEndpoint.organization_id, concerns))
        .where(OutboxEvent.position.is_not(None))
    )


def wanted() -> Any:
    """Return the condition that an endpoint wants an event by its type."""
    return or_(WebhookEndpoint.event_types.is_(None), is_of(WebhookEndpoint.event_types))


async def events_at(session: AsyncSession, positions: Sequence[int]) -> dict[int, OutboxEvent]:
    """Return events by their positions."""
    found = await session.scalars(select(OutboxEvent).where(OutboxEvent.position.in_(positions)))
    return {event.position: event for event in found if event.position is not None}


async def endpoints(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, WebhookEndpoint]:
    """Return endpoints by id."""
    found = await session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.id.in_(ids)))
    return {endpoint.id: endpoint for endpoint in found}


async def progress(session: AsyncSession) -> WebhookProgress | None:
    """Return the cursor, locked; None while another sender moves it."""
    return await session.scalar(select(WebhookProgress).with_for_update(skip_locked=True))
