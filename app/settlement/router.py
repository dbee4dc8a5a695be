"""HTTP of settlements, payments, statements of parties and bank statements."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import select

from app.catalog.router import ReferenceData
from app.kit import rows
from app.kit.auth import HubOnly, Trader
from app.kit.clock import local_day
from app.kit.http import CREATES, KEYED, documented, router
from app.kit.paging import Listed, Page, SortKey, day, fetch_page, instant, sort_key
from app.kit.problems import NotFound, UnsupportedMediaType, invalid
from app.kit.sessions import Now, Session
from app.kit.text import Text, preferred_language
from app.kit.validation import Day
from app.orders import queries as orders
from app.outbox.events import actor_of
from app.settlement import answers, bank_statements, reading, service
from app.settlement.errors import LineMatched, MoreThanDue, ReferenceUsed
from app.settlement.models import Account, BankLine, BankStatement, Payment
from app.settlement.schemas import (
    BankLineAnswer,
    BankStatementAnswer,
    Direction,
    PaymentAnswer,
    PaymentDraft,
    SettlementAnswer,
    StatementAnswer,
)

api = router("settlement")

PAYMENT_SORT = {"created_at": SortKey(Payment.created_at, instant), "on": SortKey(Payment.day, day)}
STATEMENT_SORT = {"kind": SortKey(Account.kind, str)}
UPLOAD_SORT = {"created_at": SortKey(BankStatement.created_at, instant)}
LINE_SORT = {"row": SortKey(BankLine.number, int)}
#: days that a statement spans at most, and that a payment may lie back
LONGEST_DAYS = 400
CSV_BODY = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@api.get("/orders/{order_id}/settlement", responses=documented(*KEYED, NotFound))
async def get_settlement(session: Session, principal: Trader, order_id: UUID, request: Request) -> SettlementAnswer:
    """Read what an order's buyer owes and has paid, and what each payee is due, shared and paid."""
    order = await orders.one(session, order_id, principal)
    language = preferred_language(request.headers.get("accept-language"))
    return await answers.settlement(session, order, principal, language=language)


@api.get("/statements", responses=documented(*KEYED))
async def list_statements(
    session: Session,
    principal: Trader,
    page: Page,
    reference: ReferenceData,
    now: Now,
    request: Request,
    organization: Annotated[list[UUID] | None, Query(max_length=50, description="for the hub")] = None,
    from_: Annotated[Day | None, Query(alias="from", description="default: the first of the month")] = None,
    until: Annotated[Day | None, Query(description="default: today")] = None,
) -> Listed[StatementAnswer]:
    """List accounts over a period: your own, the hub's are all at its hub, the bank's too."""
    timezone = reference.regions[principal.hub].timezone
    today = local_day(now, timezone)
    last = until or max(today, from_ or today)
    first = from_ or last.replace(day=1)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise invalid(
            "until",
            "period",
            Text("until tidak boleh sebelum from; paling lama 400 hari.", "until is before from, or over 400 days on."),
        )
    statement = reading.accounts(principal, organizations=organization or ())
    key, _ = sort_key("kind", STATEMENT_SORT)
    found, following = await fetch_page(session, statement, page, key=key, descending=False, tie=Account.id)
    language = preferred_language(request.headers.get("accept-language"))
    items = await answers.statements(session, found, first=first, last=last, timezone=timezone, language=language)
    return Listed(items=items, next=following)


@api.get("/payments", responses=documented(*KEYED))
async def list_payments(
    session: Session,
    principal: Trader,
    page: Page,
    organization: Annotated[list[UUID] | None, Query(max_length=50)] = None,
    direction: Annotated[list[Direction] | None, Query(max_length=3)] = None,
    on_from: Day | None = None,
    on_until: Day | None = None,
    sort: str = "-created_at",
) -> Listed[PaymentAnswer]:
    """List recorded payments: your own, the hub all at its hub."""
    key, descending = sort_key(sort, PAYMENT_SORT)
    statement = reading.payments(
        principal, organizations=organization or (), directions=direction or (), first=on_from, last=on_until
    )
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=Payment.id)
    return Listed(items=await answers.payments(session, found), next=following)


