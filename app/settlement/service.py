"""Use cases of money: bill what is final, record payments, settle what is paid and paid out.

Locks: accounts by id, then orders by id. Money of an account moves only while it is held, so that two payments at once
never pay the same due.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound, invalid
from app.kit.text import Text
from app.orders import queries as order_queries
from app.orders import service as orders
from app.orders.models import Order, OrderLine
from app.outbox.events import WORKER, Actor, Event
from app.outbox.service import record
from app.parties import service as parties
from app.regions.models import Region
from app.settlement import queries, records
from app.settlement.accounts import Owner, lock, lock_orders, opened
from app.settlement.errors import LineMatched, MoreThanDue
from app.settlement.ledger import Move, pay, set_off, share_out, write
from app.settlement.models import Account, BankLine, Bill, Payment
from app.settlement.rules import (
    AccountKind,
    Direction,
    Prices,
    bill_line,
    due_on,
    spend,
    still_open,
)
from app.shipments.models import Receipt


async def bill(session: AsyncSession, *, receipt_id: UUID, fee_permille: int, now: datetime) -> bool:
    """Bill a final receipt; tell whether it was not billed yet.

    1. Open and hold the accounts of its parties.
    2. Write the bill and the transfers of each line.
    3. Let the buyer's credit meet the bill, and a producer's debt what is due to it.
    4. Share out what was paid ahead, settle what is complete.
    """
    lines = await queries.lines_to_bill(session, receipt_id)
    receipt, order = await rows.find(session, Receipt, receipt_id), lines[0].Order
    owners = [_owners(row) for row in lines]
    accounts = await opened(session, {owner for own in owners for owner in own.values()})
    await lock(session, accounts.values())
    if await session.get(Bill, receipt_id) is not None:
        return False
    await lock_orders(session, [order.id])
    moves = [
        Move(
            entry.kind,
            accounts[own[entry.debit]],
            accounts[own[entry.credit]],
            entry.amount_idr,
            order.id,
            order_line_id=row.OrderLine.id,
            receipt_id=receipt_id,
        )
        for row, own in zip(lines, owners, strict=True)
        for entry in bill_line(
            loaded_g=row.ReceiptLine.loaded_g,
            payable_g=row.ReceiptLine.payable_g,
            unit_weight_g=row.unit_weight_g,
            prices=_prices(row.OrderLine),
            fee_permille=fee_permille,
        )
    ]
    buyer = accounts[Owner(order.hub, AccountKind.BUYER, order.buyer_id)]
    await _issue(session, order, receipt, sum(move.amount_idr for move in moves if move.debit_id == buyer), now)
    await write(session, moves, at=now)
    touched = {order.id}
    for owner, account_id in accounts.items():
        if owner.kind in (AccountKind.BUYER, AccountKind.PRODUCER):
            touched |= await _meet(session, order.hub, owner.kind, account_id, now)
    await _finish(session, touched, now)
    return True


def _owners(row: queries.BillRow) -> dict[AccountKind, Owner]:
    hub = row.Order.hub
    return {
        AccountKind.BUYER: Owner(hub, AccountKind.BUYER, row.Order.buyer_id),
        AccountKind.PRODUCER: Owner(hub, AccountKind.PRODUCER, row.OrderLine.producer_id),
        AccountKind.COLLECTION: Owner(hub, AccountKind.COLLECTION, region=row.region),
        AccountKind.HUB_FEE: Owner(hub, AccountKind.HUB_FEE),
    } | ({AccountKind.CARRIER: Owner(hub, AccountKind.CARRIER, lane_id=row.lane_id)} if row.lane_id else {})


def _prices(line: OrderLine) -> Prices:
    return Prices(line.producer_price_idr, line.collection_idr, line.freight_idr, line.scarcity_idr)


async def _issue(session: AsyncSession, order: Order, receipt: Receipt, amount_idr: int, now: datetime) -> None:
    timezone = (await rows.find(session, Region, order.region)).timezone
    due = due_on(order.payment_terms, local_day(receipt.received_at, timezone))
    values = {"receipt_id": receipt.id, "order_id": order.id, "amount_idr": amount_idr, "due_on": due, "at": now}
    await session.execute(insert(Bill), [values])
    facts = {"number": order.number, "receipt_id": str(receipt.id), "amount_idr": amount_idr, "due_on": str(due)}
    await record(session, Event("bill.issued", order.id, (order.buyer_id,), now, WORKER, facts))


async def _meet(session: AsyncSession, hub: str, kind: AccountKind, account_id: UUID, now: datetime) -> set[UUID]:
    """Let what an account is owed meet what it owes; return the orders touched.

    A buyer's money for an order that is not billed yet stays with that order: only its credit is free.
    """
    owed = await queries.balances(session, account_id)
    owed_by = {key: owes for key, owes in owed.items() if owes > 0}
    owed_to = {key: -owes for key, owes in owed.items() if owes < 0 and (kind != AccountKind.BUYER or key is None)}
    today = await _hub_day(session, hub, now)
    return await set_off(session, hub=hub, account_id=account_id, owed_to=owed_to, owed_by=owed_by, day=today, now=now)


async def _hub_day(session: AsyncSession, hub: str, now: datetime) -> date:
    return local_day(now, (await rows.find(session, Region, hub)).timezone)


@dataclass(frozen=True, slots=True)
class Booked:
    """What is recorded of a payment besides its direction and account."""

    hub: str
    amount_idr: int
    day: date
    reference: str | None
    note: str | None
    source: str
    actor: Actor
    now: datetime

    def told_for(self, party_id: UUID | None) -> Actor:
        """Return who records it, and for whom, however the party was named."""
        return replace(self.actor, principal_id=party_id)

    def payment(self, direction: Direction, account_id: UUID) -> Payment:
        """Return the row."""
        return Payment(
            id=new_id(),
            hub=self.hub,
            direction=direction,
            account_id=account_id,
            amount_idr=self.amount_idr,
            day=self.day,
            reference=self.reference,
            note=self.note,
            source=self.source,
            recorded_by=self.actor.organization_id,
            created_at=self.now,
        )


async def pay_in(
    session: AsyncSession, booked: Booked, *, buyer_id: UUID, order_ids: Sequence[UUID], bank_line: BankLine | None
) -> Payment:
    """Record what a buyer paid.

    1. It pays the orders that are named, each up to what is open, or expected where it is not all billed.
    2. Then the open bills, the oldest due first. What is left stays as the buyer's credit and meets the next bill.
    3. What it paid of bills is shared out to the payees.

    Raises Invalid (422) naming /orders for an order that is not the buyer's, ReferenceUsed (409), LineMatched (409).
    """
    owner = Owner(booked.hub, AccountKind.BUYER, buyer_id)
    account_id = (await opened(session, [owner]))[owner]
    await lock(session, [account_id])
    owed = await queries.balances(session, account_id)
    named = [(key, await _open(session, key, owner, owed)) for key in dict.fromkeys(order_ids)]
    bills = [(key, owes) for key, owes in owed.items() if key is not None and key not in order_ids]
    parts, credit = spend(booked.amount_idr, [*named, *bills])
    incoming: dict[UUID | None, int] = {order_id: part for order_id, part in parts.items()}  # noqa: C416 - wider keys
    if credit:
        incoming[None] = credit
    payment = booked.payment(Direction.IN, account_id)
    await pay(session, payment, incoming=incoming, outgoing={})
    await _book_line(session, bank_line, payment)
    facts = {"amount_idr": booked.amount_idr, "credit_idr": credit, "orders": _written(parts)}
    await record(
        session, Event("payment.received", payment.id, (buyer_id,), booked.now, booked.told_for(buyer_id), facts)
    )
    await _finish(session, parts, booked.now)
    return payment


def _written(parts: dict[UUID, int]) -> dict[str, int]:
    return {str(order_id): part for order_id, part in parts.items()}


async def _open(session: AsyncSession, order_id: UUID, owner: Owner, owed: dict[UUID | None, int]) -> int:
    """Return what a named order still takes. Raises Invalid (422) naming /orders."""
    order = await session.get(Order, order_id)
    if order is None or (order.hub, order.buyer_id) != (owner.hub, owner.organization_id):
        raise invalid(
            "/orders", "unknown_order", Text("Bukan pesanan pembeli ini.", "It is not an order of this buyer.")
        )
    if order.status == "cancelled":
        raise invalid("/orders", "cancelled", Text("Pesanan ini sudah batal.", "This order is cancelled."))
    return still_open(
        over=order.status in ("delivered", "settled") and not await queries.unbilled_receipts(session, order_id),
        owed_idr=owed.get(order_id, 0),
        billed_idr=await queries.billed(session, order_id),
        value_idr=await queries.value(session, order_id),
    )


async def _book_line(session: AsyncSession, line: BankLine | None, payment: Payment) -> None:
    if line is not None:
        line.belongs_to(payment.id)
        await session.flush()


async def pay_out(
    session: AsyncSession, booked: Booked, *, account: Account, order_ids: Sequence[UUID], bank_line: BankLine | None
) -> Payment:
    """Record what was paid to a producer, carrier or collector, or back to a buyer from its credit.

    It pays the orders that are named, else the oldest due first; the hub may pay before the buyer has.
    Raises MoreThanDue (409), ReferenceUsed (409), LineMatched (409).
    """
    await lock(session, [account.id])
    is_buyer = account.kind == AccountKind.BUYER
    owed = await queries.balances(session, account.id)
    dues = [
        (key, -owes)
        for key, owes in owed.items()
        if owes < 0 and (key is None) == is_buyer and (not order_ids or key in order_ids)
    ]
    parts, left = spend(booked.amount_idr, dues)
    if left:
        due = sum(due for _, due in dues)
        raise MoreThanDue(Text(f"Yang masih harus dibayar Rp {due:,}.".replace(",", "."), f"Still due: Rp {due:,}."))
    payment = booked.payment(Direction.OUT, account.id)
    await pay(session, payment, incoming={}, outgoing=parts)
    await _book_line(session, bank_line, payment)
    orders_ = {key: part for key, part in parts.items() if key is not None}
    parties_ = () if account.organization_id is None else (account.organization_id,)
    facts = {"amount_idr": booked.amount_idr, "orders": _written(orders_)}
    actor = booked.told_for(account.organization_id)
    await record(session, Event("payment.sent", payment.id, parties_, booked.now, actor, facts))
    await _settle_complete(session, orders_, booked.now)
    return payment


async def pay_out_all(session: AsyncSession, booked: Booked, *, order_id: UUID) -> None:
    """Record that each payee of an order was paid what is due to it; the amount of `booked` does not matter.

    Raises what `pay_out` raises.
    """
    for account_id, (kind, owed) in (await queries.owed(session, order_id)).items():
        if kind not in (AccountKind.BUYER, AccountKind.HUB_FEE) and owed < 0:
            account = await session.get_one(Account, account_id)
            due = replace(booked, amount_idr=-owed)
            await pay_out(session, due, account=account, order_ids=[order_id], bank_line=None)


async def _finish(session: AsyncSession, order_ids: Iterable[UUID], now: datetime) -> None:
    """Share out what is paid of these orders, give back what was paid too much, settle what is complete.

    The accounts of their buyers are held.
    """
    waiting, seen = set(order_ids), set[UUID]()
    while waiting:
        order_id = min(waiting)
        waiting.discard(order_id)
        seen.add(order_id)
        await share_out(session, order_id, at=now)
        waiting |= await _give_back(session, order_id, now) - seen
    await _settle_complete(session, seen, now)


async def _give_back(session: AsyncSession, order_id: UUID, now: datetime) -> set[UUID]:
    """Turn what was paid beyond a complete order's bills into the buyer's credit, which meets open bills."""
    order = await rows.find(session, Order, order_id)
    if order.status not in ("delivered", "settled", "cancelled") or await queries.unbilled_receipts(session, order_id):
        return set()
    for account_id, (kind, owed) in (await queries.owed(session, order_id)).items():
        if kind == AccountKind.BUYER and owed < 0:
            today = await _hub_day(session, order.hub, now)
            ahead: dict[UUID | None, int] = {order_id: -owed}
            free: dict[UUID | None, int] = {None: -owed}
            await set_off(
                session, hub=order.hub, account_id=account_id, owed_to=ahead, owed_by=free, day=today, now=now
            )
            return await _meet(session, order.hub, AccountKind.BUYER, account_id, now)
    return set()


async def finish(session: AsyncSession, *, order_id: UUID, now: datetime) -> None:
    """Give back what was paid beyond an order's bills and settle it, where nothing else will come to do so."""
    order = await rows.find(session, Order, order_id)
    owner = Owner(order.hub, AccountKind.BUYER, order.buyer_id)
    await lock(session, (await opened(session, [owner])).values())
    await _finish(session, [order_id], now)


