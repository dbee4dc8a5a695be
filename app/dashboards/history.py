"""Prices as they went: trade beside what markets showed and the state set."""

from sqlalchemy import text

from app.dashboards.relations import PRICED_AT_EITHER_END

#: what was traded as a band of its daily averages: of the producers' price where goods grow, of the delivered price
#: where they go; references from the first day of the period on which they hold
PRICES_HISTORY = text(f"""
WITH trade AS ({PRICED_AT_EITHER_END}),
daily AS (
    SELECT t.arrives_on, t.commodity, t.grade, t.origin AS region, 'producer' AS level,
           sum(t.quantity * t.producer_price_idr) AS value, sum(t.quantity) AS quantity, sum(t.grams) AS grams
      FROM trade t WHERE CAST(:regions AS text[]) IS NULL OR t.origin = ANY(:regions) OR t.hub = ANY(:regions)
     GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT t.arrives_on, t.commodity, t.grade, t.region, 'delivered', sum(t.quantity * t.delivered_price_idr),
           sum(t.quantity), sum(t.grams)
      FROM trade t WHERE CAST(:regions AS text[]) IS NULL OR t.region = ANY(:regions)
     GROUP BY 1, 2, 3, 4
),
seen AS (
    SELECT greatest(q.valid_from, CAST(:first AS date)) AS day, q.*
      FROM price_references q
      LEFT JOIN regions r ON r.code = q.region
     WHERE q.valid_from <= :last AND (q.valid_until IS NULL OR q.valid_until >= :first)
       AND (CAST(:commodities AS text[]) IS NULL OR q.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR r.trades_as = ANY(:regions) OR (q.region IS NULL
            AND (q.price_zone IS NULL
                 OR q.price_zone IN (SELECT asked.price_zone FROM regions asked WHERE asked.code = ANY(:regions)))))
),
history AS (
    SELECT date_trunc(:granularity, d.arrives_on)::date AS on, d.commodity, d.grade, d.region,
           CAST(NULL AS int) AS price_zone, 'trade' AS kind, d.level,
           min(round(d.value / d.quantity))::bigint AS low_idr,
           round(sum(d.value) / sum(d.quantity))::bigint AS average_idr,
           max(round(d.value / d.quantity))::bigint AS high_idr, (sum(d.grams) / 1000)::bigint AS quantity_kg
      FROM daily d GROUP BY 1, 2, 3, 4, 7
    UNION ALL
    SELECT date_trunc(:granularity, s.day)::date, s.commodity, s.grade, s.region, s.price_zone, s.kind, s.level,
           min(s.min_idr), round(avg(s.min_idr + s.max_idr) / 2)::bigint, max(s.max_idr), NULL
      FROM seen s GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT h.on, h.commodity, c.name AS commodity_name, h.grade, h.region, r.name AS region_name, h.price_zone, h.kind,
       h.level, h.low_idr, h.average_idr, h.high_idr, h.quantity_kg
  FROM history h
  JOIN commodities c ON c.code = h.commodity
  LEFT JOIN regions r ON r.code = h.region
 ORDER BY h.on, h.commodity COLLATE "C", h.kind, h.level, h.grade COLLATE "C" NULLS FIRST,
          h.region COLLATE "C" NULLS FIRST, h.price_zone NULLS FIRST
""")  # noqa: S608 - constant parts
