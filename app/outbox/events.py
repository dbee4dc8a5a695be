"""The shape that every event shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.kit.principal import Principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and for whom."""

    organization_id: UUID | None = None
    key_id: UUID | None = None
    #: the organisation the hub acted for, else None
    principal_id: UUID | None = None


#: what the worker does by itself
WORKER = Actor()


def actor_of(principal: Principal, *, acting_for: UUID | None = None) -> Actor:
    """Return who acts: the caller, and the organisation it acts for where that is another."""
    other = acting_for if acting_for != principal.organization_id else None
    return Actor(principal.organization_id, principal.key_id, other)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact: a name such as `listing.published`, the row it is about, ids and facts."""

    name: str
    subject_id: UUID
    #: organisations that may see it
    organizations: tuple[UUID, ...]
    at: datetime
    actor: Actor
    payload: Mapping[str, Any] = field(default_factory=dict)
