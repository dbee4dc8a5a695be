"""Reading jobs."""

from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs.models import Job


async def next_waiting(session: AsyncSession, now: datetime) -> Job | None:
    """Return the oldest job that nobody holds, locked; others skip it."""
    free = or_(Job.status == "queued", and_(Job.status == "running", Job.leased_until < now))
    statement = select(Job).where(free).order_by(Job.created_at, Job.id).limit(1).with_for_update(skip_locked=True)
    return await session.scalar(statement)
