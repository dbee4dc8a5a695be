"""Serve a database from a process of its own, with its protections or, as a control, without."""

import asyncio
import os
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import uvicorn
from sqlalchemy import select

from app.allocations import service as allocations
from app.config import Settings
from app.kit import rows
from app.kit.clock import FixedClock
from app.main import create_app
from app.matching import recording
from app.orders import progress
from app.orders import service as orders
from app.orders.models import Order
from app.settlement import service as settlement


def take_protection_away() -> None:
    """Leave out the conditional UPDATE, the locks and the version check, and widen the window between them."""
    take_locks_of_accounts_away()
    take_holds_of_orders_away()
    before, _, condition = allocations._MOVE_POSTINGS.partition("AND posting.proposed_quantity + delta.proposed >= 0")
    allocations._MOVE_POSTINGS = before + "RETURNING" + condition.partition("RETURNING")[2]

    async def stands(*_: Any) -> None:
        await asyncio.sleep(0.2)

    recording._still_stands = stands


def take_locks_of_accounts_away() -> None:
    """Let payments read what is due without holding the account, and write a moment later."""
    pay = settlement.pay

    async def held(*_: Any) -> None:
        pass

    async def late(*arguments: Any, **named: Any) -> None:
        await asyncio.sleep(0.2)
        await pay(*arguments, **named)

    settlement.lock, settlement.pay = held, late


def take_holds_of_orders_away() -> None:
    """Let whoever loads or cancels an order read it without holding it, and write a moment later."""

    async def held(*_: Any, **__: Any) -> None:
        pass

    async def locked_orders(session: Any, order_ids: Any) -> Any:
        found = (await session.scalars(select(Order).where(Order.id.in_(list(order_ids))))).all()
        await asyncio.sleep(0.2)
        return found

    async def lock(session: Any, model: Any, key: object) -> Any:
        found = await rows.find(session, model, key)
        await asyncio.sleep(0.2)
        return found

    unheld = SimpleNamespace(hold=held, lock=lock, find=rows.find)
    orders.rows = progress.rows = unheld  # type: ignore[assignment]
    orders.queries.locked_orders = locked_orders


def main(url: str, now: str, protection: str) -> None:
    """Serve on a free port, printed as the first line."""
    if protection == "off":
        take_protection_away()
    threshold = Settings.from_environment(os.environ).clearing_job_threshold
    settings = Settings(
        database_url=url, environment="test", requests_per_minute=10**8, clearing_job_threshold=threshold
    )
    app = create_app(settings, clock=FixedClock(datetime.fromisoformat(now)))
    config = uvicorn.Config(app, port=0, log_config=None)
    listening = config.bind_socket()
    listening.listen(config.backlog)  # who connects before the application is up waits instead of failing
    os.write(1, f"{listening.getsockname()[1]}\n".encode())
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(*sys.argv[1:])
