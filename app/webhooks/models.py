"""Rows of endpoints and deliveries."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base


class WebhookEndpoint(Base):
    """Where an organisation wants to be told what happened."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        UniqueConstraint("organization_id", "url"),
        CheckConstraint("status IN ('enabled', 'paused', 'disabled')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    url: Mapped[str]
    #: names of events, or such as order.*; NULL wants all
    event_types: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    note: Mapped[str | None]
    status: Mapped[str]
    #: as it is: to sign with it, it cannot be hashed
    secret: Mapped[str]
    #: signs too, until its time is over
    previous_secret: Mapped[str | None]
    previous_secret_until: Mapped[Instant | None]
    #: position of the latest event when it was registered: what came later is told
    since: Mapped[Big]
    #: first failure after the last success
    failing_since: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]


class WebhookDelivery(Base):
    """One event for one endpoint."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status"),
        Index(
            "ix_webhook_deliveries_due", "endpoint_id", "next_attempt_at", postgresql_where=text("status = 'pending'")
        ),
        # what is old enough to be forgotten
        Index("ix_webhook_deliveries_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
    )

    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), primary_key=True)
    #: of the event
    position: Mapped[Big] = mapped_column(primary_key=True)
    status: Mapped[str]
    #: failed attempts since it was queued
    failures: Mapped[int]
    next_attempt_at: Mapped[Instant]
    #: a sender holds it until then; the instant is also the sender's claim to say how it went
    leased_until: Mapped[Instant | None]
    #: the latest attempts: at, status, error, ms
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[Instant]
    finished_at: Mapped[Instant | None]


class WebhookProgress(Base):
    """One row: up to which position events have become deliveries."""

    __tablename__ = "webhook_progress"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[Big]
