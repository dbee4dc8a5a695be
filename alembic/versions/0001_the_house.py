"""the house."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'allocations are append-only';
END $$
"""

#: the ledger is the truth: nothing in it is changed or removed
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON allocations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

#: a posting's counters equal the sum of its ledger
_COUNTERS = """
SELECT posting.id FROM {table} posting
  LEFT JOIN (SELECT {key} AS id, sum(proposed) AS proposed, sum(ordered) AS ordered, sum(withdrawn) AS withdrawn
               FROM allocations WHERE {key} IS NOT NULL GROUP BY {key}) ledger USING (id)
 WHERE (posting.proposed_quantity, posting.ordered_quantity, posting.withdrawn_quantity)
       IS DISTINCT FROM (coalesce(ledger.proposed, 0), coalesce(ledger.ordered, 0), coalesce(ledger.withdrawn, 0))
"""

#: a posting's proposed and ordered quantity equal its live matches
_MATCHES = """
SELECT posting.id FROM {table} posting
  LEFT JOIN (SELECT {key} AS id, sum(quantity) FILTER (WHERE status = 'proposed') AS proposed,
                    sum(quantity) FILTER (WHERE status = 'confirmed') AS ordered
               FROM matches GROUP BY {key}) live USING (id)
 WHERE (posting.proposed_quantity, posting.ordered_quantity)
       IS DISTINCT FROM (coalesce(live.proposed, 0), coalesce(live.ordered, 0))
"""

#: the state of a posting follows its quantities
_STATE = """
SELECT id FROM {table}
 WHERE (status = 'open') <> (quantity > proposed_quantity + ordered_quantity + withdrawn_quantity)
"""

#: an order that waits for answers has nothing proposed in a run, or at least its smallest fill
_FILLS = """
SELECT run_id, {side}_id AS id FROM matches
 WHERE status IN ('proposed', 'confirmed')
 GROUP BY run_id, {side}_id
HAVING sum(quantity) < max({side}_min_quantity) AND bool_and(status = 'proposed')
"""

#: every view returns no row while everything adds up
INVARIANTS = {
    "listing_counters": _COUNTERS.format(table="listings", key="listing_id"),
    "demand_counters": _COUNTERS.format(table="demands", key="demand_id"),
    "listing_matches": _MATCHES.format(table="listings", key="listing_id"),
    "demand_matches": _MATCHES.format(table="demands", key="demand_id"),
    "listing_states": _STATE.format(table="listings"),
    "demand_states": _STATE.format(table="demands"),
    "departure_bookings": """
        SELECT departure.id FROM departures departure
          LEFT JOIN (SELECT departure_id AS id, sum(booked_g) AS booked_g FROM allocations
                      WHERE departure_id IS NOT NULL GROUP BY departure_id) ledger USING (id)
         WHERE departure.booked_g <> coalesce(ledger.booked_g, 0)""",
    "departure_loads": """
        SELECT departure.id FROM departures departure
          LEFT JOIN (SELECT match.departure_id AS id, sum(match.quantity * commodity.unit_weight_g) AS load_g
                       FROM matches match JOIN commodities commodity ON commodity.code = match.commodity
                      WHERE match.status IN ('proposed', 'confirmed') GROUP BY match.departure_id) live USING (id)
         WHERE departure.booked_g <> coalesce(live.load_g, 0)""",
    "match_confirmations": """
        SELECT id FROM matches
         WHERE (status = 'confirmed')
               <> (listing_confirmed_at IS NOT NULL AND demand_confirmed_at IS NOT NULL)""",
    "match_fills": " UNION ALL ".join(_FILLS.format(side=side) for side in ("listing", "demand")),
}


