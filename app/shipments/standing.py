"""A receipt with what it is about, and how it becomes final: what receipts and disputes share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit import rows
from app.kit.clock import local_day
from app.kit.principal import Principal
from app.orders.models import Order
from app.outbox.events import Actor, Event
from app.outbox.service import record
from app.regions.models import Region
from app.shipments import queries
from app.shipments.models import Dispute, Receipt, ReceiptLine, Shipment
from app.shipments.queries import Carried
from app.shipments.rules import payable_g, shares


@dataclass(frozen=True, slots=True)
class Standing:
    """A receipt, what its shipment carried of its order, and the dispute about it."""

    receipt: Receipt
    carried: Sequence[Carried]
    dispute: Dispute | None

    @property
    def order(self) -> Order:
        """The order that it is of."""
        return self.carried[0].order

    @property
    def loaded(self) -> dict[UUID, int]:
        """Weight of each order line at loading, grams."""
        return loaded_weights(self.carried)

    @property
    def loaded_g(self) -> int:
        """Weight at loading, grams."""
        return sum(self.loaded.values())

    @property
    def by_rule_g(self) -> int:
        """Weight that is paid where nobody objects, grams."""
        return payable_g(
            loaded_g=self.loaded_g,
            accepted_g=self.receipt.accepted_g,
            delivery=self.order.delivery,
            tolerance_percent=self.order.tolerance_percent,
        )


def loaded_weights(carried: Sequence[Carried]) -> dict[UUID, int]:
    """Return the weight of each order line at loading, grams."""
    return {item.order_line.id: item.line.net_weight_g or 0 for item in carried}


def of_order(carried: Sequence[Carried], order_id: UUID) -> list[Carried]:
    """Return what of a shipment is of one order."""
    return [item for item in carried if item.order.id == order_id]


async def arrival_day(session: AsyncSession, receipt: Receipt, order: Order) -> date:
    """Return the day on which what a receipt is of came, local to its place; what is fetched, to the hub."""
    shipment = await rows.find(session, Shipment, receipt.shipment_id)
    place = await rows.find(session, Region, order.region if shipment.departure_id else order.hub)
    return local_day(shipment.arrived_at or receipt.received_at, place.timezone)


async def locked(session: AsyncSession, receipt_id: UUID, principal: Principal | None) -> Standing:
    """Return a receipt that the caller may see, locked; None is the worker. Raises NotFound (404)."""
    if principal is not None:
        await queries.receipt_of(session, receipt_id, principal)
    receipt = await rows.lock(session, Receipt, receipt_id)
    carried = (await queries.carried(session, [receipt.shipment_id]))[receipt.shipment_id]
    dispute = (await queries.disputes_of(session, [receipt_id])).get(receipt_id)
    return Standing(receipt, of_order(carried, receipt.order_id), dispute)


async def tell(
    session: AsyncSession, name: str, standing: Standing, actor: Actor, now: datetime, **facts: object
) -> None:
    """Tell the parties of a receipt. The order is the subject, so that its history has everything."""
    parties = (standing.order.buyer_id, *sorted({item.order_line.producer_id for item in standing.carried}))
    ids = {
        "order_id": str(standing.order.id),
        "receipt_id": str(standing.receipt.id),
        "number": standing.order.number,
    }
    await record(session, Event(name, standing.order.id, parties, now, actor, {**ids, **facts}))


async def make_final(session: AsyncSession, standing: Standing, payable: int, actor: Actor, now: datetime) -> None:
    """Fix which weight of each line is paid, `payable` grams in all: it never changes afterwards."""
    receipt, loaded = standing.receipt, standing.loaded
    parts = shares(payable, loaded)
    session.add_all(
        ReceiptLine(receipt_id=receipt.id, order_line_id=line, loaded_g=loaded[line], payable_g=parts[line])
        for line in sorted(loaded)
    )
    receipt.final_at = now
    receipt.version += 1
    await session.flush()
    await tell(session, "receipt.final", standing, actor, now, loaded_g=standing.loaded_g, payable_g=payable)
