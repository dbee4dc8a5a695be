"""What the dashboards sum: trade of a stage, and what a posting stands for.

Dry runs have a status of their own and are never counted.
"""

#: matches of a stage that arrive in a period: goods in grams, by the place that {at} names
_TRADE_AT = """
    SELECT m.commodity, c.name AS commodity_name, m.grade, m.quantity, m.quantity * c.unit_weight_g AS grams,
           m.producer_price_idr, m.freight_idr, m.scarcity_idr, m.delivered_price_idr, m.departs_on,
           m.arrives_on, l.region AS origin, l.hub, city.code AS region, city.name AS region_name, city.price_zone,
           m.departure_id
      FROM matches m
      JOIN commodities c ON c.code = m.commodity
      JOIN listings l ON l.id = m.listing_id
      JOIN demands d ON d.id = m.demand_id
      JOIN regions place ON place.code = d.region
      JOIN regions city ON city.code = {at}
     WHERE m.status = ANY(:statuses) AND m.arrives_on BETWEEN :first AND :last
       AND (CAST(:commodities AS text[]) IS NULL OR m.commodity = ANY(:commodities))
       AND (CAST(:regions AS text[]) IS NULL OR ({filtered}))
"""

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

#: what a posting stands for: what its owner took back no longer counts, what expired unserved still does
POSTED = "(p.quantity - CASE WHEN p.status = 'expired' THEN 0 ELSE p.withdrawn_quantity END)"

#: what of a posting has come as far as the stage
COVERED = "(p.proposed_quantity * CAST(:with_proposed AS int) + p.ordered_quantity * CAST(:with_ordered AS int))"

#: a price seen on a market stands for itself and as many days after
OBSERVED_HOLDS_DAYS = 7
_HOLDS = f"""
        q.commodity = t.commodity AND (q.grade IS NULL OR q.grade = t.grade) AND q.valid_from <= t.{{day}}
        AND CASE WHEN q.kind = 'observed'
                 THEN coalesce(q.valid_until, q.valid_from) + {OBSERVED_HOLDS_DAYS} >= t.{{day}}
                 ELSE q.valid_until IS NULL OR q.valid_until >= t.{{day}} END
"""

#: the farm-gate reference of a trade `t` on its day: seen where the goods grow or at their hub, else the producer's HPP
#: or HAP; nearest in grade and place, then the latest; of a range the upper end, so that no gain is flattered
FARM_GATE = f"""
    SELECT q.id, q.kind, q.level, q.max_idr AS idr
      FROM price_references q
     WHERE {_HOLDS.format(day="departs_on")}
       AND q.level IN ('farm_gate', 'producer') AND (q.region IS NULL OR q.region IN (t.origin, t.hub))
     ORDER BY q.kind <> 'observed', q.grade IS NULL, q.region IS NULL, q.region <> t.origin, q.level,
              q.valid_from DESC, q.max_idr DESC, q.id LIMIT 1
"""  # noqa: S608 - constant parts

#: the city's reference of a trade `t` on its day: seen in the city, wholesale before retail, else the consumer's HET or
#: HAP; nearest in grade and zone, then the latest; of a range the lower end, so that no saving is flattered
CITY = f"""
    SELECT q.id, q.kind, q.level, q.min_idr AS idr
      FROM price_references q LEFT JOIN regions seen ON seen.code = q.region
     WHERE {_HOLDS.format(day="arrives_on")}
       AND CASE WHEN q.kind = 'observed'
                THEN q.level IN ('delivered', 'wholesale', 'retail', 'consumer') AND seen.trades_as = t.region
                ELSE q.kind IN ('het', 'hap') AND q.level = 'consumer'
                     AND (q.region IS NULL OR seen.trades_as = t.region)
                     AND (q.price_zone IS NULL OR q.price_zone = t.price_zone) END
     ORDER BY q.kind <> 'observed', q.grade IS NULL,
              array_position(ARRAY['delivered', 'wholesale', 'retail', 'consumer'], q.level::text),
              q.region IS NULL, q.price_zone IS NULL, q.valid_from DESC, q.min_idr, q.id LIMIT 1
"""  # noqa: S608 - constant parts
