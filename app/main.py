"""The composition root: settings in, application out."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi_offline import FastAPIOffline
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

from app.catalog.router import api as catalog
from app.catalog.rules import Reference
from app.config import Settings
from app.dashboards.router import api as dashboards
from app.demands.router import api as demands
from app.imports.router import api as imports
from app.jobs.router import api as jobs
from app.kit import http, openapi
from app.kit.cache import Cached
from app.kit.clock import Clock, FixedClock, SystemClock
from app.kit.db import Database
from app.kit.files import Room
from app.kit.idempotency import Replay
from app.kit.limiter import Limiter
from app.kit.observe import Metrics, Observed, log_as_json
from app.kit.operations import api as operations
from app.kit.principal import Principal
from app.kit.problems import Problem
from app.kit.spreadsheet import XLSX
from app.lanes.router import api as lanes
from app.listings.router import api as listings
from app.matching.router import api as matching
from app.matching.solver import SOLVER
from app.orders.router import api as orders
from app.outbox.feed import Feed, closed_by_signals
from app.outbox.router import api as events
from app.parties.router import api as parties
from app.parties.service import authenticate, recognise
from app.regions.router import api as regions
from app.settlement.router import api as settlement
from app.shipments.router import api as shipments
from app.web.built import Built
from app.web.router import api as web
from app.webhooks.courier import Courier
from app.webhooks.router import api as webhooks

#: sent as it is: packed already, or a page that holds a browser's proof, which the length of packed text would tell
NEVER_PACKED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "text/html", "application/pdf", XLSX)

#: matched in this order: what is asked most stands first
ROUTERS = (
    listings,
    demands,
    matching,
    orders,
    shipments,
    settlement,
    dashboards,
    events,
    webhooks,
    operations,
    catalog,
    regions,
    lanes,
    parties,
    imports,
    jobs,
)


@dataclass(slots=True)
class Hub:
    """What the routes of one application share."""

    settings: Settings
    database: Database
    clock: Clock
    limiter: Limiter
    metrics: Metrics
    feed: Feed
    courier: Courier
    built: Built
    files: Room = field(default_factory=Room)
    reference: Cached[Reference] = field(default_factory=lambda: Cached(5))

    async def authenticate(self, session: AsyncSession, key: str) -> Principal:
        """Return who a key belongs to."""
        return await authenticate(session, key, now=self.clock.now())

    async def recognise(self, session: AsyncSession, token: str) -> Principal:
        """Return who a browser's session belongs to."""
        return await recognise(session, token, now=self.clock.now())


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Return the application. Raises ValueError when the settings name no database."""
    app = _application()
    app.state.hub = make_hub(settings, clock=clock)
    return app


def make_hub(settings: Settings, *, clock: Clock | None = None) -> Hub:
    """Return what the routes of an application share. Raises ValueError when the settings name no database."""
    if settings.database_url is None:
        message = "create_app needs a database_url: `hub run` starts the embedded PostgreSQL and gives its address"
        raise ValueError(message)
    if clock is None:
        clock = FixedClock(settings.clock_at) if settings.clock_at else SystemClock()
    return Hub(
        settings=settings,
        database=Database(
            settings.database_url,
            pool_size=settings.pool_size,
            statement_timeout_ms=settings.statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
        ),
        clock=clock,
        limiter=Limiter(settings.requests_per_minute),
        metrics=Metrics(),
        feed=Feed(settings.database_listen_url or settings.database_url, seconds=settings.stream_seconds),
        courier=Courier(inside_allowed=settings.webhooks_inside),
        built=Built.read(),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    hub: Hub = app.state.hub
    SOLVER.start()
    with closed_by_signals(hub.feed.close):
        yield
    SOLVER.stop()
    await hub.database.dispose()


def _application() -> FastAPI:
    app = FastAPIOffline(
        title="Blitar hub",
        version="1",
        summary="Brings food from where it grows to the cities that need it.",
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,
        separate_input_output_schemas=False,
    )
    for router in (*ROUTERS, web):
        app.include_router(router)
    _handle_problems(app)
    # A list is a tenth of itself, and a phone waits for it. Above level 6 packing costs more than it saves.
    app.add_middleware(GZipMiddleware, compresslevel=6, exclude_content_types=NEVER_PACKED)
    # Any page may read public figures; no page may send a key from another origin.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=["ETag"])
    app.add_middleware(Observed)
    openapi.finish(app)
    return app


def _handle_problems(app: FastAPI) -> None:
    app.add_exception_handler(Problem, http.answer_problem)
    app.add_exception_handler(Replay, http.answer_replay)
    app.add_exception_handler(RequestValidationError, http.answer_validation)
    app.add_exception_handler(HTTPException, http.answer_framework)
    app.add_exception_handler(Exception, http.answer_bug)


def openapi_text(app: FastAPI) -> str:
    """Return the contract as it is committed: `python -m app.main > openapi.json`."""
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def from_environment() -> FastAPI:
    """Return the application that the environment describes: for uvicorn's --factory."""
    log_as_json()
    return create_app(Settings.from_environment(os.environ))


if __name__ == "__main__":
    sys.stdout.write(openapi_text(create_app(Settings(database_url="postgresql://nobody@/nowhere"))))
