"""`hub settle`, `hub statements`: what is billed, paid and due, as the hub sees it."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer
from sqlalchemy import exists
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.context import Acting, as_hub, settings_of
from app.cli.named import order_of
from app.cli.output import OUTPUT, Column, print_json, print_table
from app.kit.clock import local_day
from app.kit.text import Text
from app.orders import queries as orders
from app.orders.models import Order
from app.outbox.events import actor_of
from app.settlement import answers, reading, service
from app.settlement.due import bill_due
from app.settlement.models import Account, Bill
from app.settlement.schemas import SettlementAnswer, StatementAnswer

ORDER_COLUMNS = (
    Column(Text("pihak", "party"), "name", wide=True),
    Column(Text("sebagai", "as"), "kind"),
    Column(Text("harus", "due"), "due_idr", number=True),
    Column(Text("dibayar", "paid"), "paid_idr", number=True),
    Column(Text("sisa", "open"), "open_idr", number=True),
    Column(Text("tempo", "due on"), "due_on"),
)
STATEMENT_COLUMNS = (
    Column(Text("waktu", "at"), "at"),
    Column(Text("untuk", "for"), "kind"),
    Column(Text("pesanan", "order"), "number"),
    Column(Text("debit", "debit"), "debit_idr", number=True),
    Column(Text("kredit", "credit"), "credit_idr", number=True),
    Column(Text("saldo", "balance"), "balance_idr", number=True),
)


Number = Annotated[str | None, typer.Argument(help="such as BTC-2026-000123; without: all that is not settled")]
Party = Annotated[str | None, typer.Argument(help="a part of the name; without: all accounts, the bank's too")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="default: the month's first")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="default: today")]


def settle(
    number: Number = None,
    received: Annotated[int | None, typer.Option(min=1, help="rupiah that its buyer paid")] = None,
    *,
    pay_out: Annotated[bool, typer.Option("--pay-out", help="all payees of the order were paid what is due")] = False,
) -> None:
    """Bill what has arrived, record payments of an order, and show what is open."""
    if number is None and (received or pay_out):
        raise typer.BadParameter("name the order that is paid", param_hint="NUMBER")

    async def work(acting: Acting) -> list[SettlementAnswer]:
        await bill_due(acting.database, acting.now, fee_permille=settings_of().hub_fee_permille)
        async with acting.database.reader() as session:
            found = await _orders(session, acting, number)
        for order in found:
            if received:
                await acting.database.retried(partial(_receive, acting=acting, order=order, amount_idr=received))
            if pay_out:
                await acting.database.retried(partial(_pay_out, acting=acting, order=order))
        async with acting.database.reader() as session:
            return [
                await answers.settlement(session, order, acting.principal, language=OUTPUT.language)
                for order in await _orders(session, acting, number)
            ]

    found = as_hub(work)
    if OUTPUT.as_json:
        print_json({"items": [one.model_dump(mode="json") for one in found]})
    else:
        print_table([row for one in found for row in _order_rows(one)], ORDER_COLUMNS, by="group")


async def _orders(session: AsyncSession, acting: Acting, number: str | None) -> list[Order]:
    if number is not None:
        return [await order_of(session, acting, number)]
    billed = orders.visible(acting.principal).where(
        Order.status != "settled", exists().where(Bill.order_id == Order.id)
    )
    return list(await session.scalars(billed.order_by(Order.number).limit(1000)))


def _booked(acting: Acting, amount_idr: int) -> service.Booked:
    return service.Booked(
        hub=acting.principal.region,
        amount_idr=amount_idr,
        day=local_day(acting.now, acting.timezone),
        reference=None,
        note=None,
        source="hub",
        actor=actor_of(acting.principal),
        now=acting.now,
    )


async def _receive(session: AsyncSession, *, acting: Acting, order: Order, amount_idr: int) -> None:
    booked = _booked(acting, amount_idr)
    await service.pay_in(session, booked, buyer_id=order.buyer_id, order_ids=[order.id], bank_line=None)


async def _pay_out(session: AsyncSession, *, acting: Acting, order: Order) -> None:
    await service.pay_out_all(session, _booked(acting, 0), order_id=order.id)


def _order_rows(one: SettlementAnswer) -> list[dict[str, Any]]:
    group = f"{one.number} · {one.status}"
    bill = {"due_idr": one.billed_idr, "paid_idr": one.received_idr, "open_idr": one.open_idr, "due_on": one.due_on}
    payees = [payee.model_dump() | {"group": group, "due_on": None} for payee in one.payees]
    return [{"group": group, "name": "", "kind": "buyer", **bill}, *payees]


def statements(party: Party = None, first: First = None, until: Until = None) -> None:
    """Show accounts of parties over a period."""

    async def work(acting: Acting) -> list[StatementAnswer]:
        last = until.date() if until else local_day(acting.now, acting.timezone)
        async with acting.database.reader() as session:
            found = list(await session.scalars(reading.accounts(acting.principal).order_by(Account.kind, Account.id)))
            told = await answers.statements(
                session,
                found,
                first=first.date() if first else last.replace(day=1),
                last=last,
                timezone=acting.timezone,
                language=OUTPUT.language,
            )
        return [one for one in told if party is None or party.lower() in one.name.lower()]

    found = as_hub(work)
    if OUTPUT.as_json:
        print_json({"items": [one.model_dump(mode="json", by_alias=True) for one in found]})
    else:
        print_table([row for one in found for row in _statement_rows(one)], STATEMENT_COLUMNS, by="group")


def _statement_rows(one: StatementAnswer) -> list[dict[str, Any]]:
    group = f"{one.name} · {one.kind}"
    blank = {"group": group, "number": None, "debit_idr": None, "credit_idr": None}
    opening = {**blank, "at": one.first, "kind": "", "balance_idr": one.opening_idr}
    return [opening, *(line.model_dump() | {"group": group, "at": line.at.date()} for line in one.lines)]