@api.post(
    "/payments",
    status_code=201,
    responses=documented(*CREATES, NotFound, MoreThanDue, ReferenceUsed, LineMatched),
)
async def post_payment(
    session: Session, principal: HubOnly, draft: PaymentDraft, reference: ReferenceData, now: Now
) -> PaymentAnswer:
    """Record that a buyer paid, or that a payee was paid. What a buyer pays is split over its orders' payees."""
    today = local_day(now, reference.regions[principal.region].timezone)
    line = await service.open_line(session, principal, draft.bank_line, _signed(draft)) if draft.bank_line else None
    booked = service.Booked(
        hub=principal.region,
        amount_idr=draft.amount_idr,
        day=line.day if line is not None else _booked_on(draft.on, today),
        reference=draft.reference,
        note=draft.note,
        source="hub" if line is None else "bank_statement",
        actor=actor_of(principal),
        now=now,
    )
    if draft.direction == "out":
        account = await service.payee(
            session, hub=principal.region, account_id=draft.account, organization_id=draft.organization
        )
        payment = await service.pay_out(session, booked, account=account, order_ids=draft.orders, bank_line=line)
    else:
        buyer_id = await service.payer(session, principal, organization_id=draft.organization, order_ids=draft.orders)
        payment = await service.pay_in(session, booked, buyer_id=buyer_id, order_ids=draft.orders, bank_line=line)
    return (await answers.payments(session, [payment]))[0]


def _signed(draft: PaymentDraft) -> int:
    return draft.amount_idr if draft.direction == "in" else -draft.amount_idr


def _booked_on(on: date | None, today: date) -> date:
    if on is not None and not today - timedelta(days=LONGEST_DAYS) <= on <= today:
        detail = Text("Paling lama 400 hari lalu, tidak di masa depan.", "At most 400 days ago, and not in the future.")
        raise invalid("/on", "out_of_range", detail)
    return on or today


@api.get("/bank-statements", responses=documented(*KEYED))
async def list_bank_statements(
    session: Session, principal: HubOnly, page: Page, sort: str = "-created_at"
) -> Listed[BankStatementAnswer]:
    """List uploaded bank statements."""
    key, descending = sort_key(sort, UPLOAD_SORT)
    statement = select(BankStatement).where(BankStatement.hub == principal.region)
    found, following = await fetch_page(session, statement, page, key=key, descending=descending, tie=BankStatement.id)
    return Listed(items=await answers.bank_statements(session, found), next=following)


@api.post(
    "/bank-statements",
    status_code=201,
    responses=documented(*CREATES),
    openapi_extra=CSV_BODY,
)
async def post_bank_statement(
    request: Request, session: Session, principal: HubOnly, response: Response, now: Now
) -> BankStatementAnswer:
    """Upload a bank statement as CSV: what is sure becomes payments, the rest waits with its reason.

    Uploading it again adds nothing.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise UnsupportedMediaType(Text("Kirim isi sebagai text/csv.", "Send the body as text/csv."))
    taken = await bank_statements.take_in(session, content=await request.body(), principal=principal, now=now)
    response.headers["location"] = f"/v1/bank-statements/{taken.id}/unmatched"
    return (await answers.bank_statements(session, [taken]))[0]


@api.get("/bank-statements/{statement_id}/unmatched", responses=documented(*KEYED, NotFound))
async def list_unmatched_bookings(
    session: Session, principal: HubOnly, statement_id: UUID, page: Page, sort: str = "row"
) -> Listed[BankLineAnswer]:
    """List the bookings that no payment was found for, with the reason and orders that they may be about."""
    statement = await rows.find(session, BankStatement, statement_id)
    if statement.hub != principal.region:
        raise NotFound
    key, descending = sort_key(sort, LINE_SORT)
    unmatched = select(BankLine).where(BankLine.statement_id == statement_id, BankLine.payment_id.is_(None))
    found, following = await fetch_page(session, unmatched, page, key=key, descending=descending, tie=BankLine.id)
    return Listed(items=[answers.bank_line(line) for line in found], next=following)
