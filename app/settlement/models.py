"""Rows of the ledger: accounts, transfers, bills, payments, shares, bank statements."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.columns import Big, Instant
from app.kit.db import Base


class Account(Base):
    """Whose money is counted. What it owes is its debits less its credits; below 0 it is owed."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint(
            "hub",
            "kind",
            "organization_id",
            "lane_id",
            "region",
            postgresql_nulls_not_distinct=True,
            name="uq_accounts_owner",
        ),
        CheckConstraint("kind IN ('buyer', 'producer', 'carrier', 'collection', 'hub_fee', 'bank')", name="kind"),
        CheckConstraint(
            "(kind IN ('buyer', 'producer')) = (organization_id IS NOT NULL)"
            " AND (kind = 'carrier') = (lane_id IS NOT NULL) AND (kind = 'collection') = (region IS NOT NULL)",
            name="owner",
        ),
        Index("ix_accounts_organization", "organization_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    kind: Mapped[str]
    #: buyer or producer
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    #: the lane whose carrier it is
    lane_id: Mapped[UUID | None] = mapped_column(ForeignKey("lanes.id"))
    #: the producing region in which it collects
    region: Mapped[str | None] = mapped_column(ForeignKey("regions.code"))


class Bill(Base):
    """What a buyer owes for a final receipt. Never changed."""

    __tablename__ = "bills"
    __table_args__ = (
        ForeignKeyConstraint(["receipt_id", "order_id"], ["receipts.id", "receipts.order_id"]),
        CheckConstraint("amount_idr >= 0", name="amount"),
        Index("ix_bills_order", "order_id"),
        Index("ix_bills_due_on", "due_on"),
    )

    #: a receipt is billed once
    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    amount_idr: Mapped[Big]
    #: last local day of the destination on which it is paid on time
    due_on: Mapped[date]
    at: Mapped[Instant]


class Payment(Base):
    """Money that came in or went out, or a set-off that needed none. Recorded, not executed; never changed."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out', 'set_off')", name="direction"),
        CheckConstraint("source IN ('hub', 'bank_statement', 'worker')", name="source"),
        CheckConstraint("amount_idr BETWEEN 1 AND 1000000000000000", name="amount"),
        UniqueConstraint("hub", "direction", "reference"),
        Index("ix_payments_account", "account_id", "created_at", "id"),
        Index("ix_payments_created", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    direction: Mapped[str]
    #: who paid or was paid
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    amount_idr: Mapped[Big]
    #: day on which the bank booked it
    day: Mapped[date]
    #: the bank's own, once a direction
    reference: Mapped[str | None]
    note: Mapped[str | None]
    #: hub (typed), bank_statement (read), worker (set off)
    source: Mapped[str]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"))
    created_at: Mapped[Instant]


class Transfer(Base):
    """One row of the ledger: an amount from a debit to a credit account. Never updated, never deleted."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount_idr > 0", name="amount"),
        CheckConstraint("debit_id <> credit_id", name="accounts"),
        CheckConstraint(
            "kind IN ('goods', 'scarcity', 'collection', 'freight', 'collection_of_loss', 'freight_of_loss', 'hub_fee',"
            " 'paid_in', 'paid_out', 'set_off')",
            name="kind",
        ),
        CheckConstraint("(receipt_id IS NULL) <> (payment_id IS NULL)", name="cause"),
        CheckConstraint(
            "(receipt_id IS NULL) = (order_line_id IS NULL) AND (receipt_id IS NULL OR order_id IS NOT NULL)",
            name="receipt",
        ),
        Index("ix_transfers_debit", "debit_id", "at"),
        Index("ix_transfers_credit", "credit_id", "at"),
        Index("ix_transfers_order", "order_id"),
        Index("ix_transfers_receipt", "receipt_id"),
        Index("ix_transfers_payment", "payment_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[Instant]
    kind: Mapped[str]
    #: owes more by it
    debit_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    #: is owed more by it
    credit_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    amount_idr: Mapped[Big]
    #: NULL where a buyer's credit is not for any order yet
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id"))
    order_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_lines.id"))
    receipt_id: Mapped[UUID | None] = mapped_column(ForeignKey("bills.receipt_id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))


class Share(Base):
    """A payee's part of what one payment pays of an order's bill, by the written rule. Never changed."""

    __tablename__ = "shares"
    __table_args__ = (
        CheckConstraint("amount_idr > 0", name="amount"),
        Index("ix_shares_order", "order_id"),
        Index("ix_shares_payment", "payment_id"),
        Index("ix_shares_account", "account_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[Instant]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"))
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    amount_idr: Mapped[Big]


class BankStatement(Base):
    """An uploaded list of bookings."""

    __tablename__ = "bank_statements"
    __table_args__ = (Index("ix_bank_statements_created", "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: of the file
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    first_on: Mapped[date]
    last_on: Mapped[date]
    lines: Mapped[int]
    #: lines that an earlier upload held already
    seen: Mapped[int]
    created_at: Mapped[Instant]


class BankLine(Base):
    """One booking of a bank statement: matched to a payment, or told why not."""

    __tablename__ = "bank_lines"
    __table_args__ = (
        UniqueConstraint("hub", "fingerprint"),
        UniqueConstraint("payment_id"),
        CheckConstraint("amount_idr <> 0", name="amount"),
        CheckConstraint("(payment_id IS NULL) OR (reason IS NULL)", name="reason"),
        Index("ix_bank_lines_statement", "statement_id", "number"),
        Index("ix_bank_lines_unmatched", "statement_id", postgresql_where=text("payment_id IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("bank_statements.id"))
    hub: Mapped[str] = mapped_column(ForeignKey("regions.code"))
    #: row of the file, its heading is 1
    number: Mapped[int]
    day: Mapped[date]
    description: Mapped[str]
    #: above 0 came in, below 0 went out
    amount_idr: Mapped[Big]
    #: SHA-256 of day, amount, description and how often the file holds the same before: an upload again adds nothing
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))
    #: why no payment was found for it
    reason: Mapped[str | None]
    #: orders that it may be about
    suggestions: Mapped[list[Any]] = mapped_column(JSONB)

    def belongs_to(self, payment_id: UUID) -> None:
        """Say which payment it is."""
        self.payment_id, self.reason, self.suggestions = payment_id, None, []
