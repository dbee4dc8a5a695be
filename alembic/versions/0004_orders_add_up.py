"""Orders add up: what was confirmed becomes orders, and the invariant views count them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: matches confirmed before orders existed: one order per demand and departure, or per day where the buyer fetches
TAKE_UP = (
    """
    INSERT INTO orders (id, number, hub, buyer_id, demand_id, commodity, region, delivery, departure_id, departs_on,
                        arrives_on, source, status, tolerance_percent, payment_terms, down_payment_percent, version,
                        created_at, updated_at)
    SELECT gen_random_uuid(),
           'BTC-' || extract(year FROM way.at AT TIME ZONE region.timezone) || '-'
                  || lpad(nextval('order_numbers')::text, 6, '0'),
           demand.hub, demand.organization_id, demand.id, demand.commodity, demand.region, demand.delivery,
           way.departure_id, way.departs_on, way.arrives_on, 'clearing', 'confirmed', 1, 'cash', 0, 1, way.at, way.at
      FROM (SELECT demand_id, departure_id, departs_on, max(arrives_on) AS arrives_on, max(updated_at) AS at
              FROM matches WHERE status = 'confirmed' GROUP BY demand_id, departure_id, departs_on) way
      JOIN demands demand ON demand.id = way.demand_id
      JOIN regions region ON region.code = demand.hub
     ORDER BY way.at, demand.id""",
    """
    INSERT INTO order_lines (id, order_id, match_id, listing_id, producer_id, grade, quantity, loaded_quantity,
                             received_quantity, producer_price_idr, collection_idr, freight_idr, scarcity_idr,
                             delivered_price_idr, best_before)
    SELECT gen_random_uuid(), orders.id, match.id, match.listing_id, match.listing_organization_id, match.grade,
           match.quantity, 0, 0, match.producer_price_idr, match.collection_idr, match.freight_idr,
           match.scarcity_idr, match.delivered_price_idr,
           CASE WHEN lane.temperature = 'chilled' THEN listing.best_before_chilled ELSE listing.best_before END
      FROM matches match
      JOIN orders ON orders.demand_id = match.demand_id AND orders.departs_on = match.departs_on
                 AND orders.departure_id IS NOT DISTINCT FROM match.departure_id
      JOIN listings listing ON listing.id = match.listing_id
      LEFT JOIN departures departure ON departure.id = match.departure_id
      LEFT JOIN lanes lane ON lane.id = departure.lane_id
     WHERE match.status = 'confirmed'""",
)

#: a posting's counters equal the sum of its ledger
_COUNTERS = """
SELECT posting.id FROM {table} posting
  LEFT JOIN (SELECT {key} AS id, sum(proposed) AS proposed, sum(ordered) AS ordered, sum(withdrawn) AS withdrawn
               FROM allocations WHERE {key} IS NOT NULL GROUP BY {key}) ledger USING (id)
 WHERE (posting.proposed_quantity, posting.ordered_quantity, posting.withdrawn_quantity)
       IS DISTINCT FROM (coalesce(ledger.proposed, 0), coalesce(ledger.ordered, 0), coalesce(ledger.withdrawn, 0))
"""

#: a posting's proposed quantity equals its proposals, its ordered quantity its lines in orders not cancelled
_CLAIMS = """
SELECT posting.id FROM {table} posting
  LEFT JOIN (SELECT {key} AS id, sum(quantity) AS proposed FROM matches
              WHERE status = 'proposed' GROUP BY {key}) proposals USING (id)
  LEFT JOIN (SELECT {key} AS id, sum(line.quantity) AS ordered
               FROM order_lines line JOIN orders ON orders.id = line.order_id
              WHERE orders.status <> 'cancelled' GROUP BY {key}) lines USING (id)
 WHERE (posting.proposed_quantity, posting.ordered_quantity)
       IS DISTINCT FROM (coalesce(proposals.proposed, 0), coalesce(lines.ordered, 0))
"""

#: the state of a posting follows its quantities
_STATE = """
SELECT id FROM {table}
 WHERE (status = 'open') <> (quantity > proposed_quantity + ordered_quantity + withdrawn_quantity)
