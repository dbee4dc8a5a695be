"""What is matched and moved, and at which prices: sums by commodity, region and day, never a party."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.dashboards.relations import COVERED, EITHER_END, LEGS, POSTED, PRICED, TRADE
from app.dashboards.rules import Period, Stage

SUMMARY = text(f"""
WITH trade AS ({TRADE}),
wanted AS (
    SELECT p.deliver_by, {POSTED} * c.unit_weight_g AS asked, {COVERED} * c.unit_weight_g AS covered
      FROM demands p
      JOIN commodities c ON c.code = p.commodity
      JOIN regions place ON place.code = p.region
     WHERE p.deliver_by BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR p.commodity = ANY(:commodities))
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

#: what stands open at this moment: stock where it stands and at its hub, needs where they are, proposals at either end
STANDING = text(f"""
SELECT (SELECT count(*) FROM listings l WHERE l.status = 'open'
           AND (CAST(:commodities AS text[]) IS NULL OR l.commodity = ANY(:commodities))
           AND (CAST(:regions AS text[]) IS NULL OR l.region = ANY(:regions) OR l.hub = ANY(:regions))
       ) AS open_listings,
       (SELECT count(*) FROM demands d JOIN regions place ON place.code = d.region WHERE d.status = 'open'
           AND (CAST(:commodities AS text[]) IS NULL OR d.commodity = ANY(:commodities))
           AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions))) AS open_demands,
       (SELECT count(*) FROM matches m JOIN listings l ON l.id = m.listing_id JOIN demands d ON d.id = m.demand_id
          JOIN regions place ON place.code = d.region WHERE m.status = 'proposed'
           AND (CAST(:commodities AS text[]) IS NULL OR m.commodity = ANY(:commodities))
           AND (CAST(:regions AS text[]) IS NULL OR {EITHER_END})) AS unanswered
""")  # noqa: S608 - constant parts

#: what is under way at the end of each of these days, by the hub's clock: loads between dispatch and arrival, orders
#: past their promised day that have not wholly arrived, disputes without an outcome
UNDER_WAY = text("""
WITH days AS (
    SELECT * FROM unnest(CAST(:days AS date[])) WITH ORDINALITY AS day (this, place)
),
own AS (
    SELECT o.id, o.status, o.arrives_on, hub.timezone
      FROM orders o JOIN regions hub ON hub.code = o.hub JOIN regions place ON place.code = o.region
     WHERE o.status <> 'cancelled'
       AND (CAST(:commodities AS text[]) IS NULL OR o.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions) OR o.hub = ANY(:regions))
),
carried AS MATERIALIZED (
    SELECT own.id, own.status, own.arrives_on, line.net_weight_g,
           (s.dispatched_at AT TIME ZONE own.timezone)::date AS left_on,
           coalesce((s.arrived_at AT TIME ZONE own.timezone)::date, 'infinity') AS arrived_on
      FROM shipments s
      JOIN shipment_lines line ON line.shipment_id = s.id
      JOIN order_lines part ON part.id = line.order_line_id
      JOIN own ON own.id = part.order_id
     WHERE s.arrived_at IS NULL OR s.arrived_at > (SELECT min(this) FROM days)
)
SELECT (SELECT coalesce(sum(c.net_weight_g), 0) / 1000 FROM carried c
         WHERE c.left_on <= day.this AND c.arrived_on > day.this)::bigint AS on_the_road,
       (SELECT count(*) FROM own
         WHERE own.status IN ('confirmed', 'scheduled', 'in_transit') AND own.arrives_on < day.this)
       + (SELECT count(DISTINCT c.id) FROM carried c
           WHERE c.status IN ('delivered', 'settled') AND c.arrives_on < day.this AND c.arrived_on > day.this) AS late,
       (SELECT count(*) FROM disputes d JOIN own ON own.id = d.order_id
         WHERE (d.opened_at AT TIME ZONE own.timezone)::date <= day.this
           AND coalesce((d.resolved_at AT TIME ZONE own.timezone)::date, 'infinity') > day.this) AS disputed
  FROM days day
 ORDER BY day.place
""")

