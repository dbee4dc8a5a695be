"""orders and shipments."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: one function for every append-only table
REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""

#: what is paid of a receipt is said once
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON receipt_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("order_numbers")))
    op.execute(sa.schema.CreateSequence(sa.Sequence("shipment_numbers")))
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("demand_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("departs_on", sa.Date(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.Column("tolerance_percent", sa.Integer(), nullable=False),
        sa.Column("payment_terms", sa.String(), nullable=False),
        sa.Column("down_payment_percent", sa.Integer(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'settled') = (settled_at IS NOT NULL)", name=op.f("ck_orders_settled")),
        sa.CheckConstraint(
            "delivery IN ('franco', 'loco') AND (delivery = 'loco') = (departure_id IS NULL)",
            name=op.f("ck_orders_way"),
        ),
        sa.CheckConstraint(
            "down_payment_percent BETWEEN 0 AND 99 AND (payment_terms = 'down_payment') = (down_payment_percent > 0)",
            name=op.f("ck_orders_down_payment"),
        ),
        sa.CheckConstraint(
            "payment_terms IN ('cash', 'down_payment', 'net_7', 'net_14', 'net_30')",
            name=op.f("ck_orders_payment_terms"),
        ),
        sa.CheckConstraint("source IN ('clearing', 'deal')", name=op.f("ck_orders_source")),
        sa.CheckConstraint("status <> 'cancelled' OR cancel_reason IS NOT NULL", name=op.f("ck_orders_cancelled")),
        sa.CheckConstraint(
            "status IN ('confirmed', 'scheduled', 'in_transit', 'delivered', 'settled', 'cancelled')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('delivered', 'settled') OR delivered_on IS NOT NULL", name=op.f("ck_orders_delivered")
        ),
        sa.CheckConstraint("arrives_on >= departs_on", name=op.f("ck_orders_days")),
        sa.CheckConstraint("tolerance_percent BETWEEN 0 AND 100", name=op.f("ck_orders_tolerance")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organizations.id"], name=op.f("fk_orders_buyer_id")),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_orders_commodity")),
        sa.ForeignKeyConstraint(
            ["demand_id", "buyer_id"],
            ["demands.id", "demands.organization_id"],
            name=op.f("fk_orders_demand_id_buyer_id"),
        ),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_orders_departure_id")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_orders_hub")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_orders_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index("ix_orders_arrives_on", "orders", ["arrives_on"], unique=False)
    op.create_index("ix_orders_buyer", "orders", ["buyer_id", "created_at", "id"], unique=False)
    op.create_index("ix_orders_created", "orders", ["created_at", "id"], unique=False)
    op.create_index("ix_orders_demand", "orders", ["demand_id"], unique=False)
    op.create_index("ix_orders_departure", "orders", ["departure_id"], unique=False)
    op.create_index(
        "uq_orders_open",
        "orders",
        ["demand_id", "departure_id", "departs_on"],
        unique=True,
        postgresql_where=sa.text("status = 'confirmed' AND source = 'clearing'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "shipments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("crates_out", sa.Integer(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'arrived') = (arrived_at IS NOT NULL)", name=op.f("ck_shipments_arrived")),
        sa.CheckConstraint("(status = 'loading') = (dispatched_at IS NULL)", name=op.f("ck_shipments_dispatched")),
        sa.CheckConstraint("status IN ('loading', 'in_transit', 'arrived')", name=op.f("ck_shipments_status")),
        sa.CheckConstraint("crates_out BETWEEN 0 AND 1000000", name=op.f("ck_shipments_crates_out")),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_shipments_departure_id")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_shipments_hub")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("number", name=op.f("uq_shipments_number")),
    )
    op.create_index("ix_shipments_created", "shipments", ["created_at", "id"], unique=False)
    op.create_index("ix_shipments_day", "shipments", ["day", "id"], unique=False)
    op.create_index("ix_shipments_departure", "shipments", ["departure_id"], unique=False)
    op.create_table(
        "counter_offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("departs_on", sa.Date(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("producer_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("freight_idr", sa.BigInteger(), nullable=False),
        sa.Column("scarcity_idr", sa.BigInteger(), nullable=False),
        sa.Column("delivered_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'open') = (answered_at IS NULL)", name=op.f("ck_counter_offers_answered")),
        sa.CheckConstraint("side IN ('listing', 'demand')", name=op.f("ck_counter_offers_side")),
        sa.CheckConstraint("status IN ('open', 'accepted', 'declined')", name=op.f("ck_counter_offers_status")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_counter_offers_quantity")),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_counter_offers_departure_id")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_counter_offers_match_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counter_offers")),
        sa.UniqueConstraint("match_id", name=op.f("uq_counter_offers_match_id")),
    )
    op.create_table(
        "order_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("match_id", sa.Uuid(), nullable=True),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("producer_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("loaded_quantity", sa.BigInteger(), nullable=False),
        sa.Column("received_quantity", sa.BigInteger(), nullable=False),
        sa.Column("producer_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("collection_idr", sa.BigInteger(), nullable=False),
        sa.Column("freight_idr", sa.BigInteger(), nullable=False),
        sa.Column("scarcity_idr", sa.BigInteger(), nullable=False),
        sa.Column("delivered_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("best_before", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "producer_price_idr + collection_idr + freight_idr + scarcity_idr = delivered_price_idr",
            name=op.f("ck_order_lines_price"),
        ),
        sa.CheckConstraint(
            "producer_price_idr >= 1 AND collection_idr >= 0 AND freight_idr >= 0 AND scarcity_idr >= 0",
            name=op.f("ck_order_lines_price_parts"),
        ),
        sa.CheckConstraint(
            "received_quantity >= 0 AND received_quantity <= loaded_quantity AND loaded_quantity <= quantity",
            name=op.f("ck_order_lines_loaded"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id", "producer_id"],
            ["listings.id", "listings.organization_id"],
            name=op.f("fk_order_lines_listing_id_producer_id"),
        ),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_order_lines_match_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.ForeignKeyConstraint(["producer_id"], ["organizations.id"], name=op.f("fk_order_lines_producer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("match_id", name=op.f("uq_order_lines_match_id")),
    )
    op.create_index("ix_order_lines_listing", "order_lines", ["listing_id"], unique=False)
    op.create_index("ix_order_lines_order", "order_lines", ["order_id"], unique=False)
    op.create_index("ix_order_lines_producer", "order_lines", ["producer_id"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("net_weight_g", sa.BigInteger(), nullable=False),
        sa.Column("broken_g", sa.BigInteger(), nullable=False),
        sa.Column("refused_g", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("crates_back", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "broken_g >= 0 AND refused_g >= 0 AND broken_g + refused_g <= net_weight_g",
            name=op.f("ck_receipts_weights"),
        ),
        sa.CheckConstraint("crates_back BETWEEN 0 AND 1000000", name=op.f("ck_receipts_crates_back")),
        sa.CheckConstraint("refused_g = 0 OR reason IS NOT NULL", name=op.f("ck_receipts_reason")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_receipts_order_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_receipts_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("id", "order_id", name=op.f("uq_receipts_id_order_id")),
        sa.UniqueConstraint("shipment_id", "order_id", name=op.f("uq_receipts_shipment_id_order_id")),
    )
    op.create_index("ix_receipts_order", "receipts", ["order_id"], unique=False)
    op.create_index(
        "ix_receipts_waiting", "receipts", ["dispute_until"], unique=False, postgresql_where=sa.text("final_at IS NULL")
    )
    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("outcome_note", sa.String(), nullable=True),
        sa.Column("payable_g", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(status = 'resolved') = (outcome IS NOT NULL) AND (status = 'resolved') = (resolved_at IS NOT NULL) AND (status = 'resolved') = (payable_g IS NOT NULL)",
            name=op.f("ck_disputes_resolved"),
        ),
        sa.CheckConstraint("outcome IN ('upheld', 'rejected', 'split')", name=op.f("ck_disputes_outcome")),
        sa.CheckConstraint("status IN ('open', 'resolved')", name=op.f("ck_disputes_status")),
        sa.CheckConstraint("payable_g >= 0", name=op.f("ck_disputes_payable")),
        sa.ForeignKeyConstraint(["opened_by"], ["organizations.id"], name=op.f("fk_disputes_opened_by")),
        sa.ForeignKeyConstraint(
            ["receipt_id", "order_id"],
            ["receipts.id", "receipts.order_id"],
            name=op.f("fk_disputes_receipt_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_disputes_receipt_id")),
    )
    op.create_index("ix_disputes_order", "disputes", ["order_id"], unique=False)
    op.create_table(
        "receipt_lines",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("loaded_g", sa.BigInteger(), nullable=False),
        sa.Column("payable_g", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("loaded_g >= 1 AND payable_g BETWEEN 0 AND loaded_g", name=op.f("ck_receipt_lines_payable")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_receipt_lines_order_line_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_lines_receipt_id")),
        sa.PrimaryKeyConstraint("receipt_id", "order_line_id", name=op.f("pk_receipt_lines")),
    )
    op.create_index("ix_receipt_lines_order_line", "receipt_lines", ["order_line_id"], unique=False)
    op.create_table(
        "shipment_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("net_weight_g", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("net_weight_g >= 1", name=op.f("ck_shipment_lines_net_weight")),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_shipment_lines_quantity")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_shipment_lines_order_line_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_lines")),
        sa.UniqueConstraint("shipment_id", "order_line_id", name=op.f("uq_shipment_lines_shipment_id_order_line_id")),
    )
    op.create_index("ix_shipment_lines_order_line", "shipment_lines", ["order_line_id"], unique=False)
    op.add_column("organizations", sa.Column("payment_terms", sa.String(), nullable=False, server_default="cash"))
    op.add_column("organizations", sa.Column("record_orders", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("organizations", sa.Column("record_on_time", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("organizations", sa.Column("record_refused", sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_organizations_payment_terms"),
        "organizations",
        "payment_terms IN ('cash', 'down_payment', 'net_7', 'net_14', 'net_30')",
    )
    op.create_check_constraint(
        op.f("ck_organizations_record"),
        "organizations",
        "record_on_time BETWEEN 0 AND record_orders AND record_refused BETWEEN 0 AND record_orders",
    )
    op.execute(REFUSE_CHANGE)
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_organizations_record"), "organizations")
    op.drop_constraint(op.f("ck_organizations_payment_terms"), "organizations")
    op.drop_column("organizations", "record_refused")
    op.drop_column("organizations", "record_on_time")
    op.drop_column("organizations", "record_orders")
    op.drop_column("organizations", "payment_terms")
    op.drop_index("ix_shipment_lines_order_line", table_name="shipment_lines")
    op.drop_table("shipment_lines")
    op.drop_index("ix_receipt_lines_order_line", table_name="receipt_lines")
    op.drop_table("receipt_lines")
    op.drop_index("ix_disputes_order", table_name="disputes")
    op.drop_table("disputes")
    op.drop_index("ix_receipts_waiting", table_name="receipts", postgresql_where=sa.text("final_at IS NULL"))
    op.drop_index("ix_receipts_order", table_name="receipts")
    op.drop_table("receipts")
    op.drop_index("ix_order_lines_producer", table_name="order_lines")
    op.drop_index("ix_order_lines_order", table_name="order_lines")
    op.drop_index("ix_order_lines_listing", table_name="order_lines")
    op.drop_table("order_lines")
    op.drop_table("counter_offers")
    op.drop_index("ix_shipments_departure", table_name="shipments")
    op.drop_index("ix_shipments_day", table_name="shipments")
    op.drop_index("ix_shipments_created", table_name="shipments")
    op.drop_table("shipments")
    op.drop_index(
        "uq_orders_open",
        table_name="orders",
        postgresql_where=sa.text("status = 'confirmed' AND source = 'clearing'"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_index("ix_orders_departure", table_name="orders")
    op.drop_index("ix_orders_demand", table_name="orders")
    op.drop_index("ix_orders_created", table_name="orders")
    op.drop_index("ix_orders_buyer", table_name="orders")
    op.drop_index("ix_orders_arrives_on", table_name="orders")
    op.drop_table("orders")
    op.execute(sa.schema.DropSequence(sa.Sequence("shipment_numbers")))
    op.execute(sa.schema.DropSequence(sa.Sequence("order_numbers")))
