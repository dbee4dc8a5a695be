"""unsettled orders are found without reading all."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_orders_unsettled",
        "orders",
        ["status", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('scheduled', 'in_transit', 'delivered')"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_orders_unsettled",
        table_name="orders",
        postgresql_where=sa.text("status IN ('scheduled', 'in_transit', 'delivered')"),
    )
