"""HTTP of regions and agreements."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from app.kit import rows
from app.kit.auth import HubOnly
from app.kit.http import CHANGES, CREATES, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, sort_key
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.outbox.events import actor_of
from app.regions import queries, service
from app.regions.models import Agreement, Region
from app.regions.schemas import (
    AgreementAnswer,
    AgreementDraft,
    AgreementPatch,
    AgreementStatus,
    RegionAnswer,
    RegionPatch,
)

api = router("regions")

REGION_SORT = {"code": SortKey(Region.code, str), "name": SortKey(Region.name, str)}
AGREEMENT_SORT = {"signed_on": SortKey(Agreement.signed_on, day)}


@api.get("/regions", responses=documented())
async def list_regions(
    session: Session,
    page: Page,
    role: Annotated[list[str] | None, Query(max_length=20)] = None,
    hub: Annotated[list[str] | None, Query(max_length=20)] = None,
    sort: str = "code",
) -> Listed[RegionAnswer]:
    """List cities and regencies."""
    key, descending = sort_key(sort, REGION_SORT)
    statement = queries.regions(roles=role or (), hubs=hub or ())
    found, following = await fetch_page(
        session, statement, page, key=key, descending=descending, tie=Region.code, parse_tie=str
    )
    return Listed(items=[RegionAnswer.model_validate(region) for region in found], next=following)


@api.get("/regions/{code}", responses=documented(NotFound))
async def get_region(session: Session, code: str, response: Response) -> RegionAnswer:
    """Read one region."""
    region = await rows.find(session, Region, code)
    response.headers["etag"] = etag(region.version)
    return RegionAnswer.model_validate(region)


@api.patch("/regions/{code}", responses=documented(*CHANGES))
async def change_region(
    request: Request,
    session: Session,
    principal: HubOnly,
    code: str,
    patch: RegionPatch,
    response: Response,
    if_match: IfMatch = None,
) -> RegionAnswer:
    """Change what collecting from a region costs, or which hub gathers its supply."""
    region = await service.change_region(
        session, code=code, hub=principal.region, version=expected_version(if_match), changes=patch.changes()
    )
    request.app.state.hub.reference.forget()
    response.headers["etag"] = etag(region.version)
    return RegionAnswer.model_validate(region)


@api.get("/agreements", responses=documented())
async def list_agreements(
    session: Session,
    page: Page,
    hub: Annotated[list[str] | None, Query(max_length=20)] = None,
    region: Annotated[list[str] | None, Query(max_length=20)] = None,
    status: Annotated[list[AgreementStatus] | None, Query(max_length=20)] = None,
    sort: str = "signed_on",
) -> Listed[AgreementAnswer]:
    """List agreements between the hub and regions."""
    key, descending = sort_key(sort, AGREEMENT_SORT)
    statement = queries.agreements(hubs=hub or (), regions=region or (), statuses=status or ())
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Agreement.id)
    return Listed(items=[AgreementAnswer.model_validate(agreement) for agreement in found], next=following)


@api.post("/agreements", status_code=201, responses=documented(*CREATES))
async def sign_agreement(
    session: Session, principal: HubOnly, draft: AgreementDraft, response: Response, now: Now
) -> AgreementAnswer:
    """Record an agreement: it opens trade with the region."""
    agreement = await service.sign_agreement(
        session, hub=principal.region, values=draft.model_dump(), now=now, actor=actor_of(principal)
    )
    response.headers["etag"] = etag(agreement.version)
    return AgreementAnswer.model_validate(agreement)


@api.patch("/agreements/{agreement_id}", responses=documented(*CHANGES))
async def change_agreement(
    session: Session,
    principal: HubOnly,
    agreement_id: UUID,
    patch: AgreementPatch,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> AgreementAnswer:
    """Change an agreement, or suspend it."""
    agreement = await service.change_agreement(
        session,
        agreement_id=agreement_id,
        hub=principal.region,
        version=expected_version(if_match),
        changes=patch.changes(),
        now=now,
        actor=actor_of(principal),
    )
    response.headers["etag"] = etag(agreement.version)
    return AgreementAnswer.model_validate(agreement)