async def _settle_complete(session: AsyncSession, order_ids: Collection[UUID], now: datetime) -> None:
    """Settle those orders that are delivered, billed, paid in full and paid out."""
    await lock_orders(session, order_ids)
    for order_id in await queries.orders_to_settle(session, among=order_ids):
        order = await session.get_one(Order, order_id, populate_existing=True)
        await orders.settle(session, order=order, actor=WORKER, now=now)
        await records.judge_settled(session, order, now=now)


async def payee(session: AsyncSession, *, hub: str, account_id: UUID | None, organization_id: UUID | None) -> Account:
    """Return the account that a payment out goes to. Raises Invalid (422) naming what is missing or unknown."""
    if (account_id is None) == (organization_id is None):
        raise invalid(
            "/account",
            "payee",
            Text("Sebut account atau organization, salah satu.", "Name either the account or the organization."),
        )
    statement = select(Account).where(Account.hub == hub, Account.kind.not_in(("bank", "hub_fee")))
    if account_id is not None:
        statement = statement.where(Account.id == account_id)
    else:
        statement = statement.where(Account.organization_id == organization_id)
    found = (await session.scalars(statement)).one_or_none()
    if found is None:
        pointer = "/organization" if account_id is None else "/account"
        raise invalid(pointer, "no_account", Text("Belum ada yang harus dibayar.", "Nothing is due to it."))
    return found


