"""Reading shipments, receipts and disputes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.principal import Principal
from app.kit.problems import NotFound
from app.orders.models import Order, OrderLine
from app.regions.models import Region
from app.shipments.models import NUMBERS, Dispute, Receipt, ReceiptLine, Shipment, ShipmentLine


@dataclass(frozen=True, slots=True)
class Carried:
    """One line of a shipment, with the order and the order line that it is of."""

    line: ShipmentLine
    order: Order
    order_line: OrderLine


def _mine(principal: Principal) -> Select[ShipmentLine]:
    """Return the select of what shipments carry of the caller's, to be tied to a shipment or an order."""
    mine = principal.organization_id
    return (
        select(ShipmentLine)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(or_(Order.buyer_id == mine, OrderLine.producer_id == mine))
    )


def visible(principal: Principal) -> Select[Shipment]:
    """Return the select of shipments that carry something of the caller's; the hub's are all at its hub."""
    if principal.is_hub:
        return select(Shipment).where(Shipment.hub == principal.region)
    return select(Shipment).where(_mine(principal).where(ShipmentLine.shipment_id == Shipment.id).exists())


def filtered(
    statement: Select[Shipment],
    *,
    statuses: Sequence[str] = (),
    departures: Sequence[UUID] = (),
    orders: Sequence[UUID] = (),
    numbers: Sequence[str] = (),
    on_from: date | None = None,
    on_until: date | None = None,
) -> Select[Shipment]:
    """Narrow a select of shipments; an empty filter lets all pass."""
    for column, values in (
        (Shipment.status, statuses),
        (Shipment.departure_id, departures),
        (Shipment.number, numbers),
    ):
        if values:
            statement = statement.where(column.in_(values))
    if orders:
        carries = exists().where(
            ShipmentLine.shipment_id == Shipment.id,
            ShipmentLine.order_line_id == OrderLine.id,
            OrderLine.order_id.in_(orders),
        )
        statement = statement.where(carries)
    if on_from is not None:
        statement = statement.where(Shipment.day >= on_from)
    if on_until is not None:
        statement = statement.where(Shipment.day <= on_until)
    return statement


async def one(session: AsyncSession, shipment_id: UUID, principal: Principal) -> Shipment:
    """Return a shipment that the caller may see. Raises NotFound (404)."""
    found = await session.scalar(visible(principal).where(Shipment.id == shipment_id))
    if found is None:
        raise NotFound
    return found


async def carried(session: AsyncSession, shipment_ids: Iterable[UUID]) -> dict[UUID, list[Carried]]:
    """Return what shipments carry, by shipment, in the order of the lines' ids."""
    found: dict[UUID, list[Carried]] = {shipment_id: [] for shipment_id in shipment_ids}
    statement = (
        select(ShipmentLine, Order, OrderLine)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(ShipmentLine.shipment_id.in_(list(found)))
        .order_by(ShipmentLine.id)
    )
    for line, order, order_line in await session.execute(statement):
        found[line.shipment_id].append(Carried(line, order, order_line))
    return found


async def receipts_of(
    session: AsyncSession, *, shipment_ids: Sequence[UUID] = (), order_ids: Sequence[UUID] = ()
) -> Sequence[Receipt]:
    """Return the receipts of shipments or of orders, oldest first."""
    statement = select(Receipt).where(or_(Receipt.shipment_id.in_(shipment_ids), Receipt.order_id.in_(order_ids)))
    return (await session.scalars(statement.order_by(Receipt.id))).all()


def _visible_receipts(principal: Principal) -> Select[Receipt]:
    if principal.is_hub:
        return select(Receipt).join(Order, Order.id == Receipt.order_id).where(Order.hub == principal.region)
    own = _mine(principal).where(
        ShipmentLine.shipment_id == Receipt.shipment_id, OrderLine.order_id == Receipt.order_id
    )
    return select(Receipt).where(own.exists())


async def receipt_of(session: AsyncSession, receipt_id: UUID, principal: Principal) -> Receipt:
    """Return a receipt of what is the caller's, or for the hub any at its hub. Raises NotFound (404)."""
    found = await session.scalar(_visible_receipts(principal).where(Receipt.id == receipt_id))
    if found is None:
        raise NotFound
    return found


async def visible_receipts(session: AsyncSession, order_id: UUID, principal: Principal) -> Sequence[Receipt]:
    """Return the receipts of an order that are for goods of the caller's, oldest first."""
    statement = _visible_receipts(principal).where(Receipt.order_id == order_id).order_by(Receipt.id)
    return (await session.scalars(statement)).all()


async def disputes_of(session: AsyncSession, receipt_ids: Sequence[UUID]) -> dict[UUID, Dispute]:
    """Return the dispute of each receipt that has one."""
    found = await session.scalars(select(Dispute).where(Dispute.receipt_id.in_(receipt_ids)))
    return {dispute.receipt_id: dispute for dispute in found}


async def receipt_lines(session: AsyncSession, receipt_ids: Sequence[UUID]) -> dict[UUID, list[ReceiptLine]]:
    """Return what is paid of each line of final receipts, by receipt."""
    found: dict[UUID, list[ReceiptLine]] = {receipt_id: [] for receipt_id in receipt_ids}
    statement = select(ReceiptLine).where(ReceiptLine.receipt_id.in_(receipt_ids)).order_by(ReceiptLine.order_line_id)
    for line in await session.scalars(statement):
        found[line.receipt_id].append(line)
    return found


async def trading_region(session: AsyncSession, code: str) -> Region:
    """Return the region under which a place trades."""
    place = await session.get_one(Region, code)
    return place if place.trades_as == code else await session.get_one(Region, place.trades_as)


async def next_number(session: AsyncSession) -> int:
    """Return the next number of the shipments of all years."""
    return await session.scalar(select(NUMBERS.next_value())) or 0


async def due_receipts(session: AsyncSession, now: datetime) -> Sequence[UUID]:
    """Return receipts whose time to be disputed is over and that nobody disputes, in the order of their ids."""
    disputed = exists().where(Dispute.receipt_id == Receipt.id, Dispute.status == "open")
    statement = select(Receipt.id).where(Receipt.final_at.is_(None), Receipt.dispute_until <= now, ~disputed)
    return (await session.scalars(statement.order_by(Receipt.id))).all()


async def orders_to_judge(session: AsyncSession) -> Sequence[UUID]:
    """Return delivered orders whose receipts are all final and that are in nobody's record yet."""
    waiting = exists().where(Receipt.order_id == Order.id, Receipt.final_at.is_(None))
    statement = select(Order.id).where(Order.status.in_(("delivered", "settled")), Order.judged_at.is_(None), ~waiting)
    return (await session.scalars(statement.order_by(Order.id))).all()
