"""What deliveries say about a producer's word with the hub."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.orders import queries as orders
from app.orders.models import Order, OrderLine
from app.parties.service import keep_record
from app.shipments import queries
from app.shipments.models import ReceiptLine
from app.shipments.standing import arrival_day


async def judge(session: AsyncSession, *, order_id: UUID, now: datetime) -> None:
    """Count a delivered order in the record of its producers, once, when all its receipts are final.

    Each answers for its own goods only. On time is what came by the promised day and in full: nothing of it was cut
    from the order, no receipt pays less than was loaded. Refused is what was, beyond the tolerance, sent back.
    """
    order = await rows.lock(session, Order, order_id)
    if order.judged_at is not None:
        return
    lines = (await orders.lines_of(session, [order_id]))[order_id]
    receipts = await queries.receipts_of(session, order_ids=[order_id])
    paid = await queries.receipt_lines(session, [receipt.id for receipt in receipts])
    late = {receipt.id for receipt in receipts if await arrival_day(session, receipt, order) > order.arrives_on}
    for producer in sorted({line.producer_id for line in lines if line.quantity or line.cut_quantity}):
        own = [line for line in lines if line.producer_id == producer]
        came = [(receipt, line) for receipt in receipts for line in _of(own, paid[receipt.id])]
        short = [receipt for receipt, line in came if line.payable_g < line.loaded_g]
        is_whole = not short and not any(line.cut_quantity for line in own)
        on_time = is_whole and not any(receipt.id in late for receipt, _ in came)
        refused = any(receipt.refused_g for receipt in short)
        await keep_record(session, organization_id=producer, on_time=on_time, refused=refused)
    order.judged_at = now
    await session.flush()


def _of(own: Sequence[OrderLine], paid: Sequence[ReceiptLine]) -> list[ReceiptLine]:
    keys = {line.id for line in own}
    return [line for line in paid if line.order_line_id in keys]