async def payer(
    session: AsyncSession, principal: Principal, *, organization_id: UUID | None, order_ids: Sequence[UUID]
) -> UUID:
    """Return the buyer that a payment in is from: the one named, or the first named order's.

    Raises Invalid (422) naming what is missing or not a buyer of this hub, NotFound (404) for another hub's.
    """
    if organization_id is None and order_ids:
        return (await order_queries.one(session, order_ids[0], principal)).buyer_id
    if organization_id is None:
        detail = Text("Sebut pembeli atau pesanannya.", "Name the buyer or its orders.")
        raise invalid("/organization", "missing", detail)
    buyer = await parties.visible(session, organization_id=organization_id, principal=principal)
    if buyer.role != Role.BUYER:
        raise invalid("/organization", "wrong_role", Text("Harus pembeli.", "It must be a buyer."))
    return buyer.id


async def open_line(session: AsyncSession, principal: Principal, line_id: UUID, amount_idr: int) -> BankLine:
    """Return the booking that a payment is, locked. Raises NotFound (404), LineMatched (409), Invalid (422)."""
    line = await rows.lock(session, BankLine, line_id)
    if line.hub != principal.region:
        raise NotFound
    if line.payment_id is not None:
        raise LineMatched
    if line.amount_idr != amount_idr:
        detail = Text("Tidak sama dengan baris rekening koran.", "It is not the amount of the booking.")
        raise invalid("/amount_idr", "not_the_booking", detail)
    return line
