"""The session of a request: a transaction for a change, autocommit for a read, ended before the answer is sent."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Database

F = TypeVar("F", bound=Callable[..., Any])


def manages_transactions(endpoint: F) -> F:
    """Mark the endpoint that opens its own transactions; its session reads in autocommit."""
    endpoint.manages_transactions = True  # type: ignore[attr-defined]  # a mark on a function
    return endpoint


async def open_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield the request's session; with scope="function" it ends before the response is sent."""
    database: Database = request.app.state.hub.database
    own = getattr(request.scope["route"].endpoint, "manages_transactions", False)
    reads_only = request.method in ("GET", "HEAD") or own
    async with database.reader() if reads_only else database.transaction() as session:
        request.state.session = session
        yield session


async def current_time(request: Request) -> datetime:
    """Return the present instant by the installation's clock, aware, in UTC."""
    now: datetime = request.app.state.hub.clock.now()
    return now


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]
Now = Annotated[datetime, Depends(current_time)]
