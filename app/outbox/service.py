"""Recording events in the transaction of their change, and telling them."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.bulk import write_many
from app.outbox.events import Event
from app.outbox.models import OutboxEvent


async def record(session: AsyncSession, *events: Event) -> None:
    """Write events beside the change that made them happen."""
    await write_many(session, OutboxEvent, rows(events))


def rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the outbox rows of events."""
    return [
        {
            "name": event.name,
            "subject_id": event.subject_id,
            "organizations": list(event.organizations),
            "actor_id": event.actor.organization_id,
            "key_id": event.actor.key_id,
            "principal_id": event.actor.principal_id,
            "payload": dict(event.payload),
            "at": event.at,
        }
        for event in events
    ]


def told(event: OutboxEvent) -> dict[str, Any]:
    """Return a published event as it is told everywhere: the same to all who may see it."""
    return {
        "position": event.position,
        "type": event.name,
        "timestamp": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "subject": str(event.subject_id),
        "data": event.payload,
    }
