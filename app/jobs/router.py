"""HTTP of jobs."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import Request
from fastapi.responses import JSONResponse, StreamingResponse

from app.jobs import service
from app.jobs.models import Job
from app.jobs.schemas import JobAnswer, Progress
from app.kit.auth import Caller
from app.kit.http import KEYED, documented, router
from app.kit.problems import NotFound
from app.kit.sessions import Session

api = router("jobs")

#: seconds between two looks at a running job
LOOKS_EVERY = 0.5
#: looks after which a stream ends; the client asks again
MOST_LOOKS = 1200


@api.get("/jobs/{job_id}", responses=documented(*KEYED, NotFound))
async def get_job(session: Session, principal: Caller, job_id: UUID) -> JobAnswer:
    """Tell how a job is doing."""
    return answer(await service.visible(session, job_id=job_id, principal=principal))


@api.get(
    "/jobs/{job_id}/events",
    responses={**documented(*KEYED, NotFound), 200: {"content": {"text/event-stream": {}}}},
    response_class=StreamingResponse,
)
async def stream_job(request: Request, session: Session, principal: Caller, job_id: UUID) -> StreamingResponse:
    """Tell how a job is doing each time that it changes (server-sent events), until it ends."""
    job = answer(await service.visible(session, job_id=job_id, principal=principal))
    database = request.app.state.hub.database

    async def states() -> AsyncIterator[str]:
        seen = job
        yield _event(seen)
        for _look in range(MOST_LOOKS):
            if seen.status in ("done", "failed"):
                return
            await asyncio.sleep(LOOKS_EVERY)
            async with database.reader() as reader:
                now = answer(await service.visible(reader, job_id=job_id, principal=principal))
            if now != seen:
                yield _event(now)
            seen = now

    return StreamingResponse(states(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _event(job: JobAnswer) -> str:
    return f"event: job\ndata: {job.model_dump_json()}\n\n"


def answer(job: Job) -> JobAnswer:
    """Return a job as who asked for it sees it."""
    return JobAnswer(
        id=job.id,
        kind=job.kind,
        status=job.status,
        progress=Progress(done=job.progress_done, total=job.progress_total),
        result_url=job.result_url,
        problem=job.problem,
        created_at=job.created_at,
    )


def accepted(job: Job) -> JSONResponse:
    """Return the 202 of long work, with where to follow it."""
    return JSONResponse(answer(job).model_dump(mode="json"), 202, headers={"Location": f"/v1/jobs/{job.id}"})
