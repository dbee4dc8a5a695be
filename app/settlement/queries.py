"""Reading the ledger."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Row, and_, case, cast, exists, func, literal, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Commodity
from app.lanes.models import Departure
from app.listings.models import Listing
from app.orders.models import Order, OrderLine
from app.regions.models import Region
from app.settlement.bank_match import Open, Typed
from app.settlement.models import Account, Bill, Payment, Share, Transfer
from app.settlement.rules import PAYEES, still_open
from app.shipments.models import Receipt, ReceiptLine, Shipment

#: states of orders in which money may still move by itself; there is an index of them, so that rounds stay short
UNSETTLED = ("scheduled", "in_transit", "delivered")


async def receipts_to_bill(session: AsyncSession, *, limit: int = 100) -> Sequence[UUID]:
    """Return final receipts without a bill, the oldest first."""
    billed = exists().where(Bill.receipt_id == Receipt.id)
    statement = (
        select(Receipt.id)
        .join(Order, Order.id == Receipt.order_id)
        .where(Order.status.in_(UNSETTLED), Receipt.final_at.is_not(None), ~billed)
        .order_by(Receipt.final_at, Receipt.id)
    )
    return (await session.scalars(statement.limit(limit))).all()


#: ReceiptLine, OrderLine, Order, region, lane_id, unit_weight_g
BillRow = Row[*tuple[Any, ...]]


async def lines_to_bill(session: AsyncSession, receipt_id: UUID) -> Sequence[BillRow]:
    """Return what a final receipt says of each order line, with its prices, unit weight and producing region.

    The lane is the one that carried it, wherever it was ordered: who drove is who is paid.
    """
    statement = (
        select(ReceiptLine, OrderLine, Order, Listing.region, Departure.lane_id, Commodity.unit_weight_g)
        .join(OrderLine, OrderLine.id == ReceiptLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Listing, Listing.id == OrderLine.listing_id)
        .join(Commodity, Commodity.code == Order.commodity)
        .join(Receipt, Receipt.id == ReceiptLine.receipt_id)
        .join(Shipment, Shipment.id == Receipt.shipment_id)
        .outerjoin(Departure, Departure.id == Shipment.departure_id)
        .where(ReceiptLine.receipt_id == receipt_id)
        .order_by(OrderLine.id)
    )
    return (await session.execute(statement)).all()


def _moves(*, only_payments: bool = False, only_bills: bool = False) -> Any:
    """Return the ledger as two rows a transfer: what its debit account owes more, and its credit account less."""
    sides = []
    for account, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
        side = select(
            account.label("account_id"),
            Transfer.order_id,
            Transfer.payment_id,
            (Transfer.amount_idr * sign).label("amount_idr"),
        )
        if only_payments:
            side = side.where(Transfer.payment_id.is_not(None))
        if only_bills:
            side = side.where(Transfer.receipt_id.is_not(None))
        sides.append(side)
    return union_all(*sides).subquery()


async def balances(session: AsyncSession, account_id: UUID) -> dict[UUID | None, int]:
    """Return what an account owes for each order, below 0 what it is owed; under None what is for no order yet.

    The order that is due first comes first, by its first bill's day, then by its number.
    """
    moves = _moves()
    first_due = select(func.min(Bill.due_on)).where(Bill.order_id == Order.id).scalar_subquery()
    statement = (
        select(moves.c.order_id, func.sum(moves.c.amount_idr))
        .join(Order, Order.id == moves.c.order_id, isouter=True)
        .where(moves.c.account_id == account_id)
        .group_by(moves.c.order_id, Order.id, Order.number)
        .order_by(first_due.nulls_last(), Order.number)
    )
    return {order_id: int(owed) for order_id, owed in (await session.execute(statement)) if owed}


async def payees(session: AsyncSession, order_id: UUID) -> dict[UUID, int]:
    """Return what bills made due to each payee of an order, the hub's fee too, by account in the order of their ids."""
    moves = _moves(only_bills=True)
    statement = (
        select(Account.id, -func.sum(moves.c.amount_idr))
        .join(moves, moves.c.account_id == Account.id)
        .where(moves.c.order_id == order_id, Account.kind.in_([*PAYEES, "hub_fee"]))
        .group_by(Account.id)
        .order_by(Account.id)
    )
    return {account_id: int(due) for account_id, due in (await session.execute(statement))}


