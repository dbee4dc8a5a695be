"""`hub shipments`: what is loaded, leaves and arrives, with its papers."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.clearing import FROM, QUANTITY
from app.cli.context import Acting, changing, reading
from app.cli.named import departure_of, order_of, shipment_of
from app.cli.output import OUTPUT, Column, console, print_json, print_table
from app.kit.text import Text
from app.lanes import queries as lanes
from app.orders import queries as orders
from app.orders.models import Order, OrderLine
from app.shipments import answers, papers, queries, service
from app.shipments.models import Shipment
from app.shipments.rules import State
from app.shipments.schemas import ShipmentAnswer

shipments = typer.Typer(
    help="Shipments: the list, or show one, load, dispatch, arrive, print its papers.", invoke_without_command=True
)

CARRIED_COLUMNS = (
    Column(Text("baris", "line"), "line", number=True),
    Column(Text("pesanan", "order"), "order_number"),
    FROM,
    Column(Text("barang", "goods"), "goods"),
    QUANTITY,
    Column(Text("berat g", "weight g"), "net_weight_g", number=True),
)

Number = Annotated[str, typer.Argument(help="such as SJ-2026-000012")]
PART_HELP = "ORDER, or ORDER/LINE, or ORDER/LINE=QUANTITY in base units; lines as `hub orders show` counts them"


@shipments.callback()
def listed(
    context: typer.Context,
    *,
    status: Annotated[list[State] | None, typer.Option(help="only these states; may be repeated")] = None,
    order: Annotated[str | None, typer.Option(help="only what carries this order")] = None,
    on_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="leaves then or later")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="leaves then or earlier")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="shipments at most, newest first")] = 50,
) -> None:
    """List shipments, or do something with one."""
    if context.invoked_subcommand:
        return

    async def work(acting: Acting, session: AsyncSession) -> list[ShipmentAnswer]:
        statement = queries.filtered(
            queries.visible(acting.principal),
            statuses=status or (),
            orders=[(await order_of(session, acting, order)).id] if order else (),
            on_from=on_from and on_from.date(),
            on_until=until and until.date(),
        )
        rows = await session.scalars(statement.order_by(Shipment.created_at.desc(), Shipment.id).limit(limit))
        return await answers.shipments(session, rows.all(), acting.principal)

    found = reading(work)
    if OUTPUT.as_json:
        print_json({"items": [one.model_dump(mode="json") for one in found]})
    else:
        _table(found)


@shipments.command()
def show(number: Number) -> None:
    """Show one shipment: what it carries of whom."""

    async def work(acting: Acting, session: AsyncSession) -> ShipmentAnswer:
        return await _answer(acting, session, await shipment_of(session, acting, number))

    print_one(reading(work))


@shipments.command()
def load(
    parts: Annotated[list[str], typer.Argument(metavar="ORDER...", help=PART_HELP)],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="the lane's departure of this day; default the order's own"),
    ] = None,
) -> None:
    """Load what is left of orders on one departure, or only a part of it."""

    async def work(acting: Acting, session: AsyncSession) -> ShipmentAnswer:
        quantities: dict[UUID, int] = {}
        for part in parts:
            order, loaded = await _part(acting, session, part)
            quantities |= loaded
        shipment = await service.load(
            session,
            principal=acting.principal,
            departure_id=await _departure(session, order, on),
            day=on.date() if on else None,
            quantities=quantities,
            now=acting.now,
        )
        return await _answer(acting, session, shipment)

    print_one(changing(work))


async def _part(acting: Acting, session: AsyncSession, typed: str) -> tuple[Order, dict[UUID, int]]:
    """Read what is loaded of an order: its order, and the quantity of each line."""
    name, _, line = typed.partition("/")
    count, _, quantity = line.partition("=")
    order = await order_of(session, acting, name)
    lines = (await orders.lines_of(session, [order.id]))[order.id]
    if not line:
        return order, {row.id: row.unloaded_quantity for row in lines if row.unloaded_quantity}
    row = _nth(lines, count, PART_HELP)
    return order, {row.id: _whole(quantity, PART_HELP) if quantity else row.unloaded_quantity}


async def _departure(session: AsyncSession, order: Order, on: datetime | None) -> UUID | None:
    """Return the order's departure, or of the same lane that of another day; None where it is fetched."""
    if order.departure_id is None or on is None:
        return order.departure_id
    lane = (await lanes.lanes_of(session, [order.departure_id]))[order.departure_id]
    return (await departure_of(session, lane=lane.id, day=on.date())).id


