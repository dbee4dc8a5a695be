"""Sums by commodity, region and day; never a party. Dry runs have a status of their own and are never counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.dashboards.rules import STATUSES, Period, Stage

#: matches of a stage that arrive in a period: goods in kilograms, the city under which its parts trade
_TRADE = """
    SELECT m.commodity, c.name AS commodity_name, m.grade, m.quantity, m.quantity * c.unit_weight_g AS grams,
           m.producer_price_idr, m.delivered_price_idr, m.arrives_on, l.hub, city.code AS region,
           city.name AS region_name, city.price_zone, m.departure_id
      FROM matches m
      JOIN commodities c ON c.code = m.commodity
      JOIN listings l ON l.id = m.listing_id
      JOIN demands d ON d.id = m.demand_id
      JOIN regions place ON place.code = d.region
      JOIN regions city ON city.code = place.trades_as
     WHERE m.status = ANY(:statuses) AND m.arrives_on BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR m.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR city.code = ANY(:regions))
"""

SUMMARY = text(f"""
WITH trade AS ({_TRADE}),
wanted AS (
    SELECT d.deliver_by, (d.quantity - d.withdrawn_quantity) * c.unit_weight_g AS asked,
           (d.proposed_quantity * CAST(:with_proposed AS int) + d.ordered_quantity) * c.unit_weight_g AS covered
      FROM demands d
      JOIN commodities c ON c.code = d.commodity
      JOIN regions place ON place.code = d.region
     WHERE d.deliver_by BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR d.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions))
)
SELECT t.*, w.*
  FROM (SELECT
          coalesce(sum(quantity * delivered_price_idr) FILTER (WHERE arrives_on >= :middle), 0)::bigint AS value,
          coalesce(sum(quantity * delivered_price_idr) FILTER (WHERE arrives_on < :middle), 0)::bigint AS value_before,
          coalesce(sum(quantity * producer_price_idr) FILTER (WHERE arrives_on >= :middle), 0)::bigint AS producers,
          coalesce(sum(quantity * producer_price_idr) FILTER (WHERE arrives_on < :middle), 0)::bigint
              AS producers_before,
          (coalesce(sum(grams) FILTER (WHERE arrives_on >= :middle), 0) / 1000)::bigint AS kilograms,
          (coalesce(sum(grams) FILTER (WHERE arrives_on < :middle), 0) / 1000)::bigint AS kilograms_before,
          count(*) FILTER (WHERE arrives_on >= :middle) AS trades,
          count(*) FILTER (WHERE arrives_on < :middle) AS trades_before
        FROM trade) t
 CROSS JOIN (SELECT
          sum(covered) FILTER (WHERE deliver_by >= :middle) * 1000
              / nullif(sum(asked) FILTER (WHERE deliver_by >= :middle), 0) AS fill,
          sum(covered) FILTER (WHERE deliver_by < :middle) * 1000
              / nullif(sum(asked) FILTER (WHERE deliver_by < :middle), 0) AS fill_before
        FROM wanted) w
""")  # noqa: S608 - constant parts

#: what stands open at this moment
STANDING = text("""
SELECT (SELECT count(*) FROM listings l WHERE l.status = 'open'
           AND (CAST(:commodities AS text[]) IS NULL OR l.commodity = ANY(:commodities))) AS open_listings,
       (SELECT count(*) FROM demands d JOIN regions place ON place.code = d.region WHERE d.status = 'open'
           AND (CAST(:commodities AS text[]) IS NULL OR d.commodity = ANY(:commodities))
           AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions))) AS open_demands,
       (SELECT count(*) FROM matches m JOIN demands d ON d.id = m.demand_id
          JOIN regions place ON place.code = d.region WHERE m.status = 'proposed'
           AND (CAST(:commodities AS text[]) IS NULL OR m.commodity = ANY(:commodities))
           AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions))) AS unanswered
