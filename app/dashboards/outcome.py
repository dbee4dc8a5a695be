"""What came of it: who kept what was promised, and what it brought both ends."""

from sqlalchemy import text

from app.dashboards.relations import PRICED_AT_EITHER_END
from app.settlement.benefit import CITY, FARM_GATE

#: orders by the day for which they were promised, once they have arrived or, unless only what is delivered is asked
#: for, that day is over; what was cut from an order after a part was loaded (`OrderLine.cut_quantity`) counts as
#: ordered and not filled, what was cancelled before does not count. By city or, for the hub, by buyer or producer: an
#: order of several producers counts for each with its own lines, and what a receipt found is each one's by what it
#: weighed at loading
SERVICE_LEVEL = text("""
WITH due AS (
    SELECT o.id, o.hub, o.buyer_id, o.arrives_on, o.commodity, o.region, place.trades_as
      FROM orders o
      JOIN regions place ON place.code = o.region
     WHERE o.status <> 'cancelled' AND o.arrives_on BETWEEN :first AND :last
       AND (o.status IN ('delivered', 'settled')
            OR (CAST(:with_ordered AS int) = 1 AND o.arrives_on < CAST(:today AS date)))
       AND (CAST(:hub AS text) IS NULL OR o.hub = :hub)
       AND (CAST(:commodities AS text[]) IS NULL OR o.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR place.trades_as = ANY(:regions) OR o.hub = ANY(:regions)
            OR EXISTS (SELECT FROM order_lines l JOIN listings stock ON stock.id = l.listing_id
                        WHERE l.order_id = o.id AND stock.region = ANY(:regions)))
), weighed AS (
    SELECT carried.order_line_id, (s.arrived_at AT TIME ZONE place.timezone)::date AS arrived_on,
           r.net_weight_g, r.broken_g, r.refused_g,
           carried.net_weight_g / sum(carried.net_weight_g) OVER (PARTITION BY r.id) AS part
      FROM due
      JOIN receipts r ON r.order_id = due.id
      JOIN shipments s ON s.id = r.shipment_id
      JOIN shipment_lines carried ON carried.shipment_id = s.id
      JOIN order_lines l ON l.id = carried.order_line_id AND l.order_id = due.id
      JOIN regions place ON place.code = CASE WHEN s.departure_id IS NULL THEN due.hub ELSE due.region END
), came AS (
    SELECT w.order_line_id, max(w.arrived_on) AS arrived_on,
           sum((w.net_weight_g - w.broken_g - w.refused_g) * w.part) AS accepted_g,
           sum(w.broken_g * w.part) AS broken_g, sum(w.refused_g * w.part) AS refused_g
      FROM weighed w
     GROUP BY 1
), promised AS (
    SELECT due.id, due.arrives_on, due.commodity, due.trades_as AS region,
           CASE :by WHEN 'buyer' THEN due.buyer_id WHEN 'producer' THEN l.producer_id END AS party,
           bool_and(l.received_quantity = l.quantity + l.cut_quantity)
               AND max(came.arrived_on) <= due.arrives_on AS is_on_time,
           sum(l.quantity + l.cut_quantity) * c.unit_weight_g AS ordered_g,
           coalesce(round(sum(came.accepted_g)), 0) AS accepted_g,
           coalesce(round(sum(came.broken_g)), 0) AS broken_g,
           coalesce(round(sum(came.refused_g)), 0) AS refused_g
      FROM due
      JOIN order_lines l ON l.order_id = due.id AND l.quantity + l.cut_quantity > 0
      JOIN commodities c ON c.code = due.commodity
      LEFT JOIN came ON came.order_line_id = l.id
     GROUP BY due.id, due.arrives_on, due.commodity, due.trades_as, c.unit_weight_g, 5
)
SELECT date_trunc(:granularity, p.arrives_on)::date AS on, p.commodity, c.name AS commodity_name, p.region,
       r.name AS region_name, organization.id AS party, organization.name AS party_name, count(*) AS orders,
       count(*) FILTER (WHERE p.is_on_time) AS on_time, count(*) FILTER (WHERE NOT p.is_on_time) AS late,
       count(*) FILTER (WHERE p.is_on_time) * 1000 / count(*) AS on_time_permille,
       (sum(p.ordered_g) / 1000)::bigint AS ordered_kg, (sum(p.accepted_g) / 1000)::bigint AS accepted_kg,
       (sum(p.broken_g) / 1000)::bigint AS broken_kg, (sum(p.refused_g) / 1000)::bigint AS refused_kg,
       least(1000, div(sum(p.accepted_g) * 1000, nullif(sum(p.ordered_g), 0)))::int AS fill_permille
  FROM promised p
  JOIN commodities c ON c.code = p.commodity
  JOIN regions r ON r.code = p.region
  LEFT JOIN organizations organization ON organization.id = p.party
 GROUP BY 1, 2, 3, 4, 5, 6, 7
 ORDER BY 1, p.commodity COLLATE "C", p.region COLLATE "C", organization.id
""")

#: a row for each pair of references, so that what it gains is reckoned against just the prices that it names
BENEFIT = text(f"""
WITH t AS ({PRICED_AT_EITHER_END})
SELECT date_trunc(:granularity, t.arrives_on)::date AS on, t.commodity, t.commodity_name, t.region, t.region_name,
       (sum(t.grams) / 1000)::bigint AS quantity_kg, farm_gate.kind AS farm_gate_kind,
       farm_gate.level AS farm_gate_level, farm_gate.id AS farm_gate_reference, farm_gate.idr AS farm_gate_price_idr,
       city.kind AS city_kind, city.level AS city_level, city.id AS city_reference, city.idr AS city_price_idr,
       sum(t.quantity * farm_gate.idr)::bigint AS farm_gate_idr,
       sum(t.quantity * (t.producer_price_idr - farm_gate.idr))::bigint AS farmer_gain_idr,
       sum(t.quantity * t.producer_price_idr)::bigint AS producers_idr,
       sum(t.quantity * t.collection_idr)::bigint AS collection_idr,
       sum(t.quantity * t.freight_idr)::bigint AS freight_idr,
       sum(t.quantity * t.scarcity_idr)::bigint AS scarcity_idr,
       sum(t.quantity * t.delivered_price_idr)::bigint AS delivered_idr,
       sum(t.quantity * (city.idr - t.delivered_price_idr))::bigint AS city_saving_idr,
       sum(t.quantity * city.idr)::bigint AS city_idr
  FROM t
  LEFT JOIN LATERAL ({FARM_GATE}) farm_gate ON true
  LEFT JOIN LATERAL ({CITY}) city ON true
 GROUP BY 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14
 ORDER BY 1, t.commodity COLLATE "C", t.region COLLATE "C", farm_gate.id NULLS FIRST, city.id NULLS FIRST
""")  # noqa: S608 - constant parts