async def owed(session: AsyncSession, order_id: UUID) -> dict[UUID, tuple[str, int]]:
    """Return kind and balance of every account that an order touched, the bank's aside."""
    moves = _moves()
    statement = (
        select(Account.id, Account.kind, func.sum(moves.c.amount_idr))
        .join(moves, moves.c.account_id == Account.id)
        .where(moves.c.order_id == order_id, Account.kind != "bank")
        .group_by(Account.id)
        .order_by(Account.id)
    )
    return {key: (kind, int(balance)) for key, kind, balance in (await session.execute(statement))}


async def received(session: AsyncSession, order_id: UUID) -> dict[UUID, int]:
    """Return what each payment paid of an order, the first first; below 0 what a set-off took back."""
    moves = _moves(only_payments=True)
    statement = (
        select(moves.c.payment_id, -func.sum(moves.c.amount_idr))
        .join(Account, and_(Account.id == moves.c.account_id, Account.kind == "buyer"))
        .join(Payment, Payment.id == moves.c.payment_id)
        .where(moves.c.order_id == order_id)
        .group_by(moves.c.payment_id, Payment.created_at)
        .order_by(Payment.created_at, moves.c.payment_id)
    )
    return {payment_id: int(amount) for payment_id, amount in (await session.execute(statement))}


async def billed(session: AsyncSession, order_id: UUID) -> int:
    """Return the sum of an order's bills."""
    return int(await session.scalar(select(func.sum(Bill.amount_idr)).where(Bill.order_id == order_id)) or 0)


async def bills_of(session: AsyncSession, order_ids: Iterable[UUID]) -> Sequence[Bill]:
    """Return the bills of orders, the first due first."""
    statement = select(Bill).where(Bill.order_id.in_(list(order_ids))).order_by(Bill.due_on, Bill.receipt_id)
    return (await session.scalars(statement)).all()


async def shares_of(session: AsyncSession, order_id: UUID) -> Sequence[Share]:
    """Return the shares of an order, the first first."""
    return (await session.scalars(select(Share).where(Share.order_id == order_id).order_by(Share.id))).all()


async def bills_and_payments(
    session: AsyncSession, order_id: UUID
) -> tuple[list[tuple[date, int]], list[tuple[date, int]]]:
    """Return an order's bills by the day they are due, and what was paid of it by the day the bank booked it."""
    bills = [(bill.due_on, bill.amount_idr) for bill in await bills_of(session, [order_id])]
    paid = await received(session, order_id)
    days = await session.execute(select(Payment.id, Payment.day).where(Payment.id.in_(list(paid))))
    return bills, [(day, paid[payment_id]) for payment_id, day in days]


async def value(session: AsyncSession, order_id: UUID) -> int:
    """Return an order's ordered quantities at their delivered prices."""
    statement = select(func.sum(OrderLine.quantity * OrderLine.delivered_price_idr))
    return int(await session.scalar(statement.where(OrderLine.order_id == order_id)) or 0)


async def unbilled_receipts(session: AsyncSession, order_id: UUID) -> int:
    """Return how many receipts of an order have no bill yet."""
    statement = (
        select(func.count())
        .select_from(Receipt)
        .outerjoin(Bill, Bill.receipt_id == Receipt.id)
        .where(Receipt.order_id == order_id, Bill.receipt_id.is_(None))
    )
    return await session.scalar(statement) or 0


#: an order, named by the query around it, has a receipt without a bill
_HAS_UNBILLED = (
    select(literal(1))
    .select_from(Receipt)
    .outerjoin(Bill, Bill.receipt_id == Receipt.id)
    .where(Receipt.order_id == Order.id, Bill.receipt_id.is_(None))
    .exists()
)


