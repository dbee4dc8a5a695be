"""Rows of listings."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.allocations.models import Posting, posting_checks
from app.kit.columns import Big
from app.kit.db import Base


class Listing(Posting, Base):
    """A producer's supply."""

    __tablename__ = "listings"
    __table_args__ = (
        *posting_checks(),
        ForeignKeyConstraint(["commodity", "grade"], ["grades.commodity", "grades.code"]),
        CheckConstraint("price_idr BETWEEN 1 AND 100000000", name="price"),
        CheckConstraint("available_until >= available_from AND best_before >= available_from", name="days"),
        UniqueConstraint("organization_id", "external_ref"),
        UniqueConstraint("id", "organization_id"),
        Index("ix_listings_organization_created", "organization_id", "created_at", "id"),
        Index("ix_listings_created", "created_at", "id"),
        Index("ix_listings_available_from", "available_from"),
        Index("ix_listings_pool", "commodity", postgresql_where=text("status = 'open'")),
        Index("ix_listings_until", "available_until", postgresql_where=text("status IN ('open', 'exhausted')")),
    )

    grade: Mapped[str]
    #: asked at the gate, per base unit
    price_idr: Mapped[Big]
    #: days on which it can leave the gate
    available_from: Mapped[date]
    available_until: Mapped[date]
    #: last day of shelf life, uncooled and cooled
    best_before: Mapped[date]
    best_before_chilled: Mapped[date]
    #: NKV, halal, PSAT, ...: carried and shown
    papers: Mapped[dict[str, Any]] = mapped_column(JSONB)
