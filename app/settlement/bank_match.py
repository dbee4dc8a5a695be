"""Finding what a booking is about: the number of an order, else the exact amount together with the party's name.

An amount alone is no proof: it only suggests. Pure; every answer carries its reason.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

_NUMBER = re.compile(r"BTC[\s/._-]?(\d{4})[\s/._-]?(\d{6})(?!\d)", re.IGNORECASE | re.ASCII)
_WORD = re.compile(r"[^\W_]{3,}")
#: words of a name that many have
COMMON = frozenset(
    "koperasi pedagang toko kelompok gapoktan peternak petani distributor pasar penggilingan bumd umkm contoh ternak "
    "tani dan kota kabupaten jaya makmur sumber berkah".split()
)
MOST_SUGGESTIONS = 5
#: days between a payment as the hub typed it and the bank's booking of it
DAYS_APART = 3


@dataclass(frozen=True, slots=True)
class Open:
    """What is open with one party for one order."""

    order_id: UUID
    number: str
    #: the buyer's organisation, or the account of a payee
    party_id: UUID
    name: str
    #: above 0 is expected to come in, below 0 to go out; 0 where it is all paid
    open_idr: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A payment that the hub typed in, and that no booking belongs to yet."""

    payment_id: UUID
    day: date
    #: above 0 came in, below 0 went out
    amount_idr: int
    name: str
    #: of the orders that it is for
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a booking is about, or why that is not known."""

    #: of one party, in the order in which they are paid; empty where it is not known
    opens: tuple[Open, ...] = ()
    #: unknown_order, order_paid, several_parties, no_number
    reason: str | None = None
    suggestions: tuple[str, ...] = ()


def numbers_in(description: str) -> list[str]:
    """Return the order numbers that a text names, as they are written on papers."""
    return list(dict.fromkeys(f"BTC-{year}-{count}" for year, count in _NUMBER.findall(description)))


def names(description: str, name: str) -> bool:
    """Tell whether a text names a party: all words of its name that few share."""
    words = {word.lower() for word in _WORD.findall(name)} - COMMON
    return bool(words) and words <= {word.lower() for word in _WORD.findall(description)}


def find(description: str, amount_idr: int, opens: Sequence[Open]) -> Found:
    """Find what a booking is about.

    1. Its direction: what came in pays buyers' orders, what went out pays payees.
    2. Order numbers: all known, open, and of one party. What went out must also name the party or be the exact amount.
    3. No number: exactly one open amount that is the same, of a party that the text names.
    """
    same_way = [one for one in opens if one.open_idr == 0 or (one.open_idr > 0) == (amount_idr > 0)]
    numbers = numbers_in(description)
    if not numbers:
        return _by_amount(description, amount_idr, same_way)
    known = {one.number for one in opens}
    if any(number not in known for number in numbers):
        return Found(reason="unknown_order")
    named = [one for number in numbers for one in same_way if one.number == number and one.open_idr]
    if amount_idr < 0:
        named = [one for one in named if names(description, one.name) or one.open_idr == amount_idr]
    if not named:
        return Found(reason="order_paid")
    if len({one.party_id for one in named}) > 1:
        return Found(reason="several_parties", suggestions=_suggested(named))
    return Found(opens=tuple(named))


def typed_before(description: str, amount_idr: int, day: date, payments: Sequence[Typed]) -> Typed | None:
    """Return the one payment that was typed in before its booking came: same amount, near day, and number or name."""
    numbers = set(numbers_in(description))
    same = [
        one
        for one in payments
        if one.amount_idr == amount_idr
        and abs((one.day - day).days) <= DAYS_APART
        and (numbers & set(one.numbers) if numbers else names(description, one.name))
    ]
    return same[0] if len(same) == 1 else None


def _by_amount(description: str, amount_idr: int, opens: Sequence[Open]) -> Found:
    same = [one for one in opens if one.open_idr == amount_idr]
    named = [one for one in same if names(description, one.name)]
    if len(named) == 1:
        return Found(opens=tuple(named))
    return Found(reason="no_number", suggestions=_suggested(named or same))


def _suggested(opens: Sequence[Open]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.number for one in opens))[:MOST_SUGGESTIONS]
