"""Shapes of settlements, payments, statements and bank statements."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.kit.validation import Answer, Day, Line, Note, Rupiah, Shape

AccountKind = Literal["buyer", "producer", "carrier", "collection", "hub_fee", "bank"]
TransferKind = Literal[
    "goods",
    "scarcity",
    "collection",
    "freight",
    "collection_of_loss",
    "freight_of_loss",
    "hub_fee",
    "paid_in",
    "paid_out",
    "set_off",
]
Direction = Literal["in", "out", "set_off"]


class AccountAnswer(Answer):
    """Whose money is counted."""

    account: UUID
    kind: AccountKind
    organization: UUID | None = Field(description="of a buyer or producer")
    name: str = Field(examples=["Koperasi peternak Ponggok"])


class BillAnswer(Answer):
    """What the buyer owes for one final receipt."""

    receipt_id: UUID
    amount_idr: int
    due_on: date = Field(description="last day, local to the destination, on which it is paid on time")
    at: datetime


class DeductionAnswer(Answer):
    """What a producer bears of its own."""

    kind: Literal["collection_of_loss", "freight_of_loss", "hub_fee"]
    amount_idr: int


class SettledLine(Answer):
    """What one receipt makes of one order line; null where it is not the caller's to know."""

    receipt_id: UUID
    order_line_id: UUID
    producer: str
    grade: str
    loaded_g: int
    payable_g: int
    goods_idr: int
    scarcity_idr: int
    collection_idr: int
    freight_idr: int
    buyer_pays_idr: int
    deductions: list[DeductionAnswer] | None
    producer_gets_idr: int | None


class PayeeAnswer(AccountAnswer):
    """What is due to a payee for an order, what of it buyers' payments cover, and what was paid out."""

    due_idr: int
    shared_idr: int
    paid_idr: int
    open_idr: int = Field(description="still due; below 0 what it owes after a loss")


class ShareAnswer(AccountAnswer):
    """A payee's part of one payment."""

    amount_idr: int


class OrderPayment(Answer):
    """What one payment paid of an order, and how it was split; below 0 what went back to the buyer's credit."""

    payment_id: UUID
    on: date
    direction: Direction
    amount_idr: int
    shares: list[ShareAnswer]


class ReferenceAnswer(Answer):
    """The price against which a benefit is reckoned."""

    price_reference: UUID
    kind: Literal["het", "hpp", "hap", "observed"]
    level: str
    price_idr: int


class BenefitAnswer(Answer):
    """What a line, once a match, brings both ends; null where there is no reference of that day.

    farmer gain + collection + freight + scarcity + city saving = quantity x (city's - farm gate's reference).
    The quantity is what is ordered: what was lost on the way stands in the bill, not here.
    """

    order_line_id: UUID
    match_id: UUID | None
    quantity: int
    farm_gate: ReferenceAnswer | None
    farmer_gain_idr: int | None
    collection_idr: int
    freight_idr: int
    scarcity_idr: int
    city: ReferenceAnswer | None
    city_saving_idr: int | None


class SettlementAnswer(Answer):
    """The money of one order, as far as it is the caller's: a producer sees its own lines, due and shares."""

    order_id: UUID
    number: str = Field(examples=["BTC-2026-000123"])
    status: str
    payment_terms: str
    down_payment_idr: int = Field(description="due before dispatch; 0 unless the terms say so")
    down_payment_due_on: date | None
    value_idr: int | None = Field(description="delivered price of the ordered quantity")
    billed_idr: int | None
    received_idr: int | None
    open_idr: int | None = Field(description="billed and not paid; below 0 what is paid ahead")
    due_on: date | None = Field(description="of the first bill that is not paid")
    bills: list[BillAnswer]
    lines: list[SettledLine]
    payees: list[PayeeAnswer]
    payments: list[OrderPayment]
    benefit: list[BenefitAnswer]
    split_rule: str


class PaymentDraft(Shape):
    """Money that came in or went out: it is recorded here, the bank moves it."""

    direction: Literal["in", "out"] = "in"
    organization: UUID | None = Field(None, description="the buyer who paid, the producer who was paid")
    account: UUID | None = Field(
        None, description="out: instead of an organisation, a carrier's or collector's account"
    )
    amount_idr: Rupiah = Field(examples=[276_300_000])
    on: Day | None = Field(None, description="day on which the bank booked it; default today")
    orders: Annotated[list[UUID], Field(max_length=100)] = Field(
        [], description="the orders it is for, paid in this order; then the oldest due"
    )
    reference: Line | None = Field(None, description="the bank's own: the same again is refused")
    note: Note | None = None
    bank_line: UUID | None = Field(None, description="the booking of a bank statement that it is")


class PaymentPart(Answer):
    """What a payment is for."""

    order_id: UUID | None = Field(description="null: a buyer's credit")
    number: str | None
    amount_idr: int


class PaymentAnswer(AccountAnswer):
    """A recorded payment; a set-off is a credit or debt that met a bill or a due without money."""

    id: UUID
    direction: Direction
    amount_idr: int
    on: date
    orders: list[PaymentPart]
    reference: str | None
    note: str | None
    source: Literal["hub", "bank_statement", "worker"]
    created_at: datetime


class StatementLine(Answer):
    """One transfer of an account: a debit is owed by the party, a credit to it."""

    at: datetime
    kind: TransferKind
    order_id: UUID | None
    number: str | None
    debit_idr: int
    credit_idr: int
    balance_idr: int = Field(description="what the party owes after it; below 0 what it is owed")


class StatementAnswer(AccountAnswer):
    """An account over a period."""

    first: date = Field(alias="from")
    last: date = Field(alias="until")
    opening_idr: int
    closing_idr: int
    lines: list[StatementLine]
    split_rule: str


class BankLineAnswer(Answer):
    """One booking of a bank statement that no payment was found for."""

    id: UUID
    row: int = Field(description="of the file")
    on: date
    description: str
    amount_idr: int = Field(description="above 0 came in, below 0 went out")
    reason: str | None = Field(description="unknown_order, order_paid, several_parties, no_number, more_than_due")
    suggestions: list[str] = Field(description="numbers of orders that it may be about")


class BankStatementAnswer(Answer):
    """An uploaded bank statement."""

    id: UUID
    first_on: date
    last_on: date
    lines: int
    matched: int
    unmatched: int
    seen: int = Field(description="bookings that an earlier upload held already")
    created_at: datetime
