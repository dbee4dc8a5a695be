"""receipts add up, and delivered orders are counted once."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: a final receipt says what is paid of every line that its shipment brought, any other receipt says nothing yet
RECEIPT_WEIGHTS = """
CREATE VIEW invariants.receipt_weights AS
SELECT receipt.id FROM receipts receipt
  JOIN order_lines line ON line.order_id = receipt.order_id
  JOIN shipment_lines loaded ON loaded.order_line_id = line.id AND loaded.shipment_id = receipt.shipment_id
  LEFT JOIN receipt_lines paid ON paid.receipt_id = receipt.id AND paid.order_line_id = line.id
 WHERE (receipt.final_at IS NOT NULL) <> (paid.receipt_id IS NOT NULL)
    OR paid.loaded_g <> loaded.net_weight_g
"""


def upgrade() -> None:
    op.add_column("orders", sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(RECEIPT_WEIGHTS)


def downgrade() -> None:
    op.execute("DROP VIEW invariants.receipt_weights")
    op.drop_column("orders", "judged_at")
