"""an order that is overdue counts in its buyer's record, once."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("buyer_judged_at", sa.DateTime(timezone=True), nullable=True))
    # until now an order was counted when it was settled
    op.execute("UPDATE orders SET buyer_judged_at = settled_at WHERE status = 'settled'")


def downgrade() -> None:
    op.drop_column("orders", "buyer_judged_at")