""")

#: supply stands in the region and week from which it can leave, need in the region and week by which it must arrive
BALANCE = text("""
WITH posted AS (
    SELECT date_trunc(:granularity, l.available_from)::date AS week, l.commodity, l.region,
           (l.quantity - l.withdrawn_quantity) * c.unit_weight_g AS supply, 0 AS demand, 0 AS matched
      FROM listings l JOIN commodities c ON c.code = l.commodity
     WHERE l.available_from BETWEEN :first AND :last
    UNION ALL
    SELECT date_trunc(:granularity, d.deliver_by)::date, d.commodity, place.trades_as, 0,
           (d.quantity - d.withdrawn_quantity) * c.unit_weight_g,
           (d.proposed_quantity * CAST(:with_proposed AS int) + d.ordered_quantity) * c.unit_weight_g
      FROM demands d JOIN commodities c ON c.code = d.commodity JOIN regions place ON place.code = d.region
     WHERE d.deliver_by BETWEEN :first AND :last
)
SELECT p.week, p.commodity, c.name AS commodity_name, p.region, r.name AS region_name,
       (sum(p.supply) / 1000)::bigint AS supply, (sum(p.demand) / 1000)::bigint AS demand,
       (sum(p.matched) / 1000)::bigint AS matched,
       (sum(p.demand) / 1000)::bigint - (sum(p.matched) / 1000)::bigint AS uncovered,
       max(need.kg_per_week) AS household_need
  FROM posted p
  JOIN commodities c ON c.code = p.commodity
  JOIN regions r ON r.code = p.region
  LEFT JOIN consumption need ON need.region = p.region AND need.commodity = p.commodity AND need.basis LIKE 'household%'
 WHERE (CAST(:commodities AS text[]) IS NULL OR p.commodity = ANY(:commodities))
   AND (CAST(:regions AS text[]) IS NULL OR p.region = ANY(:regions))
 GROUP BY p.week, p.commodity, c.name, p.region, r.name
 ORDER BY p.week, p.commodity COLLATE "C", p.region COLLATE "C"
""")

#: averages weighted by quantity, half rupiah up; the consumer's HET or HAP of that day, the nearest in grade first
PRICES = text(f"""
WITH trade AS ({_TRADE}),
priced AS (
    SELECT date_trunc(:granularity, arrives_on)::date AS on, commodity, commodity_name, grade, region, region_name,
           price_zone, max(arrives_on) AS last_day,
           round(sum(quantity * producer_price_idr) / sum(quantity))::bigint AS producer_idr,
           round(sum(quantity * delivered_price_idr) / sum(quantity))::bigint AS delivered_idr
      FROM trade GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT p.on, p.commodity, p.commodity_name, p.grade, p.region, p.region_name, p.producer_idr, p.delivered_idr,
       reference.min_idr AS reference_min_idr, reference.max_idr AS reference_max_idr
  FROM priced p
  LEFT JOIN LATERAL (
      SELECT q.min_idr, q.max_idr FROM price_references q
       WHERE q.commodity = p.commodity AND q.kind IN ('het', 'hap') AND q.level = 'consumer'
         AND (q.grade IS NULL OR q.grade = p.grade) AND (q.price_zone IS NULL OR q.price_zone = p.price_zone)
         AND q.valid_from <= p.last_day AND (q.valid_until IS NULL OR q.valid_until >= p.last_day)
       ORDER BY q.grade IS NULL, q.valid_from DESC, q.id LIMIT 1
  ) reference ON true
 ORDER BY p.on, p.commodity COLLATE "C", p.grade COLLATE "C", p.region COLLATE "C"
""")  # noqa: S608 - constant parts

FLOWS = text(f"""
WITH trade AS ({_TRADE})
SELECT date_trunc(:granularity, t.arrives_on)::date AS on, t.commodity, t.commodity_name, t.grade, t.hub AS origin,
       hub.name AS origin_name, t.region AS destination, t.region_name AS destination_name, lane.code AS lane,
       (sum(t.grams) / 1000)::bigint AS quantity_kg, sum(t.quantity * t.delivered_price_idr)::bigint AS value_idr,
       count(*) AS orders
  FROM trade t
  JOIN regions hub ON hub.code = t.hub
  LEFT JOIN departures departure ON departure.id = t.departure_id
  LEFT JOIN lanes lane ON lane.id = departure.lane_id
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
 ORDER BY 1, t.commodity COLLATE "C", t.grade COLLATE "C", t.region COLLATE "C", lane.code COLLATE "C" NULLS LAST
""")  # noqa: S608 - constant parts


async def rows(
    session: AsyncSession,
    statement: TextClause,
    *,
    period: Period,
    stage: Stage,
    commodities: Sequence[str] | None,
    regions: Sequence[str] | None,
    **more: Any,
) -> list[dict[str, Any]]:
    """Run one of the sums above and return its rows."""
    parameters = {
        "first": period.first,
        "last": period.last,
        "statuses": list(STATUSES[stage]),
        "with_proposed": int(stage is Stage.PROPOSED),
        "commodities": None if commodities is None else list(commodities),
        "regions": None if regions is None else list(regions),
        **more,
    }
    used = {name: parameters[name] for name in statement.compile().params}
    return [dict(row) for row in (await session.execute(statement, used)).mappings()]


async def last_change(session: AsyncSession) -> datetime | None:
    """Return when anything last happened: every change of the trade writes an event."""
    last: datetime | None = await session.scalar(text("SELECT at FROM outbox ORDER BY id DESC LIMIT 1"))
    return last
