"""What is named at a terminal: an order or a shipment by its number, a party by a part of its name."""

from datetime import date
from typing import TypeVar
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.context import Acting
from app.cli.output import read
from app.kit.principal import Role
from app.kit.problems import NotFound
from app.kit.text import Text
from app.lanes import queries as lanes
from app.lanes.models import Departure
from app.orders import queries as orders
from app.orders.models import Order
from app.parties import queries as parties
from app.parties.models import Organization
from app.shipments import queries as shipments
from app.shipments.models import Receipt, Shipment

Row = TypeVar("Row")

NOTHING = Text("tidak ada", "there is none")
NO_ORDER = Text("Tidak ada pesanan dengan nomor ini.", "There is no order of this number.")
NO_SHIPMENT = Text("Tidak ada pengiriman dengan nomor ini.", "There is no shipment of this number.")
NO_DEPARTURE = Text("Rute ini tidak berangkat pada hari itu.", "The lane has no departure on this day.")


async def order_of(session: AsyncSession, acting: Acting, number: str) -> Order:
    """Return the order of a number. Raises NotFound (404)."""
    statement = orders.filtered(orders.visible(acting.principal), numbers=[number.upper()])
    found: Order | None = await session.scalar(statement)
    if found is None:
        raise NotFound(NO_ORDER)
    return found


async def shipment_of(session: AsyncSession, acting: Acting, number: str) -> Shipment:
    """Return the shipment of a number. Raises NotFound (404)."""
    statement = shipments.filtered(shipments.visible(acting.principal), numbers=[number.upper()])
    found: Shipment | None = await session.scalar(statement)
    if found is None:
        raise NotFound(NO_SHIPMENT)
    return found


async def departure_of(session: AsyncSession, *, lane: str | UUID, day: date) -> Departure:
    """Return the departure of a lane, named by its code or its id, on a day. Raises NotFound (404)."""
    if isinstance(lane, str):
        known = {row.code: row.id for row in await session.scalars(lanes.lanes())}
        if lane.upper() not in known:
            raise typer.BadParameter(", ".join(sorted(known)), param_hint="--lane")
        lane = known[lane.upper()]
    found: Departure | None = await session.scalar(lanes.departures(lane_id=lane, first=day, last=day))
    if found is None:
        raise NotFound(NO_DEPARTURE)
    return found


async def party_of(session: AsyncSession, acting: Acting, name: str, *roles: Role) -> Organization:
    """Return the only party of these roles whose name has this part; ends the command where it is none or several."""
    rows = await session.scalars(parties.organizations(hub=acting.principal.region, roles=roles))
    by_name = {row.name: row for row in rows}
    if name in by_name:
        return by_name[name]
    return only({key: row for key, row in by_name.items() if name.lower() in key.lower()}, name)


async def receipt_of(session: AsyncSession, acting: Acting, order: Order, shipment: str | None) -> Receipt:
    """Return an order's only receipt, or that of the shipment named; ends the command where it is not clear which."""
    found = await shipments.receipts_of(session, order_ids=[order.id])
    wanted = None if shipment is None else (await shipment_of(session, acting, shipment)).id
    among = {str(row.shipment_id): row for row in found if wanted in (None, row.shipment_id)}
    return only(among, order.number, hint="--shipment")


def only(found: dict[str, Row], named: str, hint: str | None = None) -> Row:
    """Return the only thing found; ends the command where it is none, or with what is there where it is several."""
    if len(found) != 1:
        several = "; ".join(sorted(found))
        told = Text(f"lebih dari satu: {several}", f"more than one: {several}") if found else NOTHING
        raise typer.BadParameter(f"{named}: {read(told)}", param_hint=hint)
    return next(iter(found.values()))
