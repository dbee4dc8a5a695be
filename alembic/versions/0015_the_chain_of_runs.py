"""runs are numbered in the order in which they were recorded, and their hashes form one chain."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: a binding run that does not name the output of the binding run recorded before it
RUN_CHAIN = """
CREATE VIEW invariants.run_chain AS
SELECT id FROM (
  SELECT id, previous_sha256, lag(output_sha256) OVER (ORDER BY number) AS before
    FROM clearing_runs WHERE NOT dry_run
) run WHERE previous_sha256 IS DISTINCT FROM before
"""


def upgrade() -> None:
    op.add_column("clearing_runs", sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False))
    op.create_unique_constraint(op.f("uq_clearing_runs_number"), "clearing_runs", ["number"])
    op.execute(RUN_CHAIN)


def downgrade() -> None:
    op.execute("DROP VIEW invariants.run_chain")
    op.drop_column("clearing_runs", "number")
