"""Rows of regions and agreements."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Instant
from app.kit.db import Base


class Region(Base):
    """A city, regency or province by its Kemendagri code."""

    __tablename__ = "regions"
    __table_args__ = (
        CheckConstraint("collection_idr_per_kg >= 0 AND collection_days BETWEEN 0 AND 30", name="collection"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    bps_code: Mapped[str]
    name: Mapped[str]
    level: Mapped[str]
    province: Mapped[str]
    island: Mapped[str]
    #: IANA name: a delivery day is a day of this zone
    timezone: Mapped[str]
    latitude: Mapped[float]
    longitude: Mapped[float]
    population: Mapped[int]
    population_on: Mapped[date]
    #: zone of the ceiling price of rice (HET), 1 to 3
    price_zone: Mapped[int]
    #: hub, producer, partner, partner_part, transit, growth
    role: Mapped[str]
    hub: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))
    #: the region under which it is matched: itself, or the parent of a partner_part
    trades_as: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: from the gate to the hub
    collection_idr_per_kg: Mapped[int]
    collection_days: Mapped[int]
    note: Mapped[str | None]
    source: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class Agreement(Base):
    """An agreement between the hub and a region."""

    __tablename__ = "agreements"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until >= signed_on", name="days"),
        CheckConstraint("status IN ('in_force', 'suspended', 'ended')", name="status"),
        Index("ix_agreements_hub_region", "hub", "region"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(unique=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: MoU, PKS, ...
    instrument: Mapped[str]
    signed_on: Mapped[date]
    valid_until: Mapped[date | None]
    #: commodity codes; NULL opens all
    commodities: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    status: Mapped[str]
    note: Mapped[str | None]
    source: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[Instant]
