"""`hub receive`: what arrived of an order, who agrees to it, who objects, and what is decided."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.context import Acting, changing, reading
from app.cli.named import only, order_of, party_of, receipt_of, shipment_of
from app.cli.output import OUTPUT, Column, print_json, print_table
from app.kit.text import Text
from app.orders.models import Order
from app.shipments import answers, disputes, queries, receipts
from app.shipments.models import Receipt
from app.shipments.receipts import Weighed
from app.shipments.rules import Outcome
from app.shipments.schemas import ReceiptAnswer

receive = typer.Typer(no_args_is_help=True, help="Receipts: weigh, show, agree, dispute, decide. Weights in grams.")

RECEIPT_COLUMNS = (
    Column(Text("dimuat", "loaded"), "loaded_g", number=True),
    Column(Text("tiba", "arrived"), "net_weight_g", number=True),
    Column(Text("pecah", "broken"), "broken_g", number=True),
    Column(Text("ditolak", "refused"), "refused_g", number=True),
    Column(Text("alasan", "reason"), "reason", wide=True),
    Column(Text("dibayar", "paid for"), "payable_g", number=True),
    Column(Text("status", "status"), "state"),
)

OrderNumber = Annotated[str, typer.Argument(help="such as BTC-2026-000123")]
InShipment = Annotated[str | None, typer.Option("--shipment", help="where an order came in several, which")]
Grams = Annotated[int, typer.Option(min=0, help="grams")]


@receive.command()
def show(order: OrderNumber) -> None:
    """Show what arrived of an order."""

    async def work(acting: Acting, session: AsyncSession) -> list[ReceiptAnswer]:
        found = await queries.receipts_of(session, order_ids=[(await order_of(session, acting, order)).id])
        return await answers.receipts(session, found, acting.principal)

    _print(order, reading(work))


@receive.command()
def weigh(
    shipment: Annotated[str, typer.Argument(help="such as SJ-2026-000012")],
    net: Annotated[int, typer.Argument(min=0, metavar="GRAMS", help="all that came; broken and refused included")],
    *,
    order: Annotated[str | None, typer.Option(help="where the shipment carries several, which")] = None,
    broken: Grams = 0,
    refused: Grams = 0,
    reason: Annotated[str | None, typer.Option(help="why it was refused")] = None,
    crates: Annotated[int, typer.Option(min=0, help="returnable crates and trays that go back")] = 0,
) -> None:
    """Record what arrived of an order in a shipment."""

    async def work(acting: Acting, session: AsyncSession) -> tuple[str, list[ReceiptAnswer]]:
        found = await shipment_of(session, acting, shipment)
        carried = {item.order.number: item.order for item in (await queries.carried(session, [found.id]))[found.id]}
        meant = await order_of(session, acting, order) if order else only(carried, found.number, "--order")
        standing = await receipts.receive(
            session,
            shipment_id=found.id,
            principal=acting.principal,
            order_id=meant.id,
            weighed=Weighed(net, broken, refused, reason, crates),
            now=acting.now,
        )
        return meant.number, await answers.receipts(session, [standing.receipt], acting.principal)

    _print(*changing(work))


#: what is done with the receipt of an order
Act = Callable[[Acting, AsyncSession, Order, Receipt], Awaitable[object]]


@receive.command()
def agree(order: OrderNumber, shipment: InShipment = None) -> None:
    """Agree to a receipt for its buyer: it is final, unless a producer loses by it and may still object."""

    async def act(acting: Acting, session: AsyncSession, _: Order, receipt: Receipt) -> None:
        await receipts.acknowledge(session, receipt_id=receipt.id, principal=acting.principal, now=acting.now)

    _do(order, shipment, act)


@receive.command()
def dispute(
    order: OrderNumber,
    party: Annotated[str, typer.Option("--for", help="a part of the name of the party that objects")],
    note: Annotated[str, typer.Option(help="what it objects to")],
    shipment: InShipment = None,
) -> None:
    """Object to a receipt for a party, within 24 hours."""

    async def act(acting: Acting, session: AsyncSession, found: Order, receipt: Receipt) -> None:
        await disputes.dispute(
            session,
            order_id=found.id,
            receipt_id=receipt.id,
            principal=acting.principal,
            organization=(await party_of(session, acting, party)).id,
            note=note,
            now=acting.now,
        )

    _do(order, shipment, act)


@receive.command()
def decide(
    order: OrderNumber,
    outcome: Annotated[Outcome, typer.Argument(help="what the hub decides")],
    *,
    payable: Annotated[int | None, typer.Option(min=0, help="grams that are paid; for split")] = None,
    note: Annotated[str | None, typer.Option(help="why")] = None,
    shipment: InShipment = None,
) -> None:
    """Decide a dispute: the receipt is final with the weight that is paid."""

    async def act(acting: Acting, session: AsyncSession, found: Order, receipt: Receipt) -> None:
        opened = await queries.disputes_of(session, [receipt.id])
        about = only({str(one.id): one for one in opened.values()}, found.number)
        await disputes.resolve(
            session,
            dispute_id=about.id,
            principal=acting.principal,
            version=about.version,
            outcome=outcome,
            note=note,
            stated_g=payable,
            now=acting.now,
        )

    _do(order, shipment, act)


def _do(number: str, shipment: str | None, act: Act) -> None:
    """Do something with the receipt of an order, and show it."""

    async def work(acting: Acting, session: AsyncSession) -> list[ReceiptAnswer]:
        order = await order_of(session, acting, number)
        receipt = await receipt_of(session, acting, order, shipment)
        await act(acting, session, order, receipt)
        await session.refresh(receipt)
        return await answers.receipts(session, [receipt], acting.principal)

    _print(number, changing(work))


def _print(number: str, found: Sequence[ReceiptAnswer]) -> None:
    if OUTPUT.as_json:
        print_json({"items": [one.model_dump(mode="json") for one in found]})
    else:
        print_table([_row(number.upper(), one) for one in found], RECEIPT_COLUMNS, by="group")


def _row(number: str, one: ReceiptAnswer) -> dict[str, Any]:
    agreed = "acknowledged" if one.acknowledged_at else "recorded"
    disputed = f"dispute {one.dispute.status}" if one.dispute else agreed
    payable = sum(line.payable_g for line in one.lines) if one.final_at else None
    return one.model_dump() | {
        "group": number,
        "payable_g": payable,
        "state": "final" if one.final_at else disputed,
    }
