"""Rows of commodities, grades, units, price references and consumption."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit.columns import Big, Instant
from app.kit.db import Base


class Commodity(Base):
    """A good that is traded in one pool."""

    __tablename__ = "commodities"
    __table_args__ = (CheckConstraint("unit_weight_g >= 1", name="unit_weight"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str]
    category: Mapped[str]
    hs_code: Mapped[str | None]
    #: kg or pcs
    base_unit: Mapped[str]
    unit_weight_g: Mapped[int]
    #: a better grade may serve a lower need
    grades_substitute: Mapped[bool]
    shelf_life_ambient_days: Mapped[int]
    shelf_life_chilled_days: Mapped[int | None]
    cold_storage: Mapped[str | None]
    #: papers the trade asks for; carried and shown, never matched on
    required_papers: Mapped[str | None]
    source: Mapped[str]
    grades: Mapped[list["Grade"]] = relationship(order_by="Grade.rank", lazy="raise")
    units: Mapped[list["Unit"]] = relationship(order_by="Unit.base_quantity", lazy="raise")


class Grade(Base):
    """A quality of a commodity; rank 1 is best."""

    __tablename__ = "grades"
    __table_args__ = (UniqueConstraint("commodity", "rank"), CheckConstraint("rank >= 1", name="rank"))

    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int]
    scheme: Mapped[str]


class Unit(Base):
    """A unit people trade in, in base units."""

    __tablename__ = "units"
    __table_args__ = (CheckConstraint("base_quantity > 0", name="base_quantity"),)

    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_quantity: Mapped[Decimal] = mapped_column(Numeric(14, 6))
    #: by law; otherwise a listing may state its own
    fixed: Mapped[bool]


class PriceReference(Base):
    """A ceiling (het), floor (hpp), reference (hap) or observed price, rupiah per base unit."""

    __tablename__ = "price_references"
    __table_args__ = (
        ForeignKeyConstraint(["commodity", "grade"], ["grades.commodity", "grades.code"]),
        CheckConstraint("min_idr BETWEEN 1 AND max_idr AND max_idr <= 100000000", name="range"),
        CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="days"),
        CheckConstraint("kind IN ('het', 'hpp', 'hap', 'observed')", name="kind"),
        Index("ix_price_references_commodity_kind_valid_from", "commodity", "kind", "valid_from"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(unique=True)
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"))
    grade: Mapped[str | None]
    kind: Mapped[str]
    #: farm_gate, producer, mill, bulog_store, wholesale, retail, consumer, delivered
    level: Mapped[str]
    region: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    price_zone: Mapped[int | None]
    min_idr: Mapped[Big]
    max_idr: Mapped[Big]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    place: Mapped[str | None]
    regulation: Mapped[str | None]
    note: Mapped[str | None]
    source: Mapped[str]
    #: organisation that posted it; NULL for what came with the reference data
    posted_by: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]


class Consumption(Base):
    """What a city eats in a week, by one way of counting."""

    __tablename__ = "consumption"

    region: Mapped[str] = mapped_column(ForeignKey("regions.code"), primary_key=True)
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"), primary_key=True)
    #: household, all uses, ...
    basis: Mapped[str] = mapped_column(primary_key=True)
    kg_per_week: Mapped[Big]
    note: Mapped[str | None]
    source: Mapped[str]
