"""Use cases of disputes: opened by a party within a day, decided by the hub."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import Invalid, StaleVersion, invalid
from app.kit.text import Text
from app.orders import queries as order_queries
from app.orders.models import Order
from app.orders.service import party_of
from app.outbox.events import actor_of
from app.shipments import queries
from app.shipments.errors import DisputeResolved, ReceiptAcknowledged, ReceiptDisputed, ReceiptFinal
from app.shipments.models import Dispute
from app.shipments.rules import Outcome, decided_g
from app.shipments.standing import Standing, locked, make_final, tell


async def dispute(
    session: AsyncSession,
    *,
    order_id: UUID,
    receipt_id: UUID | None,
    principal: Principal,
    organization: UUID | None,
    note: str,
    now: datetime,
) -> Dispute:
    """Object to a receipt of an order within 24 hours; `organization`: the party for which the hub objects.

    Raises NotFound (404), ReceiptFinal, ReceiptAcknowledged and ReceiptDisputed (409), Invalid (422) where it is not
    clear which receipt is meant or for whom the hub objects.
    """
    order = await order_queries.one(session, order_id, principal)
    standing = await locked(session, await _meant(session, order, receipt_id, now), principal)
    party = party_of(order, [item.order_line for item in standing.carried], principal, organization)
    if party is None:
        raise invalid(
            "/organization",
            "missing",
            Text("Hub menyebut pihak yang diwakili.", "The hub names the party for which it objects."),
        )
    _check_open(standing, by_buyer=party == order.buyer_id, now=now)
    opened = Dispute(
        id=new_id(),
        receipt_id=standing.receipt.id,
        order_id=order.id,
        opened_by=party,
        note=note,
        status="open",
        opened_at=now,
        version=1,
    )
    session.add(opened)
    await session.flush()
    actor = actor_of(principal, acting_for=party)
    await tell(session, "dispute.opened", standing, actor, now, dispute_id=str(opened.id), note=note)
    return opened


async def _meant(session: AsyncSession, order: Order, receipt_id: UUID | None, now: datetime) -> UUID:
    """Return the receipt that is meant: the one named, else the only one that may still be disputed."""
    receipts = await queries.receipts_of(session, order_ids=[order.id])
    if receipt_id is not None:
        if receipt_id not in {receipt.id for receipt in receipts}:
            raise _unclear("unknown_receipt", Text("Tidak ada di pesanan ini.", "It is no receipt of this order."))
        return receipt_id
    waiting = [receipt.id for receipt in receipts if receipt.final_at is None and now < receipt.dispute_until]
    if len(waiting) == 1:
        return waiting[0]
    if receipts and not waiting:
        raise ReceiptFinal
    raise _unclear("missing", Text("Sebutkan tanda terima yang disanggah.", "Say which receipt is disputed."))


def _unclear(code: str, detail: Text) -> Invalid:
    return invalid("/receipt_id", code, detail)


def _check_open(standing: Standing, *, by_buyer: bool, now: datetime) -> None:
    if standing.dispute is not None:
        raise ReceiptDisputed
    if standing.receipt.final_at is not None or now >= standing.receipt.dispute_until:
        raise ReceiptFinal
    if standing.receipt.acknowledged_at is not None and by_buyer:
        raise ReceiptAcknowledged


async def resolve(
    session: AsyncSession,
    *,
    dispute_id: UUID,
    principal: Principal,
    version: int,
    outcome: Outcome,
    note: str | None,
    stated_g: int | None,
    now: datetime,
) -> Dispute:
    """Decide a dispute: its receipt becomes final with the payable weight that the outcome means.

    Raises NotFound (404), StaleVersion (412), DisputeResolved (409), Invalid (422) naming /payable_g.
    """
    seen = await rows.find(session, Dispute, dispute_id)
    standing = await locked(session, seen.receipt_id, principal)
    found = await rows.lock(session, Dispute, dispute_id)
    if found.version != version:
        raise StaleVersion
    if found.status != "open":
        raise DisputeResolved
    payable = _payable(standing, outcome, stated_g)
    found.outcome, found.outcome_note, found.payable_g = outcome, note, payable
    found.status, found.resolved_at = "resolved", now
    found.version += 1
    await session.flush()
    actor = actor_of(principal)
    facts = {"dispute_id": str(found.id), "outcome": outcome, "note": note, "payable_g": payable}
    await tell(session, "dispute.resolved", standing, actor, now, **facts)
    await make_final(session, standing, payable, actor, now)
    return found


def _payable(standing: Standing, outcome: Outcome, stated_g: int | None) -> int:
    payable = decided_g(
        outcome,
        stated_g,
        by_rule_g=standing.by_rule_g,
        loaded_g=standing.loaded_g,
        accepted_g=standing.receipt.accepted_g,
    )
    if payable is None or payable > standing.loaded_g or (stated_g is not None and outcome is Outcome.REJECTED):
        raise invalid(
            "/payable_g",
            "payable",
            Text(
                f"Wajib untuk split, 0 sampai {standing.loaded_g} gram; kosong untuk rejected.",
                f"Required for split, 0 to {standing.loaded_g} grams; absent for rejected.",
            ),
        )
    return payable
