"""Migration 0004 makes of what was confirmed before orders existed just the orders that the program makes of it."""

import asyncio
import json
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from alembic import command
from app.kit.db import Base, asyncpg_url
from app.kit.migrations import ROOT, migrate
from app.kit.operations import broken_invariants
from tests.conftest import Cluster, Scenario, api_on
from tests.orders.trade import Trade

#: what a database at revision 0003 has nothing in: trade ended with the confirmation
LATER = {"orders", "order_lines", "shipments", "shipment_lines", "receipts", "receipt_lines", "disputes"}

#: each order by what makes it one, with what its number stands for: how many there are of its year
ORDERS = """
    SELECT demand_id, departure_id, departs_on, arrives_on, hub, buyer_id, commodity, region, delivery, source, status,
           tolerance_percent, payment_terms, down_payment_percent, left(number, 9) AS year
      FROM orders ORDER BY demand_id, departs_on, departure_id"""
LINES = """
    SELECT o.demand_id, o.departure_id, o.departs_on, l.match_id, l.listing_id, l.producer_id, l.grade, l.quantity,
           l.loaded_quantity, l.received_quantity, l.producer_price_idr, l.collection_idr, l.freight_idr,
           l.scarcity_idr, l.delivered_price_idr, l.best_before
      FROM order_lines l JOIN orders o ON o.id = l.order_id ORDER BY l.match_id"""


def upgrade(url: str, revision: str) -> None:
    command.upgrade(Config(ROOT / "alembic.ini", attributes={"database_url": url}), revision)


async def trade(url: str, scenario: Scenario) -> None:
    """Confirm most of the scenario's proposals, leave one, decline one; sell melons that are fetched at the hub."""
    async with api_on(url, keys=scenario.keys) as api:
        hub = api.as_(scenario.keys.hub)
        waiting, unwanted, *wanted = [row["id"] for row in await api.walk("/v1/matches", scenario.keys.hub)]
        for side in ("listing", "demand"):
            answer = await api.post("/v1/matches/confirm", json={"ids": wanted, "side": side}, headers=hub)
            assert answer.is_success, answer.text
        asked = {"side": "listing"}
        assert (await api.post(f"/v1/matches/{waiting}/confirm", json=asked, headers=hub)).is_success
        assert (await api.post(f"/v1/matches/{unwanted}/decline", json=asked, headers=hub)).is_success
        await Trade(api).two_farms_one_shop(delivery="loco")


async def copy(old: AsyncConnection, new: AsyncConnection) -> None:
    """Copy what an older database has columns for, as if it had been traded there."""
    there = set((await new.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars())
    for table in Base.metadata.sorted_tables:
        if table.name in there - LATER:
            rows = await old.scalar(text(f"SELECT json_agg(t) FROM {table.name} t"))  # noqa: S608 - own names
            taken = f"INSERT INTO {table.name} SELECT * FROM json_populate_recordset(NULL::{table.name}, :rows)"  # noqa: S608
            await new.execute(text(taken), {"rows": json.dumps(rows or [])})


async def read(connection: AsyncConnection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(text(query))).mappings()]


@pytest.fixture
def databases(cluster: Cluster, scenario_template: Scenario) -> Any:
    """A database of today with confirmed matches, and one of revision 0003 with the same trade."""
    today = asyncio.run(cluster.create("hub_test_today", scenario_template.template))
    asyncio.run(trade(today, scenario_template))
    before = asyncio.run(cluster.create("hub_test_before"))
    upgrade(before, "0003")
    asyncio.run(both(today, before, copy))
    yield today, before
    asyncio.run(cluster.drop("hub_test_today"))
    asyncio.run(cluster.drop("hub_test_before"))


async def both(today: str, before: str, work: Any) -> Any:
    """Do something with a connection to each of two databases."""
    engines = [create_async_engine(asyncpg_url(url)) for url in (today, before)]
    async with engines[0].begin() as first, engines[1].begin() as second:
        done = await work(first, second)
    for engine in engines:
        await engine.dispose()
    return done


def test_what_was_confirmed_is_taken_up_as_the_program_does(databases: tuple[str, str]) -> None:
    today, before = databases
    migrate(before)

    async def compare(now: AsyncConnection, migrated: AsyncConnection) -> None:
        for query in (ORDERS, LINES):
            expected = await read(now, query)
            assert await read(migrated, query) == expected
            assert len(expected) > 10
        ways = {(row["delivery"], row["departure_id"] is None) for row in await read(migrated, ORDERS)}
        assert ways == {("franco", False), ("loco", True)}
        numbers = [row["number"] for row in await read(migrated, "SELECT number FROM orders ORDER BY number")]
        assert numbers == [f"BTC-2026-{count:06}" for count in range(1, len(numbers) + 1)]
        following = await migrated.scalar(text("SELECT nextval('order_numbers')"))
        assert following == len(numbers) + 1

    asyncio.run(both(today, before, compare))


def test_the_migrated_database_adds_up(databases: tuple[str, str]) -> None:
    """The control: without the taking up the views count what is missing."""
    today, before = databases
    migrate(before)

    async def look(_: AsyncConnection, migrated: AsyncConnection) -> None:
        assert not any((await broken_invariants(migrated)).values())  # type: ignore[arg-type]  # only executes
        await migrated.execute(text("DELETE FROM order_lines"))
        broken = await broken_invariants(migrated)  # type: ignore[arg-type]
        assert broken["posting_claims"]
        assert broken["match_confirmations"]
        await migrated.rollback()

    asyncio.run(both(today, before, look))
