"""Moving quantity: counters and ledger together, rows locked in one order, refused when the stock is gone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.errors import NotLive, QuantityGone
from app.allocations.models import Allocation, Posting
from app.allocations.rules import LIVE, State, event_of
from app.kit.bulk import MANY, write_many
from app.outbox.events import Actor, Event
from app.outbox.service import record


@dataclass(frozen=True, slots=True)
class Move:
    """One step of quantity. The deltas apply to every row named."""

    cause: str
    listing_id: UUID | None = None
    demand_id: UUID | None = None
    departure_id: UUID | None = None
    match_id: UUID | None = None
    #: deltas, base units
    proposed: int = 0
    ordered: int = 0
    withdrawn: int = 0
    #: delta, grams
    booked_g: int = 0


#: a posting's counters after the deltas; the WHERE clause refuses what the CHECK would refuse, without an error
_MOVE_POSTINGS = """
UPDATE {table} AS posting
   SET proposed_quantity = posting.proposed_quantity + delta.proposed,
       ordered_quantity = posting.ordered_quantity + delta.ordered,
       withdrawn_quantity = posting.withdrawn_quantity + delta.withdrawn,
       status = CASE WHEN posting.status NOT IN ('open', 'exhausted') THEN posting.status
                     WHEN posting.quantity = posting.proposed_quantity + delta.proposed
                        + posting.ordered_quantity + delta.ordered
                        + posting.withdrawn_quantity + delta.withdrawn THEN 'exhausted'
                     ELSE 'open' END,
       version = posting.version + 1,
       updated_at = :at
  FROM unnest(CAST(:ids AS uuid[]), CAST(:proposed AS bigint[]), CAST(:ordered AS bigint[]),
              CAST(:withdrawn AS bigint[])) AS delta (id, proposed, ordered, withdrawn)
 WHERE posting.id = delta.id
   AND posting.proposed_quantity + delta.proposed >= 0
   AND posting.ordered_quantity + delta.ordered >= 0
   AND posting.proposed_quantity + delta.proposed + posting.ordered_quantity + delta.ordered
     + posting.withdrawn_quantity + delta.withdrawn BETWEEN 0 AND posting.quantity
RETURNING posting.id, posting.organization_id, posting.status,
          posting.quantity - posting.proposed_quantity - posting.ordered_quantity - posting.withdrawn_quantity AS open
"""

_BOOK_DEPARTURES = """
UPDATE departures AS departure
   SET booked_g = departure.booked_g + delta.booked_g, version = departure.version + 1
  FROM unnest(CAST(:ids AS uuid[]), CAST(:booked AS bigint[])) AS delta (id, booked_g)
 WHERE departure.id = delta.id
   AND departure.booked_g + delta.booked_g BETWEEN 0 AND departure.capacity_kg * 1000
RETURNING departure.id
"""


async def move(session: AsyncSession, moves: Sequence[Move], *, at: datetime, actor: Actor) -> None:
    """Move quantity: counters, bookings, ledger and the events of what changed state.

    1. Lock listings, demands, departures in that order and by id, so that two moves never wait for each other.
    2. Apply the summed deltas; a row that cannot take them refuses all (QuantityGone, 409).
    3. Write the ledger.
    4. What returned to a closed posting becomes withdrawn.
    """
    returned: list[Move] = []
    for table, subject in (("listings", "listing"), ("demands", "demand")):
        deltas = list(_sum_by(moves, f"{subject}_id").items())
        for start in range(0, len(deltas), MANY):
            part = dict(deltas[start : start + MANY])
            returned += await _move_postings(session, table, subject, part, at=at, actor=actor)
    bookings = {key: delta for key, delta in _sum_by(moves, "departure_id").items() if delta[3]}
    if bookings:
        await _book_departures(session, bookings)
    await write_many(session, Allocation, [_ledger_row(step, at) for step in moves])
    if returned:
        await move(session, returned, at=at, actor=actor)


def _sum_by(moves: Sequence[Move], key: str) -> dict[UUID, list[int]]:
    sums: dict[UUID, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for step in moves:
        subject = getattr(step, key)
        if subject is not None:
            for place, delta in enumerate((step.proposed, step.ordered, step.withdrawn, step.booked_g)):
                sums[subject][place] += delta
    return dict(sorted(sums.items()))


async def _lock(session: AsyncSession, table: str, ids: Sequence[UUID]) -> dict[UUID, str]:
    statement = text(f"SELECT id, status FROM {table} WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")  # noqa: S608 - tables of ours
    return {row.id: row.status for row in await session.execute(statement, {"ids": list(ids)})}


async def _move_postings(
    session: AsyncSession, table: str, subject: str, deltas: dict[UUID, list[int]], *, at: datetime, actor: Actor
) -> list[Move]:
    before = await _lock(session, table, list(deltas))
    parameters: dict[str, Any] = {
        "at": at,
        "ids": list(deltas),
        "proposed": [delta[0] for delta in deltas.values()],
        "ordered": [delta[1] for delta in deltas.values()],
        "withdrawn": [delta[2] for delta in deltas.values()],
    }
    rows = (await session.execute(text(_MOVE_POSTINGS.format(table=table)), parameters)).all()
    if len(rows) != len(deltas):
        raise QuantityGone
    events, returned = [], []
    for row in rows:
        name = event_of(State(before[row.id]), State(row.status))
        if name is not None:
            events.append(Event(f"{subject}.{name}", row.id, (row.organization_id,), at, actor))
        if row.open and row.status not in LIVE:
            returned.append(_withdrawn("returned", subject, row.id, row.open))
    await record(session, *events)
    return returned


async def _book_departures(session: AsyncSession, bookings: dict[UUID, list[int]]) -> None:
    await _lock(session, "departures", list(bookings))
    parameters = {"ids": list(bookings), "booked": [delta[3] for delta in bookings.values()]}
    rows = (await session.execute(text(_BOOK_DEPARTURES), parameters)).all()
    if len(rows) != len(bookings):
        raise QuantityGone


def _ledger_row(step: Move, at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "cause": step.cause,
        "listing_id": step.listing_id,
        "demand_id": step.demand_id,
        "departure_id": step.departure_id,
        "match_id": step.match_id,
        "proposed": step.proposed,
        "ordered": step.ordered,
        "withdrawn": step.withdrawn,
        "booked_g": step.booked_g,
    }


def _withdrawn(cause: str, subject: str, key: UUID, quantity: int) -> Move:
    if subject == "listing":
        return Move(cause, listing_id=key, withdrawn=quantity)
    return Move(cause, demand_id=key, withdrawn=quantity)


async def close(
    session: AsyncSession, posting: Posting, *, subject: str, state: State, at: datetime, actor: Actor
) -> None:
    """Close a locked posting: its open part becomes withdrawn, what is matched stays. `subject`: listing or demand.

    Raises NotLive (409) when it is closed already.
    """
    if posting.status not in LIVE:
        raise NotLive
    name = event_of(State(posting.status), state)
    remaining = posting.open_quantity
    posting.status = state
    posting.withdrawn_quantity += remaining
    posting.version += 1
    posting.updated_at = at
    await session.flush()
    if remaining:
        step = _withdrawn(state, subject, posting.id, remaining)
        await write_many(session, Allocation, [_ledger_row(step, at)])
    facts = {"withdrawn_quantity": remaining}
    await record(session, Event(f"{subject}.{name}", posting.id, (posting.organization_id,), at, actor, facts))


def follow_quantities(posting: Posting) -> None:
    """Let the state of a live posting follow its quantities after they were changed in place."""
    posting.status = State.OPEN if posting.open_quantity else State.EXHAUSTED
