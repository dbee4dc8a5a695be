"""HTTP of shipments, receipts and disputes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.allocations.errors import QuantityGone
from app.catalog.router import ReferenceData
from app.kit.auth import HubOnly, Purchaser, Trader
from app.kit.http import CHANGES, CREATES, KEYED, IfMatch, documented, etag, expected_version, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, sort_key
from app.kit.problems import NotFound, invalid
from app.kit.sessions import Now, Session
from app.kit.text import Text
from app.kit.validation import Day
from app.orders import queries as orders
from app.orders.errors import AboveOrdered, OrderNotUnderWay
from app.shipments import answers, disputes, papers, queries, receipts, service
from app.shipments.errors import (
    DepartureClosed,
    DisputeResolved,
    ImplausibleWeight,
    ReceiptAcknowledged,
    ReceiptDisputed,
    ReceiptExists,
    ReceiptFinal,
    ShipmentNotArrived,
    ShipmentNotInTransit,
    ShipmentNotLoading,
)
from app.shipments.models import Shipment
from app.shipments.receipts import Weighed
from app.shipments.schemas import (
    Decision,
    Dispatch,
    DisputeAnswer,
    DisputeDraft,
    LoadLine,
    ReceiptAnswer,
    ReceiptDraft,
    ShipmentAnswer,
    ShipmentDraft,
    ShipmentStatus,
    Weight,
)

api = router("shipments")

SORT = {"created_at": SortKey(Shipment.created_at, instant), "on": SortKey(Shipment.day, day)}


def _by_line(field: str, lines: Sequence[LoadLine | Weight]) -> Mapping[UUID, int]:
    """Return the figure of each order line. Raises Invalid (422) for a line that is named twice."""
    figures: dict[UUID, int] = {}
    for index, line in enumerate(lines):
        if line.order_line_id in figures:
            raise invalid(
                f"/{field}/{index}/order_line_id",
                "named_twice",
                Text("Baris ini disebut dua kali.", "This line is named twice."),
            )
        figures[line.order_line_id] = line.quantity if isinstance(line, LoadLine) else line.net_weight_g
    return figures


@api.post(
    "/shipments",
    status_code=201,
    responses=documented(*CREATES, OrderNotUnderWay, AboveOrdered, DepartureClosed, QuantityGone),
)
async def load_shipment(
    session: Session, principal: HubOnly, draft: ShipmentDraft, response: Response, now: Now
) -> ShipmentAnswer:
    """Load order lines on a departure, or hand them over at the hub: several orders, each as far as it fits."""
    shipment = await service.load(
        session,
        principal=principal,
        departure_id=draft.departure_id,
        day=draft.on,
        quantities=_by_line("lines", draft.lines),
        now=now,
    )
    response.headers["location"] = f"/v1/shipments/{shipment.id}"
    return (await answers.shipments(session, [shipment], principal))[0]


@api.get("/shipments", responses=documented(*KEYED))
async def list_shipments(
    session: Session,
    principal: Trader,
    page: Page,
    status: Annotated[list[ShipmentStatus] | None, Query(max_length=10)] = None,
    departure: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    order: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    number: Annotated[list[str] | None, Query(max_length=50)] = None,
    on_from: Annotated[Day | None, Query(description="leaves on this day or later")] = None,
    on_until: Annotated[Day | None, Query(description="leaves on this day or earlier")] = None,
    sort: str = "-created_at",
) -> Listed[ShipmentAnswer]:
    """List the shipments that carry something of yours; the hub all at its hub."""
    key, descending = sort_key(sort, SORT)
    statement = queries.filtered(
        queries.visible(principal),
        statuses=status or (),
        departures=departure or (),
        orders=order or (),
        numbers=number or (),
        on_from=on_from,
        on_until=on_until,
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Shipment.id)
    return Listed(items=await answers.shipments(session, found, principal), next=following)


@api.get("/shipments/{shipment_id}", responses=documented(*KEYED, NotFound))
async def get_shipment(session: Session, principal: Trader, shipment_id: UUID, response: Response) -> ShipmentAnswer:
    """Read one shipment."""
    shipment = await queries.one(session, shipment_id, principal)
    response.headers["etag"] = etag(shipment.version)
    return (await answers.shipments(session, [shipment], principal))[0]


@api.get(
    "/shipments/{shipment_id}/papers.pdf",
    responses={
        **documented(*KEYED, NotFound),
        200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    },
    response_class=Response,
)
async def get_papers(session: Session, principal: Trader, shipment_id: UUID, reference: ReferenceData) -> Response:
    """Print the papers of a shipment: loading list, and per order its order paper, surat jalan and BAST."""
    shipment = await queries.one(session, shipment_id, principal)
    told = await answers.papers(session, shipment, principal, reference)
    name = f'inline; filename="{shipment.number}.pdf"'
    content = await asyncio.to_thread(papers.render, told)
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})


@api.post(
    "/shipments/{shipment_id}/dispatch",
    responses=documented(*CREATES, NotFound, ShipmentNotLoading, ImplausibleWeight),
)
async def dispatch_shipment(
    session: Session, principal: HubOnly, shipment_id: UUID, sent: Dispatch, now: Now
) -> ShipmentAnswer:
    """Let a shipment leave, weighed per producer; what is fetched at the hub is handed over and received."""
    shipment = await service.dispatch(
        session,
        shipment_id=shipment_id,
        principal=principal,
        weights=_by_line("weights", sent.weights),
        crates_out=sent.crates_out,
        now=now,
    )
    return (await answers.shipments(session, [shipment], principal))[0]


@api.post("/shipments/{shipment_id}/arrive", responses=documented(*CREATES, NotFound, ShipmentNotInTransit))
async def arrive_shipment(session: Session, principal: HubOnly, shipment_id: UUID, now: Now) -> ShipmentAnswer:
    """Let a shipment arrive."""
    shipment = await service.arrive(session, shipment_id=shipment_id, principal=principal, now=now)
    return (await answers.shipments(session, [shipment], principal))[0]


@api.post(
    "/shipments/{shipment_id}/receipts",
    status_code=201,
    responses=documented(*CREATES, NotFound, ShipmentNotArrived, ReceiptExists, ImplausibleWeight),
)
async def record_receipt(
    session: Session, principal: Purchaser, shipment_id: UUID, draft: ReceiptDraft, now: Now
) -> ReceiptAnswer:
    """Record what arrived of one order: weighed, broken, refused. Written by the buyer, it is acknowledged at once."""
    standing = await receipts.receive(
        session,
        shipment_id=shipment_id,
        principal=principal,
        order_id=draft.order_id,
        weighed=Weighed(draft.net_weight_g, draft.broken_g, draft.refused_g, draft.reason, draft.crates_back),
        now=now,
    )
    return (await answers.receipts(session, [standing.receipt], principal))[0]


@api.post(
    "/receipts/{receipt_id}/acknowledge",
    responses=documented(*CREATES, NotFound, ReceiptFinal, ReceiptAcknowledged, ReceiptDisputed),
)
async def acknowledge_receipt(session: Session, principal: Purchaser, receipt_id: UUID, now: Now) -> ReceiptAnswer:
    """Agree to a receipt; it is final at once unless producers bear a loss by it and may still object."""
    standing = await receipts.acknowledge(session, receipt_id=receipt_id, principal=principal, now=now)
    return (await answers.receipts(session, [standing.receipt], principal))[0]


@api.get("/orders/{order_id}/receipts", responses=documented(*KEYED, NotFound))
async def list_receipts(session: Session, principal: Trader, order_id: UUID) -> Listed[ReceiptAnswer]:
    """List what arrived of an order, with what is paid of it and what is disputed."""
    order = await orders.one(session, order_id, principal)
    found = await queries.visible_receipts(session, order.id, principal)
    return Listed(items=await answers.receipts(session, found, principal))


@api.post(
    "/orders/{order_id}/disputes",
    status_code=201,
    responses=documented(*CREATES, NotFound, ReceiptFinal, ReceiptAcknowledged, ReceiptDisputed),
)
async def open_dispute(
    session: Session, principal: Trader, order_id: UUID, draft: DisputeDraft, now: Now
) -> DisputeAnswer:
    """Object to a receipt within 24 hours; it does not become final before the hub has decided."""
    opened = await disputes.dispute(
        session,
        order_id=order_id,
        receipt_id=draft.receipt_id,
        principal=principal,
        organization=draft.organization,
        note=draft.note,
        now=now,
    )
    return DisputeAnswer.model_validate(opened)


@api.patch("/disputes/{dispute_id}", responses=documented(*CHANGES, DisputeResolved))
async def resolve_dispute(
    session: Session,
    principal: HubOnly,
    dispute_id: UUID,
    decision: Decision,
    response: Response,
    now: Now,
    if_match: IfMatch = None,
) -> DisputeAnswer:
    """Decide a dispute: the receipt becomes final with the weight that is paid."""
    resolved = await disputes.resolve(
        session,
        dispute_id=dispute_id,
        principal=principal,
        version=expected_version(if_match),
        outcome=decision.outcome,
        note=decision.note,
        stated_g=decision.payable_g,
        now=now,
    )
    response.headers["etag"] = etag(resolved.version)
    return DisputeAnswer.model_validate(resolved)
