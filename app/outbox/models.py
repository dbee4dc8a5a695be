"""The outbox: events that wait to be published, kept as the history of their subjects."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base


class OutboxEvent(Base):
    """One thing that happened. The relay gives it a `position` when it publishes it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_unpublished", "id", postgresql_where=text("published_at IS NULL")),
        Index("ix_outbox_subject", "subject_id", "id"),
        Index(
            "ix_outbox_organizations",
            "organizations",
            postgresql_using="gin",
            postgresql_where=text("position IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    subject_id: Mapped[UUID]
    #: organisations that may see it; their hub sees all
    organizations: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    #: organisation and key that acted; empty for the worker
    actor_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    #: organisation for which it was done, where the hub acted for another
    principal_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[Instant]
    published_at: Mapped[Instant | None]
    #: its place among all events, from 1, without gaps
    position: Mapped[Big | None] = mapped_column(unique=True)
    #: region code of the hub whose event it is, noted by the relay; NULL concerns every hub
    hub: Mapped[str | None]
