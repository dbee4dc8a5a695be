"""Accounts: opened when they are first needed, locked in one order by whoever moves their money."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.ids import new_id
from app.orders.models import Order
from app.settlement.models import Account
from app.settlement.rules import AccountKind


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose account it is: one of the three names it, the hub's own have none."""

    hub: str
    kind: AccountKind
    organization_id: UUID | None = None
    lane_id: UUID | None = None
    region: str | None = None


async def opened(session: AsyncSession, owners: Iterable[Owner]) -> dict[Owner, UUID]:
    """Return the accounts of these owners, opened where they had none."""
    wanted = sorted(set(owners), key=repr)
    rows = [{"id": new_id(), **asdict(owner)} for owner in wanted]
    await session.execute(insert(Account).on_conflict_do_nothing(constraint="uq_accounts_owner"), rows)
    found = await session.scalars(select(Account).where(or_(*map(_belongs_to, wanted))))
    return {owner_of(account): account.id for account in found}


def _belongs_to(owner: Owner) -> ColumnElement[bool]:
    return and_(*(getattr(Account, name).is_not_distinct_from(value) for name, value in asdict(owner).items()))


def owner_of(account: Account) -> Owner:
    """Return whose account it is."""
    return Owner(account.hub, AccountKind(account.kind), account.organization_id, account.lane_id, account.region)


async def lock(session: AsyncSession, account_ids: Iterable[UUID]) -> None:
    """Hold accounts until the transaction ends, in the order of their ids: nobody else moves their money meanwhile.

    Everybody locks accounts before orders, and the bank's never: all payments would wait for each other.
    """
    await _lock(session, Account, account_ids)


async def lock_orders(session: AsyncSession, order_ids: Iterable[UUID]) -> None:
    """Hold orders until the transaction ends, in the order of their ids, before anything is written about them."""
    await _lock(session, Order, order_ids)


async def _lock(session: AsyncSession, model: type[Account | Order], ids: Iterable[UUID]) -> None:
    # not FOR UPDATE: that would also wait for those who only write a row that refers to it
    held = select(model.id).where(model.id.in_(sorted(set(ids)))).order_by(model.id).with_for_update(key_share=True)
    await session.execute(held)
