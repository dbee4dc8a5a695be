"""HTTP of demands."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response

from app.allocations.errors import BelowMatched, ExternalRefTaken, NotLive
from app.allocations.schemas import BatchAnswer, Entered, State
from app.catalog.router import ReferenceData
from app.catalog.rules import LIMIT_LEVELS, Reference, Typed, price_notes
from app.demands import queries, service
from app.demands.models import Demand
from app.demands.rules import Draft
from app.demands.schemas import DemandAnswer, DemandBatch, DemandDraft, DemandPatch, DemandRenewal
from app.kit.auth import Purchaser
from app.kit.batch import post_batch
from app.kit.clock import local_day
from app.kit.http import CHANGES, CREATES, KEYED, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, sort_key
from app.kit.principal import Role
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.text import preferred_language
from app.kit.validation import Day
from app.outbox.events import actor_of
from app.parties.service import Owner, owner_of_post

api = router("demands")

SORT = {
    "created_at": SortKey(Demand.created_at, instant),
    "deliver_by": SortKey(Demand.deliver_by, day),
    "max_price_idr": SortKey(Demand.max_price_idr, int),
    "quantity": SortKey(Demand.quantity, int),
}


@api.post("/demands", status_code=201, responses=documented(*CREATES, NotFound, ExternalRefTaken))
async def publish_demand(
    session: Session,
    principal: Purchaser,
    draft: DemandDraft,
    reference: ReferenceData,
    response: Response,
    now: Now,
) -> DemandAnswer:
    """Post a need: commodity, lowest grade, quantity, unit and highest price are enough."""
    owner = await owner_of_post(session, principal=principal, organization_id=draft.organization, role=Role.BUYER)
    values = service.prepare(draft_of(draft, owner), owner=owner, reference=reference, now=now)
    demand = await service.publish(session, values=values, actor=actor_of(principal, acting_for=owner.id))
    response.headers["location"] = f"/v1/demands/{demand.id}"
    return answer(demand, reference, response)


@api.post("/demands/batch", status_code=207, responses=documented(*CREATES))
async def publish_demands(
    request: Request,
    session: Session,
    principal: Purchaser,
    batch: DemandBatch,
    reference: ReferenceData,
    now: Now,
    *,
    atomic: Annotated[bool, Query(description="all or nothing")] = False,
) -> BatchAnswer:
    """Post up to 1,000 demands, one result per item."""
    owners: dict[UUID | None, Owner] = {}

    async def prepare(draft: DemandDraft) -> dict[str, Any]:
        if draft.organization not in owners:
            owners[draft.organization] = await owner_of_post(
                session, principal=principal, organization_id=draft.organization, role=Role.BUYER
            )
        owner = owners[draft.organization]
        return service.prepare(draft_of(draft, owner), owner=owner, reference=reference, now=now)

    items = await post_batch(
        batch.items,
        shape=DemandDraft,
        prepare=prepare,
        publish=lambda values: service.publish_many(session, values=values, principal=principal),
        taken=ExternalRefTaken,
        atomic=atomic,
        language=preferred_language(request.headers.get("accept-language")),
    )
    return BatchAnswer(items=items)


@api.get("/demands", responses=documented(*KEYED))
async def list_demands(
    session: Session,
    principal: Purchaser,
    page: Page,
    reference: ReferenceData,
    status: Annotated[list[State] | None, Query(max_length=10)] = None,
    commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
    min_grade: Annotated[list[str] | None, Query(max_length=50)] = None,
    region: Annotated[list[str] | None, Query(max_length=50)] = None,
    organization: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    external_ref: Annotated[list[str] | None, Query(max_length=50)] = None,
    deliver_from: Annotated[Day | None, Query(description="may arrive on this day or later")] = None,
    deliver_by: Annotated[Day | None, Query(description="may arrive on this day or earlier")] = None,
    sort: str = "-created_at",
) -> Listed[DemandAnswer]:
    """List your needs; the hub all at its hub."""
    key, descending = sort_key(sort, SORT)
    statement = queries.filtered(
        queries.visible(principal),
        statuses=status or (),
        commodities=commodity or (),
        min_grades=min_grade or (),
        regions=region or (),
        organizations=organization or (),
        external_refs=external_ref or (),
        deliver_from=deliver_from,
        deliver_by=deliver_by,
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Demand.id)
    return Listed(items=[answer(demand, reference) for demand in found], next=following)


@api.get("/demands/{demand_id}", responses=documented(*KEYED, NotFound))
async def get_demand(
    session: Session, principal: Purchaser, demand_id: UUID, reference: ReferenceData, response: Response
) -> DemandAnswer:
    """Read one demand."""
    demand = await service.visible(session, demand_id=demand_id, principal=principal)
    return answer(demand, reference, response)


@api.patch("/demands/{demand_id}", responses=documented(*CHANGES, NotLive, BelowMatched, ExternalRefTaken))
async def change_demand(
    session: Session,
    principal: Purchaser,
    demand_id: UUID,
    patch: DemandPatch,
    reference: ReferenceData,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> DemandAnswer:
    """Change the open part of a demand; proposals keep their terms."""
    demand = await service.change(
        session,
        demand_id=demand_id,
        principal=principal,
        version=expected_version(if_match),
        changes=patch.changes(),
        reference=reference,
        now=now,
    )
    return answer(demand, reference, response)


@api.post("/demands/{demand_id}/withdraw", responses=documented(*CREATES, NotFound, NotLive))
async def withdraw_demand(
    session: Session, principal: Purchaser, demand_id: UUID, reference: ReferenceData, response: Response, now: Now
) -> DemandAnswer:
    """Withdraw what is open; what is matched stays."""
    demand = await service.withdraw(session, demand_id=demand_id, principal=principal, now=now)
    return answer(demand, reference, response)


@api.post("/demands/{demand_id}/renew", responses=documented(*CREATES, NotFound, NotLive))
async def renew_demand(
    session: Session,
    principal: Purchaser,
    demand_id: UUID,
    reference: ReferenceData,
    response: Response,
    now: Now,
    renewal: DemandRenewal | None = None,
) -> DemandAnswer:
    """Let the price hold on, changed or not."""
    demand = await service.renew(
        session,
        demand_id=demand_id,
        principal=principal,
        changes=renewal.changes() if renewal else {},
        reference=reference,
        now=now,
    )
    return answer(demand, reference, response)


def draft_of(draft: DemandDraft, owner: Owner) -> Draft:
    """Return what a request posts for its owner, as the rules read it."""
    return Draft(
        commodity=draft.commodity,
        min_grade=draft.min_grade,
        region=draft.region or owner.region,
        delivery=draft.delivery,
        typed=Typed(
            draft.quantity,
            draft.unit,
            draft.max_price_idr,
            draft.price_unit,
            draft.min_quantity,
            draft.unit_base_quantity,
        ),
        deliver_from=draft.deliver_from,
        deliver_by=draft.deliver_by,
        min_remaining_shelf_life_days=draft.min_remaining_shelf_life_days,
        price_valid_until=draft.price_valid_until,
        external_ref=draft.external_ref,
        note=draft.note,
    )


def answer(demand: Demand, reference: Reference, response: Response | None = None) -> DemandAnswer:
    """Return a demand as its owner and the hub may see it."""
    if response is not None:
        response.headers["etag"] = etag(demand.version)
    region = reference.regions[demand.region]
    return DemandAnswer(
        id=demand.id,
        status=demand.status,
        organization=demand.organization_id,
        commodity=demand.commodity,
        min_grade=demand.min_grade,
        delivery=demand.delivery,
        region=demand.region,
        hub=demand.hub,
        unit=reference.commodities[demand.commodity].base_unit,
        quantity=demand.quantity,
        open_quantity=demand.open_quantity,
        proposed_quantity=demand.proposed_quantity,
        ordered_quantity=demand.ordered_quantity,
        withdrawn_quantity=demand.withdrawn_quantity,
        min_quantity=demand.min_quantity,
        max_price_idr=demand.max_price_idr,
        entered=Entered(
            quantity=demand.entered_quantity,
            unit=demand.entered_unit,
            price_idr=demand.entered_price_idr,
            price_unit=demand.entered_price_unit,
        ),
        deliver_from=demand.deliver_from,
        deliver_by=demand.deliver_by,
        min_remaining_shelf_life_days=demand.min_remaining_shelf_life_days,
        price_valid_until=demand.price_valid_until,
        price_notes=price_notes(
            reference.regulated.get(demand.commodity, ()),
            price_idr=demand.max_price_idr,
            grade=demand.min_grade,
            price_zone=region.price_zone,
            levels=LIMIT_LEVELS,
            on=local_day(demand.updated_at, region.timezone),
        ),
        external_ref=demand.external_ref,
        note=demand.note,
        created_at=demand.created_at,
        updated_at=demand.updated_at,
        version=demand.version,
    )