#: supply stands in the region and week from which it can leave, need in the region and week by which it must arrive
BALANCE = text(f"""
WITH posted AS (
    SELECT date_trunc(:granularity, p.available_from)::date AS week, p.commodity, p.region,
           {POSTED} * c.unit_weight_g AS supply, 0 AS demand, 0 AS matched
      FROM listings p JOIN commodities c ON c.code = p.commodity
     WHERE p.available_from BETWEEN :first AND :last
    UNION ALL
    SELECT date_trunc(:granularity, p.deliver_by)::date, p.commodity, place.trades_as, 0,
           {POSTED} * c.unit_weight_g, {COVERED} * c.unit_weight_g
      FROM demands p JOIN commodities c ON c.code = p.commodity JOIN regions place ON place.code = p.region
     WHERE p.deliver_by BETWEEN :first AND :last
)
SELECT p.week, p.commodity, c.name AS commodity_name, p.region, r.name AS region_name,
       (sum(p.supply) / 1000)::bigint AS supply, (sum(p.demand) / 1000)::bigint AS demand,
       (sum(p.matched) / 1000)::bigint AS matched,
       (sum(p.demand) / 1000)::bigint - (sum(p.matched) / 1000)::bigint AS uncovered,
       (SELECT max(need.kg_per_week) FROM consumption need
         WHERE need.region = p.region AND need.commodity = p.commodity AND need.basis LIKE 'household%')
           AS household_need
  FROM posted p
  JOIN commodities c ON c.code = p.commodity
  JOIN regions r ON r.code = p.region
 WHERE (CAST(:commodities AS text[]) IS NULL OR p.commodity = ANY(:commodities))
   AND (CAST(:regions AS text[]) IS NULL OR p.region = ANY(:regions))
 GROUP BY p.week, p.commodity, c.name, p.region, r.name
HAVING sum(p.supply) + sum(p.demand) > 0
 ORDER BY p.week, p.commodity COLLATE "C", p.region COLLATE "C"
""")  # noqa: S608 - constant parts

#: averages weighted by quantity, half rupiah up; the consumer's HET or HAP of that day, the nearest in grade, then in
#: zone, then the latest; where several are equally near (cuts of beef), from the lowest to the highest
PRICES = text(f"""
WITH trade AS ({PRICED}),
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
      SELECT min(nearest.min_idr) AS min_idr, max(nearest.max_idr) AS max_idr
        FROM (SELECT q.min_idr, q.max_idr FROM price_references q
               WHERE q.commodity = p.commodity AND q.kind IN ('het', 'hap') AND q.level = 'consumer'
                 AND (q.grade IS NULL OR q.grade = p.grade) AND (q.price_zone IS NULL OR q.price_zone = p.price_zone)
                 AND q.valid_from <= p.last_day AND (q.valid_until IS NULL OR q.valid_until >= p.last_day)
               ORDER BY q.grade IS NULL, q.price_zone IS NULL, q.valid_from DESC FETCH FIRST 1 ROW WITH TIES) nearest
  ) reference ON true
 ORDER BY p.on, p.commodity COLLATE "C", p.grade COLLATE "C", p.region COLLATE "C"
""")  # noqa: S608 - constant parts

FLOWS = text(f"""
WITH trade AS ({TRADE}),
legs AS ({LEGS})
SELECT date_trunc(:granularity, t.arrives_on)::date AS on, t.commodity, t.commodity_name, t.grade, t.hub AS origin,
       hub.name AS origin_name, t.region AS destination, t.region_name AS destination_name, lane.code AS lane,
       (sum(leg.quantity * t.unit_weight_g) / 1000)::bigint AS quantity_kg,
       sum(leg.quantity * t.delivered_price_idr)::bigint AS value_idr, count(DISTINCT t.id) AS orders
  FROM trade t
  JOIN legs leg ON leg.id = t.id
  JOIN regions hub ON hub.code = t.hub
  LEFT JOIN departures departure ON departure.id = leg.departure_id
  LEFT JOIN lanes lane ON lane.id = departure.lane_id
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
 ORDER BY 1, t.commodity COLLATE "C", t.grade COLLATE "C", t.hub COLLATE "C", t.region COLLATE "C",
          lane.code COLLATE "C" NULLS LAST
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
        "with_proposed": int(stage is Stage.PROPOSED),
        "with_ordered": int(stage is not Stage.DELIVERED),
        "commodities": None if commodities is None else list(commodities),
        "regions": None if regions is None else list(regions),
        **more,
    }
    return [dict(row) for row in (await session.execute(statement, parameters)).mappings()]


async def last_change(session: AsyncSession) -> datetime | None:
    """Return when anything last happened: every change of the trade writes an event."""
    last: datetime | None = await session.scalar(text("SELECT at FROM outbox ORDER BY id DESC LIMIT 1"))
    return last
