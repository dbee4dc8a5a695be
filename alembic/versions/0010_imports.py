"""uploaded files and the rows that they became."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("acting_for", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("workbook", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('listings', 'demands')", name=op.f("ck_imports_kind")),
        sa.ForeignKeyConstraint(["id"], ["jobs.id"], name=op.f("fk_imports_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_imports_organization_id")),
        sa.ForeignKeyConstraint(["acting_for"], ["organizations.id"], name=op.f("fk_imports_acting_for")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_organization_id"), "imports", ["organization_id"])
    op.create_table(
        "imported_rows",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_imported_rows_organization_id")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_imported_rows_import_id")),
        sa.PrimaryKeyConstraint("organization_id", "kind", "fingerprint", name=op.f("pk_imported_rows")),
    )
    op.create_index(op.f("ix_imported_rows_import_id"), "imported_rows", ["import_id"])
    op.create_index(op.f("ix_imported_rows_until"), "imported_rows", ["until"])


def downgrade() -> None:
    op.drop_table("imported_rows")
    op.drop_table("imports")
