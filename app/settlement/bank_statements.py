"""Taking in a bank statement: each booking becomes a payment, or is kept with the reason why not."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.ids import new_id
from app.kit.principal import Principal
from app.outbox.events import actor_of
from app.settlement import bank_match, queries, service
from app.settlement.bank_file import Booking, read
from app.settlement.bank_match import Found
from app.settlement.errors import MoreThanDue
from app.settlement.models import Account, BankLine, BankStatement


async def take_in(session: AsyncSession, *, content: bytes, principal: Principal, now: datetime) -> BankStatement:
    """Read a statement and record what it is sure about.

    1. Read the file; what an earlier upload held is skipped.
    2. A booking of a payment that the hub typed in before belongs to it.
    3. Find what the others are about (`bank_match`); what is known becomes a payment at once.
    4. The rest is kept, with the reason and orders that it may be about, for the hub to decide.

    Raises Invalid (422) naming the row for a file that cannot be read.
    """
    bookings = read(content)
    fresh = await _fresh(session, principal.region, bookings)
    statement = BankStatement(
        id=new_id(),
        hub=principal.region,
        sha256=hashlib.sha256(content).digest(),
        first_on=min(booking.day for booking in bookings),
        last_on=max(booking.day for booking in bookings),
        lines=len(bookings),
        seen=len(bookings) - len(fresh),
        created_at=now,
    )
    session.add(statement)
    await session.flush()
    numbers = [number for booking in fresh.values() for number in bank_match.numbers_in(booking.description)]
    opens = await queries.opens(session, statement.hub, numbers)
    apart = timedelta(days=bank_match.DAYS_APART)
    typed = await queries.typed(
        session, statement.hub, first=statement.first_on - apart, last=statement.last_on + apart
    )
    for fingerprint, booking in fresh.items():
        before = bank_match.typed_before(booking.description, booking.amount_idr, booking.day, typed)
        if before is not None:
            typed.remove(before)
            line = _line(statement, booking, fingerprint, Found())
            line.belongs_to(before.payment_id)
            session.add(line)
            await session.flush()
            continue
        found = bank_match.find(booking.description, booking.amount_idr, opens)
        line = _line(statement, booking, fingerprint, found)
        session.add(line)
        await session.flush()
        if found.opens:
            await _record(session, line, found, principal, now)
            opens = await queries.opens(session, statement.hub, numbers)
    return statement


async def _fresh(session: AsyncSession, hub: str, bookings: Sequence[Booking]) -> dict[bytes, Booking]:
    """Return the bookings that no earlier upload held; equal ones in one file are several."""
    before: Counter[tuple[object, ...]] = Counter()
    found: dict[bytes, Booking] = {}
    for booking in bookings:
        facts = (booking.day.isoformat(), booking.amount_idr, booking.description)
        before[facts] += 1
        found[hashlib.sha256(repr((*facts, before[facts])).encode()).digest()] = booking
    statement = select(BankLine.fingerprint).where(BankLine.hub == hub, BankLine.fingerprint.in_(list(found)))
    for seen in await session.scalars(statement):
        del found[seen]
    return found


def _line(statement: BankStatement, booking: Booking, fingerprint: bytes, found: Found) -> BankLine:
    return BankLine(
        id=new_id(),
        statement_id=statement.id,
        hub=statement.hub,
        number=booking.number,
        day=booking.day,
        description=booking.description,
        amount_idr=booking.amount_idr,
        fingerprint=fingerprint,
        reason=found.reason,
        suggestions=list(found.suggestions),
    )


async def _record(session: AsyncSession, line: BankLine, found: Found, principal: Principal, now: datetime) -> None:
    booked = service.Booked(
        hub=line.hub,
        amount_idr=abs(line.amount_idr),
        day=line.day,
        reference=None,
        note=line.description,
        source="bank_statement",
        actor=actor_of(principal),
        now=now,
    )
    party_id = found.opens[0].party_id
    order_ids = [one.order_id for one in found.opens]
    if line.amount_idr > 0:
        await service.pay_in(session, booked, buyer_id=party_id, order_ids=order_ids, bank_line=line)
        return
    account = await session.get_one(Account, party_id)
    try:
        await service.pay_out(session, booked, account=account, order_ids=order_ids, bank_line=line)
    except MoreThanDue:
        line.reason, line.suggestions = MoreThanDue.code, [one.number for one in found.opens]
        await session.flush()
