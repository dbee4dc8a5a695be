"""The worker: does what is due and the jobs, publishes what happened, sends webhooks.

Any number may run: each round is one transaction a step, and a job has one holder at a time.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections import defaultdict
from collections.abc import Coroutine
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from app.catalog import queries as catalog
from app.config import Settings
from app.demands import service as demands
from app.imports import job as import_job
from app.imports import service as imports
from app.jobs import service as jobs
from app.jobs.models import Job
from app.kit.clock import Clock, FixedClock, SystemClock, local_day
from app.kit.db import Database
from app.kit.idempotency import forget_old_answers
from app.kit.observe import log_as_json
from app.kit.problems import Invalid, Problem
from app.lanes import service as lanes
from app.listings import service as listings
from app.matching import clearing
from app.matching import queries as matching_queries
from app.matching import service as matching
from app.matching.models import ClearingRun
from app.outbox import relay
from app.outbox.events import Actor
from app.parties import queries as party_queries
from app.parties import service as parties
from app.parties.models import Organization
from app.settlement import due as settlement
from app.shipments import due as shipments
from app.webhooks import service as webhooks
from app.webhooks.courier import Courier
from app.webhooks.sender import Sender

LOG = logging.getLogger("hub.worker")

T = TypeVar("T")

#: seconds between two rounds of what is due, and between two looks for a job
IDLE, LOOK = 1.0, 0.1
#: rounds between two looks at departures and old answers
SELDOM = 60


async def work(database: Database, clock: Clock, stop: asyncio.Event, *, fee_permille: int = 0) -> None:
    """Do what is due, and jobs as they come, until `stop`; a long job holds up nothing that is due."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_go_round(database, clock, stop, fee_permille))
        tasks.create_task(_take_jobs(database, clock, stop))


async def _go_round(database: Database, clock: Clock, stop: asyncio.Event, fee_permille: int) -> None:
    """Go round: seldom work first, then what is due. No step waits for another's luck."""
    rounds = 0
    while not stop.is_set():
        if rounds % SELDOM == 0:
            await _tried(tidy(database, clock.now()))
        await _tried(close_due(database, clock.now()))
        await _tried(shipments.finish_receipts(database, clock.now()))
        await _tried(settlement.bill_due(database, clock.now(), fee_permille=fee_permille))
        rounds += 1
        await _pause(stop, IDLE)


async def _take_jobs(database: Database, clock: Clock, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not await _tried(do_next_job(database, clock)):
            await _pause(stop, LOOK)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _tried(step: Coroutine[Any, Any, T]) -> T | None:
    """Do one step; a failing one is logged and holds up none of the others."""
    try:
        return await step
    except Exception:
        LOG.exception("step failed")
        return None


async def tidy(database: Database, now: datetime) -> None:
    """Keep departures 35 days ahead; forget old answers, sign-ins, files and deliveries; give credit back."""
    await database.retried(lambda session: lanes.keep_departures(session, now=now))
    await database.retried(lambda session: forget_old_answers(session, now))
    await settlement.give_back(database, now)
    await database.retried(lambda session: parties.forget_old_sign_ins(session, now))
    await database.retried(lambda session: webhooks.forget_old_deliveries(session, now))
    await database.retried(lambda session: imports.forget_old_files(session, now))


async def close_due(database: Database, now: datetime) -> None:
    """Lapse proposals whose time is over, expire listings and demands whose last local day is over."""
    async with database.reader() as session:
        due = await matching_queries.due_runs(session, now)
        regions = (await catalog.reference(session)).regions.values()
    await database.each(due, lambda session, run_id: matching.lapse_due(session, run_id=run_id, now=now))
    by_day: dict[date, list[str]] = defaultdict(list)
    for region in regions:
        by_day[local_day(now, region.timezone)].append(region.code)
    await database.retried(lambda session: listings.expire_due(session, regions_by_day=by_day, now=now))
    await database.retried(lambda session: demands.expire_due(session, regions_by_day=by_day, now=now))


async def do_next_job(database: Database, clock: Clock) -> bool:
    """Do the oldest waiting job; tell whether there was one."""
    job = await database.retried(lambda session: jobs.claim(session, now=clock.now()))
    if job is None:
        return False
    try:
        result_url = await HANDLERS[job.kind](database, clock, job)
    except Exception as error:
        LOG.exception("job failed", extra={"fields": {"job": str(job.id), "kind": job.kind}})
        problem = error if isinstance(error, Problem) else Problem()
        document = problem.document(language="id", request_id=None)
        # what makes no sense makes none the next time either
        final = isinstance(error, Invalid)
        await database.retried(lambda session: jobs.give_up(session, job_id=job.id, problem=document, final=final))
    else:
        await database.retried(lambda session: jobs.finish(session, job_id=job.id, result_url=result_url))
    return True


async def run_clearing(database: Database, clock: Clock, job: Job) -> str:
    """Do a clearing run that was too large for a request; the job's id is the run's, so that it happens once."""
    run_id = UUID(str(job.id))
    async with database.reader() as session:
        done = await session.get(ClearingRun, run_id)
        hub = await session.get_one(Organization, job.organization_id)
        reference = await catalog.reference(session)
    if done is None:
        as_of = job.params["as_of"]
        await clearing.run(
            database,
            commodities=job.params["commodities"],
            dry_run=job.params["dry_run"],
            now=clock.now(),
            as_of=datetime.fromisoformat(as_of) if as_of else None,
            timezone=reference.regions[hub.region].timezone,
            actor=Actor(hub.id),
            run_id=run_id,
        )
    return f"/v1/clearing-runs/{run_id}"


#: kind of job -> what does it and returns the address of its result
HANDLERS = {"clearing_run": run_clearing, "import": import_job.run}


async def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    assert settings.database_url is not None, "the worker needs DATABASE_URL"  # noqa: S101 - how it is started
    database = Database(settings.database_url, pool_size=8)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    clock = FixedClock(settings.clock_at) if settings.clock_at else SystemClock()
    courier = Courier(inside_allowed=settings.webhooks_inside)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work(database, clock, stop, fee_permille=settings.hub_fee_permille))
        tasks.create_task(relay.run(database, clock, stop, hubs_of=party_queries.hubs_of))
        # receivers live in the real time, wherever the hub's clock stands
        tasks.create_task(Sender(database, SystemClock(), courier).run(stop))
    await courier.close()
    await database.dispose()


if __name__ == "__main__":
    log_as_json()
    asyncio.run(main(Settings.from_environment(os.environ)))
