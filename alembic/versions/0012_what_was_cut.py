"""what is cut from an order on its way stays a promise of its producer."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: orders that were cut before are told by their history: after a part was loaded, and not for the buyer
TAKE_UP = """
UPDATE order_lines line SET cut_quantity = cut.quantity
  FROM (SELECT CAST(told.payload->>'line_id' AS uuid) AS line_id,
               sum(CAST(told.payload->>'cancelled' AS bigint)) AS quantity
          FROM outbox told
          JOIN orders o ON o.id = told.subject_id
         WHERE told.name = 'order.reduced' AND told.principal_id IS DISTINCT FROM o.buyer_id
           AND EXISTS (SELECT FROM outbox loaded WHERE loaded.subject_id = told.subject_id
                        AND loaded.name = 'order.scheduled' AND loaded.id < told.id)
         GROUP BY 1) cut
 WHERE cut.line_id = line.id
"""


def upgrade() -> None:
    op.add_column("order_lines", sa.Column("cut_quantity", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_check_constraint(op.f("ck_order_lines_cut"), "order_lines", "cut_quantity >= 0")
    op.execute(TAKE_UP)


def downgrade() -> None:
    op.drop_column("order_lines", "cut_quantity")
