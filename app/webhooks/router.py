"""HTTP of webhook endpoints and their deliveries."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.kit.auth import Caller
from app.kit.http import CHANGES, CREATES, KEYED, IfMatch, documented, etag, expected_version, router
from app.kit.idempotency import replays_without
from app.kit.paging import Listed, Page, SortKey, fetch_page, instant, sort_key
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session, manages_transactions
from app.parties import service as parties
from app.webhooks import queries, rules, service
from app.webhooks.errors import EndpointExists, LeadsInside, TooManyEndpoints, Unresolvable
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from app.webhooks.rules import Progress
from app.webhooks.schemas import (
    AttemptAnswer,
    DeliveryAnswer,
    EndpointAnswer,
    EndpointDraft,
    EndpointPatch,
    NewEndpoint,
    Redelivered,
    Redelivery,
    RotatedSecret,
    SecretRotation,
)

api = router("webhooks")

ENDPOINT_SORT = {"created_at": SortKey(WebhookEndpoint.created_at, instant)}
DELIVERY_SORT = {"position": SortKey(WebhookDelivery.position, int)}


async def _check(request: Request, url: str) -> None:
    """Refuse an address that leads inside: looked up while no transaction is open."""
    courier = request.app.state.hub.courier
    await courier.check(rules.parse_url(url, inside_allowed=courier.inside_allowed))


def _answer(endpoint: WebhookEndpoint) -> EndpointAnswer:
    return EndpointAnswer(
        id=endpoint.id,
        organization=endpoint.organization_id,
        url=endpoint.url,
        event_types=endpoint.event_types,
        note=endpoint.note,
        status=rules.Status(endpoint.status),
        failing_since=endpoint.failing_since,
        created_at=endpoint.created_at,
        version=endpoint.version,
    )


@api.get("/webhook-endpoints", responses=documented(*KEYED, NotFound))
async def list_webhook_endpoints(
    session: Session, principal: Caller, page: Page, organization: UUID | None = None, sort: str = "-created_at"
) -> Listed[EndpointAnswer]:
    """List your endpoints; the hub those of any of its organisations."""
    key, descending = sort_key(sort, ENDPOINT_SORT)
    owner = organization or principal.organization_id
    await parties.visible(session, organization_id=owner, principal=principal)
    statement = queries.endpoints_of(owner)
    found, following = await fetch_page(
        session, statement, page, key=key, descending=descending, tie=WebhookEndpoint.id
    )
    return Listed(items=[_answer(row) for row in found], next=following)


@api.post(
    "/webhook-endpoints",
    status_code=201,
    responses=documented(*CREATES, NotFound, EndpointExists, TooManyEndpoints, LeadsInside, Unresolvable),
)
@replays_without("secret")
@manages_transactions
async def create_webhook_endpoint(
    request: Request, session: Session, principal: Caller, draft: EndpointDraft, response: Response, now: Now
) -> NewEndpoint:
    """Register an address that is told what happens from now on; its signing secret is shown this once."""
    owner = draft.organization or principal.organization_id
    await parties.visible(session, organization_id=owner, principal=principal)
    await _check(request, draft.url)
    async with request.app.state.hub.database.transaction() as own:
        endpoint = await service.create(
            own,
            organization_id=owner,
            principal=principal,
            values=draft.model_dump(include={"url", "event_types", "note"}),
            now=now,
        )
    response.headers["location"] = f"/v1/webhook-endpoints/{endpoint.id}"
    response.headers["etag"] = etag(endpoint.version)
    return NewEndpoint(**_answer(endpoint).model_dump(), secret=endpoint.secret)


@api.get("/webhook-endpoints/{endpoint_id}", responses=documented(*KEYED, NotFound))
async def get_webhook_endpoint(
    session: Session, principal: Caller, endpoint_id: UUID, response: Response
) -> EndpointAnswer:
    """Read one endpoint."""
    endpoint = await service.visible(session, endpoint_id=endpoint_id, principal=principal)
    response.headers["etag"] = etag(endpoint.version)
    return _answer(endpoint)


@api.patch(
    "/webhook-endpoints/{endpoint_id}", responses=documented(*CHANGES, EndpointExists, LeadsInside, Unresolvable)
)
@manages_transactions
async def change_webhook_endpoint(
    request: Request,
    session: Session,
    principal: Caller,
    endpoint_id: UUID,
    patch: EndpointPatch,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> EndpointAnswer:
    """Change an endpoint, pause it (deliveries wait), or enable it again."""
    version, changes = expected_version(if_match), patch.changes()
    await service.visible(session, endpoint_id=endpoint_id, principal=principal)
    if "url" in changes:
        await _check(request, changes["url"])
    async with request.app.state.hub.database.transaction() as own:
        endpoint = await service.change(
            own, endpoint_id=endpoint_id, principal=principal, version=version, changes=changes, now=now
        )
    response.headers["etag"] = etag(endpoint.version)
    return _answer(endpoint)


@api.delete("/webhook-endpoints/{endpoint_id}", status_code=204, responses=documented(*KEYED, NotFound))
async def delete_webhook_endpoint(session: Session, principal: Caller, endpoint_id: UUID, now: Now) -> None:
    """Delete an endpoint with its deliveries."""
    await service.delete(session, endpoint_id=endpoint_id, principal=principal, now=now)


@api.post("/webhook-endpoints/{endpoint_id}/rotate-secret", status_code=201, responses=documented(*CREATES, NotFound))
@replays_without("secret")
async def rotate_webhook_secret(
    session: Session, principal: Caller, endpoint_id: UUID, now: Now, rotation: SecretRotation | None = None
) -> RotatedSecret:
    """Replace the signing secret; for some hours both sign, so that no receiver misses anything."""
    overlap = timedelta(hours=(rotation or SecretRotation()).overlap_hours)
    endpoint = await service.rotate_secret(
        session, endpoint_id=endpoint_id, principal=principal, overlap=overlap, now=now
    )
    return RotatedSecret(secret=endpoint.secret, previous_until=now + overlap)


@api.get("/webhook-endpoints/{endpoint_id}/deliveries", responses=documented(*KEYED, NotFound))
async def list_deliveries(
    session: Session,
    principal: Caller,
    endpoint_id: UUID,
    page: Page,
    status: Annotated[list[Progress] | None, Query(max_length=10)] = None,
    sort: str = "-position",
) -> Listed[DeliveryAnswer]:
    """List what was sent to an endpoint and how each attempt went, newest event first."""
    key, descending = sort_key(sort, DELIVERY_SORT)
    endpoint = await service.visible(session, endpoint_id=endpoint_id, principal=principal)
    statement = queries.deliveries_of(endpoint.id, statuses=status or ())
    found, following = await fetch_page(
        session, statement, page, key=key, descending=descending, tie=WebhookDelivery.position, parse_tie=int
    )
    items = [
        DeliveryAnswer(
            position=row.position,
            type=row.type,
            status=row.status,
            attempts=[AttemptAnswer(**attempt) for attempt in row.attempts],
            next_attempt_at=row.next_attempt_at if row.status == Progress.PENDING else None,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row in found
    ]
    return Listed(items=items, next=following)


@api.post("/webhook-endpoints/{endpoint_id}/redeliver", responses=documented(*CREATES, NotFound))
async def redeliver_events(
    session: Session, principal: Caller, endpoint_id: UUID, redelivery: Redelivery, now: Now
) -> Redelivered:
    """Send again: all that the endpoint wants after a position, or single events; also what it has never been told."""
    endpoint = await service.visible(session, endpoint_id=endpoint_id, principal=principal, locked=True)
    queued = await service.redeliver(
        session, endpoint=endpoint, after=redelivery.after, positions=redelivery.positions or (), now=now
    )
    return Redelivered(queued=len(queued), last=queued[-1] if queued else None)
