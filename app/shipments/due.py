"""What becomes of receipts without anybody's doing: a step of the worker's round."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database
from app.shipments import queries, receipts, records


async def finish_receipts(database: Database, now: datetime) -> None:
    """Make receipts final whose time is over, then count delivered orders in their producers' records."""

    async def make_final(session: AsyncSession, receipt_id: UUID) -> None:
        await receipts.make_due_final(session, receipt_id=receipt_id, now=now)

    async def judge(session: AsyncSession, order_id: UUID) -> None:
        await records.judge(session, order_id=order_id, now=now)

    async with database.reader() as session:
        due = await queries.due_receipts(session, now)
    await database.each(due, make_final)
    async with database.reader() as session:
        delivered = await queries.orders_to_judge(session)
    await database.each(delivered, judge)
