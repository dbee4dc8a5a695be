"""HTTP of orders, and of the confirmations that make them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.allocations.errors import QuantityGone
from app.catalog.router import ReferenceData
from app.kit.auth import HubOnly, Trader
from app.kit.http import CREATES, KEYED, documented, etag, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, sort_key
from app.kit.problems import NotFound
from app.kit.sessions import Now, Session
from app.kit.validation import Day
from app.matching import answers as matches
from app.matching.errors import BelowSmallestFill, MatchedThere, MatchNotProposed, NoCounterOffer
from app.matching.schemas import Confirmation, Confirmations, CounterOfferReply, MatchAnswer, MatchesAnswer
from app.orders import answers, deals, queries, service
from app.orders.deals import Deal, DealLine
from app.orders.errors import NothingToCancel, OrderLoaded, OrderNotUnderWay
from app.orders.models import Order
from app.orders.rules import PaymentTerms
from app.orders.schemas import Cancellation, DealDraft, OrderAnswer, OrderStatus, OrderWithHistory

api = router("orders")

SORT = {
    "created_at": SortKey(Order.created_at, instant),
    "departs_on": SortKey(Order.departs_on, day),
    "arrives_on": SortKey(Order.arrives_on, day),
}


@api.post("/matches/confirm", responses=documented(*CREATES, NotFound, MatchNotProposed))
async def confirm_matches(
    session: Session, principal: Trader, confirmations: Confirmations, reference: ReferenceData, now: Now
) -> MatchesAnswer:
    """Confirm many matches: all or none."""
    found = await service.confirm(
        session, match_ids=confirmations.ids, principal=principal, side=confirmations.side, quantity=None, now=now
    )
    return MatchesAnswer(items=await matches.matches(session, found, principal, reference))


@api.post("/matches/{match_id}/confirm", responses=documented(*CREATES, NotFound, MatchNotProposed, BelowSmallestFill))
async def confirm_match(
    session: Session,
    principal: Trader,
    match_id: UUID,
    reference: ReferenceData,
    now: Now,
    confirmation: Confirmation | None = None,
) -> MatchAnswer:
    """Confirm a match, or a part of it."""
    asked = confirmation or Confirmation()
    found = await service.confirm(
        session, match_ids=[match_id], principal=principal, side=asked.side, quantity=asked.quantity, now=now
    )
    return (await matches.matches(session, found, principal, reference))[0]


@api.post(
    "/matches/{match_id}/counter-offer/accept",
    responses=documented(
        *CREATES, NotFound, MatchNotProposed, NoCounterOffer, MatchedThere, QuantityGone, BelowSmallestFill
    ),
)
async def accept_counter_offer(
    session: Session,
    principal: Trader,
    match_id: UUID,
    reference: ReferenceData,
    now: Now,
    reply: CounterOfferReply | None = None,
) -> MatchAnswer:
    """Take the other side's terms: both sides have confirmed at them."""
    found = await service.accept_counter_offer(
        session,
        match_id=match_id,
        principal=principal,
        side=(reply or CounterOfferReply()).side,
        reference=reference,
        now=now,
    )
    return (await matches.matches(session, [found], principal, reference))[0]


@api.post("/orders", status_code=201, responses=documented(*CREATES, NotFound, QuantityGone))
async def record_deal(
    session: Session, principal: HubOnly, draft: DealDraft, reference: ReferenceData, response: Response, now: Now
) -> OrderAnswer:
    """Record a deal made at the desk, under the same checks of quantity, days, freshness and capacity as a match."""
    said = draft.model_dump(exclude={"lines", "on", "payment_terms"})
    deal = Deal(
        **said,
        day=draft.on,
        payment_terms=PaymentTerms(draft.payment_terms) if draft.payment_terms else None,
        lines=[DealLine(**line.model_dump()) for line in draft.lines],
    )
    order = await deals.record_deal(session, deal=deal, principal=principal, reference=reference, now=now)
    response.headers["location"] = f"/v1/orders/{order.id}"
    return (await answers.orders(session, [order], principal, reference))[0]


@api.get("/orders", responses=documented(*KEYED))
async def list_orders(
    session: Session,
    principal: Trader,
    page: Page,
    reference: ReferenceData,
    status: Annotated[list[OrderStatus] | None, Query(max_length=10)] = None,
    commodity: Annotated[list[str] | None, Query(max_length=50)] = None,
    region: Annotated[list[str] | None, Query(max_length=50)] = None,
    departure: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    organization: Annotated[list[UUID] | None, Query(max_length=50, description="buyer or producer")] = None,
    number: Annotated[list[str] | None, Query(max_length=50)] = None,
    arrives_from: Annotated[Day | None, Query(description="promised for this day or later")] = None,
    arrives_until: Annotated[Day | None, Query(description="promised for this day or earlier")] = None,
    sort: str = "-created_at",
) -> Listed[OrderAnswer]:
    """List your orders; the hub all at its hub."""
    key, descending = sort_key(sort, SORT)
    statement = queries.filtered(
        queries.visible(principal),
        statuses=status or (),
        commodities=commodity or (),
        regions=region or (),
        departures=departure or (),
        organizations=organization or (),
        numbers=number or (),
        arrives_from=arrives_from,
        arrives_until=arrives_until,
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Order.id)
    return Listed(items=await answers.orders(session, found, principal, reference), next=following)


@api.get("/orders/{order_id}", responses=documented(*KEYED, NotFound))
async def get_order(
    session: Session, principal: Trader, order_id: UUID, reference: ReferenceData, response: Response
) -> OrderWithHistory:
    """Read one order with its history: who did what, and for whom."""
    order = await queries.one(session, order_id, principal)
    response.headers["etag"] = etag(order.version)
    return await answers.with_history(session, order, principal, reference)


@api.post(
    "/orders/{order_id}/cancel",
    responses=documented(*CREATES, NotFound, OrderNotUnderWay, OrderLoaded, NothingToCancel),
)
async def cancel_order(
    session: Session,
    principal: Trader,
    order_id: UUID,
    cancellation: Cancellation,
    reference: ReferenceData,
    now: Now,
) -> OrderAnswer:
    """Cancel what is not loaded: all of it, for a producer its own part; quantity and room return at once."""
    order = await service.cancel(
        session,
        order_id=order_id,
        principal=principal,
        organization=cancellation.organization,
        reason=cancellation.reason,
        now=now,
    )
    return (await answers.orders(session, [order], principal, reference))[0]
