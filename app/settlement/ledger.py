"""Writing the ledger: transfers, set-offs, shares. Whoever calls holds the accounts it moves."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.ids import new_id
from app.settlement import queries
from app.settlement.accounts import Owner, lock_orders, opened
from app.settlement.models import Payment, Share, Transfer
from app.settlement.rules import AccountKind, Direction, Kind, spend, split


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer to be written."""

    kind: Kind
    debit_id: UUID
    credit_id: UUID
    amount_idr: int
    order_id: UUID | None
    order_line_id: UUID | None = None
    receipt_id: UUID | None = None
    payment_id: UUID | None = None


async def write(session: AsyncSession, moves: Iterable[Move], *, at: datetime) -> None:
    """Write transfers."""
    rows = [{"at": at, **asdict(move)} for move in moves]
    if rows:
        await session.execute(insert(Transfer), rows)


async def bank_of(session: AsyncSession, hub: str) -> UUID:
    """Return the hub's bank account."""
    owner = Owner(hub, AccountKind.BANK)
    return (await opened(session, [owner]))[owner]


async def pay(
    session: AsyncSession, payment: Payment, *, incoming: Mapping[UUID | None, int], outgoing: Mapping[UUID | None, int]
) -> None:
    """Record a payment and its transfers by order: `incoming` lessens what the account owes, `outgoing` adds to it.

    A payment that comes in has no outgoing part, one that goes out no incoming; a set-off has both, equal.
    """
    await lock_orders(session, (order_id for order_id in (*incoming, *outgoing) if order_id is not None))
    session.add(payment)
    await session.flush()
    bank = await bank_of(session, payment.hub)
    account = payment.account_id
    set_off = payment.direction == Direction.SET_OFF
    moves = [
        Move(Kind.SET_OFF if set_off else Kind.PAID_OUT, account, bank, part, order_id, payment_id=payment.id)
        for order_id, part in outgoing.items()
    ] + [
        Move(Kind.SET_OFF if set_off else Kind.PAID_IN, bank, account, part, order_id, payment_id=payment.id)
        for order_id, part in incoming.items()
    ]
    await write(session, moves, at=payment.created_at)


async def set_off(
    session: AsyncSession,
    *,
    hub: str,
    account_id: UUID,
    owed_to: Mapping[UUID | None, int],
    owed_by: Mapping[UUID | None, int],
    day: date,
    now: datetime,
) -> set[UUID]:
    """Let what an account is owed meet what it owes, by order and without money; return the orders touched."""
    amount = min(sum(owed_to.values()), sum(owed_by.values()))
    if amount <= 0:
        return set()
    outgoing, _ = spend(amount, list(owed_to.items()))
    incoming, _ = spend(amount, list(owed_by.items()))
    payment = Payment(
        id=new_id(),
        hub=hub,
        direction=Direction.SET_OFF,
        account_id=account_id,
        amount_idr=amount,
        day=day,
        source="worker",
        created_at=now,
    )
    await pay(session, payment, incoming=incoming, outgoing=outgoing)
    return {order_id for order_id in (*outgoing, *incoming) if order_id is not None}


async def share_out(session: AsyncSession, order_id: UUID, *, at: datetime) -> None:
    """Split what is paid of an order's bills, and not shared yet, over its payees: the written rule.

    1. Payments are taken in the order in which they came, each as far as it is not shared.
    2. Together they are shared as far as bills stand: what is paid ahead waits for the next bill.
    3. Each part is split in proportion to what is due and not shared yet (`rules.split`), accounts in order of ids.
    """
    received = await queries.received(session, order_id)
    by_payment, by_account = Counter[UUID](), Counter[UUID]()
    for share in await queries.shares_of(session, order_id):
        by_payment[share.payment_id] += share.amount_idr
        by_account[share.account_id] += share.amount_idr
    left = min(sum(received.values()), await queries.billed(session, order_id)) - by_payment.total()
    dues = await queries.payees(session, order_id)
    open_ = {account_id: max(0, due - by_account[account_id]) for account_id, due in dues.items()}
    rows = []
    for payment_id, amount in received.items():
        part = min(left, amount - by_payment[payment_id])
        if part <= 0:
            continue
        left -= part
        for account_id, share_idr in split(part, open_).items():
            open_[account_id] -= share_idr
            rows.append(
                {
                    "at": at,
                    "payment_id": payment_id,
                    "order_id": order_id,
                    "account_id": account_id,
                    "amount_idr": share_idr,
                }
            )
    if rows:
        await session.execute(insert(Share), rows)
