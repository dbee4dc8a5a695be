"""The counters that listings and demands share, and the ledger behind them."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Numeric
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base


class Posting:
    """What a listing and a demand have in common: an owner, what was typed, quantities, a state."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    commodity: Mapped[str] = mapped_column(ForeignKey("commodities.code"))
    region: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: the hub at which it is posted
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: base units
    quantity: Mapped[Big]
    proposed_quantity: Mapped[Big] = mapped_column(default=0)
    ordered_quantity: Mapped[Big] = mapped_column(default=0)
    withdrawn_quantity: Mapped[Big] = mapped_column(default=0)
    #: in one clearing it trades nothing, or at least min(min_quantity, open)
    min_quantity: Mapped[Big]
    #: as typed, for people to recognise
    entered_quantity: Mapped[str]
    entered_unit: Mapped[str]
    entered_price_idr: Mapped[Big]
    entered_price_unit: Mapped[str]
    #: own package weight in base units, where the unit is a trade habit
    unit_base_quantity: Mapped[Decimal | None] = mapped_column(Numeric(14, 6))
    #: last local day on which its price holds: runs skip it afterwards, until its owner renews it
    price_valid_until: Mapped[date | None]
    external_ref: Mapped[str | None]
    note: Mapped[str | None]
    status: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]

    @hybrid_property
    def open_quantity(self) -> int:
        """Return what nobody has a claim on, base units; of a class the SQL for it."""
        return self.quantity - self.proposed_quantity - self.ordered_quantity - self.withdrawn_quantity


def posting_checks() -> Iterable[CheckConstraint]:
    """Return the CHECKs of a posting: the last line against selling twice."""
    return (
        CheckConstraint(
            "proposed_quantity >= 0 AND ordered_quantity >= 0 AND withdrawn_quantity >= 0"
            " AND proposed_quantity + ordered_quantity + withdrawn_quantity BETWEEN 0 AND quantity",
            name="allocated",
        ),
        CheckConstraint("quantity BETWEEN 1 AND 1000000000", name="quantity"),
        CheckConstraint("min_quantity BETWEEN 1 AND quantity", name="min_quantity"),
        CheckConstraint("status IN ('open', 'exhausted', 'expired', 'withdrawn')", name="status"),
    )


class Allocation(Base):
    """One step of quantity: the deltas apply to every row it names. Never updated, never deleted."""

    __tablename__ = "allocations"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[Instant]
    #: what moved it: proposed, confirmed, reduced, declined, lapsed, withdrawn, expired, returned
    cause: Mapped[str]
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("listings.id"), index=True)
    demand_id: Mapped[UUID | None] = mapped_column(ForeignKey("demands.id"), index=True)
    departure_id: Mapped[UUID | None] = mapped_column(ForeignKey("departures.id"), index=True)
    match_id: Mapped[UUID | None] = mapped_column(ForeignKey("matches.id", deferrable=True, initially="DEFERRED"))
    #: deltas, base units
    proposed: Mapped[Big]
    ordered: Mapped[Big]
    withdrawn: Mapped[Big]
    #: delta of the departure's booked grams
    booked_g: Mapped[Big]
