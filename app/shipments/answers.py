"""Shipments and receipts as each party may see them: its own lines, and the receipts of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.kit.principal import Principal
from app.lanes import queries as lanes
from app.lanes.models import Lane
from app.orders import queries as order_queries
from app.orders.answers import own_lines
from app.parties import queries as parties
from app.parties.models import Organization
from app.shipments import queries
from app.shipments.models import Dispute, Receipt, ReceiptLine, Shipment
from app.shipments.papers import Papers
from app.shipments.queries import Carried
from app.shipments.schemas import CarriedLine, DisputeAnswer, PayableLine, ReceiptAnswer, ShipmentAnswer
from app.shipments.standing import loaded_weights, of_order


@dataclass(frozen=True, slots=True)
class Shown:
    """What receipts are shown with."""

    disputes: Mapping[UUID, Dispute]
    lines: Mapping[UUID, Sequence[ReceiptLine]]
    carried: Mapping[UUID, Sequence[Carried]]


def is_own(item: Carried, principal: Principal) -> bool:
    """Tell whether the caller may see a line of a shipment."""
    own = (item.order.buyer_id, item.order_line.producer_id)
    return principal.is_hub or principal.organization_id in own


async def shipments(session: AsyncSession, found: Sequence[Shipment], principal: Principal) -> list[ShipmentAnswer]:
    """Return shipments as this party may see them."""
    carried = await queries.carried(session, [shipment.id for shipment in found])
    own = {key: [item for item in some if is_own(item, principal)] for key, some in carried.items()}
    names = await parties.by_ids(session, {item.order_line.producer_id for some in own.values() for item in some})
    by_departure = await lanes.lanes_of(session, {one.departure_id for one in found if one.departure_id})
    written = await queries.receipts_of(session, shipment_ids=[shipment.id for shipment in found])
    shown = await _shown(session, written, carried)
    return [
        _shipment(
            shipment,
            own[shipment.id],
            names,
            by_departure[shipment.departure_id] if shipment.departure_id else None,
            [one for one in written if one.shipment_id == shipment.id],
            shown,
        )
        for shipment in found
    ]


async def papers(session: AsyncSession, shipment: Shipment, principal: Principal, reference: Reference) -> Papers:
    """Return what the papers of a shipment tell this party: of its own lines only."""
    carried = (await queries.carried(session, [shipment.id]))[shipment.id]
    own = [item for item in carried if is_own(item, principal)]
    orders = {item.order.id: item.order for item in own}
    lines = await order_queries.lines_of(session, orders)
    ordered = {
        key: [line for line in own_lines(order, lines[key], principal) if line.quantity]
        for key, order in orders.items()
    }
    buyers = {order.buyer_id for order in orders.values()}
    parties_of = buyers | {line.producer_id for some in ordered.values() for line in some}
    by_departure = await lanes.lanes_of(session, [shipment.departure_id] if shipment.departure_id else [])
    return Papers(
        shipment,
        by_departure.get(shipment.departure_id) if shipment.departure_id else None,
        own,
        ordered,
        await queries.receipts_of(session, shipment_ids=[shipment.id]),
        await parties.by_ids(session, parties_of),
        reference,
    )


async def receipts(session: AsyncSession, found: Sequence[Receipt], principal: Principal) -> list[ReceiptAnswer]:
    """Return receipts as this party may see them: a producer what is paid of its own lines."""
    carried = await queries.carried(session, [receipt.shipment_id for receipt in found])
    shown = await _shown(session, found, carried)
    return [
        _receipt(receipt, [item for item in carried[receipt.shipment_id] if is_own(item, principal)], shown)
        for receipt in found
    ]


async def _shown(session: AsyncSession, found: Sequence[Receipt], carried: Mapping[UUID, Sequence[Carried]]) -> Shown:
    ids = [receipt.id for receipt in found]
    return Shown(await queries.disputes_of(session, ids), await queries.receipt_lines(session, ids), carried)


def _shipment(
    shipment: Shipment,
    own: Sequence[Carried],
    names: Mapping[UUID, Organization],
    lane: Lane | None,
    written: Sequence[Receipt],
    shown: Shown,
) -> ShipmentAnswer:
    orders = {item.order.id for item in own}
    mine = [_receipt(receipt, own, shown) for receipt in written if receipt.order_id in orders]
    return ShipmentAnswer(
        id=shipment.id,
        number=shipment.number,
        status=shipment.status,
        hub=shipment.hub,
        departure_id=shipment.departure_id,
        lane_id=lane.id if lane else None,
        lane_code=lane.code if lane else None,
        on=shipment.day,
        crates_out=shipment.crates_out,
        crates_back=sum(receipt.crates_back for receipt in written),
        lines=[_line(item, names) for item in own],
        receipts=mine,
        dispatched_at=shipment.dispatched_at,
        arrived_at=shipment.arrived_at,
        created_at=shipment.created_at,
        version=shipment.version,
    )


def _line(item: Carried, names: Mapping[UUID, Organization]) -> CarriedLine:
    return CarriedLine(
        order_line_id=item.order_line.id,
        order_id=item.order.id,
        order_number=item.order.number,
        producer=names[item.order_line.producer_id].name,
        commodity=item.order.commodity,
        grade=item.order_line.grade,
        quantity=item.line.quantity,
        net_weight_g=item.line.net_weight_g,
    )


def _receipt(receipt: Receipt, own: Sequence[Carried], shown: Shown) -> ReceiptAnswer:
    whole = of_order(shown.carried[receipt.shipment_id], receipt.order_id)
    mine = {item.order_line.id for item in own}
    disputed = shown.disputes.get(receipt.id)
    return ReceiptAnswer(
        id=receipt.id,
        shipment_id=receipt.shipment_id,
        order_id=receipt.order_id,
        loaded_g=sum(loaded_weights(whole).values()),
        net_weight_g=receipt.net_weight_g,
        broken_g=receipt.broken_g,
        refused_g=receipt.refused_g,
        accepted_g=receipt.accepted_g,
        reason=receipt.reason,
        crates_back=receipt.crates_back,
        received_at=receipt.received_at,
        acknowledged_at=receipt.acknowledged_at,
        dispute_until=receipt.dispute_until,
        final_at=receipt.final_at,
        lines=[PayableLine.model_validate(line) for line in shown.lines[receipt.id] if line.order_line_id in mine],
        dispute=DisputeAnswer.model_validate(disputed) if disputed else None,
        version=receipt.version,
    )
