"""Pure rules of orders: transitions, numbers, terms, and when one is delivered."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where an order stands."""

    CONFIRMED = "confirmed"
    SCHEDULED = "scheduled"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    SETTLED = "settled"
    CANCELLED = "cancelled"


#: (from, to) -> the event it is told by
TRANSITIONS: dict[tuple[State, State], str] = {
    (State.CONFIRMED, State.SCHEDULED): "order.scheduled",
    (State.CONFIRMED, State.CANCELLED): "order.cancelled",
    (State.SCHEDULED, State.IN_TRANSIT): "order.dispatched",
    (State.IN_TRANSIT, State.DELIVERED): "order.delivered",
    (State.DELIVERED, State.SETTLED): "order.settled",
}

#: states in which something may still be loaded
UNDER_WAY = (State.CONFIRMED, State.SCHEDULED, State.IN_TRANSIT)

#: percent of the loaded weight that may be lost on the way, unless a deal says otherwise
DEFAULT_TOLERANCE_PERCENT = 1
#: percent due before dispatch where the terms are down_payment, unless a deal says otherwise
DEFAULT_DOWN_PAYMENT_PERCENT = 30


class PaymentTerms(StrEnum):
    """When a buyer pays: at receipt, a part beforehand, or days after receipt."""

    CASH = "cash"
    DOWN_PAYMENT = "down_payment"
    NET_7 = "net_7"
    NET_14 = "net_14"
    NET_30 = "net_30"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order fixes besides its prices."""

    payment_terms: PaymentTerms
    down_payment_percent: int
    tolerance_percent: int


def terms_of(
    payment_terms: PaymentTerms, *, down_payment_percent: int | None = None, tolerance_percent: int | None = None
) -> Terms:
    """Return the terms of an order; None takes the default. A down payment is 0 where the terms have none."""
    part = 0
    if payment_terms is PaymentTerms.DOWN_PAYMENT:
        part = DEFAULT_DOWN_PAYMENT_PERCENT if down_payment_percent is None else down_payment_percent
    return Terms(payment_terms, part, DEFAULT_TOLERANCE_PERCENT if tolerance_percent is None else tolerance_percent)


def order_number(count: int, year: int) -> str:
    """Return the number that people quote, such as BTC-2026-000123."""
    return f"BTC-{year}-{count:06}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one line has come, base units."""

    quantity: int
    loaded: int
    received: int


def anything_loaded(lines: Iterable[Progress]) -> bool:
    """Tell whether a shipment carries something of an order."""
    return any(line.loaded for line in lines)


def is_delivered(lines: Iterable[Progress]) -> bool:
    """Tell whether all that is ordered was received."""
    return all(line.quantity == line.received for line in lines)
