"""`hub orders`: what both sides confirmed, and the deals of the desk."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.clearing import FOR, FROM, LEAVES, heading
from app.cli.context import Acting, changing, reading
from app.cli.named import departure_of, order_of, party_of
from app.cli.output import OUTPUT, Column, print_json, print_table, read
from app.kit.principal import Role
from app.kit.text import Text
from app.orders import answers, deals, queries, service
from app.orders.deals import Deal, DealLine
from app.orders.models import Order
from app.orders.rules import PaymentTerms, State
from app.orders.schemas import OrderAnswer, OrderWithHistory

orders = typer.Typer(help="Orders: the list, or show one, cancel, record a deal.", invoke_without_command=True)

STATUS = Column(Text("status", "status"), "status")
ORDERED = Column(Text("jumlah", "quantity"), "quantity", number=True)
LOADED = Column(Text("dimuat", "loaded"), "loaded_quantity", number=True)
RECEIVED = Column(Text("diterima", "received"), "received_quantity", number=True)
ORDER_COLUMNS = (
    Column(Text("nomor", "number"), "number"),
    FOR,
    LEAVES,
    STATUS,
    ORDERED,
    LOADED,
    RECEIVED,
    Column(Text("nilai", "value"), "value_idr", number=True),
)
LINE_COLUMNS = (
    Column(Text("baris", "line"), "line", number=True),
    FROM,
    Column(Text("kualitas", "grade"), "grade"),
    ORDERED,
    LOADED,
    RECEIVED,
    Column(Text("produsen", "producer"), "producer_price_idr", number=True),
    Column(Text("sampai", "delivered"), "delivered_price_idr", number=True),
)
HISTORY = Text("Riwayat", "History")
HISTORY_COLUMNS = (
    Column(Text("waktu", "at"), "when"),
    Column(Text("apa", "what"), "event"),
    Column(Text("oleh", "by"), "by", wide=True),
    Column(Text("atas nama", "for"), "acting_for", wide=True),
)

Number = Annotated[str, typer.Argument(help="such as BTC-2026-000123")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
LINE_HELP = "PRODUCER:GRADE:QUANTITY:PRICE or LISTING:QUANTITY:PRICE; quantity in base units, or '40 peti-15'"


@orders.callback()
def listed(
    context: typer.Context,
    *,
    status: Annotated[list[State] | None, typer.Option(help="only these states; may be repeated")] = None,
    commodity: Annotated[list[str] | None, typer.Option(help="only these commodities; may be repeated")] = None,
    region: Annotated[list[str] | None, typer.Option(help="only to these cities, by code; may be repeated")] = None,
    party: Annotated[str | None, typer.Option(help="a part of a buyer's or a producer's name")] = None,
    arrives_from: Day = None,
    arrives_until: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="rows at most, newest first")] = 50,
) -> None:
    """List orders, or do something with one."""
    if context.invoked_subcommand:
        return

    async def work(acting: Acting, session: AsyncSession) -> tuple[list[OrderAnswer], list[dict[str, Any]]]:
        statement = queries.filtered(
            queries.visible(acting.principal),
            statuses=status or (),
            commodities=commodity or (),
            regions=region or (),
            organizations=[(await party_of(session, acting, party)).id] if party else (),
            arrives_from=arrives_from and arrives_from.date(),
            arrives_until=arrives_until and arrives_until.date(),
        )
        rows = await session.scalars(statement.order_by(Order.created_at.desc(), Order.id).limit(limit))
        found = await answers.orders(session, rows.all(), acting.principal, acting.reference)
        return found, [_row(one, acting) for one in sorted(found, key=lambda one: one.commodity)]

    items, table = reading(work)
    if OUTPUT.as_json:
        print_json({"items": [one.model_dump(mode="json") for one in items]})
    else:
        print_table(table, ORDER_COLUMNS, by="group")


def _row(one: OrderAnswer, acting: Acting) -> dict[str, Any]:
    return one.model_dump() | {
        "group": heading(acting.reference.commodities[one.commodity]),
        "buyer": one.buyer.name,
        "leaves": f"{one.departs_on:%d/%m} {one.lane_code or 'loco'}",
    }


@orders.command()
def show(number: Number) -> None:
    """Show one order: its lines, and what happened to it."""

    async def work(acting: Acting, session: AsyncSession) -> Shown:
        return await _shown(acting, session, await order_of(session, acting, number))

    _print(reading(work))


@orders.command()
def cancel(
    number: Number,
    reason: Annotated[str, typer.Option(help="told to the parties")],
    party: Annotated[str | None, typer.Option("--for", help="a part of its party's name; without: the hub")] = None,
) -> None:
    """Cancel what of an order is not loaded; quantity and room return at once."""

    async def work(acting: Acting, session: AsyncSession) -> Shown:
        order = await service.cancel(
            session,
            order_id=(await order_of(session, acting, number)).id,
            principal=acting.principal,
            organization=(await party_of(session, acting, party)).id if party else None,
            reason=reason,
            now=acting.now,
        )
        return await _shown(acting, session, order)

    _print(changing(work))


@orders.command()
def deal(
    buyer: Annotated[str, typer.Argument(help="a part of the buyer's name, or the id of its demand")],
    line: Annotated[list[str], typer.Option(help=f"{LINE_HELP}; may be repeated")],
    *,
    commodity: Annotated[str | None, typer.Option(help="default: the demand's")] = None,
    lane: Annotated[str | None, typer.Option(help="code of the lane; without: the buyer fetches at the hub")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="day of leaving or fetching; default tomorrow")
    ] = None,
    terms: Annotated[PaymentTerms | None, typer.Option(help="default: the buyer's")] = None,
    down_payment: Annotated[int | None, typer.Option(min=1, max=99, help="percent, default 30")] = None,
    tolerance: Annotated[int | None, typer.Option(min=0, max=100, help="percent, default 1")] = None,
) -> None:
    """Record a deal made by word or telephone: the same checks as of a match, at the prices agreed."""
    if lane and on is None:
        raise typer.BadParameter("the day of the departure", param_hint="--on")
    demand_id = _uuid(buyer)

    async def work(acting: Acting, session: AsyncSession) -> Shown:
        departure = await departure_of(session, lane=lane, day=on.date()) if lane and on else None
        order = await deals.record_deal(
            session,
            deal=Deal(
                demand_id=demand_id,
                buyer=None if demand_id else (await party_of(session, acting, buyer, Role.BUYER)).id,
                commodity=commodity,
                region=None,
                departure_id=departure.id if departure else None,
                day=on.date() if on else None,
                payment_terms=terms,
                down_payment_percent=down_payment,
                tolerance_percent=tolerance,
                lines=[await _line(acting, session, typed) for typed in line],
            ),
            principal=acting.principal,
            reference=acting.reference,
            now=acting.now,
        )
        return await _shown(acting, session, order)

    _print(changing(work))


async def _line(acting: Acting, session: AsyncSession, typed: str) -> DealLine:
    """Read one line of a deal; ends the command where it cannot be read."""
    *who, quantity, price = typed.split(":")
    number, _, unit = quantity.strip().partition(" ")
    listing_id = _uuid(who[0]) if len(who) == 1 else None
    try:
        amount, price_idr = Decimal(number), int(price)
    except (InvalidOperation, ValueError):
        raise typer.BadParameter(LINE_HELP, param_hint="--line") from None
    if len(who) != 2 and listing_id is None:  # noqa: PLR2004 - a producer and a grade
        raise typer.BadParameter(LINE_HELP, param_hint="--line")
    return DealLine(
        listing_id=listing_id,
        producer=None if listing_id else (await party_of(session, acting, who[0], Role.PRODUCER)).id,
        grade=None if listing_id else who[1],
        best_before=None,
        quantity=amount,
        unit=unit or None,
        unit_base_quantity=None,
        producer_price_idr=price_idr,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


#: an order with its history, and the same as rows of two tables
Shown = tuple[OrderWithHistory, list[dict[str, Any]], list[dict[str, Any]]]


async def _shown(acting: Acting, session: AsyncSession, order: Order) -> Shown:
    one = await answers.with_history(session, order, acting.principal, acting.reference)
    zone = ZoneInfo(acting.timezone)
    group = f"{one.number} · {one.buyer.name.removesuffix(' (contoh)')} · {one.departs_on:%d/%m} · {one.status}"
    lines = [
        line.model_dump() | {"group": group, "line": count, "seller": line.producer.name}
        for count, line in enumerate(one.lines, start=1)
    ]
    history = [
        step.model_dump() | {"group": read(HISTORY), "when": f"{step.at.astimezone(zone):%d/%m %H.%M}"}
        for step in one.history
    ]
    return one, lines, history


def _print(shown: Shown) -> None:
    one, lines, history = shown
    if OUTPUT.as_json:
        print_json(one.model_dump(mode="json"))
        return
    print_table(lines, LINE_COLUMNS, by="group")
    print_table(history, HISTORY_COLUMNS, by="group")
