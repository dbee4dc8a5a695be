"""events are told: to a hub by its code, to an organisation by an index."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("hub", sa.String(), nullable=True))
    op.create_index(
        "ix_outbox_organizations",
        "outbox",
        ["organizations"],
        postgresql_using="gin",
        postgresql_where=sa.text("position IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_organizations", table_name="outbox")
    op.drop_column("outbox", "hub")
