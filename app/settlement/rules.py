"""Pure rules of money: what a weight costs, who bears a loss, when a bill is due, how a payment is split.

All amounts are whole rupiah, all weights grams.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.kit.proportion import Key, in_proportion


class AccountKind(StrEnum):
    """Whose money an account counts."""

    BUYER = "buyer"
    PRODUCER = "producer"
    #: the carrier of a lane
    CARRIER = "carrier"
    #: who collects in a region and brings to the hub
    COLLECTION = "collection"
    HUB_FEE = "hub_fee"
    #: the hub's bank account, through which all money passes
    BANK = "bank"


#: who is paid out; the hub's fee stays with the hub
PAYEES = (AccountKind.PRODUCER, AccountKind.CARRIER, AccountKind.COLLECTION)


class Kind(StrEnum):
    """What a transfer is for."""

    GOODS = "goods"
    SCARCITY = "scarcity"
    COLLECTION = "collection"
    FREIGHT = "freight"
    #: deductions: collection and freight of what was loaded and is not paid for, and the hub's fee
    COLLECTION_OF_LOSS = "collection_of_loss"
    FREIGHT_OF_LOSS = "freight_of_loss"
    HUB_FEE = "hub_fee"
    #: money through the bank
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    #: a credit or debt that meets a bill or a due, without money
    SET_OFF = "set_off"


#: what a producer bears of its own
DEDUCTIONS = (Kind.COLLECTION_OF_LOSS, Kind.FREIGHT_OF_LOSS, Kind.HUB_FEE)


class Direction(StrEnum):
    """Which way a payment goes, seen from the hub."""

    IN = "in"
    OUT = "out"
    SET_OFF = "set_off"


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer: `debit` owes more, `credit` is owed more."""

    kind: Kind
    debit: AccountKind
    credit: AccountKind
    #: above 0
    amount_idr: int


@dataclass(frozen=True, slots=True)
class Prices:
    """What a base unit costs, rupiah."""

    producer_idr: int
    collection_idr: int
    freight_idr: int
    scarcity_idr: int


def cost(weight_g: int, price_idr: int, unit_weight_g: int) -> int:
    """Return what a weight costs at a price per base unit: half a rupiah counts as one."""
    return (2 * weight_g * price_idr + unit_weight_g) // (2 * unit_weight_g)


def bill_line(*, loaded_g: int, payable_g: int, unit_weight_g: int, prices: Prices, fee_permille: int) -> list[Entry]:
    """Return the transfers that a final receipt makes of one order line.

    1. The buyer owes goods, scarcity, collection and freight for the payable weight.
    2. Collection and carrier are due for the loaded weight: what the buyer does not pay of it, the producer bears.
    3. The hub's fee is a part of the goods' value, borne by the producer.
    """
    buyer, producer = AccountKind.BUYER, AccountKind.PRODUCER
    entries = []

    def owe(kind: Kind, debit: AccountKind, credit: AccountKind, amount_idr: int) -> None:
        if amount_idr:
            entries.append(Entry(kind, debit, credit, amount_idr))

    goods = cost(payable_g, prices.producer_idr, unit_weight_g)
    owe(Kind.GOODS, buyer, producer, goods)
    owe(Kind.SCARCITY, buyer, producer, cost(payable_g, prices.scarcity_idr, unit_weight_g))
    for price, paid, lost, payee in (
        (prices.collection_idr, Kind.COLLECTION, Kind.COLLECTION_OF_LOSS, AccountKind.COLLECTION),
        (prices.freight_idr, Kind.FREIGHT, Kind.FREIGHT_OF_LOSS, AccountKind.CARRIER),
    ):
        by_buyer = cost(payable_g, price, unit_weight_g)
        owe(paid, buyer, payee, by_buyer)
        owe(lost, producer, payee, cost(loaded_g, price, unit_weight_g) - by_buyer)
    owe(Kind.HUB_FEE, producer, AccountKind.HUB_FEE, cost(goods, fee_permille, 1000))
    return entries


def split(amount_idr: int, dues: Mapping[Key, int]) -> dict[Key, int]:
    """Split an amount in proportion to dues: the written rule by which one payment reaches every payee.

    The rupiah that rounding leaves go one each to the largest fractions, among equals in the order of the keys
    (`kit.proportion`). Returns the parts above 0, none above its due. Raises ValueError when the dues do not suffice.
    """
    total = sum(dues.values())
    if not 0 <= amount_idr <= total or any(due < 0 for due in dues.values()):
        raise ValueError(f"{amount_idr} cannot be split over {total}")
    return {key: part for key, part in in_proportion(amount_idr, dues).items() if part}


def spend(amount_idr: int, opens: Sequence[tuple[Key, int]]) -> tuple[dict[Key, int], int]:
    """Spend an amount on what is open, first things first; return the parts above 0 and what is left."""
    parts: dict[Key, int] = {}
    for key, open_idr in opens:
        part = min(amount_idr, open_idr)
        if part > 0:
            parts[key] = parts.get(key, 0) + part
            amount_idr -= part
    return parts, amount_idr


#: payment terms -> days from receipt until the bill is due
DAYS_TO_PAY = {"cash": 0, "down_payment": 0, "net_7": 7, "net_14": 14, "net_30": 30}


def due_on(payment_terms: str, received_on: date) -> date:
    """Return the last day, local to the destination, on which a bill is paid on time."""
    return received_on + timedelta(days=DAYS_TO_PAY[payment_terms])


def down_payment(order_idr: int, percent: int) -> int:
    """Return what is due before dispatch of an order's value at its ordered quantities."""
    return cost(order_idr, percent, 100)


def still_open(*, over: bool, owed_idr: int, billed_idr: int, value_idr: int) -> int:
    """Return what an order still takes of its buyer: what is owed or, while it may be billed more, of its whole value.

    Below 0 where more was paid than was billed. `over`: nothing of it will be billed any more.
    """
    return owed_idr if over else max(value_idr, billed_idr) - (billed_idr - owed_idr)


def is_paid_on_time(bills: Sequence[tuple[date, int]], payments: Sequence[tuple[date, int]]) -> bool:
    """Tell whether at the end of each bill's last day all bills due until then were paid.

    Bills as (due day, rupiah), payments as (day, rupiah).
    """
    return all(
        sum(paid for day, paid in payments if day <= due) >= sum(amount for earlier, amount in bills if earlier <= due)
        for due, _ in bills
    )
