"""What operators and orchestrators ask: is it alive, is it ready, how is it doing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import text

from app.kit.auth import HubOnly
from app.kit.http import KEYED, HubRoute, documented
from app.kit.migrations import head_revision
from app.kit.problems import Busy
from app.kit.sessions import Session
from app.kit.text import Text

api = APIRouter(tags=["operations"], route_class=HubRoute)


class NotReady(Busy):
    """503: the database is not at the version of this program, or a sum does not add up."""

    code = "not_ready"
    title = Text("Layanan belum siap.", "The service is not ready.")


class Health(BaseModel):
    """Alive."""

    status: str = "ok"


class Readiness(BaseModel):
    """Ready."""

    status: str = "ready"
    #: revision of the database
    migration: str
    #: names of the invariant views that were asked, all empty
    invariants: list[str] = []


@api.get("/healthz", responses=documented())
async def get_health() -> Health:
    """Tell that the process answers."""
    return Health()


@api.get("/readyz", responses=documented(NotReady))
async def get_readiness(
    session: Session,
    response: Response,
    invariants: Annotated[str | None, Query(description="present: ask the invariant views too")] = None,
) -> Readiness:
    """Tell whether requests can be served: the database answers and is migrated to this program's version."""
    response.headers["cache-control"] = "no-store"
    revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    if revision != head_revision():
        raise NotReady
    if invariants is None:
        return Readiness(migration=revision)
    broken = await broken_invariants(session)
    if any(broken.values()):
        raise NotReady
    return Readiness(migration=revision, invariants=sorted(broken))


async def broken_invariants(session: Session) -> dict[str, int]:
    """Return how many rows each view of the schema `invariants` has; all are 0 while everything adds up."""
    names = await session.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'invariants' ORDER BY 1"))
    counts = {}
    for name in names.all():
        counts[name] = await session.scalar(text(f'SELECT count(*) FROM invariants."{name}"')) or 0  # noqa: S608
    return counts


@api.get("/metrics", responses={**documented(*KEYED), 200: {"content": {"text/plain": {}}}}, response_class=Response)
async def get_metrics(request: Request, principal: HubOnly) -> Response:  # noqa: ARG001 - the hub only
    """Give the counters in Prometheus' text format."""
    return Response(generate_latest(request.app.state.hub.metrics.registry), media_type=CONTENT_TYPE_LATEST)
