"""HTTP of events: read after a position, or listen."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from app.kit.auth import Caller, known_again
from app.kit.http import KEYED, documented, router
from app.kit.paging import Listed
from app.kit.principal import Principal
from app.kit.problems import BadRequest, FieldError, Problem
from app.kit.sessions import Session
from app.kit.text import Text
from app.outbox import queries
from app.outbox.errors import TooManyStreams
from app.outbox.feed import Subscription
from app.outbox.schemas import EventAnswer, EventType
from app.outbox.service import told

api = router("events")

#: seconds of silence after which a stream shows that it lives
HEARTBEAT = 15.0
#: events that a stream reads at once
PAGE = 200
#: milliseconds after which a reader connects again
RETRY = 2000
#: digits of the last position of all, 2^63 - 1
DIGITS = 19

After = Annotated[int | None, Query(ge=0, lt=2**63, description="a position; events after it are told")]
Types = Annotated[list[EventType] | None, Query(alias="type", max_length=50)]


@api.get("/events", responses=documented(*KEYED))
async def list_events(
    session: Session,
    principal: Caller,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=200, description="rows a page")] = 50,
    types: Types = None,
) -> Listed[EventAnswer]:
    """List what happened after a position, oldest first; the last position read is where to go on, now or later."""
    statement = queries.published(principal, after=after or 0, types=types or ()).limit(limit + 1)
    found = (await session.scalars(statement)).all()
    items = [EventAnswer(**told(event)) for event in found[:limit]]
    following = None
    if len(found) > limit:
        query = [("after", items[-1].position), ("limit", limit), *(("type", name) for name in types or ())]
        following = f"/v1/events?{urlencode(query)}"
    return Listed(items=items, next=following)


@api.get(
    "/events/stream",
    responses={**documented(*KEYED, TooManyStreams), 200: {"content": {"text/event-stream": {}}}},
    response_class=StreamingResponse,
)
async def stream_events(
    request: Request,
    session: Session,
    principal: Caller,
    after: After = None,
    types: Types = None,
    last_event_id: Annotated[str | None, Header(description="the last id that you got; goes before `after`")] = None,
) -> StreamingResponse:
    """Tell what happens as it happens (server-sent events), after `Last-Event-ID` or `after`, else from now on."""
    start = _position(last_event_id) if last_event_id else after
    if start is None:
        start = await queries.last_position(session)
    request.app.state.hub.feed.admit(principal)
    return StreamingResponse(
        _lines(request, principal, start, types or ()),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _position(last_event_id: str) -> int:
    # bounded before it is read: int() refuses more than 4,300 digits with an error of its own
    if len(last_event_id) <= DIGITS and last_event_id.isascii() and last_event_id.isdecimal():
        position = int(last_event_id)
        if position < 2**63:
            return position
    detail = Text("Harus nomor posisi sebuah peristiwa.", "It must be the position of an event.")
    raise BadRequest(detail, errors=[FieldError("Last-Event-ID", "position", detail)])


async def _lines(request: Request, principal: Principal, after: int, types: Sequence[str]) -> AsyncIterator[str]:
    """Yield a stream: look, tell, wait to be woken; each look asks again whether the key still holds."""
    hub = request.app.state.hub
    yield f"retry: {RETRY}\n\n"
    try:
        with hub.feed.subscribed(principal) as subscription, _noticed(request, subscription):
            while True:
                async with hub.database.reader() as session:
                    current = await known_again(request, session)
                    statement = queries.published(current, after=after, types=types).limit(PAGE)
                    found = (await session.scalars(statement)).all()
                for event in found:
                    after = event.position or after
                    yield f"id: {after}\ndata: {EventAnswer(**told(event)).model_dump_json()}\n\n"
                if len(found) < PAGE:
                    woken = await subscription.changed(HEARTBEAT)
                    if not woken:
                        yield ": \n\n"
                if subscription.over:
                    return
    except Problem:
        # the key no longer holds, or the database is away: whoever reads connects again and is told
        return


@contextmanager
def _noticed(request: Request, subscription: Subscription) -> Iterator[None]:
    """Close a subscription as soon as its reader hangs up."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        subscription.close()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
