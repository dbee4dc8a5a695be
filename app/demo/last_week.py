"""Last week's trade: deals of the desk that are paid, short, disputed, on the road and being loaded.

Told through the services that a desk uses, each step at its own instant of the past. What was dealt is sold, so nothing
of it stands in today's book, and its departures have left: today's clearing knows nothing of it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.rules import Reference
from app.demo.trades import TRADES, Came, Trade
from app.kit.clock import local_day
from app.kit.db import part
from app.kit.principal import Principal
from app.kit.problems import Problem
from app.lanes import service as lanes
from app.lanes.models import Departure, Lane
from app.orders import deals
from app.orders import queries as orders
from app.orders.models import Order
from app.outbox.events import actor_of
from app.settlement import queries as money
from app.settlement import service as settlement
from app.shipments import disputes, receipts, records
from app.shipments import service as shipments
from app.shipments.models import Shipment
from app.shipments.rules import DISPUTE_WITHIN

LOG = logging.getLogger("hub.demo")

#: how far back the trade begins
DAYS_BACK = timedelta(days=9)
A_DAY = timedelta(days=1)
#: percent of a bill
PAID_IN_FULL = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """The hub's desk, as it looks back."""

    session: AsyncSession
    principal: Principal
    reference: Reference
    #: organisations by name
    parties: Mapping[str, UUID]
    now: datetime

    @property
    def today(self) -> date:
        """The hub's day."""
        return local_day(self.now, self.reference.regions[self.principal.region].timezone)

    def at(self, day: date) -> datetime:
        """Return the instant of a day at which the desk was at work: as late in the day as it is now."""
        return self.now - (self.today - day)


async def load_last_week(
    session: AsyncSession, *, principal: Principal, reference: Reference, parties: Mapping[str, UUID], now: datetime
) -> None:
    """Record last week's trade for the hub; `parties`: organisations by name.

    A trade that the rules forbid on these days, as when the agreements of the reference data have ended, is left out.
    """
    await lanes.keep_departures(session, now=now - DAYS_BACK)
    desk = Desk(session, principal, reference, parties, now)
    for trade in TRADES:
        try:
            async with part(session):
                await _tell(desk, trade)
        except Problem as problem:
            LOG.warning("left out of last week", extra={"fields": {"buyer": trade.buyer, "code": problem.code}})


async def _tell(desk: Desk, trade: Trade) -> None:
    departure = await _departure(desk, trade)
    order = await _deal(desk, trade, departure)
    shipment = await _load(desk, order, departure)
    if departure.departs_on == desk.today:
        return
    await _dispatch(desk, trade, order, shipment)
    if trade.came is not None:
        await _receive(desk, order, shipment, departure, trade.came)


async def _departure(desk: Desk, trade: Trade) -> Departure:
    statement = (
        select(Departure)
        .join(Lane, Lane.id == Departure.lane_id)
        .where(Lane.code == trade.lane, Departure.departs_on <= desk.today - timedelta(days=trade.left_days_ago))
        .order_by(Departure.departs_on.desc())
        .limit(1)
    )
    return (await desk.session.scalars(statement)).one()


async def _deal(desk: Desk, trade: Trade, departure: Departure) -> Order:
    lines = [
        deals.DealLine(
            listing_id=None,
            producer=desk.parties[sold.producer],
            grade=sold.grade,
            best_before=None,
            quantity=Decimal(sold.kilograms),
            unit=None,
            unit_base_quantity=None,
            producer_price_idr=sold.price_idr,
        )
        for sold in trade.lines
    ]
    deal = deals.Deal(
        demand_id=None,
        buyer=desk.parties[trade.buyer],
        commodity=trade.commodity,
        region=None,
        departure_id=departure.id,
        day=None,
        payment_terms=trade.terms,
        down_payment_percent=None,
        tolerance_percent=None,
        lines=lines,
    )
    when = desk.at(departure.closes_on)
    return await deals.record_deal(
        desk.session, deal=deal, principal=desk.principal, reference=desk.reference, now=when
    )


async def _load(desk: Desk, order: Order, departure: Departure) -> Shipment:
    lines = (await orders.lines_of(desk.session, [order.id]))[order.id]
    return await shipments.load(
        desk.session,
        principal=desk.principal,
        departure_id=departure.id,
        day=None,
        quantities={line.id: line.quantity for line in lines},
        now=desk.at(departure.departs_on),
    )


async def _dispatch(desk: Desk, trade: Trade, order: Order, shipment: Shipment) -> None:
    weights = {desk.parties[sold.producer]: sold.loaded_g for sold in trade.lines}
    lines = (await orders.lines_of(desk.session, [order.id]))[order.id]
    await shipments.dispatch(
        desk.session,
        shipment_id=shipment.id,
        principal=desk.principal,
        weights={line.id: weights[line.producer_id] for line in lines},
        crates_out=trade.crates,
        now=desk.at(shipment.day),
    )


async def _receive(desk: Desk, order: Order, shipment: Shipment, departure: Departure, came: Came) -> None:
    """Let a shipment arrive and be weighed; where nobody objects, it is final a day later and billed."""
    arrived = desk.at(departure.arrives_on + timedelta(days=came.days_late))
    await shipments.arrive(desk.session, shipment_id=shipment.id, principal=desk.principal, now=arrived)
    standing = await receipts.receive(
        desk.session,
        shipment_id=shipment.id,
        principal=desk.principal,
        order_id=order.id,
        weighed=came.weighed,
        now=arrived,
    )
    receipt_id = standing.receipt.id
    if came.objection is not None:
        await disputes.dispute(
            desk.session,
            order_id=order.id,
            receipt_id=receipt_id,
            principal=desk.principal,
            organization=standing.carried[0].order_line.producer_id,
            note=came.objection,
            now=arrived,
        )
        return
    final = arrived + DISPUTE_WITHIN
    await receipts.make_due_final(desk.session, receipt_id=receipt_id, now=final)
    await records.judge(desk.session, order_id=order.id, now=final)
    await settlement.bill(desk.session, receipt_id=receipt_id, fee_permille=0, now=final)
    await _pay(desk, order, came.paid_percent, final + A_DAY)


async def _pay(desk: Desk, order: Order, percent: int, when: datetime) -> None:
    paid = settlement.Booked(
        hub=order.hub,
        amount_idr=await money.billed(desk.session, order.id) * percent // 100,
        day=local_day(when, desk.reference.regions[order.hub].timezone),
        reference=None,
        note=None,
        source="hub",
        actor=actor_of(desk.principal),
        now=when,
    )
    await settlement.pay_in(desk.session, paid, buyer_id=order.buyer_id, order_ids=[order.id], bank_line=None)
    if percent == PAID_IN_FULL:
        await settlement.pay_out_all(desk.session, paid, order_id=order.id)
