"""Use cases of shipments: load, dispatch, arrive."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog.models import Commodity
from app.catalog.rules import HORIZON_DAYS
from app.kit import rows
from app.kit.clock import local_day
from app.kit.ids import new_id
from app.kit.principal import Principal
from app.kit.problems import NotFound, invalid
from app.kit.text import Text
from app.lanes import queries as lanes
from app.lanes.models import Departure
from app.orders import progress
from app.orders.models import Order
from app.outbox.events import Actor, Event, actor_of
from app.outbox.service import record
from app.regions.models import Region
from app.shipments import queries
from app.shipments.errors import DepartureClosed, ImplausibleWeight, ShipmentNotInTransit, ShipmentNotLoading
from app.shipments.models import Shipment, ShipmentLine
from app.shipments.queries import Carried
from app.shipments.receipts import hand_over
from app.shipments.rules import TRANSITIONS, State, is_plausible, shipment_number


async def load(
    session: AsyncSession,
    *,
    principal: Principal,
    departure_id: UUID | None,
    day: date | None,
    quantities: Mapping[UUID, int],
    now: datetime,
) -> Shipment:
    """Load quantities of order lines, by line, on a departure, or for who fetches at the hub on a day.

    Raises Invalid (422) naming the field, DepartureClosed (409), and what `orders.progress.load` raises.
    """
    hub = await session.get_one(Region, principal.region)
    departure = None if departure_id is None else await _departure(session, departure_id, hub.code)
    leaves_on = _leaves_on(departure, day, local_day(now, hub.timezone))
    actor = actor_of(principal)
    orders, lines = await progress.load(
        session, quantities=quantities, hub=hub.code, departure=departure, actor=actor, now=now
    )
    if departure is not None:
        await _check_destination(session, departure, orders)
    shipment = Shipment(
        id=new_id(),
        number=shipment_number(await queries.next_number(session), local_day(now, hub.timezone).year),
        hub=hub.code,
        departure_id=departure_id,
        day=leaves_on,
        status=State.LOADING,
        crates_out=0,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(shipment)
    await session.flush()
    session.add_all(
        ShipmentLine(id=new_id(), shipment_id=shipment.id, order_line_id=line.id, quantity=quantities[line.id])
        for line in lines
    )
    await session.flush()
    await _tell(session, shipment, "shipment.loaded", actor, now)
    return shipment


async def _departure(session: AsyncSession, departure_id: UUID, hub: str) -> Departure:
    found = await lanes.departure(session, departure_id)
    if found is None or found.lane.origin != hub:
        raise invalid(
            "/departure_id",
            "unknown_departure",
            Text("Tidak ada jadwal ini dari hub Anda.", "There is no such departure from your hub."),
        )
    if found.status != "scheduled":
        raise DepartureClosed
    return found


def _leaves_on(departure: Departure | None, day: date | None, today: date) -> date:
    if departure is not None:
        if day not in (None, departure.departs_on):
            raise invalid("/on", "other_day", Text("Bukan hari jadwal ini.", "It is not the day of the departure."))
        return departure.departs_on
    leaves_on = day or today
    if abs((leaves_on - today).days) > HORIZON_DAYS:
        raise invalid("/on", "beyond_horizon", Text("Terlalu jauh dari hari ini.", "It is too far from today."))
    return leaves_on


async def _check_destination(session: AsyncSession, departure: Departure, orders: Sequence[Order]) -> None:
    for order in orders:
        region = await queries.trading_region(session, order.region)
        if region.code != departure.lane.destination:
            raise invalid(
                "/departure_id",
                "wrong_destination",
                Text(f"{order.number} harus ke {region.name}.", f"{order.number} goes to {region.name}."),
            )


async def dispatch(
    session: AsyncSession,
    *,
    shipment_id: UUID,
    principal: Principal,
    weights: Mapping[UUID, int],
    crates_out: int,
    now: datetime,
) -> Shipment:
    """Let a shipment leave with the weight of each line, grams by order line, and its returnable crates.

    Where the buyer fetches at the hub the goods are handed over at once: it arrives, and its receipts say what was
    loaded; no vehicle of the hub's would bring crates back, so none are counted out.
    Raises NotFound (404), ShipmentNotLoading (409), Invalid (422) naming /weights or /crates_out, ImplausibleWeight.
    """
    shipment = await _own(session, shipment_id, principal)
    if shipment.status != State.LOADING:
        raise ShipmentNotLoading
    if crates_out and shipment.departure_id is None:
        raise invalid(
            "/crates_out",
            "fetched_at_the_hub",
            Text("Yang diambil di hub tidak meminjam peti.", "What is fetched at the hub borrows no crates."),
        )
    carried = (await queries.carried(session, [shipment_id]))[shipment_id]
    await _weigh(session, carried, weights)
    actor = actor_of(principal)
    await progress.dispatch(session, order_ids={item.order.id for item in carried}, actor=actor, now=now)
    shipment.crates_out = crates_out
    shipment.dispatched_at = now
    await _advance(session, shipment, State.IN_TRANSIT, actor, now)
    if shipment.departure_id is None:
        shipment.arrived_at = now
        await _advance(session, shipment, State.ARRIVED, actor, now)
        await hand_over(session, shipment=shipment, actor=actor, now=now)
    return shipment


async def _weigh(session: AsyncSession, carried: Sequence[Carried], weights: Mapping[UUID, int]) -> None:
    by_line = {item.order_line.id: item for item in carried}
    for index, line_id in enumerate(weights):
        if line_id not in by_line:
            raise invalid(
                f"/weights/{index}/order_line_id",
                "not_loaded",
                Text("Baris ini tidak dimuat di pengiriman ini.", "This line is not in the shipment."),
            )
    missing = [item for line_id, item in by_line.items() if line_id not in weights]
    if missing:
        names = ", ".join(sorted({item.order.number for item in missing}))
        raise invalid(
            "/weights",
            "missing_weight",
            Text(f"Timbang semua baris; kurang di {names}.", f"Weigh every line; missing in {names}."),
        )
    for index, (line_id, grams) in enumerate(weights.items()):
        item = by_line[line_id]
        unit_weight_g = (await session.get_one(Commodity, item.order.commodity)).unit_weight_g
        if not is_plausible(grams, item.line.quantity, unit_weight_g):
            raise ImplausibleWeight.at(f"/weights/{index}/net_weight_g")
        item.line.net_weight_g = grams


async def arrive(session: AsyncSession, *, shipment_id: UUID, principal: Principal, now: datetime) -> Shipment:
    """Let a shipment arrive. Raises NotFound (404), ShipmentNotInTransit (409)."""
    shipment = await _own(session, shipment_id, principal)
    if shipment.status != State.IN_TRANSIT:
        raise ShipmentNotInTransit
    shipment.arrived_at = now
    await _advance(session, shipment, State.ARRIVED, actor_of(principal), now)
    return shipment


async def _own(session: AsyncSession, shipment_id: UUID, principal: Principal) -> Shipment:
    shipment = await rows.lock(session, Shipment, shipment_id)
    if shipment.hub != principal.region:
        raise NotFound
    return shipment


async def _advance(session: AsyncSession, shipment: Shipment, to: State, actor: Actor, now: datetime) -> None:
    """Bring a shipment to its next state and tell its parties. Raises KeyError for a way that is not in the table."""
    name = TRANSITIONS[State(shipment.status), to]
    shipment.status = to
    shipment.version += 1
    shipment.updated_at = now
    await session.flush()
    await _tell(session, shipment, name, actor, now)


async def _tell(session: AsyncSession, shipment: Shipment, name: str, actor: Actor, now: datetime) -> None:
    carried = (await queries.carried(session, [shipment.id]))[shipment.id]
    parties = {key for item in carried for key in (item.order.buyer_id, item.order_line.producer_id)}
    facts = {"number": shipment.number, "on": shipment.day.isoformat()}
    await record(session, Event(name, shipment.id, tuple(sorted(parties)), now, actor, facts))
