"""Rows of imports."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Instant
from app.kit.db import Base


class Import(Base):
    """One uploaded file; its id is that of the job that takes it."""

    __tablename__ = "imports"
    __table_args__ = (CheckConstraint("kind IN ('listings', 'demands')", name="kind"),)

    id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    #: who uploaded it, and with which key
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    key_id: Mapped[UUID | None]
    kind: Mapped[str]
    dry_run: Mapped[bool]
    #: for whom the hub acts in rows that name nobody
    acting_for: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    filename: Mapped[str]
    #: the file, until it is taken
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    #: what came of it, row by row
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    #: the same file with a column of errors; None where no row was refused
    workbook: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[Instant]


class ImportedRow(Base):
    """A row that was taken: when it comes again, it is known."""

    __tablename__ = "imported_rows"

    #: whose posting it became
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), index=True)
    #: afterwards the same row is a new one; None where its own number tells it for good
    until: Mapped[Instant | None] = mapped_column(index=True)
