"""Reading lanes and departures."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager

from app.lanes.models import Closure, Departure, Lane


def lanes(
    *, origins: Sequence[str] = (), destinations: Sequence[str] = (), statuses: Sequence[str] = ()
) -> Select[Lane]:
    """Return the select of lanes by origin, destination and status."""
    statement = select(Lane)
    if origins:
        statement = statement.where(Lane.origin.in_(origins))
    if destinations:
        statement = statement.where(Lane.destination.in_(destinations))
    if statuses:
        statement = statement.where(Lane.status.in_(statuses))
    return statement


def departures(*, lane_id: UUID, first: date | None, last: date | None) -> Select[Departure]:
    """Return the select of a lane's departures between two days."""
    statement = select(Departure).where(Departure.lane_id == lane_id)
    if first is not None:
        statement = statement.where(Departure.departs_on >= first)
    if last is not None:
        statement = statement.where(Departure.departs_on <= last)
    return statement


async def closures(session: AsyncSession, lane_ids: Sequence[UUID], *, since: date) -> Sequence[Closure]:
    """Return the closures of lanes that end on a day or later."""
    statement = select(Closure).where(Closure.lane_id.in_(lane_ids), Closure.closed_until >= since)
    return (await session.scalars(statement)).all()


async def future_departures(session: AsyncSession, lane_ids: Sequence[UUID], *, after: date) -> Sequence[Departure]:
    """Return the departures of lanes after a day, locked in the order of their ids."""
    statement = (
        select(Departure)
        .where(Departure.lane_id.in_(lane_ids), Departure.departs_on > after)
        .order_by(Departure.id)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()


async def usable_departures(session: AsyncSession, *, after: date) -> Sequence[Departure]:
    """Return scheduled departures after a day with their lanes; when they close is the caller's to compare."""
    statement = (
        select(Departure)
        .join(Departure.lane)
        .options(contains_eager(Departure.lane))
        .where(Departure.departs_on > after, Departure.status == "scheduled", Lane.status == "active")
        .order_by(Departure.id)
    )
    return (await session.scalars(statement)).all()


async def departure(session: AsyncSession, departure_id: UUID) -> Departure | None:
    """Return a departure with its lane."""
    statement = select(Departure).join(Departure.lane).options(contains_eager(Departure.lane))
    found: Departure | None = await session.scalar(statement.where(Departure.id == departure_id))
    return found


async def lanes_of(session: AsyncSession, departure_ids: Iterable[UUID]) -> dict[UUID, Lane]:
    """Return the lane of each departure."""
    ids = list(departure_ids)
    if not ids:
        return {}
    statement = select(Departure).join(Departure.lane).options(contains_eager(Departure.lane))
    return {row.id: row.lane for row in await session.scalars(statement.where(Departure.id.in_(ids)))}
