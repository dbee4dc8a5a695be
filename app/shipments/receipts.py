"""Use cases of receipts: recorded, acknowledged, final when their time is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import NotFound, invalid
from app.kit.text import Text
from app.orders import progress
from app.outbox.events import WORKER, Actor, actor_of
from app.shipments import queries
from app.shipments.errors import (
    ImplausibleWeight,
    ReceiptAcknowledged,
    ReceiptDisputed,
    ReceiptExists,
    ReceiptFinal,
    ShipmentNotArrived,
)
from app.shipments.models import Receipt, Shipment
from app.shipments.queries import Carried
from app.shipments.rules import DISPUTE_WITHIN, State, ends_at_acknowledgement
from app.shipments.standing import Standing, arrival_day, loaded_weights, locked, make_final, of_order, tell


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was found at receipt, grams, and the returnable crates that go back."""

    net_weight_g: int
    broken_g: int
    refused_g: int
    reason: str | None
    crates_back: int


async def hand_over(session: AsyncSession, *, shipment: Shipment, actor: Actor, now: datetime) -> None:
    """Write the receipts of goods that their buyers fetch at the hub: what was loaded is received."""
    carried = (await queries.carried(session, [shipment.id]))[shipment.id]
    for order_id in sorted({item.order.id for item in carried}):
        own = of_order(carried, order_id)
        weighed = Weighed(sum(loaded_weights(own).values()), 0, 0, None, 0)
        await _write(session, shipment, own, weighed, actor, now)


async def receive(
    session: AsyncSession,
    *,
    shipment_id: UUID,
    principal: Principal,
    order_id: UUID,
    weighed: Weighed,
    now: datetime,
) -> Standing:
    """Record what arrived of one order in a shipment. Written by the buyer itself, it is acknowledged at once.

    Raises NotFound (404), ShipmentNotArrived and ReceiptExists (409), Invalid and ImplausibleWeight (422).
    """
    await queries.one(session, shipment_id, principal)
    shipment = await rows.lock(session, Shipment, shipment_id)
    own = of_order((await queries.carried(session, [shipment_id]))[shipment_id], order_id)
    if not own or not (principal.is_hub or own[0].order.buyer_id == principal.organization_id):
        raise invalid(
            "/order_id", "not_carried", Text("Pesanan ini tidak ada di sini.", "The order is not in this shipment.")
        )
    if shipment.status != State.ARRIVED:
        raise ShipmentNotArrived
    written = await queries.receipts_of(session, shipment_ids=[shipment_id])
    if any(receipt.order_id == order_id for receipt in written):
        raise ReceiptExists
    _check(weighed, sum(loaded_weights(own).values()))
    _check_crates(weighed, shipment.crates_out - sum(receipt.crates_back for receipt in written))
    standing = await _write(session, shipment, own, weighed, actor_of(principal), now)
    if not principal.is_hub:
        await _acknowledge(session, standing, actor_of(principal), now)
    return standing


def _check(weighed: Weighed, loaded_g: int) -> None:
    if weighed.broken_g + weighed.refused_g > weighed.net_weight_g:
        raise invalid(
            "/refused_g",
            "above_net_weight",
            Text("Pecah dan ditolak melebihi berat yang tiba.", "Broken and refused exceed the weight that came."),
        )
    if weighed.refused_g and weighed.reason is None:
        raise invalid("/reason", "missing", Text("Sebutkan alasan penolakan.", "Say why it was refused."))
    if 2 * weighed.net_weight_g > 3 * loaded_g:
        raise ImplausibleWeight.at("/net_weight_g")


def _check_crates(weighed: Weighed, still_out: int) -> None:
    if weighed.crates_back > still_out:
        raise invalid(
            "/crates_back",
            "more_than_left",
            Text(
                f"Peti dan tray yang belum kembali tinggal {still_out}.",
                f"Only {still_out} crates and trays are still to come back.",
            ),
        )


async def _write(
    session: AsyncSession, shipment: Shipment, own: Sequence[Carried], weighed: Weighed, actor: Actor, now: datetime
) -> Standing:
    order = own[0].order
    receipt = Receipt(
        id=new_id(),
        shipment_id=shipment.id,
        order_id=order.id,
        net_weight_g=weighed.net_weight_g,
        broken_g=weighed.broken_g,
        refused_g=weighed.refused_g,
        reason=weighed.reason,
        crates_back=weighed.crates_back,
        received_at=now,
        dispute_until=now + DISPUTE_WITHIN,
        version=1,
    )
    session.add(receipt)
    await session.flush()
    standing = Standing(receipt, own, None)
    facts = {
        "loaded_g": standing.loaded_g,
        "net_weight_g": receipt.net_weight_g,
        "broken_g": receipt.broken_g,
        "refused_g": receipt.refused_g,
        "reason": receipt.reason,
    }
    await tell(session, "receipt.recorded", standing, actor, now, **facts)
    await progress.receive(
        session,
        order_id=order.id,
        quantities={item.order_line.id: item.line.quantity for item in own},
        arrived_on=await arrival_day(session, receipt, order),
        actor=actor,
        now=now,
    )
    return standing


async def acknowledge(session: AsyncSession, *, receipt_id: UUID, principal: Principal, now: datetime) -> Standing:
    """Agree to a receipt, as its buyer or, for the buyer, the hub.

    It becomes final unless producers bear a loss by it: they keep their time to object.
    Raises NotFound (404), ReceiptFinal, ReceiptAcknowledged and ReceiptDisputed (409).
    """
    standing = await locked(session, receipt_id, principal)
    buyer = standing.order.buyer_id
    if not principal.is_hub and principal.organization_id != buyer:
        raise NotFound
    if standing.dispute is not None:
        raise ReceiptDisputed
    if standing.receipt.final_at is not None:
        raise ReceiptFinal
    if standing.receipt.acknowledged_at is not None:
        raise ReceiptAcknowledged
    await _acknowledge(session, standing, actor_of(principal, acting_for=buyer), now)
    return standing


async def _acknowledge(session: AsyncSession, standing: Standing, actor: Actor, now: datetime) -> None:
    standing.receipt.acknowledged_at = now
    standing.receipt.version += 1
    await session.flush()
    await tell(session, "receipt.acknowledged", standing, actor, now)
    if ends_at_acknowledgement(payable=standing.by_rule_g, loaded=standing.loaded_g):
        await make_final(session, standing, standing.by_rule_g, actor, now)


async def make_due_final(session: AsyncSession, *, receipt_id: UUID, now: datetime) -> bool:
    """Make a receipt final whose time to be disputed is over; tells whether it was still due."""
    standing = await locked(session, receipt_id, None)
    waits = standing.dispute is not None and standing.dispute.status == "open"
    if waits or standing.receipt.final_at is not None or now < standing.receipt.dispute_until:
        return False
    await make_final(session, standing, standing.by_rule_g, WORKER, now)
    return True
