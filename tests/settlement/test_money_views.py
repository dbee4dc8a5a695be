"""Each view of the money is shown to notice what it is there for."""

from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.kit.operations import broken_invariants
from tests.settlement.deliveries import PONGGOK, deliver, organization
from tests.settlement.test_settlement import bill, pay

COLUMNS = "at, kind, debit_id, credit_id, amount_idr, order_id, order_line_id, receipt_id, payment_id"
TWICE = f"INSERT INTO transfers ({COLUMNS}) SELECT {COLUMNS} FROM transfers WHERE kind = '{{}}'"  # noqa: S608 - constant parts
#: view -> a change behind the back of the application
MONEY = {
    "bill_transfers": TWICE.format("goods"),
    "payment_transfers": TWICE.format("paid_in"),
    "payouts": TWICE.format("paid_out"),
    "order_shares": """INSERT INTO shares (at, payment_id, order_id, account_id, amount_idr)
                       SELECT at, payment_id, order_id, account_id, amount_idr FROM shares""",
    "settled_orders": "UPDATE orders SET status = 'settled', settled_at = now() WHERE status = 'delivered'",
}
#: other faults that the same views notice
MORE = [
    ("bill_transfers", TWICE.format("freight_of_loss")),
    (
        "bill_transfers",
        "UPDATE order_lines SET freight_idr = freight_idr + 1, producer_price_idr = producer_price_idr - 1",
    ),
    ("order_shares", TWICE.format("paid_in")),
]


@pytest_asyncio.fixture
async def paid(scenario: Any) -> Any:
    """An order delivered short, its bill and its producer paid in part."""
    order = await deliver(scenario, {PONGGOK: 1000}, lost_g=100_000)
    await bill(scenario)
    await pay(scenario, orders=[str(order.id)], amount_idr=20_000_000)
    producer = str(await organization(scenario, PONGGOK))
    await pay(scenario, direction="out", organization=producer, amount_idr=20_000_000)
    return scenario


@pytest.mark.parametrize(("view", "statement"), [*MONEY.items(), *MORE])
async def test_each_view_notices_its_fault(paid: Any, view: str, statement: str) -> None:
    async with paid.database.transaction() as session:
        assert (await broken_invariants(session))[view] == 0
        tamper = await session.begin_nested()
        await session.execute(text(statement))
        broken = await broken_invariants(session)
        await tamper.rollback()
    assert broken[view] > 0
