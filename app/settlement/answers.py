"""Money as each party may see it: a producer its own, a buyer its bill, the hub all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.principal import Principal
from app.kit.text import Text
from app.orders import queries as orders
from app.orders.models import Order, OrderLine
from app.parties import queries as parties
from app.settlement import benefit, queries, reading
from app.settlement.models import Account, BankLine, BankStatement, Payment, Share, Transfer
from app.settlement.rules import DEDUCTIONS, PAYEES, Direction, Kind, down_payment
from app.settlement.schemas import (
    BankLineAnswer,
    BankStatementAnswer,
    BenefitAnswer,
    BillAnswer,
    DeductionAnswer,
    OrderPayment,
    PayeeAnswer,
    PaymentAnswer,
    PaymentPart,
    ReferenceAnswer,
    SettledLine,
    SettlementAnswer,
    ShareAnswer,
    StatementAnswer,
    StatementLine,
)
from app.shipments.models import ReceiptLine

#: the written rule of `rules.split`, as statements show it
SPLIT_RULE = Text(
    "Setiap pembayaran dibagi kepada semua penerima pesanan sebanding dengan yang masih menjadi haknya: bagian rupiah"
    " bulat dulu, sisa rupiah satu-satu kepada pecahan terbesar, bila sama menurut nomor rekening buku.",
    "Each payment is split over all payees of its order in proportion to what is still due to them: whole rupiah"
    " first, then one rupiah each to the largest fractions, equal ones by the id of the account.",
)

Names = Mapping[UUID, tuple[Account, str]]


def _account(account_id: UUID, names: Names) -> dict[str, Any]:
    account, name = names[account_id]
    return {"account": account.id, "kind": account.kind, "organization": account.organization_id, "name": name}


async def payments(session: AsyncSession, found: Sequence[Payment]) -> list[PaymentAnswer]:
    """Return payments with what they are for."""
    names = await reading.names(session, {payment.account_id for payment in found})
    parts = await reading.parts(session, found)
    return [
        PaymentAnswer(
            **_account(payment.account_id, names),
            id=payment.id,
            direction=payment.direction,
            amount_idr=payment.amount_idr,
            on=payment.day,
            orders=[
                PaymentPart(order_id=order_id, number=number, amount_idr=amount)
                for order_id, number, amount in parts[payment.id]
            ],
            reference=payment.reference,
            note=payment.note,
            source=payment.source,
            created_at=payment.created_at,
        )
        for payment in found
    ]


async def statements(
    session: AsyncSession, found: Sequence[Account], *, first: date, last: date, timezone: str, language: str
) -> list[StatementAnswer]:
    """Return accounts over a period, days local to the hub."""
    ids = [account.id for account in found]
    names = await reading.names(session, ids)
    openings = await reading.openings(session, ids, before=first, timezone=timezone)
    lines = await reading.lines(session, ids, first=first, last=last, timezone=timezone)
    answers = []
    for account_id in ids:
        balance, told = openings.get(account_id, 0), []
        for row in lines.get(account_id, ()):
            balance += row.sign * row.amount_idr
            debit, credit = (row.amount_idr, 0) if row.sign > 0 else (0, row.amount_idr)
            told.append(
                StatementLine(
                    at=row.at,
                    kind=row.kind,
                    order_id=row.order_id,
                    number=row.number,
                    debit_idr=debit,
                    credit_idr=credit,
                    balance_idr=balance,
                )
            )
        answers.append(
            StatementAnswer(
                **_account(account_id, names),
                **{"from": first, "until": last},
                opening_idr=openings.get(account_id, 0),
                closing_idr=balance,
                lines=told,
                split_rule=SPLIT_RULE.read(language),
            )
        )
    return answers


async def settlement(session: AsyncSession, order: Order, principal: Principal, *, language: str) -> SettlementAnswer:
    """Return the money of an order that the caller may see."""
    lines = (await orders.lines_of(session, [order.id]))[order.id]
    is_buyer = principal.organization_id == order.buyer_id
    sees_bill = principal.is_hub or is_buyer
    if not sees_bill:
        lines = [line for line in lines if line.producer_id == principal.organization_id]
    told = {line.id for line in lines}
    transfers = await reading.order_transfers(session, order.id)
    bills = await queries.bills_of(session, [order.id])
    received = await queries.received(session, order.id)
    value = sum(line.quantity * line.delivered_price_idr for line in lines)
    billed, paid = sum(bill.amount_idr for bill in bills), sum(received.values())
    shares = await queries.shares_of(session, order.id)
    names = await reading.names(session, _accounts_of(transfers))
    mine = {
        key
        for key, (account, _) in names.items()
        if principal.is_hub or (not is_buyer and account.organization_id == principal.organization_id)
    }
    down = down_payment(value, order.down_payment_percent) if sees_bill else 0
    return SettlementAnswer(
        order_id=order.id,
        number=order.number,
        status=order.status,
        payment_terms=order.payment_terms,
        down_payment_idr=down,
        down_payment_due_on=order.departs_on if down else None,
        value_idr=value if sees_bill else None,
        billed_idr=billed if sees_bill else None,
        received_idr=paid if sees_bill else None,
        open_idr=billed - paid if sees_bill else None,
        due_on=_first_unpaid(bills, paid) if sees_bill else None,
        bills=[BillAnswer.model_validate(bill) for bill in bills] if sees_bill else [],
        lines=await _lines(session, lines, transfers, sees_deductions=not is_buyer),
        payees=[_payee(key, transfers, shares, names) for key in sorted(mine) if names[key][0].kind in _TOLD],
        payments=await _payments(session, received, shares, names, mine, sees_bill=sees_bill),
        benefit=[_benefit(row) for row in await benefit.of_order(session, order.id) if row.id in told],
        split_rule=SPLIT_RULE.read(language),
    )


_TOLD = (*PAYEES, "hub_fee")


def _accounts_of(transfers: Iterable[Transfer]) -> set[UUID]:
    return {key for transfer in transfers for key in (transfer.debit_id, transfer.credit_id)}


def _first_unpaid(bills: Sequence[Any], paid: int) -> date | None:
    for bill in bills:
        paid -= bill.amount_idr
        if paid < 0:
            due: date = bill.due_on
            return due
    return None


async def _lines(
    session: AsyncSession, lines: Sequence[OrderLine], transfers: Sequence[Transfer], *, sees_deductions: bool
) -> list[SettledLine]:
    amounts: dict[tuple[UUID, UUID], Counter[str]] = defaultdict(Counter)
    for transfer in transfers:
        if transfer.receipt_id is not None and transfer.order_line_id is not None:
            amounts[transfer.receipt_id, transfer.order_line_id][transfer.kind] += transfer.amount_idr
    by_id = {line.id: line for line in lines}
    producers = await parties.by_ids(session, {line.producer_id for line in lines})
    billed = await queries.billed_weights(session, list(by_id))
    return [
        _line(
            weight,
            by_id[weight.order_line_id],
            amounts[weight.receipt_id, weight.order_line_id],
            producers,
            sees_deductions=sees_deductions,
        )
        for weight in billed
    ]


def _line(
    weight: ReceiptLine,
    line: OrderLine,
    amounts: Counter[str],
    producers: Mapping[UUID, Any],
    *,
    sees_deductions: bool,
) -> SettledLine:
    deductions = [DeductionAnswer(kind=kind, amount_idr=amounts[kind]) for kind in DEDUCTIONS if amounts[kind]]
    gets = amounts[Kind.GOODS] + amounts[Kind.SCARCITY] - sum(one.amount_idr for one in deductions)
    return SettledLine(
        receipt_id=weight.receipt_id,
        order_line_id=line.id,
        producer=producers[line.producer_id].name,
        grade=line.grade,
        loaded_g=weight.loaded_g,
        payable_g=weight.payable_g,
        goods_idr=amounts[Kind.GOODS],
        scarcity_idr=amounts[Kind.SCARCITY],
        collection_idr=amounts[Kind.COLLECTION],
        freight_idr=amounts[Kind.FREIGHT],
        buyer_pays_idr=sum(amounts[kind] for kind in (Kind.GOODS, Kind.SCARCITY, Kind.COLLECTION, Kind.FREIGHT)),
        deductions=deductions if sees_deductions else None,
        producer_gets_idr=gets if sees_deductions else None,
    )


def _benefit(row: Any) -> BenefitAnswer:
    farm_gate, city = _reference(row, "farm_gate"), _reference(row, "city")
    return BenefitAnswer(
        order_line_id=row.id,
        match_id=row.match_id,
        quantity=row.quantity,
        farm_gate=farm_gate,
        farmer_gain_idr=row.quantity * (row.producer_price_idr - farm_gate.price_idr) if farm_gate else None,
        collection_idr=row.quantity * row.collection_idr,
        freight_idr=row.quantity * row.freight_idr,
        scarcity_idr=row.quantity * row.scarcity_idr,
        city=city,
        city_saving_idr=row.quantity * (city.price_idr - row.delivered_price_idr) if city else None,
    )


def _reference(row: Any, name: str) -> ReferenceAnswer | None:
    if getattr(row, f"{name}_id") is None:
        return None
    values = {field: getattr(row, f"{name}_{field}") for field in ("id", "kind", "level", "idr")}
    return ReferenceAnswer(
        price_reference=values["id"], kind=values["kind"], level=values["level"], price_idr=values["idr"]
    )


def _payee(account_id: UUID, transfers: Sequence[Transfer], shares: Sequence[Share], names: Names) -> PayeeAnswer:
    due = paid = 0
    for transfer in transfers:
        sign = (transfer.credit_id == account_id) - (transfer.debit_id == account_id)
        if transfer.receipt_id is not None:
            due += sign * transfer.amount_idr
        else:
            paid -= sign * transfer.amount_idr
    return PayeeAnswer(
        **_account(account_id, names),
        due_idr=due,
        shared_idr=sum(share.amount_idr for share in shares if share.account_id == account_id),
        paid_idr=paid,
        open_idr=due - paid,
    )


async def _payments(
    session: AsyncSession,
    received: Mapping[UUID, int],
    shares: Sequence[Share],
    names: Names,
    mine: set[UUID],
    *,
    sees_bill: bool,
) -> list[OrderPayment]:
    """Return what payments paid of an order, split as far as the caller may see; a producer sees its own share."""
    found = await reading.order_payments(session, received)
    answers = []
    for payment_id, amount in received.items():
        own = [share for share in shares if share.payment_id == payment_id and share.account_id in mine]
        if not sees_bill and not own:
            continue
        answers.append(
            OrderPayment(
                payment_id=payment_id,
                on=found[payment_id].day,
                direction=Direction(found[payment_id].direction),
                amount_idr=amount if sees_bill else sum(share.amount_idr for share in own),
                shares=[ShareAnswer(**_account(share.account_id, names), amount_idr=share.amount_idr) for share in own],
            )
        )
    return answers


async def bank_statements(session: AsyncSession, found: Sequence[BankStatement]) -> list[BankStatementAnswer]:
    """Return bank statements with how many of their bookings have a payment."""
    matched = await reading.matched_lines(session, [statement.id for statement in found])
    return [
        BankStatementAnswer(
            id=statement.id,
            first_on=statement.first_on,
            last_on=statement.last_on,
            lines=statement.lines,
            matched=matched.get(statement.id, 0),
            unmatched=statement.lines - statement.seen - matched.get(statement.id, 0),
            seen=statement.seen,
            created_at=statement.created_at,
        )
        for statement in found
    ]


def bank_line(line: BankLine) -> BankLineAnswer:
    """Return a booking without a payment."""
    return BankLineAnswer(
        id=line.id,
        row=line.number,
        on=line.day,
        description=line.description,
        amount_idr=line.amount_idr,
        reason=line.reason,
        suggestions=line.suggestions,
    )
