"""HTTP of listings."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.allocations.errors import BelowMatched, ExternalRefTaken, NotLive
from app.allocations.schemas import BatchAnswer, Entered, State
from app.catalog.router import ReferenceData
from app.catalog.rules import ASK_LEVELS, Reference, Typed, price_notes
from app.kit.auth import Seller
from app.kit.batch import post_batch
from app.kit.clock import local_day
from app.kit.http import CHANGES, CREATES, KEYED, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, sort_key
from app.kit.principal import Role
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.text import preferred_language
from app.kit.validation import Day
from app.listings import queries, service
from app.listings.models import Listing
from app.listings.rules import Draft
from app.listings.schemas import ListingAnswer, ListingBatch, ListingDraft, ListingPatch, ListingRenewal
from app.outbox.events import actor_of
from app.parties.service import Owner, owner_of_post

api = router("listings")

SORT = {
    "created_at": SortKey(Listing.created_at, instant),
    "available_until": SortKey(Listing.available_until, day),
    "price_idr": SortKey(Listing.price_idr, int),
    "quantity": SortKey(Listing.quantity, int),
}


@api.post("/listings", status_code=201, responses=documented(*CREATES, NotFound, ExternalRefTaken))
async def publish_listing(
    session: Session,
    principal: Seller,
    draft: ListingDraft,
    reference: ReferenceData,
    response: Response,
    now: Now,
) -> ListingAnswer:
    """Post stock: commodity, grade, quantity, unit and price are enough."""
    owner = await owner_of_post(session, principal=principal, organization_id=draft.organization, role=Role.PRODUCER)
    values = service.prepare(draft_of(draft, owner), owner=owner, reference=reference, now=now)
    listing = await service.publish(session, values=values, actor=actor_of(principal, acting_for=owner.id))
    response.headers["location"] = f"/v1/listings/{listing.id}"
    return answer(listing, reference, response)


@api.post("/listings/batch", status_code=207, responses=documented(*CREATES))
async def publish_listings(
    request: Request,
    session: Session,
    principal: Seller,
    batch: ListingBatch,
    reference: ReferenceData,
    now: Now,
    *,
    atomic: Annotated[bool, Query(description="all or nothing")] = False,
) -> BatchAnswer:
    """Post up to 1,000 listings, one result per item."""
    owners: dict[UUID | None, Owner] = {}

    async def prepare(draft: ListingDraft) -> dict[str, Any]:
        if draft.organization not in owners:
            owners[draft.organization] = await owner_of_post(
                session, principal=principal, organization_id=draft.organization, role=Role.PRODUCER
            )
        owner = owners[draft.organization]
        return service.prepare(draft_of(draft, owner), owner=owner, reference=reference, now=now)

    items = await post_batch(
        batch.items,
        shape=ListingDraft,
        prepare=prepare,
        publish=lambda values: service.publish_many(session, values=values, principal=principal),
        taken=ExternalRefTaken,
        atomic=atomic,
        language=preferred_language(request.headers.get("accept-language")),
    )
    return BatchAnswer(items=items)


@api.get("/listings", responses=documented(*KEYED))
async def list_listings(
    session: Session,
    principal: Seller,
    page: Page,
    reference: ReferenceData,
    status: Annotated[list[State] | None, Query(max_length=10)] = None,
    commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
    grade: Annotated[list[str] | None, Query(max_length=50)] = None,
    region: Annotated[list[str] | None, Query(max_length=50)] = None,
    organization: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    external_ref: Annotated[list[str] | None, Query(max_length=50)] = None,
    available_from: Annotated[Day | None, Query(description="available on this day or later")] = None,
    available_until: Annotated[Day | None, Query(description="available on this day or earlier")] = None,
    sort: str = "-created_at",
) -> Listed[ListingAnswer]:
    """List your stock; the hub all at its hub."""
    key, descending = sort_key(sort, SORT)
    statement = queries.filtered(
        queries.visible(principal),
        statuses=status or (),
        commodities=commodity or (),
        grades=grade or (),
        regions=region or (),
        organizations=organization or (),
        external_refs=external_ref or (),
        available_from=available_from,
        available_until=available_until,
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Listing.id)
    return Listed(items=[answer(listing, reference) for listing in found], next=following)


@api.get("/listings/{listing_id}", responses=documented(*KEYED, NotFound))
async def get_listing(
    session: Session, principal: Seller, listing_id: UUID, reference: ReferenceData, response: Response
) -> ListingAnswer:
    """Read one listing."""
    listing = await service.visible(session, listing_id=listing_id, principal=principal)
    return answer(listing, reference, response)


@api.patch("/listings/{listing_id}", responses=documented(*CHANGES, NotLive, BelowMatched, ExternalRefTaken))
async def change_listing(
    session: Session,
    principal: Seller,
    listing_id: UUID,
    patch: ListingPatch,
    reference: ReferenceData,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> ListingAnswer:
    """Change the open part of a listing; proposals keep their terms."""
    listing = await service.change(
        session,
        listing_id=listing_id,
        principal=principal,
        version=expected_version(if_match),
        changes=patch.changes(),
        reference=reference,
        now=now,
    )
    return answer(listing, reference, response)


@api.post("/listings/{listing_id}/withdraw", responses=documented(*CREATES, NotFound, NotLive))
async def withdraw_listing(
    session: Session, principal: Seller, listing_id: UUID, reference: ReferenceData, response: Response, now: Now
) -> ListingAnswer:
    """Withdraw what is open; what is matched stays."""
    listing = await service.withdraw(session, listing_id=listing_id, principal=principal, now=now)
    return answer(listing, reference, response)


@api.post("/listings/{listing_id}/renew", responses=documented(*CREATES, NotFound, NotLive))
async def renew_listing(
    session: Session,
    principal: Seller,
    listing_id: UUID,
    reference: ReferenceData,
    response: Response,
    now: Now,
    renewal: ListingRenewal | None = None,
) -> ListingAnswer:
    """Let the price hold on, changed or not."""
    listing = await service.renew(
        session,
        listing_id=listing_id,
        principal=principal,
        changes=renewal.changes() if renewal else {},
        reference=reference,
        now=now,
    )
    return answer(listing, reference, response)


def draft_of(draft: ListingDraft, owner: Owner) -> Draft:
    """Return what a request posts for its owner, as the rules read it."""
    return Draft(
        commodity=draft.commodity,
        grade=draft.grade,
        region=draft.region or owner.region,
        typed=Typed(
            draft.quantity,
            draft.unit,
            draft.price_idr,
            draft.price_unit,
            draft.min_quantity,
            draft.unit_base_quantity,
        ),
        available_from=draft.available_from,
        available_until=draft.available_until,
        best_before=draft.best_before,
        best_before_chilled=draft.best_before_chilled,
        price_valid_until=draft.price_valid_until,
        papers=draft.papers,
        external_ref=draft.external_ref,
        note=draft.note,
    )


def answer(listing: Listing, reference: Reference, response: Response | None = None) -> ListingAnswer:
    """Return a listing as its owner and the hub may see it."""
    if response is not None:
        response.headers["etag"] = etag(listing.version)
    region = reference.regions[listing.region]
    return ListingAnswer(
        id=listing.id,
        status=listing.status,
        organization=listing.organization_id,
        commodity=listing.commodity,
        grade=listing.grade,
        region=listing.region,
        hub=listing.hub,
        unit=reference.commodities[listing.commodity].base_unit,
        quantity=listing.quantity,
        open_quantity=listing.open_quantity,
        proposed_quantity=listing.proposed_quantity,
        ordered_quantity=listing.ordered_quantity,
        withdrawn_quantity=listing.withdrawn_quantity,
        min_quantity=listing.min_quantity,
        price_idr=listing.price_idr,
        entered=Entered(
            quantity=listing.entered_quantity,
            unit=listing.entered_unit,
            price_idr=listing.entered_price_idr,
            price_unit=listing.entered_price_unit,
        ),
        available_from=listing.available_from,
        available_until=listing.available_until,
        best_before=listing.best_before,
        best_before_chilled=listing.best_before_chilled,
        price_valid_until=listing.price_valid_until,
        papers=listing.papers,
        price_notes=price_notes(
            reference.regulated.get(listing.commodity, ()),
            price_idr=listing.price_idr,
            grade=listing.grade,
            price_zone=region.price_zone,
            levels=ASK_LEVELS,
            on=local_day(listing.updated_at, region.timezone),
        ),
        external_ref=listing.external_ref,
        note=listing.note,
        created_at=listing.created_at,
        updated_at=listing.updated_at,
        version=listing.version,
    )
