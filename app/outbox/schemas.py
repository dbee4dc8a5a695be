"""Shapes of events."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from app.kit.validation import Answer

#: a name such as order.confirmed, or order.* for all of one kind
EventType = Annotated[
    str, StringConstraints(pattern=r"^[a-z_]{1,40}\.([a-z_]{1,40}|\*)$"), Field(examples=["order.confirmed", "match.*"])
]


class EventAnswer(Answer):
    """One thing that happened, as it is told everywhere: in lists, streams and webhooks."""

    position: int = Field(description="its place among all events; where to go on reading")
    type: str = Field(examples=["match.confirmed"])
    timestamp: datetime
    subject: UUID = Field(description="the row that it is about")
    data: dict[str, Any] = Field(description="ids and facts")