def upgrade() -> None:
    op.create_table(
        "clearing_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("commodities", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("input_sha256", sa.String(), nullable=False),
        sa.Column("output_sha256", sa.String(), nullable=False),
        sa.Column("previous_sha256", sa.String(), nullable=True),
        sa.Column("certificate", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("matches", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('completed')", name=op.f("ck_clearing_runs_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_runs")),
    )
    op.create_index("ix_clearing_runs_created", "clearing_runs", ["created_at", "id"], unique=False)
    op.create_table(
        "commodities",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("hs_code", sa.String(), nullable=True),
        sa.Column("base_unit", sa.String(), nullable=False),
        sa.Column("unit_weight_g", sa.Integer(), nullable=False),
        sa.Column("grades_substitute", sa.Boolean(), nullable=False),
        sa.Column("shelf_life_ambient_days", sa.Integer(), nullable=False),
        sa.Column("shelf_life_chilled_days", sa.Integer(), nullable=True),
        sa.Column("cold_storage", sa.String(), nullable=True),
        sa.Column("required_papers", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("unit_weight_g >= 1", name=op.f("ck_commodities_unit_weight")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_commodities")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"),
        "idempotency_keys",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("result_url", sa.String(), nullable=True),
        sa.Column("problem", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed')",
            name=op.f("ck_jobs_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("organizations", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("principal_id", sa.Uuid(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("position", name=op.f("uq_outbox_position")),
    )
    op.create_index("ix_outbox_subject", "outbox", ["subject_id", "id"], unique=False)
    op.create_index(
        "ix_outbox_unpublished",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "regions",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("bps_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("province", sa.String(), nullable=False),
        sa.Column("island", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_on", sa.Date(), nullable=False),
        sa.Column("price_zone", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=True),
        sa.Column("trades_as", sa.String(), nullable=False),
        sa.Column("collection_idr_per_kg", sa.Integer(), nullable=False),
        sa.Column("collection_days", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "collection_idr_per_kg >= 0 AND collection_days BETWEEN 0 AND 30",
            name=op.f("ck_regions_collection"),
        ),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_regions_hub")),
        sa.ForeignKeyConstraint(["trades_as"], ["regions.code"], name=op.f("fk_regions_trades_as")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_regions")),
    )
    op.create_table(
        "agreements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("commodities", postgresql.ARRAY(sa.TEXT()), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_force', 'suspended', 'ended')",
            name=op.f("ck_agreements_status"),
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= signed_on",
            name=op.f("ck_agreements_days"),
        ),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_agreements_hub")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_agreements_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("code", name=op.f("uq_agreements_code")),
    )
    op.create_index("ix_agreements_hub_region", "agreements", ["hub", "region"], unique=False)
    op.create_table(
        "cleared_pools",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column("demands", sa.Integer(), nullable=False),
        sa.Column("matched_quantity", sa.BigInteger(), nullable=False),
        sa.Column("surplus_idr", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_cleared_pools_commodity")),
        sa.ForeignKeyConstraint(["run_id"], ["clearing_runs.id"], name=op.f("fk_cleared_pools_run_id")),
        sa.PrimaryKeyConstraint("run_id", "commodity", name=op.f("pk_cleared_pools")),
    )
    op.create_table(
        "clearing_documents",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("input", sa.LargeBinary(), nullable=False),
        sa.Column("output", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["clearing_runs.id"], name=op.f("fk_clearing_documents_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_clearing_documents")),
    )
    op.create_table(
        "clearing_prices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("min_remaining_shelf_life_days", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=False),
        sa.Column("traded_quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["clearing_runs.id"], name=op.f("fk_clearing_prices_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_prices")),
        sa.UniqueConstraint(
            "run_id",
            "commodity",
            "grade",
            "min_remaining_shelf_life_days",
            "region",
            "level",
            "day",
            name="uq_clearing_prices_place",
        ),
    )
    op.create_index(
        "ix_clearing_prices_commodity_day",
        "clearing_prices",
        ["commodity", "day"],
        unique=False,
    )
    op.create_table(
        "consumption",
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("kg_per_week", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_consumption_commodity")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_consumption_region")),
        sa.PrimaryKeyConstraint("region", "commodity", "basis", name=op.f("pk_consumption")),
    )
    op.create_table(
        "grades",
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(), nullable=False),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_grades_rank")),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_grades_commodity")),
        sa.PrimaryKeyConstraint("commodity", "code", name=op.f("pk_grades")),
        sa.UniqueConstraint("commodity", "rank", name=op.f("uq_grades_commodity_rank")),
    )
    op.create_table(
        "lanes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=True),
        sa.Column("vehicle", sa.String(), nullable=True),
        sa.Column("distance_km", sa.Integer(), nullable=True),
        sa.Column("lead_time_days", sa.Integer(), nullable=False),
        sa.Column("freight_idr_per_kg", sa.Integer(), nullable=False),
        sa.Column("departure_weekdays", postgresql.ARRAY(sa.SMALLINT()), nullable=False),
        sa.Column("closes_days_before", sa.Integer(), nullable=False),
        sa.Column("capacity_kg", sa.BigInteger(), nullable=False),
        sa.Column("temperature", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused')", name=op.f("ck_lanes_status")),
        sa.CheckConstraint("temperature IN ('ambient', 'chilled')", name=op.f("ck_lanes_temperature")),
        sa.CheckConstraint("capacity_kg BETWEEN 0 AND 1000000000", name=op.f("ck_lanes_capacity")),
        sa.CheckConstraint(
            "departure_weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]",
            name=op.f("ck_lanes_weekdays"),
        ),
        sa.CheckConstraint("freight_idr_per_kg BETWEEN 0 AND 100000000", name=op.f("ck_lanes_freight")),
        sa.CheckConstraint(
            "lead_time_days BETWEEN 0 AND 60 AND closes_days_before BETWEEN 0 AND 30",
            name=op.f("ck_lanes_days"),
        ),
        sa.ForeignKeyConstraint(["destination"], ["regions.code"], name=op.f("fk_lanes_destination")),
        sa.ForeignKeyConstraint(["origin"], ["regions.code"], name=op.f("fk_lanes_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("code", name=op.f("uq_lanes_code")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("telephone", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('producer', 'buyer', 'hub', 'observer')",
            name=op.f("ck_organizations_role"),
        ),
        sa.CheckConstraint("status IN ('active', 'suspended')", name=op.f("ck_organizations_status")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_organizations_hub")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_organizations_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("hub", "role", "name", name=op.f("uq_organizations_hub_role_name")),
    )
    op.create_table(
        "pool_claims",
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_pool_claims_commodity")),
        sa.PrimaryKeyConstraint("commodity", name=op.f("pk_pool_claims")),
    )
    op.create_table(
        "units",
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("base_quantity", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("fixed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("base_quantity > 0", name=op.f("ck_units_base_quantity")),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_units_commodity")),
        sa.PrimaryKeyConstraint("commodity", "code", name=op.f("pk_units")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_api_keys_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_index(
        op.f("ix_api_keys_organization_id"),
        "api_keys",
        ["organization_id"],
        unique=False,
    )
    op.create_table(
        "demands",
        sa.Column("min_grade", sa.String(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("max_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("deliver_from", sa.Date(), nullable=False),
        sa.Column("deliver_by", sa.Date(), nullable=False),
        sa.Column("min_remaining_shelf_life_days", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("proposed_quantity", sa.BigInteger(), nullable=False),
        sa.Column("ordered_quantity", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_quantity", sa.BigInteger(), nullable=False),
        sa.Column("min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("entered_quantity", sa.String(), nullable=False),
        sa.Column("entered_unit", sa.String(), nullable=False),
        sa.Column("entered_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("entered_price_unit", sa.String(), nullable=False),
        sa.Column("unit_base_quantity", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("price_valid_until", sa.Date(), nullable=True),
        sa.Column("external_ref", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delivery IN ('franco', 'loco')", name=op.f("ck_demands_delivery")),
        sa.CheckConstraint(
            "status IN ('open', 'exhausted', 'expired', 'withdrawn')",
            name=op.f("ck_demands_status"),
        ),
        sa.CheckConstraint("deliver_by >= deliver_from", name=op.f("ck_demands_days")),
        sa.CheckConstraint("max_price_idr BETWEEN 1 AND 100000000", name=op.f("ck_demands_price")),
        sa.CheckConstraint("min_quantity BETWEEN 1 AND quantity", name=op.f("ck_demands_min_quantity")),
        sa.CheckConstraint(
            "min_remaining_shelf_life_days BETWEEN 0 AND 3650",
            name=op.f("ck_demands_life"),
        ),
        sa.CheckConstraint(
            "proposed_quantity >= 0 AND ordered_quantity >= 0 AND withdrawn_quantity >= 0 AND proposed_quantity + ordered_quantity + withdrawn_quantity BETWEEN 0 AND quantity",
            name=op.f("ck_demands_allocated"),
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000000000", name=op.f("ck_demands_quantity")),
        sa.ForeignKeyConstraint(
            ["commodity", "min_grade"],
            ["grades.commodity", "grades.code"],
            name=op.f("fk_demands_commodity_min_grade"),
        ),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_demands_commodity")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_demands_hub")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_demands_organization_id"),
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_demands_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demands")),
        sa.UniqueConstraint("id", "organization_id", name=op.f("uq_demands_id_organization_id")),
        sa.UniqueConstraint(
            "organization_id",
            "external_ref",
            name=op.f("uq_demands_organization_id_external_ref"),
        ),
    )
    op.create_index("ix_demands_created", "demands", ["created_at", "id"], unique=False)
    op.create_index("ix_demands_deliver_by", "demands", ["deliver_by"], unique=False)
    op.create_index(
        "ix_demands_organization_created",
        "demands",
        ["organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_demands_pool",
        "demands",
        ["commodity"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_demands_until",
        "demands",
        ["deliver_by"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'exhausted')"),
    )
    op.create_table(
        "departures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lane_id", sa.Uuid(), nullable=False),
        sa.Column("departs_on", sa.Date(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("capacity_kg", sa.BigInteger(), nullable=False),
        sa.Column("booked_g", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('scheduled', 'closed')", name=op.f("ck_departures_status")),
        sa.CheckConstraint(
            "arrives_on >= departs_on AND closes_on <= departs_on",
            name=op.f("ck_departures_days"),
        ),
        sa.CheckConstraint(
            "booked_g BETWEEN 0 AND capacity_kg * 1000",
            name=op.f("ck_departures_booked"),
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_departures_lane_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
        sa.UniqueConstraint("lane_id", "departs_on", name=op.f("uq_departures_lane_id_departs_on")),
    )
    op.create_index("ix_departures_departs_on", "departures", ["departs_on"], unique=False)
    op.create_table(
        "lane_closures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lane_id", sa.Uuid(), nullable=False),
        sa.Column("closed_from", sa.Date(), nullable=False),
        sa.Column("closed_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("closed_until >= closed_from", name=op.f("ck_lane_closures_days")),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_lane_closures_lane_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_closures")),
    )
    op.create_index(op.f("ix_lane_closures_lane_id"), "lane_closures", ["lane_id"], unique=False)
    op.create_table(
        "listings",
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("price_idr", sa.BigInteger(), nullable=False),
        sa.Column("available_from", sa.Date(), nullable=False),
        sa.Column("available_until", sa.Date(), nullable=False),
        sa.Column("best_before", sa.Date(), nullable=False),
        sa.Column("best_before_chilled", sa.Date(), nullable=False),
        sa.Column("papers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("proposed_quantity", sa.BigInteger(), nullable=False),
        sa.Column("ordered_quantity", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_quantity", sa.BigInteger(), nullable=False),
        sa.Column("min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("entered_quantity", sa.String(), nullable=False),
        sa.Column("entered_unit", sa.String(), nullable=False),
        sa.Column("entered_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("entered_price_unit", sa.String(), nullable=False),
        sa.Column("unit_base_quantity", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("price_valid_until", sa.Date(), nullable=True),
        sa.Column("external_ref", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'exhausted', 'expired', 'withdrawn')",
            name=op.f("ck_listings_status"),
        ),
        sa.CheckConstraint(
            "available_until >= available_from AND best_before >= available_from",
            name=op.f("ck_listings_days"),
        ),
        sa.CheckConstraint("min_quantity BETWEEN 1 AND quantity", name=op.f("ck_listings_min_quantity")),
        sa.CheckConstraint("price_idr BETWEEN 1 AND 100000000", name=op.f("ck_listings_price")),
        sa.CheckConstraint(
            "proposed_quantity >= 0 AND ordered_quantity >= 0 AND withdrawn_quantity >= 0 AND proposed_quantity + ordered_quantity + withdrawn_quantity BETWEEN 0 AND quantity",
            name=op.f("ck_listings_allocated"),
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000000000", name=op.f("ck_listings_quantity")),
        sa.ForeignKeyConstraint(
            ["commodity", "grade"],
            ["grades.commodity", "grades.code"],
            name=op.f("fk_listings_commodity_grade"),
        ),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_listings_commodity")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_listings_hub")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_listings_organization_id"),
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_listings_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("id", "organization_id", name=op.f("uq_listings_id_organization_id")),
        sa.UniqueConstraint(
            "organization_id",
            "external_ref",
            name=op.f("uq_listings_organization_id_external_ref"),
        ),
    )
    op.create_index("ix_listings_created", "listings", ["created_at", "id"], unique=False)
    op.create_index("ix_listings_available_from", "listings", ["available_from"], unique=False)
    op.create_index(
        "ix_listings_organization_created",
        "listings",
        ["organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_listings_pool",
        "listings",
        ["commodity"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_listings_until",
        "listings",
        ["available_until"],
        unique=False,
        postgresql_where=sa.text("status IN ('open', 'exhausted')"),
    )
    op.create_table(
        "price_references",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("grade", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("price_zone", sa.Integer(), nullable=True),
        sa.Column("min_idr", sa.BigInteger(), nullable=False),
        sa.Column("max_idr", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("regulation", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("posted_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('het', 'hpp', 'hap', 'observed')",
            name=op.f("ck_price_references_kind"),
        ),
        sa.CheckConstraint(
            "min_idr BETWEEN 1 AND max_idr AND max_idr <= 100000000",
            name=op.f("ck_price_references_range"),
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from",
            name=op.f("ck_price_references_days"),
        ),
        sa.ForeignKeyConstraint(
            ["commodity", "grade"],
            ["grades.commodity", "grades.code"],
            name=op.f("fk_price_references_commodity_grade"),
        ),
        sa.ForeignKeyConstraint(
            ["commodity"],
            ["commodities.code"],
            name=op.f("fk_price_references_commodity"),
        ),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_price_references_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_references")),
        sa.UniqueConstraint("code", name=op.f("uq_price_references_code")),
    )
    op.create_index(
        "ix_price_references_commodity_kind_valid_from",
        "price_references",
        ["commodity", "kind", "valid_from"],
        unique=False,
    )
    op.create_table(
        "unmatched",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_unmatched_organization_id"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["clearing_runs.id"], name=op.f("fk_unmatched_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmatched")),
        sa.UniqueConstraint("run_id", "order_id", name=op.f("uq_unmatched_run_id_order_id")),
    )
    op.create_index(
        "ix_unmatched_organization",
        "unmatched",
        ["organization_id", "run_id"],
        unique=False,
    )
    op.create_table(
        "matches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=False),
        sa.Column("listing_organization_id", sa.Uuid(), nullable=False),
        sa.Column("demand_id", sa.Uuid(), nullable=False),
        sa.Column("demand_organization_id", sa.Uuid(), nullable=False),
        sa.Column("commodity", sa.String(), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("departs_on", sa.Date(), nullable=False),
        sa.Column("arrives_on", sa.Date(), nullable=False),
        sa.Column("producer_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("collection_idr", sa.BigInteger(), nullable=False),
        sa.Column("freight_idr", sa.BigInteger(), nullable=False),
        sa.Column("scarcity_idr", sa.BigInteger(), nullable=False),
        sa.Column("delivered_price_idr", sa.BigInteger(), nullable=False),
        sa.Column("ask_idr", sa.BigInteger(), nullable=False),
        sa.Column("limit_idr", sa.BigInteger(), nullable=False),
        sa.Column("listing_min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("demand_min_quantity", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("listing_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("demand_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.String(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('dry_run', 'proposed', 'confirmed', 'declined', 'lapsed')",
            name=op.f("ck_matches_status"),
        ),
        sa.CheckConstraint(
            "producer_price_idr + collection_idr + freight_idr + scarcity_idr = delivered_price_idr",
            name=op.f("ck_matches_price"),
        ),
        sa.CheckConstraint(
            "producer_price_idr >= ask_idr AND delivered_price_idr <= limit_idr AND scarcity_idr >= 0",
            name=op.f("ck_matches_gain"),
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_matches_quantity")),
        sa.ForeignKeyConstraint(["commodity"], ["commodities.code"], name=op.f("fk_matches_commodity")),
        sa.ForeignKeyConstraint(
            ["demand_id", "demand_organization_id"],
            ["demands.id", "demands.organization_id"],
            name=op.f("fk_matches_demand_id_demand_organization_id"),
        ),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_matches_departure_id")),
        sa.ForeignKeyConstraint(
            ["listing_id", "listing_organization_id"],
            ["listings.id", "listings.organization_id"],
            name=op.f("fk_matches_listing_id_listing_organization_id"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["clearing_runs.id"], name=op.f("fk_matches_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matches")),
        sa.UniqueConstraint(
            "run_id",
            "listing_id",
            "demand_id",
            "departure_id",
            "departs_on",
            name="uq_matches_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_matches_created", "matches", ["created_at", "id"], unique=False)
    op.create_index("ix_matches_arrives_on", "matches", ["arrives_on"], unique=False)
    op.create_index("ix_matches_demand", "matches", ["demand_id", "status"], unique=False)
    op.create_index(
        "ix_matches_demand_organization",
        "matches",
        ["demand_organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_index("ix_matches_departure", "matches", ["departure_id"], unique=False)
    op.create_index(
        "ix_matches_expiring",
        "matches",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_index("ix_matches_listing", "matches", ["listing_id", "status"], unique=False)
    op.create_index(
        "ix_matches_listing_organization",
        "matches",
        ["listing_organization_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "allocations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("listing_id", sa.Uuid(), nullable=True),
        sa.Column("demand_id", sa.Uuid(), nullable=True),
        sa.Column("departure_id", sa.Uuid(), nullable=True),
        sa.Column("match_id", sa.Uuid(), nullable=True),
        sa.Column("proposed", sa.BigInteger(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("booked_g", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["demand_id"], ["demands.id"], name=op.f("fk_allocations_demand_id")),
        sa.ForeignKeyConstraint(
            ["departure_id"],
            ["departures.id"],
            name=op.f("fk_allocations_departure_id"),
        ),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_allocations_listing_id")),
        sa.ForeignKeyConstraint(
            ["match_id"],
            ["matches.id"],
            name=op.f("fk_allocations_match_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocations")),
    )
    op.create_index(op.f("ix_allocations_demand_id"), "allocations", ["demand_id"], unique=False)
    op.create_index(
        op.f("ix_allocations_departure_id"),
        "allocations",
        ["departure_id"],
        unique=False,
    )
    op.create_index(op.f("ix_allocations_listing_id"), "allocations", ["listing_id"], unique=False)
    op.execute(REFUSE_CHANGE)
    op.execute(APPEND_ONLY)
    op.execute("CREATE SCHEMA invariants")
    for name, query in INVARIANTS.items():
        op.execute(f"CREATE VIEW invariants.{name} AS {query}")


def downgrade() -> None:
    op.execute("DROP SCHEMA invariants CASCADE")
    op.execute("DROP TRIGGER append_only ON allocations")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_index(op.f("ix_allocations_listing_id"), table_name="allocations")
    op.drop_index(op.f("ix_allocations_departure_id"), table_name="allocations")
    op.drop_index(op.f("ix_allocations_demand_id"), table_name="allocations")
    op.drop_table("allocations")
    op.drop_index("ix_matches_listing_organization", table_name="matches")
    op.drop_index("ix_matches_listing", table_name="matches")
    op.drop_index(
        "ix_matches_expiring",
        table_name="matches",
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.drop_index("ix_matches_departure", table_name="matches")
    op.drop_index("ix_matches_demand_organization", table_name="matches")
    op.drop_index("ix_matches_demand", table_name="matches")
    op.drop_index("ix_matches_arrives_on", table_name="matches")
    op.drop_index("ix_matches_created", table_name="matches")
    op.drop_table("matches")
    op.drop_index("ix_unmatched_organization", table_name="unmatched")
    op.drop_table("unmatched")
    op.drop_index("ix_price_references_commodity_kind_valid_from", table_name="price_references")
    op.drop_table("price_references")
    op.drop_index(
        "ix_listings_until",
        table_name="listings",
        postgresql_where=sa.text("status IN ('open', 'exhausted')"),
    )
    op.drop_index(
        "ix_listings_pool",
        table_name="listings",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.drop_index("ix_listings_organization_created", table_name="listings")
    op.drop_index("ix_listings_available_from", table_name="listings")
    op.drop_index("ix_listings_created", table_name="listings")
    op.drop_table("listings")
    op.drop_index(op.f("ix_lane_closures_lane_id"), table_name="lane_closures")
    op.drop_table("lane_closures")
    op.drop_index("ix_departures_departs_on", table_name="departures")
    op.drop_table("departures")
    op.drop_index(
        "ix_demands_until",
        table_name="demands",
        postgresql_where=sa.text("status IN ('open', 'exhausted')"),
    )
    op.drop_index(
        "ix_demands_pool",
        table_name="demands",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.drop_index("ix_demands_organization_created", table_name="demands")
    op.drop_index("ix_demands_deliver_by", table_name="demands")
    op.drop_index("ix_demands_created", table_name="demands")
    op.drop_table("demands")
    op.drop_index(op.f("ix_api_keys_organization_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("units")
    op.drop_table("pool_claims")
    op.drop_table("organizations")
    op.drop_table("lanes")
    op.drop_table("grades")
    op.drop_table("consumption")
    op.drop_index("ix_clearing_prices_commodity_day", table_name="clearing_prices")
    op.drop_table("clearing_prices")
    op.drop_table("clearing_documents")
    op.drop_table("cleared_pools")
    op.drop_index("ix_agreements_hub_region", table_name="agreements")
    op.drop_table("agreements")
    op.drop_table("regions")
    op.drop_index(
        "ix_outbox_unpublished",
        table_name="outbox",
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.drop_index("ix_outbox_subject", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(
        "ix_jobs_waiting",
        table_name="jobs",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.drop_table("jobs")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("commodities")
    op.drop_index("ix_clearing_runs_created", table_name="clearing_runs")
    op.drop_table("clearing_runs")
