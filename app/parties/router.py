"""HTTP of organisations and keys."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.kit import cookies, rows
from app.kit.auth import Caller, HubOnly
from app.kit.http import CHANGES, CREATES, KEYED, IfMatch, documented, etag, expected_version, router
from app.kit.idempotency import replays_without
from app.kit.paging import Listed, Page, SortKey, fetch_page, instant, sort_key
from app.kit.principal import Role
from app.kit.problems import NotFound, TooLarge, Unauthenticated, UnsupportedMediaType
from app.kit.sessions import Now, Session
from app.outbox.events import actor_of
from app.parties import queries, service
from app.parties.errors import KeyNotLive, LinkNotLive, NameTaken, Suspended, TooManyKeys
from app.parties.models import ApiKey, Organization
from app.parties.schemas import (
    ApiKeyAnswer,
    ApiKeyDraft,
    Me,
    NewApiKey,
    NewSignInLink,
    OrganizationAnswer,
    OrganizationDraft,
    OrganizationPatch,
    Rotation,
    SessionAnswer,
    SessionDraft,
    Status,
)

api = router("parties")

ORGANIZATION_SORT = {
    "name": SortKey(Organization.name, str),
    "created_at": SortKey(Organization.created_at, instant),
}
KEY_SORT = {"created_at": SortKey(ApiKey.created_at, instant)}


@api.get("/me", responses=documented(*KEYED))
async def get_me(session: Session, principal: Caller) -> Me:
    """Tell whose key this is."""
    organization = await rows.find(session, Organization, principal.organization_id)
    return Me(organization=OrganizationAnswer.model_validate(organization), key_id=principal.key_id)


@api.get("/organizations", responses=documented(*KEYED))
async def list_organizations(
    session: Session,
    principal: HubOnly,
    page: Page,
    role: Annotated[list[Role] | None, Query(max_length=10)] = None,
    region: Annotated[list[str] | None, Query(max_length=50)] = None,
    status: Annotated[list[Status] | None, Query(max_length=10)] = None,
    sort: str = "name",
) -> Listed[OrganizationAnswer]:
    """List the hub's organisations."""
    key, descending = sort_key(sort, ORGANIZATION_SORT)
    statement = queries.organizations(
        hub=principal.region, roles=role or (), regions=region or (), statuses=status or ()
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Organization.id)
    return Listed(items=[OrganizationAnswer.model_validate(row) for row in found], next=following)


@api.post("/organizations", status_code=201, responses=documented(*CREATES, NameTaken))
async def register_organization(
    session: Session, principal: HubOnly, draft: OrganizationDraft, response: Response, now: Now
) -> OrganizationAnswer:
    """Register an organisation."""
    organization = await service.register(
        session, hub=principal.region, values=draft.model_dump(), now=now, actor=actor_of(principal)
    )
    response.headers["location"] = f"/v1/organizations/{organization.id}"
    response.headers["etag"] = etag(organization.version)
    return OrganizationAnswer.model_validate(organization)


@api.get("/organizations/{organization_id}", responses=documented(*KEYED, NotFound))
async def get_organization(
    session: Session, principal: HubOnly, organization_id: UUID, response: Response
) -> OrganizationAnswer:
    """Read one organisation."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    response.headers["etag"] = etag(organization.version)
    return OrganizationAnswer.model_validate(organization)


@api.patch("/organizations/{organization_id}", responses=documented(*CHANGES, NameTaken))
async def change_organization(
    session: Session,
    principal: HubOnly,
    organization_id: UUID,
    patch: OrganizationPatch,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> OrganizationAnswer:
    """Change an organisation, or suspend it."""
    organization = await service.change_organization(
        session,
        organization_id=organization_id,
        principal=principal,
        version=expected_version(if_match),
        changes=patch.changes(),
        now=now,
    )
    response.headers["etag"] = etag(organization.version)
    return OrganizationAnswer.model_validate(organization)


@api.get("/organizations/{organization_id}/api-keys", responses=documented(*KEYED, NotFound))
async def list_api_keys(
    session: Session, principal: Caller, organization_id: UUID, page: Page, sort: str = "-created_at"
) -> Listed[ApiKeyAnswer]:
    """List the keys of your organisation; the hub those of any of its own."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    key, descending = sort_key(sort, KEY_SORT)
    found, following = await fetch_page(
        session, queries.keys_of(organization.id), page, key=key, descending=descending, tie=ApiKey.id
    )
    return Listed(items=[ApiKeyAnswer.model_validate(row) for row in found], next=following)


