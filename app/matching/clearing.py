"""One clearing run: claim the pools, read the book, solve outside any transaction, write while it still stands."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.errors import unknown_commodity
from app.catalog.rules import Reference
from app.kit.clock import monotonic
from app.kit.db import Database
from app.kit.ids import new_id
from app.matching.errors import ClearingRunning, ClearingStale
from app.matching.models import ClearingRun, PoolClaim
from app.matching.recording import Moved, Outcome, papers_of, write
from app.matching.snapshot import read_book
from app.matching.solver import SOLVER
from app.outbox.events import Actor

#: a run that takes longer than this has lost its pools
LEASE = timedelta(minutes=10)
ATTEMPTS = 3


def pools_to_clear(reference: Reference, commodities: Sequence[str] | None) -> list[str]:
    """Return the commodities that a run clears, sorted; None asks for all. Raises Invalid (422) for unknown ones."""
    for index, code in enumerate(commodities or ()):
        if code not in reference.commodities:
            raise unknown_commodity(f"/commodities/{index}", code)
    return sorted(set(commodities) if commodities is not None else reference.commodities)


async def run(
    database: Database,
    *,
    commodities: Sequence[str],
    dry_run: bool,
    now: datetime,
    timezone: str,
    actor: Actor,
    as_of: datetime | None = None,
    run_id: UUID | None = None,
) -> ClearingRun:
    """Clear the pools of these commodities; `timezone` is the hub's, `as_of` another instant for a dry run.

    1. A binding run claims its pools; a dry run binds nothing and claims nothing.
    2. Read, solve in the engine's process, write; when what was matched moved meanwhile, again, three times at most.
    3. The pools are given back, whatever happens.

    Raises ClearingRunning and ClearingStale (409), AuditError when the engine's result does not pass its audit.
    """
    run_id = run_id or new_id()
    if not dry_run:
        async with database.transaction() as session:
            await _claim(session, run_id, commodities, now)
    try:
        for _attempt in range(ATTEMPTS):
            outcome = await _solve(
                database,
                run_id=run_id,
                commodities=commodities,
                dry_run=dry_run,
                as_of=as_of or now,
                now=now,
                timezone=timezone,
                actor=actor,
            )
            try:
                return await database.retried(lambda session, solved=outcome: write(session, solved))  # type: ignore[misc]
            except Moved:
                continue
        raise ClearingStale
    finally:
        if not dry_run:
            await asyncio.shield(_release(database, run_id))


async def _solve(
    database: Database, *, commodities: Sequence[str], as_of: datetime, timezone: str, **about: Any
) -> Outcome:
    started = monotonic()
    async with database.snapshot() as session:
        book = await read_book(session, commodities=commodities, now=as_of, timezone=timezone)
    document, clearing = await SOLVER.clear(book.market)
    return Outcome(
        book=book,
        clearing=clearing,
        papers=await asyncio.to_thread(papers_of, document, clearing),
        duration_ms=round((monotonic() - started) * 1000),
        commodities=commodities,
        as_of=as_of,
        timezone=timezone,
        **about,
    )


async def _claim(session: AsyncSession, run_id: UUID, commodities: Sequence[str], now: datetime) -> None:
    rows = [{"commodity": code, "run_id": run_id, "leased_until": now + LEASE} for code in commodities]
    statement = insert(PoolClaim)
    statement = statement.on_conflict_do_update(
        index_elements=["commodity"],
        set_={"run_id": statement.excluded.run_id, "leased_until": statement.excluded.leased_until},
        where=PoolClaim.leased_until < now,
    )
    claimed = (await session.scalars(statement.returning(PoolClaim.commodity), rows)).all()
    if len(claimed) != len(commodities):
        raise ClearingRunning


async def _release(database: Database, run_id: UUID) -> None:
    async with database.transaction() as session:
        await session.execute(delete(PoolClaim).where(PoolClaim.run_id == run_id))