@shipments.command("dispatch")
def leave(
    number: Number,
    weight: Annotated[list[str], typer.Option(help="LINE=GRAMS, as `hub shipments show` counts lines; every line")],
    crates: Annotated[int, typer.Option(min=0, help="returnable crates and trays that leave")] = 0,
) -> None:
    """Let a shipment leave, weighed per producer."""

    async def work(acting: Acting, session: AsyncSession) -> ShipmentAnswer:
        shipment = await shipment_of(session, acting, number)
        lines = [item.order_line for item in (await queries.carried(session, [shipment.id]))[shipment.id]]
        typed = [text.partition("=") for text in weight]
        hint = "LINE=GRAMS"
        shipment = await service.dispatch(
            session,
            shipment_id=shipment.id,
            principal=acting.principal,
            weights={_nth(lines, count, hint).id: _whole(grams, hint) for count, _, grams in typed},
            crates_out=crates,
            now=acting.now,
        )
        return await _answer(acting, session, shipment)

    print_one(changing(work))


@shipments.command()
def arrive(number: Number) -> None:
    """Let a shipment arrive."""

    async def work(acting: Acting, session: AsyncSession) -> ShipmentAnswer:
        shipment = await service.arrive(
            session,
            shipment_id=(await shipment_of(session, acting, number)).id,
            principal=acting.principal,
            now=acting.now,
        )
        return await _answer(acting, session, shipment)

    print_one(changing(work))


@shipments.command()
def paper(
    number: Number,
    to: Annotated[Path | None, typer.Option(dir_okay=False, help="the file; default NUMBER.pdf here")] = None,
) -> None:
    """Write the papers of a shipment: loading list, and per order its order paper, surat jalan and BAST."""

    async def work(acting: Acting, session: AsyncSession) -> tuple[str, bytes]:
        shipment = await shipment_of(session, acting, number)
        told = await answers.papers(session, shipment, acting.principal, acting.reference)
        return shipment.number, await asyncio.to_thread(papers.render, told)

    name, content = reading(work)
    file = to or Path(f"{name}.pdf")
    file.write_bytes(content)
    if OUTPUT.as_json:
        print_json({"file": str(file), "bytes": len(content)})
    else:
        console.print(str(file), markup=False, soft_wrap=True)


def _nth(lines: Sequence[OrderLine], count: str, hint: str) -> OrderLine:
    place = _whole(count, hint)
    if not 1 <= place <= len(lines):
        raise typer.BadParameter(f"{hint}: 1-{len(lines)}")
    return lines[place - 1]


def _whole(text: str, hint: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise typer.BadParameter(hint)
    return int(text)


async def _answer(acting: Acting, session: AsyncSession, shipment: Shipment) -> ShipmentAnswer:
    return (await answers.shipments(session, [shipment], acting.principal))[0]


def print_one(one: ShipmentAnswer) -> None:
    """Print one shipment in the shape of the HTTP API, or as a table."""
    if OUTPUT.as_json:
        print_json(one.model_dump(mode="json"))
    else:
        _table([one])


def _table(found: Sequence[ShipmentAnswer]) -> None:
    print_table([row for one in found for row in _rows(one)], CARRIED_COLUMNS, by="group")


def _rows(one: ShipmentAnswer) -> list[dict[str, Any]]:
    group = f"{one.number} · {one.on:%d/%m} {one.lane_code or 'loco'} · {one.status}"
    return [
        line.model_dump()
        | {"group": group, "line": count, "seller": line.producer, "goods": f"{line.commodity} {line.grade}"}
        for count, line in enumerate(one.lines, start=1)
    ]
