"""What deliveries say about a producer's word with the hub."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.orders import queries as orders
from app.orders.models import Order
from app.parties.service import keep_record
from app.shipments import queries


async def judge(session: AsyncSession, *, order_id: UUID, now: datetime) -> None:
    """Count a delivered order in the record of its producers, once, when all its receipts are final.

    On time is what came by the promised day and in full; refused is what was, beyond the tolerance, sent back.
    """
    order = await rows.lock(session, Order, order_id)
    if order.judged_at is not None:
        return
    receipts = await queries.receipts_of(session, order_ids=[order_id])
    lines = await queries.receipt_lines(session, [receipt.id for receipt in receipts])
    short = {key for key, some in lines.items() if any(line.payable_g < line.loaded_g for line in some)}
    on_time = order.delivered_on is not None and order.delivered_on <= order.arrives_on and not short
    refused = any(receipt.refused_g for receipt in receipts if receipt.id in short)
    producers = {line.producer_id for line in (await orders.lines_of(session, [order_id]))[order_id] if line.quantity}
    for producer in sorted(producers):
        await keep_record(session, organization_id=producer, on_time=on_time, refused=refused)
    order.judged_at = now
    await session.flush()
