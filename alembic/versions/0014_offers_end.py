"""a counter-offer that nobody answered ends with its match."""

from collections.abc import Sequence

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OVER = """
UPDATE counter_offers offer SET status = 'lapsed', answered_at = m.updated_at
  FROM matches m WHERE m.id = offer.match_id AND offer.status = 'open' AND m.status <> 'proposed'
"""
OPEN_AGAIN = "UPDATE counter_offers SET status = 'open', answered_at = NULL WHERE status = 'lapsed'"


def _allow(*statuses: str) -> None:
    op.drop_constraint(op.f("ck_counter_offers_status"), "counter_offers", type_="check")
    allowed = ", ".join(f"'{status}'" for status in statuses)
    op.create_check_constraint(op.f("ck_counter_offers_status"), "counter_offers", f"status IN ({allowed})")


def upgrade() -> None:
    _allow("open", "accepted", "declined", "lapsed")
    op.execute(OVER)


def downgrade() -> None:
    op.execute(OPEN_AGAIN)
    _allow("open", "accepted", "declined")
