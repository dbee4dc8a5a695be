"""What becomes of receipts without anybody's doing: a step of the worker's round."""

from datetime import datetime
from functools import partial

from app.kit.db import Database
from app.shipments import queries
from app.shipments.receipts import make_due_final
from app.shipments.records import judge


async def finish_receipts(database: Database, now: datetime) -> None:
    """Make receipts final whose time is over, then count delivered orders in their producers' records."""
    async with database.reader() as session:
        due = await queries.due_receipts(session, now)
    for receipt_id in due:
        await database.retried(partial(make_due_final, receipt_id=receipt_id, now=now))
    async with database.reader() as session:
        delivered = await queries.orders_to_judge(session)
    for order_id in delivered:
        await database.retried(partial(judge, order_id=order_id, now=now))