@api.post(
    "/organizations/{organization_id}/api-keys", status_code=201, responses=documented(*CREATES, NotFound, TooManyKeys)
)
@replays_without("secret")
async def create_api_key(
    request: Request, session: Session, principal: Caller, organization_id: UUID, draft: ApiKeyDraft, now: Now
) -> NewApiKey:
    """Create a key; its secret is shown this once."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    environment = request.app.state.hub.settings.environment
    key, secret = await service.create_key(
        session, organization=organization, label=draft.label, environment=environment, now=now
    )
    return NewApiKey(**ApiKeyAnswer.model_validate(key).model_dump(), secret=secret)


@api.post(
    "/organizations/{organization_id}/api-keys/{key_id}/rotate",
    status_code=201,
    responses=documented(*CREATES, NotFound, KeyNotLive, TooManyKeys),
)
@replays_without("secret")
async def rotate_api_key(
    request: Request,
    session: Session,
    principal: Caller,
    organization_id: UUID,
    key_id: UUID,
    now: Now,
    rotation: Rotation | None = None,
) -> NewApiKey:
    """Replace a key by a new one; the old one works for some hours more."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    key, secret = await service.rotate_key(
        session,
        organization=organization,
        key_id=key_id,
        overlap=timedelta(hours=(rotation or Rotation()).overlap_hours),
        environment=request.app.state.hub.settings.environment,
        now=now,
    )
    return NewApiKey(**ApiKeyAnswer.model_validate(key).model_dump(), secret=secret)


@api.delete(
    "/organizations/{organization_id}/api-keys/{key_id}", status_code=204, responses=documented(*KEYED, NotFound)
)
async def revoke_api_key(session: Session, principal: Caller, organization_id: UUID, key_id: UUID, now: Now) -> None:
    """Revoke a key at once."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    await service.revoke_key(session, organization=organization, key_id=key_id, now=now)


@api.post(
    "/organizations/{organization_id}/sign-in-links",
    status_code=201,
    responses=documented(*CREATES, NotFound, Suspended),
)
@replays_without("path")
async def create_sign_in_link(session: Session, principal: HubOnly, organization_id: UUID, now: Now) -> NewSignInLink:
    """Make a link with which a party signs in without a key: once, and within two hours."""
    organization = await service.visible(session, organization_id=organization_id, principal=principal)
    link, token = await service.create_link(session, organization=organization, now=now)
    return NewSignInLink(
        id=link.id,
        organization=link.organization_id,
        path=f"/masuk?t={token}",
        created_at=link.created_at,
        expires_at=link.expires_at,
    )


@api.post(
    "/sessions",
    status_code=201,
    responses=documented(Unauthenticated, LinkNotLive, Suspended, TooLarge, UnsupportedMediaType),
)
async def create_session(
    request: Request, response: Response, session: Session, draft: SessionDraft, now: Now
) -> SessionAnswer:
    """Sign a browser in with a link or a key: it gets a cookie that no script reads, for twelve hours."""
    begun, token = await service.begin_session(session, link_token=draft.link_token, api_key=draft.api_key, now=now)
    cookies.hand_over(request, response, token, until=begun.expires_at, now=now)
    organization = await rows.find(session, Organization, begun.organization_id)
    return SessionAnswer(
        organization=OrganizationAnswer.model_validate(organization),
        csrf_token=cookies.proof_of(token),
        expires_at=begun.expires_at,
    )


@api.delete("/sessions/current", status_code=204, responses=documented(*KEYED, NotFound))
async def close_session(session: Session, principal: Caller, response: Response) -> None:
    """Sign out: the session that asks is over."""
    await service.end_session(session, principal=principal)
    cookies.take_back(response)
