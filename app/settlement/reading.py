"""Reading what answers need: names of accounts, parts of payments, lines of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.principal import Principal
from app.lanes.models import Lane
from app.orders.models import Order
from app.parties.models import Organization
from app.regions.models import Region
from app.settlement.models import Account, BankLine, Payment, Transfer


def accounts(principal: Principal, *, organizations: Sequence[UUID] = ()) -> Select[Account]:
    """Return the select of the caller's accounts; the hub's are all at its hub."""
    if principal.is_hub:
        statement = select(Account).where(Account.hub == principal.region)
        return statement.where(Account.organization_id.in_(organizations)) if organizations else statement
    return select(Account).where(Account.organization_id == principal.organization_id)


async def names(session: AsyncSession, account_ids: Iterable[UUID]) -> dict[UUID, tuple[Account, str]]:
    """Return accounts with the names people know them by."""
    statement = (
        select(Account, func.coalesce(Organization.name, Lane.code, Region.name, Account.kind))
        .outerjoin(Organization, Organization.id == Account.organization_id)
        .outerjoin(Lane, Lane.id == Account.lane_id)
        .outerjoin(Region, Region.code == Account.region)
        .where(Account.id.in_(list(set(account_ids))))
    )
    return {account.id: (account, name) for account, name in (await session.execute(statement))}


def payments(
    principal: Principal,
    *,
    organizations: Sequence[UUID] = (),
    directions: Sequence[str] = (),
    first: date | None = None,
    last: date | None = None,
) -> Select[Payment]:
    """Return the select of the caller's payments by party, direction and day; the hub's are all at its hub."""
    statement = select(Payment)
    if principal.is_hub:
        statement = statement.where(Payment.hub == principal.region)
    else:
        mine = select(Account.id).where(Account.organization_id == principal.organization_id)
        statement = statement.where(Payment.account_id.in_(mine))
    if organizations:
        theirs = select(Account.id).where(Account.organization_id.in_(organizations))
        statement = statement.where(Payment.account_id.in_(theirs))
    if directions:
        statement = statement.where(Payment.direction.in_(directions))
    if first is not None:
        statement = statement.where(Payment.day >= first)
    if last is not None:
        statement = statement.where(Payment.day <= last)
    return statement


async def parts(
    session: AsyncSession, found: Sequence[Payment]
) -> Mapping[UUID, list[tuple[UUID | None, str | None, int]]]:
    """Return what payments are for: order, its number, rupiah. Of a set-off, what it paid."""
    by_payment: dict[UUID, list[tuple[UUID | None, str | None, int]]] = defaultdict(list)
    statement = (
        select(Transfer.payment_id, Transfer.order_id, Order.number, Transfer.amount_idr)
        .join(Payment, Payment.id == Transfer.payment_id)
        .outerjoin(Order, Order.id == Transfer.order_id)
        .where(
            Payment.id.in_([payment.id for payment in found]),
            or_(Payment.direction != "set_off", Transfer.credit_id == Payment.account_id),
        )
        .order_by(Transfer.id)
    )
    for payment_id, order_id, number, amount in await session.execute(statement):
        by_payment[payment_id].append((order_id, number, amount))  # type: ignore[index]  # it has a payment
    return by_payment


def _instant(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(timezone))


async def openings(
    session: AsyncSession, account_ids: Sequence[UUID], *, before: date, timezone: str
) -> Mapping[UUID, int]:
    """Return what accounts owed when a local day began."""
    sums: dict[UUID, int] = defaultdict(int)
    for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
        statement = (
            select(column, func.sum(Transfer.amount_idr))
            .where(column.in_(account_ids), Transfer.at < _instant(before, timezone))
            .group_by(column)
        )
        for account_id, amount in await session.execute(statement):
            sums[account_id] += sign * int(amount)
    return sums


async def lines(
    session: AsyncSession, account_ids: Sequence[UUID], *, first: date, last: date, timezone: str
) -> Mapping[UUID, list[Row[*tuple[Any, ...]]]]:
    """Return the transfers of accounts on local days, the first first, once a side: account_id, sign, kind, ..."""
    by_account: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    statement = (
        select(
            Account.id.label("account_id"),
            case((Transfer.debit_id == Account.id, 1), else_=-1).label("sign"),
            Transfer.at,
            Transfer.kind,
            Transfer.order_id,
            Order.number,
            Transfer.amount_idr,
        )
        .join(Account, or_(Account.id == Transfer.debit_id, Account.id == Transfer.credit_id))
        .outerjoin(Order, Order.id == Transfer.order_id)
        .where(
            Account.id.in_(account_ids),
            Transfer.at >= _instant(first, timezone),
            Transfer.at < _instant(last + timedelta(days=1), timezone),
        )
        .order_by(Transfer.id)
    )
    for row in await session.execute(statement):
        by_account[row.account_id].append(row)
    return by_account


async def order_transfers(session: AsyncSession, order_id: UUID) -> Sequence[Transfer]:
    """Return the transfers of an order, the first first."""
    return (await session.scalars(select(Transfer).where(Transfer.order_id == order_id).order_by(Transfer.id))).all()


async def order_payments(session: AsyncSession, payment_ids: Iterable[UUID]) -> Mapping[UUID, Payment]:
    """Return payments by id."""
    found = await session.scalars(select(Payment).where(Payment.id.in_(list(payment_ids))))
    return {payment.id: payment for payment in found}


async def matched_lines(session: AsyncSession, statement_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Return how many bookings of bank statements have their payment."""
    statement = (
        select(BankLine.statement_id, func.count())
        .where(and_(BankLine.statement_id.in_(statement_ids), BankLine.payment_id.is_not(None)))
        .group_by(BankLine.statement_id)
    )
    return dict((await session.execute(statement)).all())
