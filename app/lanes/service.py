"""Use cases of lanes and departures."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.problems import NotFound
from app.lanes import queries
from app.lanes.errors import ClosureDays
from app.lanes.models import Closure, Departure, Lane
from app.lanes.rules import KEPT_AHEAD_DAYS, PlannedDeparture, Timetable, check_days, is_closed, planned
from app.outbox.events import Actor, Event
from app.outbox.service import record
from app.regions.models import Region
from app.regions.service import require_region

DATA = Path(__file__).parent / "data"


async def open_lane(session: AsyncSession, *, hub: str, values: Mapping[str, Any], now: datetime, actor: Actor) -> Lane:
    """Open a lane from a hub, with its departures. Raises LaneCodeTaken (409), Invalid (422) for its destination."""
    await require_region(session, code=values["destination"], pointer="/destination")
    lane = Lane(id=new_id(), origin=hub, updated_at=now, **values)
    session.add(lane)
    await session.flush()
    await sync_departures(session, lanes=[lane], now=now)
    await record(session, Event("lane.opened", lane.id, (), now, actor, {"code": lane.code}))
    return lane


async def change_lane(
    session: AsyncSession,
    *,
    lane_id: UUID,
    hub: str,
    version: int,
    changes: Mapping[str, object],
    now: datetime,
    actor: Actor,
) -> Lane:
    """Change a lane of this hub; its departures without bookings follow. Raises NotFound (404), StaleVersion (412)."""
    lane = await own_lane(session, lane_id=lane_id, hub=hub)
    await rows.change(session, lane, version=version, changes={**changes, "updated_at": now})
    await sync_departures(session, lanes=[lane], now=now)
    await record(session, Event("lane.changed", lane.id, (), now, actor, {"code": lane.code}))
    return lane


async def own_lane(session: AsyncSession, *, lane_id: UUID, hub: str) -> Lane:
    """Return a lane of this hub, locked. Raises NotFound (404)."""
    lane = await rows.lock(session, Lane, lane_id)
    if lane.origin != hub:
        raise NotFound
    return lane


async def close_lane(
    session: AsyncSession,
    *,
    lane_id: UUID,
    hub: str,
    first: date,
    last: date,
    reason: str,
    now: datetime,
    actor: Actor,
) -> tuple[Closure, int]:
    """Close a lane for some days; returns the closure and how many departures in it carry bookings.

    Goods that are booked stay booked: the operator sees to them. Raises NotFound (404), ClosureDays (422).
    """
    if (last - first).days > 366:  # noqa: PLR2004 - a year; a lane that stops for longer is paused
        raise ClosureDays
    lane = await own_lane(session, lane_id=lane_id, hub=hub)
    closure = Closure(id=new_id(), lane_id=lane.id, closed_from=first, closed_until=last, reason=reason, created_at=now)
    session.add(closure)
    await session.flush()
    departures = await sync_departures(session, lanes=[lane], now=now)
    booked = sum(1 for row in departures if row.booked_g and first <= row.departs_on <= last)
    facts = {"code": lane.code, "from": first.isoformat(), "until": last.isoformat()}
    await record(session, Event("lane.closed", lane.id, (), now, actor, facts))
    return closure, booked


async def add_departure(
    session: AsyncSession, *, lane_id: UUID, hub: str, values: Mapping[str, Any], now: datetime, actor: Actor
) -> Departure:
    """Add a departure to a lane. Raises NotFound (404), DepartureExists (409), Invalid (422) for bad days."""
    lane = await own_lane(session, lane_id=lane_id, hub=hub)
    departs_on: date = values["departs_on"]
    departure = Departure(
        id=new_id(),
        lane_id=lane.id,
        departs_on=departs_on,
        arrives_on=values["arrives_on"] or departs_on + timedelta(days=lane.lead_time_days),
        closes_on=values["closes_on"] or departs_on - timedelta(days=lane.closes_days_before),
        capacity_kg=lane.capacity_kg if values["capacity_kg"] is None else values["capacity_kg"],
        booked_g=0,
        status="scheduled",
        by_hand=True,
    )
    check_days(departs_on=departs_on, arrives_on=departure.arrives_on, closes_on=departure.closes_on)
    session.add(departure)
    await session.flush()
    facts = {"lane": lane.code, "departs_on": departs_on.isoformat()}
    await record(session, Event("departure.added", departure.id, (), now, actor, facts))
    return departure


async def change_departure(
    session: AsyncSession,
    *,
    departure_id: UUID,
    hub: str,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
    actor: Actor,
) -> Departure:
    """Change a departure of this hub; it no longer follows the timetable.

    Raises NotFound (404), StaleVersion (412), BelowBooked (409), Invalid (422) for its closing day.
    """
    departure = await rows.lock(session, Departure, departure_id)
    lane = await rows.find(session, Lane, departure.lane_id)
    if lane.origin != hub:
        raise NotFound
    closes_on = changes.get("closes_on", departure.closes_on)
    check_days(departs_on=departure.departs_on, arrives_on=departure.arrives_on, closes_on=closes_on)
    await rows.change(session, departure, version=version, changes={**changes, "by_hand": True})
    facts = {"lane": lane.code, "departs_on": departure.departs_on.isoformat()}
    await record(session, Event("departure.changed", departure.id, (), now, actor, facts))
    return departure


async def keep_departures(session: AsyncSession, *, now: datetime) -> int:
    """Keep the departures of all lanes 35 days ahead; returns how many were added."""
    lanes = (await session.scalars(queries.lanes())).all()
    before = {row.id for row in await queries.future_departures(session, [lane.id for lane in lanes], after=date.min)}
    after = {row.id for row in await sync_departures(session, lanes=lanes, now=now)}
    return len(after - before)


async def sync_departures(session: AsyncSession, *, lanes: Sequence[Lane], now: datetime) -> Sequence[Departure]:
    """Make the future departures of lanes follow their timetables; returns them.

    1. A departure that carries bookings or was changed by hand keeps its facts; a closure still stops new bookings.
    2. Any other takes the timetable's facts, or is closed where the timetable has none.
    3. What is missing up to 35 days ahead is added.
    """
    by_lane: dict[UUID, list[Departure]] = defaultdict(list)
    ids = [lane.id for lane in lanes]
    today = min([await _hub_day(session, lane.origin, now) for lane in lanes], default=now.date())
    closures: dict[UUID, list[tuple[date, date]]] = defaultdict(list)
    for closure in await queries.closures(session, ids, since=today):
        closures[closure.lane_id].append((closure.closed_from, closure.closed_until))
    for departure in await queries.future_departures(session, ids, after=today):
        by_lane[departure.lane_id].append(departure)
    kept_until = today + timedelta(days=KEPT_AHEAD_DAYS)
    for lane in lanes:
        # a clock that is behind another's must not close what that one has added
        last = max([kept_until, *(row.departs_on for row in by_lane[lane.id] if not row.by_hand)])
        plan = _plan(lane, closures[lane.id], today, last)
        for departure in by_lane[lane.id]:
            _follow(departure, plan.pop(departure.departs_on, None), closures[lane.id])
        added = [_new(lane, facts) for facts in plan.values() if facts.departs_on <= kept_until]
        session.add_all(added)
        by_lane[lane.id] += added
    await session.flush()
    return [departure for departures in by_lane.values() for departure in departures]


async def _hub_day(session: AsyncSession, hub: str, now: datetime) -> date:
    return local_day(now, (await rows.find(session, Region, hub)).timezone)


def _plan(lane: Lane, closures: Sequence[tuple[date, date]], today: date, last: date) -> dict[date, PlannedDeparture]:
    timetable = Timetable(
        lane.departure_weekdays if lane.status == "active" else (),
        lane.lead_time_days,
        lane.closes_days_before,
        lane.capacity_kg,
        closures,
    )
    days = planned(timetable, first=today + timedelta(days=1), last=last)
    return {facts.departs_on: facts for facts in days}


def _follow(departure: Departure, facts: PlannedDeparture | None, closures: Sequence[tuple[date, date]]) -> None:
    before = (departure.arrives_on, departure.closes_on, departure.capacity_kg, departure.status)
    if departure.by_hand or departure.booked_g:
        if is_closed(closures, departure.departs_on):
            departure.status = "closed"
    elif facts is None:
        departure.status = "closed"
    else:
        departure.arrives_on, departure.closes_on = facts.arrives_on, facts.closes_on
        departure.capacity_kg, departure.status = facts.capacity_kg, "scheduled"
    if before != (departure.arrives_on, departure.closes_on, departure.capacity_kg, departure.status):
        departure.version += 1


def _new(lane: Lane, facts: PlannedDeparture) -> Departure:
    return Departure(
        id=new_id(),
        lane_id=lane.id,
        departs_on=facts.departs_on,
        arrives_on=facts.arrives_on,
        closes_on=facts.closes_on,
        capacity_kg=facts.capacity_kg,
        booked_g=0,
        status="scheduled",
        by_hand=False,
        version=1,
    )


async def load_reference(session: AsyncSession, *, now: datetime) -> None:
    """Load lanes from the reference file; rows that exist stay as they are."""
    lanes = [_lane(row, now) for row in rows.reference_rows(DATA / "lanes.csv")]
    await session.execute(insert(Lane).on_conflict_do_nothing(index_elements=["code"]), lanes)


def _lane(row: Mapping[str, str | None], now: datetime) -> dict[str, Any]:
    same = ("code", "origin", "destination", "mode", "via", "vehicle", "temperature", "note", "source")
    return {
        "id": new_id(),
        **{name: row[name] for name in same},
        "distance_km": int(row["distance_km"] or 0),
        "lead_time_days": int(row["lead_time_days"] or 0),
        "freight_idr_per_kg": int(row["freight_idr_per_kg"] or 0),
        "departure_weekdays": [int(digit) for digit in row["departure_weekdays"] or ""],
        "closes_days_before": int(row["closes_days_before"] or 0),
        "capacity_kg": int(row["vehicle_capacity_kg"] or 0) * int(row["vehicles_per_departure"] or 0),
        "status": "active",
        "version": 1,
        "updated_at": now,
    }
