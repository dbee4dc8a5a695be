"""Use cases of jobs: ask for one, claim it, tell how it goes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import queries
from app.jobs.models import Job
from app.kit import rows
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import NotFound

#: a worker that is silent for this long has lost its job
LEASE = timedelta(minutes=10)
ATTEMPTS = 3


async def enqueue(
    session: AsyncSession, *, kind: str, params: Mapping[str, Any], principal: Principal, now: datetime
) -> Job:
    """Ask for a job of this kind."""
    job = Job(
        id=new_id(),
        kind=kind,
        status="queued",
        params=dict(params),
        organization_id=principal.organization_id,
        created_at=now,
        progress_done=0,
        progress_total=0,
        attempts=0,
    )
    session.add(job)
    await session.flush()
    return job


async def visible(session: AsyncSession, *, job_id: UUID, principal: Principal) -> Job:
    """Return a job that the caller asked for, or for the hub any. Raises NotFound (404)."""
    job = await rows.find(session, Job, job_id)
    if not principal.is_hub and job.organization_id != principal.organization_id:
        raise NotFound
    return job


async def claim(session: AsyncSession, *, now: datetime) -> Job | None:
    """Take the oldest waiting job under a lease; None when there is none."""
    job = await queries.next_waiting(session, now)
    if job is None:
        return None
    job.status = "running"
    job.attempts += 1
    job.leased_until = now + LEASE
    await session.flush()
    return job


async def advance(session: AsyncSession, *, job_id: UUID, done: int, total: int, now: datetime) -> None:
    """Tell how far a running job is, and keep its lease."""
    job = await rows.lock(session, Job, job_id)
    job.progress_done, job.progress_total, job.leased_until = done, total, now + LEASE
    await session.flush()


async def finish(session: AsyncSession, *, job_id: UUID, result_url: str) -> None:
    """Tell that a job is done."""
    job = await rows.lock(session, Job, job_id)
    job.status, job.result_url, job.leased_until = "done", result_url, None
    job.progress_done = job.progress_total = max(job.progress_total, 1)
    await session.flush()


async def give_up(session: AsyncSession, *, job_id: UUID, problem: Mapping[str, Any], final: bool) -> None:
    """Tell that a job failed: it is tried again unless `final` or its attempts are used up."""
    job = await rows.lock(session, Job, job_id)
    job.status = "failed" if final or job.attempts >= ATTEMPTS else "queued"
    job.problem, job.leased_until = dict(problem), None
    await session.flush()
