"""What payments say about a buyer's word with the hub."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.orders.models import Order
from app.parties import service as parties
from app.settlement import queries
from app.settlement.rules import is_paid_on_time


async def judge_settled(session: AsyncSession, order: Order, *, now: datetime) -> None:
    """Count an order that is settled, locked by the caller, in the record of its buyer.

    One that was counted as overdue is not counted again; it turns out on time where the bank had booked the payment in
    time and the hub recorded it later.
    """
    on_time = is_paid_on_time(*await queries.bills_and_payments(session, order.id))
    if order.buyer_judged_at is None:
        await parties.keep_record(session, organization_id=order.buyer_id, on_time=on_time)
        order.buyer_judged_at = now
    elif on_time:
        await parties.clear_record(session, organization_id=order.buyer_id)
    await session.flush()


async def judge_overdue(session: AsyncSession, *, order_id: UUID, now: datetime) -> None:
    """Count an order that its buyer has not paid in time, once: who never pays has a record too."""
    order = await rows.lock(session, Order, order_id)
    if order.buyer_judged_at is not None:
        return
    await parties.keep_record(session, organization_id=order.buyer_id, on_time=False)
    order.buyer_judged_at = now
    await session.flush()
