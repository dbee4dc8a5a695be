"""What is due by itself: bills of what has become final, settling what no payment comes to settle."""

from datetime import datetime
from functools import partial

from app.kit.db import Database
from app.settlement import queries, service


async def bill_due(database: Database, now: datetime, *, fee_permille: int) -> None:
    """Bill what receipts have made final, and settle what is paid where no payment comes to do so."""
    async with database.reader() as session:
        final = await queries.receipts_to_bill(session)
    for receipt_id in final:
        await database.retried(partial(service.bill, receipt_id=receipt_id, fee_permille=fee_permille, now=now))
    async with database.reader() as session:
        complete = await queries.orders_to_finish(session)
    for order_id in complete:
        await database.retried(partial(service.finish, order_id=order_id, now=now))
