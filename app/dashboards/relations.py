"""What the dashboards sum: trade of a stage, and what a posting stands for.

Dry runs have a status of their own and are never counted.
"""

#: proposals, and what became of those that both sides confirmed: lines of orders, as far as the stage has come
_MATCHED = """
    SELECT p.commodity, p.grade, p.quantity, p.departure_id, p.departs_on, p.arrives_on, p.listing_id, p.demand_id,
           p.producer_price_idr, p.collection_idr, p.freight_idr, p.scarcity_idr, p.delivered_price_idr, p.id
      FROM matches p WHERE p.status = 'proposed' AND CAST(:with_proposed AS int) = 1
    UNION ALL
    SELECT o.commodity, line.grade, line.quantity, o.departure_id, o.departs_on, o.arrives_on, line.listing_id,
           o.demand_id, line.producer_price_idr, line.collection_idr, line.freight_idr, line.scarcity_idr,
           line.delivered_price_idr, line.id
      FROM order_lines line JOIN orders o ON o.id = line.order_id
     WHERE o.status <> 'cancelled' AND CAST(:with_ordered AS int) = 1
    UNION ALL
    SELECT o.commodity, line.grade, line.received_quantity, o.departure_id, o.departs_on,
           coalesce(o.delivered_on, o.arrives_on), line.listing_id, o.demand_id, line.producer_price_idr,
           line.collection_idr, line.freight_idr, line.scarcity_idr, line.delivered_price_idr, line.id
      FROM order_lines line JOIN orders o ON o.id = line.order_id
     WHERE line.received_quantity > 0 AND CAST(:with_ordered AS int) = 0
"""

#: trade of a stage that arrives in a period: goods in grams, by the place that {at} names
_TRADE_AT = f"""
    SELECT m.commodity, c.name AS commodity_name, m.grade, m.quantity, m.quantity * c.unit_weight_g AS grams,
           m.producer_price_idr, m.collection_idr, m.freight_idr, m.scarcity_idr, m.delivered_price_idr, m.departs_on,
           m.arrives_on, l.region AS origin, l.hub, city.code AS region, city.name AS region_name, city.price_zone,
           m.departure_id, m.id, c.unit_weight_g
      FROM ({_MATCHED}) m
      JOIN commodities c ON c.code = m.commodity
      JOIN listings l ON l.id = m.listing_id
      JOIN demands d ON d.id = m.demand_id
      JOIN regions place ON place.code = d.region
      JOIN regions city ON city.code = {{at}}
     WHERE m.arrives_on BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR m.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR ({{filtered}}))
"""  # noqa: S608 - constant parts

#: a region's trade goes to it, comes from it, or through it as a hub
EITHER_END = "place.trades_as = ANY(:regions) OR l.region = ANY(:regions) OR l.hub = ANY(:regions)"
#: the city that needs it, under which its parts trade
TRADE = _TRADE_AT.format(at="place.trades_as", filtered=EITHER_END)
#: the place whose price it is: what the buyer fetches is paid at the hub, as in a run's prices
_PRICED_AT = "CASE WHEN m.departure_id IS NULL THEN l.hub ELSE place.trades_as END"
PRICED = _TRADE_AT.format(at=_PRICED_AT, filtered="city.code = ANY(:regions)")
#: the same at both ends: its producers' prices and its buyers'
PRICED_AT_EITHER_END = _TRADE_AT.format(
    at=_PRICED_AT, filtered="city.code = ANY(:regions) OR l.region = ANY(:regions) OR l.hub = ANY(:regions)"
)

#: on which departures trade travels: its own but for what shipments took on others, once they came where that counts
LEGS = """
    SELECT t.id, leg.departure_id, sum(leg.quantity) AS quantity
      FROM trade t
     CROSS JOIN LATERAL (
           SELECT t.departure_id, t.quantity
           UNION ALL
           SELECT moved.departure_id, moved.quantity
             FROM shipment_lines c
             JOIN shipments s ON s.id = c.shipment_id
             JOIN order_lines l ON l.id = c.order_line_id
            CROSS JOIN LATERAL (VALUES (s.departure_id, c.quantity), (t.departure_id, -c.quantity))
                       moved (departure_id, quantity)
            WHERE c.order_line_id = t.id AND s.departure_id <> t.departure_id
              AND (CAST(:with_ordered AS int) = 1
                   OR EXISTS (SELECT FROM receipts r WHERE r.shipment_id = s.id AND r.order_id = l.order_id))) leg
     GROUP BY t.id, leg.departure_id HAVING sum(leg.quantity) > 0
"""

#: what a posting stands for: what its owner took back no longer counts, what expired unserved still does
POSTED = "(p.quantity - CASE WHEN p.status = 'expired' THEN 0 ELSE p.withdrawn_quantity END)"

#: what of a posting `p` has come as far as the stage
_COVERED = """
(CASE WHEN CAST(:with_ordered AS int) = 1
      THEN p.proposed_quantity * CAST(:with_proposed AS int) + p.ordered_quantity
      ELSE (SELECT coalesce(sum(line.received_quantity), 0)
              FROM order_lines line JOIN orders o ON o.id = line.order_id WHERE {key} = p.id) END)
"""
COVERED = _COVERED.format(key="o.demand_id")
COVERED_STOCK = _COVERED.format(key="line.listing_id")
