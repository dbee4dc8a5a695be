"""Against what a trade's benefit is reckoned, and what of it each line of an order brings.

What the city saves, freight, collection, scarcity and what the farmer gains add up, to the rupiah, to the distance
between the two references. Where there is no reference of that day there is no gain, and that is said.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

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

_OF_ORDER = text(f"""
WITH t AS (
    SELECT line.id, line.match_id, line.producer_id, line.quantity, line.producer_price_idr, line.collection_idr,
           line.freight_idr, line.scarcity_idr, line.delivered_price_idr, line.grade, o.commodity, o.departs_on,
           o.arrives_on, listing.region AS origin, o.hub, city.code AS region, city.price_zone
      FROM order_lines line
      JOIN orders o ON o.id = line.order_id
      JOIN listings listing ON listing.id = line.listing_id
      JOIN regions place ON place.code = o.region
      JOIN regions city ON city.code = CASE WHEN o.departure_id IS NULL THEN o.hub ELSE place.trades_as END
     WHERE o.id = :order
)
SELECT t.*, farm_gate.id AS farm_gate_id, farm_gate.kind AS farm_gate_kind, farm_gate.level AS farm_gate_level,
       farm_gate.idr AS farm_gate_idr, city.id AS city_id, city.kind AS city_kind, city.level AS city_level,
       city.idr AS city_idr
  FROM t LEFT JOIN LATERAL ({FARM_GATE}) farm_gate ON true LEFT JOIN LATERAL ({CITY}) city ON true
 ORDER BY t.id
""")  # noqa: S608 - constant parts


async def of_order(session: AsyncSession, order_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the lines of an order with their prices and the references of their days; those are None where none is."""
    return (await session.execute(_OF_ORDER, {"order": order_id})).all()