async def orders_to_settle(
    session: AsyncSession, *, among: Collection[UUID] | None = None, limit: int = 100
) -> Sequence[UUID]:
    """Return orders that are delivered, billed, paid and paid out, whatever debt a producer is left with.

    `among`: only these, however many; else the first `limit` of all. What a producer owes after a loss stays on its
    account: it waits for no order.
    """
    which = () if among is None else (Order.id.in_(list(among)),)
    owed = _owed_by_account(Order.status == "delivered", ~_HAS_UNBILLED, *which)
    is_open = case((owed.c.kind == "buyer", owed.c.owed != 0), else_=owed.c.owed < 0)
    statement = select(owed.c.id).group_by(owed.c.id).having(~func.bool_or(is_open)).order_by(owed.c.id)
    return (await session.scalars(statement if among is not None else statement.limit(limit))).all()


async def overdue(session: AsyncSession, now: datetime, *, limit: int = 100) -> Sequence[UUID]:
    """Return orders that are in no record of their buyers yet and owe more than what is not due yet, local to them."""
    owed = _owed_by_account(Order.status.in_(UNSETTLED), Order.buyer_judged_at.is_(None))
    today = cast(func.timezone(Region.timezone, now), Date)
    not_due = (
        select(func.coalesce(func.sum(Bill.amount_idr), 0))
        .where(Bill.order_id == Order.id, Bill.due_on >= today)
        .scalar_subquery()
    )
    statement = (
        select(owed.c.id)
        .join(Order, Order.id == owed.c.id)
        .join(Region, Region.code == Order.region)
        .where(owed.c.kind == "buyer", owed.c.owed > not_due)
        .order_by(owed.c.id)
    )
    return (await session.scalars(statement.limit(limit))).all()


async def paid_beyond(session: AsyncSession, *, limit: int = 100) -> Sequence[UUID]:
    """Return orders that can have no further bill and hold more of their buyers' money than was billed."""
    is_over = or_(Order.status == "cancelled", and_(Order.status == "delivered", ~_HAS_UNBILLED))
    owed = _owed_by_account(is_over)
    statement = select(owed.c.id).where(owed.c.kind == "buyer", owed.c.owed < 0).order_by(owed.c.id)
    return (await session.scalars(statement.limit(limit))).all()


def _owed_by_account(*which: ColumnElement[bool]) -> Any:
    """Return what buyers and payees owe for some orders: id, kind, owed."""
    moves = _moves()
    return (
        select(Order.id, Account.kind, func.sum(moves.c.amount_idr).label("owed"))
        .join(moves, moves.c.order_id == Order.id)
        .join(Account, Account.id == moves.c.account_id)
        .where(Account.kind.in_([*PAYEES, "buyer"]), *which)
        .group_by(Order.id, Account.id)
        .subquery()
    )


async def billed_weights(session: AsyncSession, line_ids: Sequence[UUID]) -> Sequence[ReceiptLine]:
    """Return what billed receipts say of order lines, in the order of the bills."""
    statement = (
        select(ReceiptLine)
        .join(Bill, Bill.receipt_id == ReceiptLine.receipt_id)
        .where(ReceiptLine.order_line_id.in_(line_ids))
        .order_by(Bill.at, Bill.receipt_id, ReceiptLine.order_line_id)
    )
    return (await session.scalars(statement)).all()


