"""Reading events: what waits for its position, and what a caller may see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Select, String, any_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.principal import Principal
from app.outbox.models import OutboxEvent


async def unpublished(session: AsyncSession, limit: int) -> Sequence[Row[int, list[UUID], UUID | None]]:
    """Return id, organisations and actor of events without a position, in the order in which they were recorded."""
    statement = select(OutboxEvent.id, OutboxEvent.organizations, OutboxEvent.actor_id)
    waiting = statement.where(OutboxEvent.published_at.is_(None)).order_by(OutboxEvent.id).limit(limit)
    return (await session.execute(waiting)).all()


async def last_position(session: AsyncSession) -> int:
    """Return the position of the latest published event; 0 before the first."""
    return await session.scalar(select(func.max(OutboxEvent.position))) or 0


def published(principal: Principal, *, after: int, types: Sequence[str] = ()) -> Select[OutboxEvent]:
    """Return the select of the events that the caller may see after a position, in order.

    An organisation sees those that concern it, a hub all of its own.
    """
    statement = select(OutboxEvent).where(OutboxEvent.position > after).order_by(OutboxEvent.position)
    if principal.is_hub:
        statement = statement.where(or_(OutboxEvent.hub == principal.region, OutboxEvent.hub.is_(None)))
    else:
        statement = statement.where(OutboxEvent.organizations.contains([principal.organization_id]))
    if types:
        statement = statement.where(is_of(bindparam("types", list(types), ARRAY(String))))
    return statement


def is_of(types: Any) -> ColumnElement[bool]:
    """Return whether an event is of one of these types: `order.confirmed`, or `order.*` for all of one kind."""
    kind = func.concat(func.split_part(OutboxEvent.name, ".", 1), ".*")
    return or_(OutboxEvent.name == any_(types), kind == any_(types))
