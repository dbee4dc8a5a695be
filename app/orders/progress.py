"""How orders move along: loaded, dispatched, received. Called by what carries them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.allocations.service import Move, move
from app.catalog.models import Commodity
from app.kit import rows
from app.kit.problems import invalid
from app.kit.text import Text
from app.lanes.models import Departure
from app.orders import queries
from app.orders.errors import AboveOrdered, OrderNotUnderWay
from app.orders.models import Order, OrderLine
from app.orders.rules import TRANSITIONS, UNDER_WAY, Progress, State, anything_loaded, is_delivered
from app.outbox.events import Actor, Event
from app.outbox.service import record


async def load(
    session: AsyncSession,
    *,
    quantities: Mapping[UUID, int],
    hub: str,
    departure: Departure | None,
    actor: Actor,
    now: datetime,
) -> tuple[list[Order], list[OrderLine]]:
    """Put quantities of order lines, by line, on a departure, or hand them over at the hub; returns what they touch.

    1. Hold and lock the orders, so that nobody else loads or cancels the same quantity.
    2. A line takes no more than what of it is not loaded yet; the goods go where the departure does.
    3. What was booked on another departure moves to this one, within its capacity.

    Raises Invalid (422) naming /lines/{index} or /departure_id, OrderNotUnderWay, AboveOrdered and QuantityGone (409).
    """
    found = await queries.orders_of_lines(session, quantities, hub)
    for index, line_id in enumerate(quantities):
        if line_id not in found:
            raise invalid(
                f"/lines/{index}/order_line_id",
                "unknown_line",
                Text("Tidak ada baris pesanan ini di hub Anda.", "There is no such order line at your hub."),
            )
    await rows.hold(session, "demand", {order.demand_id for order in found.values()})
    orders = await queries.locked_orders(session, {order.id for order in found.values()})
    lines = await queries.lines_of(session, [order.id for order in orders])
    moves: list[Move] = []
    for order in orders:
        _check_way(order, departure)
        loaded = [line for line in lines[order.id] if line.id in quantities]
        moves += await _rebooked(session, order, departure, sum(quantities[line.id] for line in loaded))
        for line in loaded:
            if quantities[line.id] > line.unloaded_quantity:
                raise AboveOrdered
            line.loaded_quantity += quantities[line.id]
    await session.flush()
    if moves:
        await move(session, moves, at=now, actor=actor)
    for order in orders:
        if order.status == State.CONFIRMED:
            await advance(session, order, lines[order.id], State.SCHEDULED, actor, now)
    return orders, [line for some in lines.values() for line in some if line.id in quantities]


def _check_way(order: Order, departure: Departure | None) -> None:
    if order.status not in UNDER_WAY:
        raise OrderNotUnderWay
    if (departure is None) != (order.delivery == "loco"):
        raise invalid(
            "/departure_id",
            "wrong_delivery",
            Text(
                f"{order.number} {'diambil di hub' if order.delivery == 'loco' else 'dikirim'}.",
                f"{order.number} is {'fetched at the hub' if order.delivery == 'loco' else 'delivered'}.",
            ),
        )


async def _rebooked(session: AsyncSession, order: Order, departure: Departure | None, quantity: int) -> list[Move]:
    """Return how the booking of goods that leave on another departure than they were ordered for moves along."""
    if departure is None or departure.id == order.departure_id:
        return []
    grams = quantity * (await rows.find(session, Commodity, order.commodity)).unit_weight_g
    return [
        Move("reloaded", departure_id=order.departure_id, booked_g=-grams),
        Move("reloaded", departure_id=departure.id, booked_g=grams),
    ]


async def dispatch(session: AsyncSession, *, order_ids: Iterable[UUID], actor: Actor, now: datetime) -> None:
    """Tell orders that a part of them has left the hub."""
    orders = await queries.locked_orders(session, order_ids)
    lines = await queries.lines_of(session, [order.id for order in orders])
    for order in orders:
        if order.status == State.SCHEDULED:
            await advance(session, order, lines[order.id], State.IN_TRANSIT, actor, now)


async def receive(
    session: AsyncSession,
    *,
    order_id: UUID,
    quantities: Mapping[UUID, int],
    arrived_on: date,
    actor: Actor,
    now: datetime,
) -> Order:
    """Count quantities of an order's lines, by line, as received; delivered is what was received in full."""
    (order,) = await queries.locked_orders(session, [order_id])
    lines = (await queries.lines_of(session, [order_id]))[order_id]
    for line in lines:
        line.received_quantity += quantities.get(line.id, 0)
    order.delivered_on = max(order.delivered_on or arrived_on, arrived_on)
    order.version += 1
    order.updated_at = now
    await session.flush()
    await deliver_if_complete(session, order, lines, actor, now)
    return order


async def advance(
    session: AsyncSession,
    order: Order,
    lines: Sequence[OrderLine],
    to: State,
    actor: Actor,
    now: datetime,
    **facts: object,
) -> None:
    """Bring an order to its next state and tell its parties. Raises KeyError for a way that is not in the table."""
    name = TRANSITIONS[State(order.status), to]
    order.status = to
    order.version += 1
    order.updated_at = now
    await session.flush()
    parties = (order.buyer_id, *sorted({line.producer_id for line in lines}))
    await record(session, Event(name, order.id, parties, now, actor, {"number": order.number, **facts}))


async def deliver_if_complete(
    session: AsyncSession, order: Order, lines: Sequence[OrderLine], actor: Actor, now: datetime
) -> None:
    """Deliver an order of which something is loaded and all that is ordered was received."""
    so_far = [Progress(line.quantity, line.loaded_quantity, line.received_quantity) for line in lines]
    if anything_loaded(so_far) and is_delivered(so_far):
        delivered_on = order.delivered_on.isoformat() if order.delivered_on else None
        await advance(session, order, lines, State.DELIVERED, actor, now, delivered_on=delivered_on)