_BUYERS = text("""
SELECT o.id AS order_id, o.number, o.buyer_id AS party_id, organization.name, moved.owed_idr, bills.billed_idr,
       lines.value_idr, o.status IN ('settled', 'cancelled') AS is_closed,
       o.status = 'delivered' AND NOT unbilled.any AS is_over
  FROM orders o
  JOIN organizations organization ON organization.id = o.buyer_id
  LEFT JOIN accounts a ON a.hub = o.hub AND a.kind = 'buyer' AND a.organization_id = o.buyer_id
 CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN t.debit_id = a.id THEN t.amount_idr ELSE -t.amount_idr END),
                                     0)::bigint AS owed_idr
                       FROM transfers t WHERE t.order_id = o.id AND a.id IN (t.debit_id, t.credit_id)) moved
 CROSS JOIN LATERAL (SELECT coalesce(sum(b.amount_idr), 0)::bigint AS billed_idr
                       FROM bills b WHERE b.order_id = o.id) bills
 CROSS JOIN LATERAL (SELECT coalesce(sum(l.quantity * l.delivered_price_idr), 0)::bigint AS value_idr
                       FROM order_lines l WHERE l.order_id = o.id) lines
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM receipts r LEFT JOIN bills b ON b.receipt_id = r.id
                                     WHERE r.order_id = o.id AND b.receipt_id IS NULL) AS any) unbilled
 WHERE o.hub = :hub AND (o.status NOT IN ('settled', 'cancelled') OR o.number = ANY(:numbers))
""")
_PAYEES = text("""
SELECT o.id AS order_id, o.number, a.id AS party_id, coalesce(organization.name, lane.code, region.name) AS name,
       sum(CASE WHEN t.debit_id = a.id THEN t.amount_idr ELSE -t.amount_idr END)::bigint AS open_idr
  FROM orders o
  JOIN transfers t ON t.order_id = o.id
  JOIN accounts a ON a.id IN (t.debit_id, t.credit_id) AND a.kind IN ('producer', 'carrier', 'collection')
  LEFT JOIN organizations organization ON organization.id = a.organization_id
  LEFT JOIN lanes lane ON lane.id = a.lane_id
  LEFT JOIN regions region ON region.code = a.region
 WHERE o.hub = :hub AND o.status NOT IN ('settled', 'cancelled')
 GROUP BY o.id, o.number, a.id, organization.name, lane.code, region.name
HAVING sum(CASE WHEN t.debit_id = a.id THEN t.amount_idr ELSE -t.amount_idr END) < 0
""")


async def opens(session: AsyncSession, hub: str, numbers: Sequence[str]) -> list[Open]:
    """Return what is open with each party of the hub's orders, and of those with these numbers, open or not."""
    buyers = await session.execute(_BUYERS, {"hub": hub, "numbers": list(numbers)})
    payees = await session.execute(_PAYEES, {"hub": hub})
    found = [*map(_open_with_buyer, buyers), *(Open(*row) for row in payees)]
    return sorted(found, key=lambda one: (one.number, one.party_id))


def _open_with_buyer(row: Row[*tuple[Any, ...]]) -> Open:
    still = still_open(over=row.is_over, owed_idr=row.owed_idr, billed_idr=row.billed_idr, value_idr=row.value_idr)
    return Open(row.order_id, row.number, row.party_id, row.name, 0 if row.is_closed else max(0, still))


_TYPED = text("""
SELECT p.id AS payment_id, p.day, CASE p.direction WHEN 'in' THEN p.amount_idr ELSE -p.amount_idr END AS amount_idr,
       coalesce(organization.name, lane.code, region.name) AS name,
       array_remove(array_agg(DISTINCT o.number), NULL) AS numbers
  FROM payments p
  JOIN accounts a ON a.id = p.account_id
  LEFT JOIN organizations organization ON organization.id = a.organization_id
  LEFT JOIN lanes lane ON lane.id = a.lane_id
  LEFT JOIN regions region ON region.code = a.region
  LEFT JOIN transfers t ON t.payment_id = p.id
  LEFT JOIN orders o ON o.id = t.order_id
 WHERE p.hub = :hub AND p.source = 'hub' AND p.day BETWEEN :first AND :last
   AND NOT EXISTS (SELECT FROM bank_lines line WHERE line.payment_id = p.id)
 GROUP BY p.id, organization.name, lane.code, region.name
 ORDER BY p.id
""")


async def typed(session: AsyncSession, hub: str, *, first: date, last: date) -> list[Typed]:
    """Return payments that the hub typed in for these days, and that no booking belongs to yet."""
    found = await session.execute(_TYPED, {"hub": hub, "first": first, "last": last})
    return [Typed(row.payment_id, row.day, row.amount_idr, row.name, tuple(row.numbers)) for row in found]