"""

#: view -> its query; it returns no row while everything adds up
INVARIANTS = {
    "posting_counters": " UNION ALL ".join(
        _COUNTERS.format(table=table, key=key) for table, key in (("listings", "listing_id"), ("demands", "demand_id"))
    ),
    "posting_claims": " UNION ALL ".join(
        _CLAIMS.format(table=table, key=key) for table, key in (("listings", "listing_id"), ("demands", "demand_id"))
    ),
    "posting_states": " UNION ALL ".join(_STATE.format(table=table) for table in ("listings", "demands")),
    # proposals, what of orders is not loaded yet on the departure it was ordered for, and what is loaded on this one
    "departure_loads": """
        SELECT departure.id FROM departures departure
          LEFT JOIN (SELECT departure_id AS id, sum(quantity * commodity.unit_weight_g) AS load_g
                       FROM (SELECT departure_id, commodity, quantity FROM matches WHERE status = 'proposed'
                             UNION ALL
                             SELECT orders.departure_id, orders.commodity, line.quantity - line.loaded_quantity
                               FROM order_lines line JOIN orders ON orders.id = line.order_id
                              WHERE orders.status <> 'cancelled'
                             UNION ALL
                             SELECT shipment.departure_id, orders.commodity, loaded.quantity
                               FROM shipment_lines loaded
                               JOIN shipments shipment ON shipment.id = loaded.shipment_id
                               JOIN order_lines line ON line.id = loaded.order_line_id
                               JOIN orders ON orders.id = line.order_id) live
                       JOIN commodities commodity ON commodity.code = live.commodity
                      GROUP BY departure_id) live USING (id)
         WHERE departure.booked_g <> coalesce(live.load_g, 0)""",
    # confirmed is what both sides have confirmed, and just that is a line of an order
    "match_confirmations": """
        SELECT match.id FROM matches match LEFT JOIN order_lines line ON line.match_id = match.id
         WHERE (match.status = 'confirmed')
               <> (match.listing_confirmed_at IS NOT NULL AND match.demand_confirmed_at IS NOT NULL)
            OR (match.status = 'confirmed') <> (line.id IS NOT NULL)""",
    # what shipments carry of a line, and what of it they have brought with a receipt
    "order_loads": """
        SELECT line.id FROM order_lines line
          LEFT JOIN (SELECT loaded.order_line_id AS id, sum(loaded.quantity) AS loaded,
                            sum(loaded.quantity) FILTER (WHERE receipt.id IS NOT NULL) AS received
                       FROM shipment_lines loaded
                       JOIN order_lines own ON own.id = loaded.order_line_id
                       LEFT JOIN receipts receipt
                              ON receipt.shipment_id = loaded.shipment_id AND receipt.order_id = own.order_id
                      GROUP BY loaded.order_line_id) carried USING (id)
         WHERE (line.loaded_quantity, line.received_quantity)
               IS DISTINCT FROM (coalesce(carried.loaded, 0), coalesce(carried.received, 0))""",
    # the state of an order follows what is loaded and received of it
    "order_states": """
        SELECT orders.id FROM orders JOIN order_lines line ON line.order_id = orders.id
         GROUP BY orders.id
        HAVING (orders.status IN ('confirmed', 'cancelled')) <> (sum(line.loaded_quantity) = 0)
            OR (orders.status IN ('delivered', 'settled'))
               <> (sum(line.quantity) > 0 AND sum(line.quantity) = sum(line.received_quantity))""",
}
#: views of before that are told by the merged ones
REPLACED = (
    "listing_counters",
    "demand_counters",
    "listing_matches",
    "demand_matches",
    "listing_states",
    "demand_states",
    "departure_loads",
    "match_confirmations",
)


def upgrade() -> None:
    for statement in TAKE_UP:
        op.execute(statement)
    for name in REPLACED:
        op.execute(f"DROP VIEW invariants.{name}")
    for name, query in INVARIANTS.items():
        op.execute(f"CREATE VIEW invariants.{name} AS {query}")


def downgrade() -> None:
    raise NotImplementedError("orders cannot be told as matches again: restore a backup")
