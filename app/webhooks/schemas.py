"""Shapes of webhooks."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.kit.validation import Answer, Note, Patch, Shape, Whole, may_change
from app.outbox.schemas import EventType
from app.webhooks.rules import Progress, Status

Address = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=r"^[!-~]+$"),
    Field(examples=["https://hooks.example/blitar"], description="https; a name in other letters as its xn-- form"),
]
Types = Annotated[
    list[EventType],
    Field(min_length=1, max_length=50, description="names such as order.confirmed or order.*; null: all"),
]
Position = Annotated[Whole, Field(ge=0)]


class EndpointAnswer(Answer):
    """Where an organisation wants to be told."""

    id: UUID
    organization: UUID
    url: str
    event_types: list[str] | None
    note: str | None
    status: Status
    failing_since: datetime | None = Field(description="first failure after the last success")
    created_at: datetime
    version: int


class NewEndpoint(EndpointAnswer):
    """A new endpoint: the secret is shown this once."""

    secret: str | None = Field(None, description="signs; absent when the answer is replayed")


class EndpointDraft(Shape):
    """A new endpoint."""

    url: Address
    event_types: Types | None = None
    note: Note | None = None
    organization: UUID | None = Field(None, description="the hub may register one for another")


class EndpointPatch(Patch):
    """What may change of an endpoint; `enabled` also ends what the hub disabled."""

    url: Address = may_change()
    event_types: Types | None = may_change()
    note: Note | None = may_change()
    status: Literal["enabled", "paused"] = may_change()


class SecretRotation(Shape):
    """How long the old secret still signs too."""

    overlap_hours: Annotated[Whole, Field(ge=0, le=168)] = 24


class RotatedSecret(Answer):
    """A new secret, shown this once."""

    secret: str | None = Field(None, description="absent when the answer is replayed")
    previous_until: datetime = Field(description="until then the old one signs too")


class AttemptAnswer(Answer):
    """One attempt: the status of the answer, or what went wrong before there was one."""

    at: datetime
    status: int | None
    error: Literal["timeout", "no_connection", "no_http", "leads_inside"] | None
    ms: int


class DeliveryAnswer(Answer):
    """One event for one endpoint, with its latest attempts."""

    position: int
    type: str
    status: Progress
    attempts: list[AttemptAnswer]
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class Redelivery(Shape):
    """What to send again: all that the endpoint wants after a position, or these events. One of the two."""

    after: Position | None = Field(None, examples=[120])
    positions: Annotated[list[Position], Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "Redelivery":
        if (self.after is None) == (self.positions is None):
            raise PydanticCustomError("one_of_two", "give either `after` or `positions`")
        return self


class Redelivered(Answer):
    """What was queued."""

    queued: int
    last: int | None = Field(description="the last position queued: where to go on, if there were more than 1,000")
