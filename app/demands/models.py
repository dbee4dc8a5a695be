"""Rows of demands."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.allocations.models import Posting, posting_checks
from app.kit.columns import Big
from app.kit.db import Base


class Demand(Posting, Base):
    """A buyer's need."""

    __tablename__ = "demands"
    __table_args__ = (
        *posting_checks(),
        ForeignKeyConstraint(["commodity", "min_grade"], ["grades.commodity", "grades.code"]),
        CheckConstraint("max_price_idr BETWEEN 1 AND 100000000", name="price"),
        CheckConstraint("deliver_by >= deliver_from", name="days"),
        CheckConstraint("min_remaining_shelf_life_days BETWEEN 0 AND 3650", name="life"),
        CheckConstraint("delivery IN ('franco', 'loco')", name="delivery"),
        UniqueConstraint("organization_id", "external_ref"),
        UniqueConstraint("id", "organization_id"),
        Index("ix_demands_organization_created", "organization_id", "created_at", "id"),
        Index("ix_demands_created", "created_at", "id"),
        Index("ix_demands_deliver_by", "deliver_by"),
        Index("ix_demands_pool", "commodity", postgresql_where=text("status = 'open'")),
        Index("ix_demands_until", "deliver_by", postgresql_where=text("status IN ('open', 'exhausted')")),
    )

    #: the lowest grade that will do
    min_grade: Mapped[str]
    #: franco (delivered) or loco (fetched at the hub)
    delivery: Mapped[str]
    #: the most it pays per base unit: delivered, or at the hub when loco
    max_price_idr: Mapped[Big]
    #: days of arrival, or of fetching
    deliver_from: Mapped[date]
    deliver_by: Mapped[date]
    min_remaining_shelf_life_days: Mapped[int]
