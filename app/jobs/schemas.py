"""Shapes of jobs."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.kit.validation import Answer


class Progress(Answer):
    """How far it is; total 0 is not known yet."""

    done: int
    total: int


class JobAnswer(Answer):
    """One piece of long work."""

    id: UUID
    kind: str
    status: Literal["queued", "running", "done", "failed"]
    progress: Progress
    result_url: str | None
    problem: dict[str, Any] | None
    created_at: datetime
