"""HTTP of lanes and departures."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.kit import rows
from app.kit.auth import HubOnly
from app.kit.http import CHANGES, CREATES, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, sort_key
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.validation import Day
from app.lanes import queries, service
from app.lanes.errors import BelowBooked, DepartureExists, LaneCodeTaken
from app.lanes.models import Departure, Lane
from app.lanes.schemas import (
    ClosureAnswer,
    ClosureDraft,
    DepartureAnswer,
    DepartureDraft,
    DeparturePatch,
    LaneAnswer,
    LaneDraft,
    LanePatch,
    LaneStatus,
)
from app.outbox.events import actor_of

api = router("lanes")

LANE_SORT = {"code": SortKey(Lane.code, str)}
DEPARTURE_SORT = {"departs_on": SortKey(Departure.departs_on, day)}


@api.get("/lanes", responses=documented())
async def list_lanes(
    session: Session,
    page: Page,
    origin: Annotated[list[str] | None, Query(max_length=50)] = None,
    destination: Annotated[list[str] | None, Query(max_length=50)] = None,
    status: Annotated[list[LaneStatus] | None, Query(max_length=10)] = None,
    sort: str = "code",
) -> Listed[LaneAnswer]:
    """List the ways from the hub to the cities."""
    key, descending = sort_key(sort, LANE_SORT)
    statement = queries.lanes(origins=origin or (), destinations=destination or (), statuses=status or ())
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Lane.id)
    return Listed(items=[LaneAnswer.model_validate(lane) for lane in found], next=following)


@api.post("/lanes", status_code=201, responses=documented(*CREATES, LaneCodeTaken))
async def open_lane(session: Session, principal: HubOnly, draft: LaneDraft, response: Response, now: Now) -> LaneAnswer:
    """Open a lane; its departures follow."""
    lane = await service.open_lane(
        session, hub=principal.region, values=draft.model_dump(), now=now, actor=actor_of(principal)
    )
    response.headers["etag"] = etag(lane.version)
    return LaneAnswer.model_validate(lane)


@api.patch("/lanes/{lane_id}", responses=documented(*CHANGES))
async def change_lane(
    session: Session,
    principal: HubOnly,
    lane_id: UUID,
    patch: LanePatch,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> LaneAnswer:
    """Change a lane; departures without bookings follow."""
    lane = await service.change_lane(
        session,
        lane_id=lane_id,
        hub=principal.region,
        version=expected_version(if_match),
        changes=patch.changes(),
        now=now,
        actor=actor_of(principal),
    )
    response.headers["etag"] = etag(lane.version)
    return LaneAnswer.model_validate(lane)


@api.post("/lanes/{lane_id}/closures", status_code=201, responses=documented(*CREATES, NotFound))
async def close_lane(
    session: Session, principal: HubOnly, lane_id: UUID, draft: ClosureDraft, now: Now
) -> ClosureAnswer:
    """Close a lane for some days, for a holiday or a strike."""
    closure, booked = await service.close_lane(
        session,
        lane_id=lane_id,
        hub=principal.region,
        first=draft.from_,
        last=draft.until,
        reason=draft.reason,
        now=now,
        actor=actor_of(principal),
    )
    return ClosureAnswer(
        **{"from": closure.closed_from},
        id=closure.id,
        lane_id=lane_id,
        until=closure.closed_until,
        reason=closure.reason,
        booked_departures=booked,
    )


@api.get("/lanes/{lane_id}/departures", responses=documented(NotFound))
async def list_departures(
    session: Session,
    lane_id: UUID,
    page: Page,
    from_: Annotated[Day | None, Query(alias="from")] = None,
    until: Day | None = None,
    sort: str = "departs_on",
) -> Listed[DepartureAnswer]:
    """List a lane's departures by day, with what is booked and free."""
    await rows.find(session, Lane, lane_id)
    key, descending = sort_key(sort, DEPARTURE_SORT)
    statement = queries.departures(lane_id=lane_id, first=from_, last=until)
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Departure.id)
    return Listed(items=[_departure(departure) for departure in found], next=following)


@api.post("/lanes/{lane_id}/departures", status_code=201, responses=documented(*CREATES, NotFound, DepartureExists))
async def add_departure(
    session: Session, principal: HubOnly, lane_id: UUID, draft: DepartureDraft, response: Response, now: Now
) -> DepartureAnswer:
    """Add a departure beside the timetable."""
    departure = await service.add_departure(
        session,
        lane_id=lane_id,
        hub=principal.region,
        values=draft.model_dump(),
        now=now,
        actor=actor_of(principal),
    )
    response.headers["etag"] = etag(departure.version)
    return _departure(departure)


@api.patch("/departures/{departure_id}", responses=documented(*CHANGES, BelowBooked))
async def change_departure(
    session: Session,
    principal: HubOnly,
    departure_id: UUID,
    patch: DeparturePatch,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> DepartureAnswer:
    """Change a departure's capacity (never below what is booked), closing day or state."""
    departure = await service.change_departure(
        session,
        departure_id=departure_id,
        hub=principal.region,
        version=expected_version(if_match),
        changes=patch.changes(),
        now=now,
        actor=actor_of(principal),
    )
    response.headers["etag"] = etag(departure.version)
    return _departure(departure)


def _departure(row: Departure) -> DepartureAnswer:
    free_g = row.capacity_kg * 1000 - row.booked_g
    return DepartureAnswer(
        id=row.id,
        lane_id=row.lane_id,
        departs_on=row.departs_on,
        arrives_on=row.arrives_on,
        closes_on=row.closes_on,
        capacity_kg=row.capacity_kg,
        booked_kg=row.capacity_kg - free_g // 1000,
        free_kg=free_g // 1000,
        status=row.status,
        version=row.version,
    )
