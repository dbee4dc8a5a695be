"""settlement."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


#: what is told once stays told
APPEND_ONLY = ("bills", "payments", "transfers", "shares")

#: what a weight costs at a price per base unit: half a rupiah counts as one
_COST = "div(2 * {weight}::numeric * {price} + c.unit_weight_g, 2 * c.unit_weight_g)"


def _cost(weight: str, *prices: str) -> str:
    return " + ".join(_COST.format(weight=weight, price=price) for price in prices)


#: what an account owes of an order through payments alone
_RECEIVED = """
SELECT order_id, payment_id, sum(amount_idr) AS amount_idr
  FROM (SELECT t.order_id, t.payment_id, t.amount_idr FROM transfers t JOIN accounts a ON a.id = t.credit_id
         WHERE a.kind = 'buyer' AND t.payment_id IS NOT NULL
        UNION ALL
        SELECT t.order_id, t.payment_id, -t.amount_idr FROM transfers t JOIN accounts a ON a.id = t.debit_id
         WHERE a.kind = 'buyer' AND t.payment_id IS NOT NULL) moved
 WHERE order_id IS NOT NULL GROUP BY order_id, payment_id
"""

#: every view returns no row while all money adds up
INVARIANTS = {
    # a bill is what its weights cost, and collection and carrier get what was loaded
    "bill_transfers": f"""
        SELECT b.receipt_id FROM bills b
          LEFT JOIN (SELECT r.receipt_id,
                            sum({_cost("r.payable_g", "l.producer_price_idr", "l.scarcity_idr", "l.collection_idr", "l.freight_idr")}) AS buyer,
                            sum({_cost("r.loaded_g", "l.collection_idr")}) AS collection,
                            sum({_cost("r.loaded_g", "l.freight_idr")}) AS carrier
                       FROM receipt_lines r JOIN order_lines l ON l.id = r.order_line_id
                       JOIN orders o ON o.id = l.order_id JOIN commodities c ON c.code = o.commodity
                      GROUP BY r.receipt_id) cost USING (receipt_id)
          LEFT JOIN (SELECT receipt_id,
                            sum(amount_idr) FILTER (WHERE kind IN ('goods', 'scarcity', 'collection', 'freight')) AS buyer,
                            sum(amount_idr) FILTER (WHERE kind IN ('collection', 'collection_of_loss')) AS collection,
                            sum(amount_idr) FILTER (WHERE kind IN ('freight', 'freight_of_loss')) AS carrier
                       FROM transfers GROUP BY receipt_id) told USING (receipt_id)
         WHERE (b.amount_idr::numeric, cost.buyer, cost.collection, cost.carrier) IS DISTINCT FROM
               (coalesce(told.buyer, 0), coalesce(told.buyer, 0), coalesce(told.collection, 0), coalesce(told.carrier, 0))""",  # noqa: S608 - constant parts
    # a payment went through the bank once, in its direction
    "payment_transfers": """
        SELECT p.id FROM payments p
          LEFT JOIN (SELECT t.payment_id AS id, sum(t.amount_idr) FILTER (WHERE debit.kind = 'bank') AS came,
                            sum(t.amount_idr) FILTER (WHERE credit.kind = 'bank') AS went
                       FROM transfers t JOIN accounts debit ON debit.id = t.debit_id
                       JOIN accounts credit ON credit.id = t.credit_id GROUP BY t.payment_id) bank USING (id)
         WHERE (bank.came, bank.went) IS DISTINCT FROM (CASE WHEN p.direction <> 'out' THEN p.amount_idr END,
                                                        CASE WHEN p.direction <> 'in' THEN p.amount_idr END)""",
    # the shares of an order are what is paid of its bills, and no payment is shared out beyond what it paid
    "order_shares": f"""
        SELECT id FROM orders
          LEFT JOIN (SELECT order_id AS id, sum(amount_idr) AS amount_idr FROM ({_RECEIVED}) paid GROUP BY order_id) received USING (id)
          LEFT JOIN (SELECT order_id AS id, sum(amount_idr) AS amount_idr FROM bills GROUP BY order_id) billed USING (id)
          LEFT JOIN (SELECT order_id AS id, sum(amount_idr) AS amount_idr FROM shares GROUP BY order_id) shared USING (id)
         WHERE coalesce(shared.amount_idr, 0)
               <> least(coalesce(received.amount_idr, 0), coalesce(billed.amount_idr, 0))
        UNION ALL
        SELECT shared.order_id FROM (SELECT order_id, payment_id, sum(amount_idr) AS amount_idr FROM shares
                                      GROUP BY order_id, payment_id) shared
          LEFT JOIN ({_RECEIVED}) received USING (order_id, payment_id)
         WHERE shared.amount_idr > coalesce(received.amount_idr, 0)""",  # noqa: S608 - constant parts
    # nobody is paid out more than bills made due
    "payouts": """
        SELECT a.id FROM accounts a
          JOIN (SELECT debit_id AS id, sum(amount_idr) AS amount_idr FROM transfers WHERE kind = 'paid_out' GROUP BY debit_id) paid USING (id)
          LEFT JOIN (SELECT credit_id AS id, sum(amount_idr) AS amount_idr FROM transfers WHERE kind <> 'set_off' GROUP BY credit_id) due USING (id)
         WHERE paid.amount_idr > coalesce(due.amount_idr, 0)""",
    # a settled order is billed, paid and paid out
    "settled_orders": """
        SELECT o.id FROM orders o
         WHERE o.status = 'settled'
           AND (EXISTS (SELECT FROM receipts r LEFT JOIN bills b ON b.receipt_id = r.id
                         WHERE r.order_id = o.id AND b.receipt_id IS NULL)
                OR EXISTS (SELECT FROM (SELECT t.debit_id AS account_id, t.amount_idr FROM transfers t WHERE t.order_id = o.id
                                        UNION ALL
                                        SELECT t.credit_id, -t.amount_idr FROM transfers t WHERE t.order_id = o.id) moved
                             JOIN accounts a ON a.id = moved.account_id
                            WHERE a.kind IN ('buyer', 'producer', 'carrier', 'collection')
                            GROUP BY a.id, a.kind
                           HAVING CASE WHEN a.kind = 'buyer' THEN sum(moved.amount_idr) <> 0 ELSE sum(moved.amount_idr) < 0 END))""",
}


def upgrade() -> None:
    op.create_table(
        "bank_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_bank_statements_hub")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statements")),
    )
    op.create_index("ix_bank_statements_created", "bank_statements", ["created_at", "id"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=True),
        sa.Column("lane_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(kind IN ('buyer', 'producer')) = (organization_id IS NOT NULL) AND (kind = 'carrier') = (lane_id IS NOT NULL) AND (kind = 'collection') = (region IS NOT NULL)",
            name=op.f("ck_accounts_owner"),
        ),
        sa.CheckConstraint(
            "kind IN ('buyer', 'producer', 'carrier', 'collection', 'hub_fee', 'bank')", name=op.f("ck_accounts_kind")
        ),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_accounts_hub")),
        sa.ForeignKeyConstraint(["lane_id"], ["lanes.id"], name=op.f("fk_accounts_lane_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_accounts_organization_id")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_accounts_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "hub",
            "kind",
            "organization_id",
            "lane_id",
            "region",
            name="uq_accounts_owner",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_accounts_organization", "accounts", ["organization_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out', 'set_off')", name=op.f("ck_payments_direction")),
        sa.CheckConstraint("source IN ('hub', 'bank_statement', 'worker')", name=op.f("ck_payments_source")),
        sa.CheckConstraint("amount_idr BETWEEN 1 AND 1000000000000000", name=op.f("ck_payments_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_payments_account_id")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_payments_hub")),
        sa.ForeignKeyConstraint(["recorded_by"], ["organizations.id"], name=op.f("fk_payments_recorded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("hub", "direction", "reference", name=op.f("uq_payments_hub_direction_reference")),
    )
    op.create_index("ix_payments_account", "payments", ["account_id", "created_at", "id"], unique=False)
    op.create_index("ix_payments_created", "payments", ["created_at", "id"], unique=False)
    op.create_table(
        "bank_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("suggestions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(payment_id IS NULL) OR (reason IS NULL)", name=op.f("ck_bank_lines_reason")),
        sa.CheckConstraint("amount_idr <> 0", name=op.f("ck_bank_lines_amount")),
        sa.ForeignKeyConstraint(["hub"], ["regions.code"], name=op.f("fk_bank_lines_hub")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_bank_lines_payment_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statements.id"], name=op.f("fk_bank_lines_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_lines")),
        sa.UniqueConstraint("hub", "fingerprint", name=op.f("uq_bank_lines_hub_fingerprint")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_bank_lines_payment_id")),
    )
    op.create_index("ix_bank_lines_statement", "bank_lines", ["statement_id", "number"], unique=False)
    op.create_index(
        "ix_bank_lines_unmatched",
        "bank_lines",
        ["statement_id"],
        unique=False,
        postgresql_where=sa.text("payment_id IS NULL"),
    )
    op.create_table(
        "shares",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_idr > 0", name=op.f("ck_shares_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_shares_account_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shares_order_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_shares_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    op.create_index("ix_shares_account", "shares", ["account_id"], unique=False)
    op.create_index("ix_shares_order", "shares", ["order_id"], unique=False)
    op.create_index("ix_shares_payment", "shares", ["payment_id"], unique=False)
    op.create_table(
        "bills",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_idr >= 0", name=op.f("ck_bills_amount")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_bills_order_id")),
        sa.ForeignKeyConstraint(
            ["receipt_id", "order_id"], ["receipts.id", "receipts.order_id"], name=op.f("fk_bills_receipt_id_order_id")
        ),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_bills")),
    )
    op.create_index("ix_bills_due_on", "bills", ["due_on"], unique=False)
    op.create_index("ix_bills_order", "bills", ["order_id"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("debit_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("amount_idr", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('goods', 'scarcity', 'collection', 'freight', 'collection_of_loss', 'freight_of_loss', 'hub_fee', 'paid_in', 'paid_out', 'set_off')",
            name=op.f("ck_transfers_kind"),
        ),
        sa.CheckConstraint("(receipt_id IS NULL) <> (payment_id IS NULL)", name=op.f("ck_transfers_cause")),
        sa.CheckConstraint(
            "(receipt_id IS NULL) = (order_line_id IS NULL) AND (receipt_id IS NULL OR order_id IS NOT NULL)",
            name=op.f("ck_transfers_receipt"),
        ),
        sa.CheckConstraint("amount_idr > 0", name=op.f("ck_transfers_amount")),
        sa.CheckConstraint("debit_id <> credit_id", name=op.f("ck_transfers_accounts")),
        sa.ForeignKeyConstraint(["credit_id"], ["accounts.id"], name=op.f("fk_transfers_credit_id")),
        sa.ForeignKeyConstraint(["debit_id"], ["accounts.id"], name=op.f("fk_transfers_debit_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_transfers_order_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_transfers_order_line_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_transfers_payment_id")),
        sa.ForeignKeyConstraint(["receipt_id"], ["bills.receipt_id"], name=op.f("fk_transfers_receipt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_index("ix_transfers_credit", "transfers", ["credit_id", "at"], unique=False)
    op.create_index("ix_transfers_debit", "transfers", ["debit_id", "at"], unique=False)
    op.create_index("ix_transfers_order", "transfers", ["order_id"], unique=False)
    op.create_index("ix_transfers_payment", "transfers", ["payment_id"], unique=False)
    op.create_index("ix_transfers_receipt", "transfers", ["receipt_id"], unique=False)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for name, query in INVARIANTS.items():
        op.execute(f"CREATE VIEW invariants.{name} AS {query}")


def downgrade() -> None:
    for name in INVARIANTS:
        op.execute(f"DROP VIEW invariants.{name}")
    op.drop_index("ix_transfers_receipt", table_name="transfers")
    op.drop_index("ix_transfers_payment", table_name="transfers")
    op.drop_index("ix_transfers_order", table_name="transfers")
    op.drop_index("ix_transfers_debit", table_name="transfers")
    op.drop_index("ix_transfers_credit", table_name="transfers")
    op.drop_table("transfers")
    op.drop_index("ix_bills_order", table_name="bills")
    op.drop_index("ix_bills_due_on", table_name="bills")
    op.drop_table("bills")
    op.drop_index("ix_shares_payment", table_name="shares")
    op.drop_index("ix_shares_order", table_name="shares")
    op.drop_index("ix_shares_account", table_name="shares")
    op.drop_table("shares")
    op.drop_index("ix_bank_lines_unmatched", table_name="bank_lines", postgresql_where=sa.text("payment_id IS NULL"))
    op.drop_index("ix_bank_lines_statement", table_name="bank_lines")
    op.drop_table("bank_lines")
    op.drop_index("ix_payments_created", table_name="payments")
    op.drop_index("ix_payments_account", table_name="payments")
    op.drop_table("payments")
    op.drop_index("ix_accounts_organization", table_name="accounts")
    op.drop_table("accounts")
    op.drop_index("ix_bank_statements_created", table_name="bank_statements")
    op.drop_table("bank_statements")
