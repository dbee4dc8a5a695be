"""Reading clearing runs, matches, reasons and prices."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.demands.models import Demand
from app.kit.principal import Principal
from app.kit.problems import NotFound
from app.listings.models import Listing
from app.matching.models import (
    ClearedPool,
    ClearingDocument,
    ClearingPrice,
    ClearingRun,
    CounterOffer,
    Match,
    Unmatched,
)


def runs(principal: Principal) -> Select[ClearingRun]:
    """Return the select of runs; dry ones are the hub's."""
    statement = select(ClearingRun)
    return statement if principal.is_hub else statement.where(ClearingRun.dry_run.is_(False))


async def run(session: AsyncSession, run_id: UUID, *, dry_too: bool) -> ClearingRun:
    """Return a run. Raises NotFound (404), also for a dry run unless `dry_too`."""
    found = await session.get(ClearingRun, run_id)
    if found is None or (found.dry_run and not dry_too):
        raise NotFound
    return found


async def pools_of(session: AsyncSession, run_ids: Sequence[UUID]) -> dict[UUID, list[ClearedPool]]:
    """Return the pools of runs, by run."""
    statement = select(ClearedPool).where(ClearedPool.run_id.in_(run_ids)).order_by(ClearedPool.commodity)
    pools: dict[UUID, list[ClearedPool]] = {run_id: [] for run_id in run_ids}
    for pool in await session.scalars(statement):
        pools[pool.run_id].append(pool)
    return pools


async def document(session: AsyncSession, run_id: UUID) -> ClearingDocument:
    """Return the stored input and output of a run. Raises NotFound (404)."""
    found = await session.get(ClearingDocument, run_id)
    if found is None:
        raise NotFound
    return found


async def last_binding_sha256(session: AsyncSession) -> str | None:
    """Return the output hash of the binding run that was recorded last."""
    statement = select(ClearingRun.output_sha256).where(ClearingRun.dry_run.is_(False))
    return await session.scalar(statement.order_by(ClearingRun.number.desc()).limit(1))


async def open_orders(session: AsyncSession, commodities: Sequence[str]) -> int:
    """Return how many open listings and demands the pools hold."""
    counts = [
        await session.scalar(select(func.count()).where(model.status == "open", model.commodity.in_(commodities)))
        for model in (Listing, Demand)
    ]
    return sum(count or 0 for count in counts)


def matches(
    principal: Principal, *, run_id: UUID | None = None, statuses: Sequence[str] = (), commodities: Sequence[str] = ()
) -> Select[Match]:
    """Return the select of the caller's matches; the hub's are all. Dry runs only when their run is asked for."""
    statement = select(Match)
    if not principal.is_hub:
        mine = principal.organization_id
        statement = statement.where(or_(Match.listing_organization_id == mine, Match.demand_organization_id == mine))
    if run_id is None or not principal.is_hub:
        statement = statement.where(Match.status != "dry_run")
    if run_id is not None:
        statement = statement.where(Match.run_id == run_id)
    if statuses:
        statement = statement.where(Match.status.in_(statuses))
    if commodities:
        statement = statement.where(Match.commodity.in_(commodities))
    return statement


def unmatched(principal: Principal, run_id: UUID) -> Select[Unmatched]:
    """Return the select of what a run left: the caller's own orders, the hub's are all."""
    statement = select(Unmatched).where(Unmatched.run_id == run_id)
    return statement if principal.is_hub else statement.where(Unmatched.organization_id == principal.organization_id)


def prices(run_id: UUID) -> Select[ClearingPrice]:
    """Return the select of a run's prices."""
    return select(ClearingPrice).where(ClearingPrice.run_id == run_id)


async def matches_of_order(
    session: AsyncSession, run_id: UUID, *, listing_id: UUID | None, demand_id: UUID | None
) -> Sequence[Match]:
    """Return the live matches of one order in one run, in the order of their ids."""
    statement = select(Match).where(Match.run_id == run_id, Match.status.in_(("proposed", "confirmed")))
    if listing_id is not None:
        statement = statement.where(Match.listing_id == listing_id)
    if demand_id is not None:
        statement = statement.where(Match.demand_id == demand_id)
    return (await session.scalars(statement.order_by(Match.id).execution_options(populate_existing=True))).all()


async def due_runs(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return the runs that have proposals past their time."""
    statement = select(Match.run_id).where(Match.status == "proposed", Match.expires_at <= now).distinct()
    return (await session.scalars(statement)).all()


async def due_matches(session: AsyncSession, run_id: UUID, now: datetime) -> Sequence[Match]:
    """Return a run's proposals past their time, locked."""
    statement = (
        select(Match)
        .where(Match.run_id == run_id, Match.status == "proposed", Match.expires_at <= now)
        .order_by(Match.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def latest_run(session: AsyncSession) -> UUID:
    """Return the id of the latest run, dry ones included. Raises NotFound (404) where there is none."""
    statement = select(ClearingRun.id).order_by(ClearingRun.created_at.desc(), ClearingRun.id.desc()).limit(1)
    found = await session.scalar(statement)
    if found is None:
        raise NotFound
    return found


async def counter_offer(session: AsyncSession, match_id: UUID) -> CounterOffer | None:
    """Return the counter-offer of a match."""
    found: CounterOffer | None = await session.scalar(select(CounterOffer).where(CounterOffer.match_id == match_id))
    return found


async def counter_offers(session: AsyncSession, match_ids: Sequence[UUID]) -> dict[UUID, CounterOffer]:
    """Return the counter-offer of each match that has one."""
    found = await session.scalars(select(CounterOffer).where(CounterOffer.match_id.in_(match_ids)))
    return {offer.match_id: offer for offer in found}
