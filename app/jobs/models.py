"""Rows of jobs."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Instant
from app.kit.db import Base


class Job(Base):
    """One piece of long work."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="status"),
        Index("ix_jobs_waiting", "created_at", postgresql_where=text("status IN ('queued', 'running')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    #: what the handler of this kind needs
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    result_url: Mapped[str | None]
    #: a problem document, when it failed
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: who asked for it
    organization_id: Mapped[UUID]
    attempts: Mapped[int] = mapped_column(default=0)
    #: a running job whose lease ended may be claimed again
    leased_until: Mapped[Instant | None]
    created_at: Mapped[Instant]
