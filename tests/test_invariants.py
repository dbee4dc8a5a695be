"""The invariant views are asked after every test; here each is shown to notice what it is there for."""

from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.kit.operations import broken_invariants
from tests.matching.melons import SHOP
from tests.orders.trade import Trade
from tests.settlement.test_money_views import MONEY

#: view -> a change behind the back of the application
TAMPERED = {
    "posting_counters": "UPDATE listings SET proposed_quantity = 0, withdrawn_quantity = proposed_quantity",
    "posting_claims": "UPDATE matches SET status = 'lapsed' WHERE status = 'proposed'",
    "posting_states": "UPDATE listings SET status = 'open' WHERE status = 'exhausted'",
    "departure_bookings": "UPDATE departures SET booked_g = booked_g - 1 WHERE booked_g > 0",
    "departure_loads": "UPDATE commodities SET unit_weight_g = unit_weight_g + 1",
    "match_confirmations": "UPDATE matches SET listing_confirmed_at = now(), demand_confirmed_at = now()",
    "match_fills": "UPDATE matches SET demand_min_quantity = 1000000000",
    "order_loads": "UPDATE order_lines SET loaded_quantity = quantity",
    "order_states": "UPDATE orders SET status = 'scheduled'",
    "receipt_weights": "UPDATE receipts SET final_at = NULL",
    "run_chain": "UPDATE clearing_runs SET output_sha256 = 'x'",
}
#: other faults that the same views notice
MORE = [
    ("posting_counters", "UPDATE demands SET proposed_quantity = 0, withdrawn_quantity = proposed_quantity"),
    ("posting_claims", "UPDATE matches SET quantity = quantity + 1"),
    ("posting_claims", "UPDATE order_lines SET quantity = quantity + 1"),
    ("posting_claims", "UPDATE orders SET status = 'cancelled', cancel_reason = 'x'"),
    ("posting_states", "UPDATE demands SET status = 'expired' WHERE status = 'open'"),
    ("departure_loads", "UPDATE order_lines SET quantity = quantity + 1"),
    ("match_confirmations", "UPDATE order_lines SET match_id = NULL"),
    ("order_loads", "UPDATE order_lines SET received_quantity = 0"),
    ("order_loads", "UPDATE shipment_lines SET quantity = quantity - 1"),
    ("departure_loads", "UPDATE shipment_lines SET quantity = quantity - 1"),
    ("order_states", "UPDATE orders SET status = 'in_transit' WHERE status = 'delivered'"),
    ("receipt_weights", "UPDATE shipment_lines SET net_weight_g = net_weight_g + 1"),
    ("match_fills", "UPDATE matches SET listing_min_quantity = 1000000000"),
]


@pytest_asyncio.fixture
async def traded(scenario: Any) -> Any:
    """The opening scenario beside a market in which something has come to every stage."""
    trade = Trade(scenario)
    order = await trade.two_farms_one_shop()
    await trade.receive(await trade.on_the_way(order), order, 1_000_000, SHOP)
    await trade.offer()
    await trade.need()
    await trade.clear()
    await trade.confirm_all()
    return scenario


async def test_every_view_has_its_control(traded: Any) -> None:
    async with traded.database.reader() as session:
        assert await broken_invariants(session) == dict.fromkeys(sorted(TAMPERED | MONEY), 0)


@pytest.mark.parametrize(("view", "statement"), [*TAMPERED.items(), *MORE])
async def test_each_view_notices_its_fault(traded: Any, view: str, statement: str) -> None:
    async with traded.database.transaction() as session:
        tamper = await session.begin_nested()
        await session.execute(text(statement))
        broken = await broken_invariants(session)
        await tamper.rollback()
    assert broken[view] > 0


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("UPDATE allocations SET proposed = 0", DBAPIError),
        ("DELETE FROM allocations", DBAPIError),
        ("UPDATE listings SET proposed_quantity = quantity + 1", IntegrityError),
        ("UPDATE demands SET ordered_quantity = -1", IntegrityError),
        ("UPDATE departures SET booked_g = capacity_kg * 1000 + 1", IntegrityError),
        ("UPDATE matches SET delivered_price_idr = delivered_price_idr + 1", IntegrityError),
        ("UPDATE matches SET ask_idr = producer_price_idr + 1", IntegrityError),
        ("UPDATE matches SET listing_organization_id = demand_organization_id", IntegrityError),
        ("INSERT INTO matches SELECT * FROM matches", IntegrityError),
        ("UPDATE order_lines SET loaded_quantity = quantity + 1", IntegrityError),
        ("UPDATE order_lines SET received_quantity = 1", IntegrityError),
        ("UPDATE order_lines SET freight_idr = freight_idr + 1", IntegrityError),
        ("UPDATE orders SET departure_id = NULL", IntegrityError),
        ("UPDATE receipt_lines SET payable_g = 0", DBAPIError),
        ("UPDATE receipts SET refused_g = net_weight_g, reason = NULL", IntegrityError),
        ("UPDATE shipments SET arrived_at = NULL", IntegrityError),
        ("UPDATE orders SET status = 'delivered'", IntegrityError),
    ],
)
async def test_the_last_line_is_the_database(traded: Any, statement: str, refused: type[Exception]) -> None:
    async with traded.database.reader() as session:
        tamper = await session.begin_nested()
        with pytest.raises(refused):
            await session.execute(text(statement))
        await tamper.rollback()
