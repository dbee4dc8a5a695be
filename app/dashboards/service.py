"""The dashboards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncSession

from app.dashboards import history, outcome, quality, queries, stock
from app.dashboards.rules import Granularity, Kept, Period, Stage


@dataclass(frozen=True, slots=True)
class Asked:
    """What a dashboard is asked for."""

    period: Period
    granularity: Granularity
    stage: Stage
    commodities: Sequence[str] | None
    regions: Sequence[str] | None
    #: by the hub's clock
    today: date


async def summary(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return the figures of a period and of the period before, what stands open now, and what is under way.

    Traded: matches of the stage that arrive in the period. Fill rate: what is matched of the needs that are due in it.
    Under way: at the end of today, and as many days before as the period has.
    """
    both = Period(asked.period.before.first, asked.period.last)
    doubled = replace(asked, period=both)
    (traded,) = await _rows(session, queries.SUMMARY, doubled, middle=asked.period.first)
    (standing,) = await _rows(session, queries.STANDING, doubled)
    days = [asked.today, asked.today - (asked.period.first - asked.period.before.first)]
    now, earlier = await _rows(session, queries.UNDER_WAY, doubled, days=days)
    return [
        _figure("traded_value", "IDR", traded["value"], traded["value_before"]),
        _figure("producers_value", "IDR", traded["producers"], traded["producers_before"]),
        _figure("traded_quantity", "kg", traded["kilograms"], traded["kilograms_before"]),
        _figure("on_the_road", "kg", now["on_the_road"], earlier["on_the_road"]),
        _figure("trades", "count", traded["trades"], traded["trades_before"]),
        _figure("fill_rate", "permille", _whole(traded["fill"]), _whole(traded["fill_before"])),
        _figure("open_listings", "count", standing["open_listings"], None),
        _figure("open_demands", "count", standing["open_demands"], None),
        _figure("unanswered_proposals", "count", standing["unanswered"], None),
        _figure("late_orders", "count", now["late"], earlier["late"]),
        _figure("open_disputes", "count", now["disputed"], earlier["disputed"]),
    ]


def _figure(metric: str, unit: str, value: int | None, previous: int | None) -> dict[str, Any]:
    return {"metric": metric, "value": value, "unit": unit, "previous": previous}


def _whole(share: Any) -> int | None:
    return None if share is None else int(share)


async def balance(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return supply by the region it comes from, need by the city that asks, and what of the need is uncovered."""
    return await _rows(session, queries.BALANCE, asked)


async def prices(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return average prices by commodity, grade and city beside the consumer's reference."""
    return await _rows(session, queries.PRICES, asked)


async def flows(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return what goes from the hub to each city, by lane."""
    return _staged(asked, await _rows(session, queries.FLOWS, asked))


async def prices_history(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return bands of traded prices and the references of the period, seen and set."""
    return await _rows(session, history.PRICES_HISTORY, asked)


async def freshness(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return the stock that has not come as far as the stage: its age against its shelf life, and what is at risk."""
    return _staged(asked, await _rows(session, stock.FRESHNESS, asked))


async def lanes(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return the departures of each lane, what they carry and what room is left."""
    return _staged(asked, await _rows(session, stock.LANES, asked))


async def service_level(session: AsyncSession, asked: Asked, *, by: Kept, hub: str | None) -> list[dict[str, Any]]:
    """Return how orders kept what was promised: on time, and filled; by party only for the hub whose they are."""
    return await _rows(session, outcome.SERVICE_LEVEL, asked, by=str(by), hub=hub)


async def benefit(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return what farmers gain and cities save against the references of the day, which each row names."""
    return _staged(asked, await _rows(session, outcome.BENEFIT, asked))


async def data_quality(session: AsyncSession, asked: Asked) -> list[dict[str, Any]]:
    """Return how many records lack what the figures rest on."""
    return await _rows(session, quality.DATA_QUALITY, asked)


def _staged(asked: Asked, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "stage": str(asked.stage)} for row in rows]


async def _rows(session: AsyncSession, statement: TextClause, asked: Asked, **more: Any) -> list[dict[str, Any]]:
    return await queries.rows(
        session,
        statement,
        period=asked.period,
        stage=asked.stage,
        commodities=asked.commodities,
        regions=asked.regions,
        granularity=str(asked.granularity),
        today=asked.today,
        **more,
    )
