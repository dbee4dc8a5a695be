"""Stock and room as they stand: how old, how full."""

from sqlalchemy import text

from app.dashboards.relations import COVERED_STOCK, LEGS, TRADE
from app.dashboards.rules import AT_RISK_SHARE

#: what has not come as far as the stage, by the day from which it can leave; at risk is what has a third of its shelf
#: life left, or less; stock that is not ready yet does not age, and what does not keep in the open is kept chilled
FRESHNESS = text(f"""
WITH stock AS (
    SELECT date_trunc(:granularity, p.available_from)::date AS on, p.commodity, c.name AS commodity_name, p.grade,
           p.region, r.name AS region_name,
           (p.quantity - p.withdrawn_quantity - {COVERED_STOCK}) * c.unit_weight_g AS grams,
           greatest(CAST(:today AS date) - p.available_from, 0) AS age, kept.until - p.available_from AS life,
           kept.until - greatest(CAST(:today AS date), p.available_from) AS remaining
      FROM listings p
      CROSS JOIN LATERAL (SELECT CASE WHEN p.best_before > p.available_from THEN p.best_before
                                      ELSE p.best_before_chilled END AS until) kept
      JOIN commodities c ON c.code = p.commodity
      JOIN regions r ON r.code = p.region
     WHERE p.available_from BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR p.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR p.region = ANY(:regions) OR p.hub = ANY(:regions))
)
SELECT s.on, s.commodity, s.commodity_name, s.grade, s.region, s.region_name,
       (sum(s.grams) / 1000)::bigint AS quantity_kg,
       (coalesce(sum(s.grams) FILTER (WHERE s.remaining * {AT_RISK_SHARE} <= s.life), 0) / 1000)::bigint AS at_risk_kg,
       round(sum(s.grams * s.age) / sum(s.grams))::int AS age_days,
       round(sum(s.grams * s.life) / sum(s.grams))::int AS shelf_life_days,
       round(sum(s.grams * s.remaining) / sum(s.grams))::int AS remaining_days
  FROM stock s
 WHERE s.grams > 0
 GROUP BY s.on, s.commodity, s.commodity_name, s.grade, s.region, s.region_name
 ORDER BY s.on, s.commodity COLLATE "C", s.grade COLLATE "C", s.region COLLATE "C"
""")  # noqa: S608 - constant parts

#: departures by the day they arrive, as trade is counted; a closed one is shown where something is on it
LANES = text(f"""
WITH trade AS ({TRADE}),
legs AS ({LEGS}),
load AS (
    SELECT leg.departure_id, sum(leg.quantity * t.unit_weight_g) AS grams, sum(leg.quantity * t.freight_idr) AS freight,
           sum(leg.quantity * t.scarcity_idr) AS scarcity
      FROM trade t JOIN legs leg ON leg.id = t.id WHERE leg.departure_id IS NOT NULL GROUP BY leg.departure_id
)
SELECT date_trunc(:granularity, d.arrives_on)::date AS on, lane.code AS lane, lane.origin, hub.name AS origin_name,
       city.code AS destination, city.name AS destination_name, count(*) AS departures,
       count(*) FILTER (WHERE d.booked_g >= d.capacity_kg * 1000) AS full_departures,
       sum(d.capacity_kg)::bigint AS capacity_kg, (coalesce(sum(load.grams), 0) / 1000)::bigint AS carried_kg,
       (sum(d.capacity_kg * 1000 - d.booked_g) / 1000)::bigint AS free_kg,
       coalesce(sum(load.freight), 0)::bigint AS freight_idr, coalesce(sum(load.scarcity), 0)::bigint AS scarcity_idr
  FROM departures d
  JOIN lanes lane ON lane.id = d.lane_id
  JOIN regions hub ON hub.code = lane.origin
  JOIN regions place ON place.code = lane.destination
  JOIN regions city ON city.code = place.trades_as
  LEFT JOIN load ON load.departure_id = d.id
 WHERE d.arrives_on BETWEEN :first AND :last AND (d.status = 'scheduled' OR d.booked_g > 0)
   AND (CAST(:regions AS text[]) IS NULL OR lane.origin = ANY(:regions) OR city.code = ANY(:regions)
        OR load.grams IS NOT NULL)
 GROUP BY 1, 2, 3, 4, 5, 6
 ORDER BY 1, lane.code COLLATE "C"
""")  # noqa: S608 - constant parts
