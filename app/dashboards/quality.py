"""What the figures rest on, and where it is missing."""

from sqlalchemy import text

from app.dashboards.relations import PRICED_AT_EITHER_END
from app.settlement.benefit import CITY, FARM_GATE

#: each check counts its records on their day and those that lack what the check is about
DATA_QUALITY = text(f"""
WITH trade AS ({PRICED_AT_EITHER_END}),
record AS (
    SELECT 'stock_has_its_papers' AS "check", p.available_from AS day, p.commodity, p.region, p.hub,
           p.papers = '{{}}' AS is_missing
      FROM listings p JOIN commodities c ON c.code = p.commodity
     WHERE p.available_from BETWEEN :first AND :last AND c.required_papers IS NOT NULL
    UNION ALL
    SELECT 'stock_holds_its_price', p.available_from, p.commodity, p.region, p.hub,
           coalesce(p.price_valid_until < CAST(:today AS date), false)
      FROM listings p WHERE p.available_from BETWEEN :first AND :last AND p.status = 'open'
    UNION ALL
    SELECT 'need_holds_its_price', p.deliver_by, p.commodity, place.trades_as, NULL,
           coalesce(p.price_valid_until < CAST(:today AS date), false)
      FROM demands p JOIN regions place ON place.code = p.region
     WHERE p.deliver_by BETWEEN :first AND :last AND p.status = 'open'
    UNION ALL
    SELECT 'need_has_a_household_figure', p.deliver_by, p.commodity, place.trades_as, NULL,
           NOT EXISTS (SELECT FROM consumption need WHERE need.region = place.trades_as
                          AND need.commodity = p.commodity AND need.basis LIKE 'household%')
      FROM demands p JOIN regions place ON place.code = p.region
     WHERE p.deliver_by BETWEEN :first AND :last
    UNION ALL
    SELECT 'trade_has_a_farm_gate_reference', t.arrives_on, t.commodity, t.origin, t.hub, farm_gate.id IS NULL
      FROM trade t LEFT JOIN LATERAL ({FARM_GATE}) farm_gate ON true
    UNION ALL
    SELECT 'trade_has_a_city_reference', t.arrives_on, t.commodity, t.region, NULL, city.id IS NULL
      FROM trade t LEFT JOIN LATERAL ({CITY}) city ON true
)
SELECT date_trunc(:granularity, k.day)::date AS on, k."check", k.commodity, c.name AS commodity_name, k.region,
       r.name AS region_name, count(*) AS records, count(*) FILTER (WHERE k.is_missing) AS missing,
       count(*) FILTER (WHERE k.is_missing) * 1000 / count(*) AS missing_permille
  FROM record k
  JOIN commodities c ON c.code = k.commodity
  JOIN regions r ON r.code = k.region
 WHERE (CAST(:commodities AS text[]) IS NULL OR k.commodity = ANY(:commodities))
   AND (CAST(:regions AS text[]) IS NULL OR k.region = ANY(:regions) OR k.hub = ANY(:regions))
 GROUP BY 1, 2, 3, 4, 5, 6
 ORDER BY 1, 2, k.commodity COLLATE "C", k.region COLLATE "C"
""")  # noqa: S608 - constant parts
