"""What is due by itself: bills of what has become final, settling what no payment comes to settle."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database
from app.settlement import queries, service

LOG = logging.getLogger("hub.settlement")


async def bill_due(database: Database, now: datetime, *, fee_permille: int) -> None:
    """Bill what receipts have made final, and settle what is paid where no payment comes to do so."""
    async with database.reader() as session:
        final = await queries.receipts_to_bill(session)
    for receipt_id in final:
        bill = partial(service.bill, receipt_id=receipt_id, fee_permille=fee_permille, now=now)
        await _try(database, bill, receipt=str(receipt_id))
    async with database.reader() as session:
        complete = await queries.orders_to_settle(session)
    for order_id in complete:
        await _try(database, partial(service.finish, order_id=order_id, now=now), order=str(order_id))


async def give_back(database: Database, now: datetime) -> None:
    """Turn what buyers paid ahead of orders that were cancelled into their credit."""
    async with database.reader() as session:
        cancelled = await queries.cancelled_and_paid(session)
    for order_id in cancelled:
        await _try(database, partial(service.finish, order_id=order_id, now=now), order=str(order_id))


async def _try(database: Database, work: Callable[[AsyncSession], Awaitable[object]], **about: str) -> None:
    """Do one piece of work; a failing one holds up nobody else's money."""
    try:
        await database.retried(work)
    except Exception:
        LOG.exception("not billed or settled", extra={"fields": about})
