"""Events are written beside the change that made them happen, a few or many at once."""

from typing import Any

from sqlalchemy import select

from app.kit.bulk import FEW
from app.kit.ids import new_id
from app.outbox import service
from app.outbox.events import Actor, Event
from app.outbox.models import OutboxEvent
from tests.conftest import NOW


async def test_many_are_written_as_a_few_are(api: Any) -> None:
    facts = {"commodity": "beras", "quantity": 1500, "text": 'a "b" \\ é', "none": None, "list": [1, 2]}
    events = [
        Event("listing.published", new_id(), (new_id(), new_id()), NOW, Actor(new_id(), new_id(), None), facts)
        for _ in range(FEW + 1)
    ]
    async with api.database.transaction() as session:
        await service.record(session, *events)
        await service.record(session, events[0])
        found = select(OutboxEvent).where(OutboxEvent.subject_id.in_([event.subject_id for event in events]))
        rows = list(await session.scalars(found.order_by(OutboxEvent.id)))
    columns = [name for name in OutboxEvent.__table__.columns.keys() if name != "id"]  # noqa: SIM118 - not a dict
    told = [{name: getattr(row, name) for name in columns} for row in rows]
    assert told[0] == told[-1]
    assert [row.subject_id for row in rows] == [event.subject_id for event in (*events, events[0])]
    assert all(row.payload == facts for row in rows)
