"""What is due by itself: bills of what has become final, settling what no payment comes to settle, what is overdue."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database
from app.settlement import queries, records, service


async def bill_due(database: Database, now: datetime, *, fee_permille: int) -> None:
    """Bill what receipts have made final, settle what is paid where no payment comes to do so, count who is late."""

    async def bill(session: AsyncSession, receipt_id: UUID) -> None:
        await service.bill(session, receipt_id=receipt_id, fee_permille=fee_permille, now=now)

    async def count(session: AsyncSession, order_id: UUID) -> None:
        await records.judge_overdue(session, order_id=order_id, now=now)

    async with database.reader() as session:
        final = await queries.receipts_to_bill(session)
    await database.each(final, bill)
    async with database.reader() as session:
        complete = await queries.orders_to_settle(session)
    await _finish(database, complete, now)
    async with database.reader() as session:
        overdue = await queries.overdue(session, now)
    await database.each(overdue, count)


async def give_back(database: Database, now: datetime) -> None:
    """Turn what buyers paid beyond the bills of orders, that a cancellation ended, into their credit."""
    async with database.reader() as session:
        beyond = await queries.paid_beyond(session)
    await _finish(database, beyond, now)


async def _finish(database: Database, order_ids: Sequence[UUID], now: datetime) -> None:
    async def finish(session: AsyncSession, order_id: UUID) -> None:
        await service.finish(session, order_id=order_id, now=now)

    await database.each(order_ids, finish)
