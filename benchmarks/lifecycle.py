"""What an order costs from its confirmations to settled, beside the same rows in plain SQL, measured in one run."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import event, make_url

from app.config import Settings
from app.demo import service as demo
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.main import create_app
from app.settlement.due import bill_due
from benchmarks import recorded
from benchmarks.stand import fresh_database

NOW = datetime.fromisoformat("2026-11-24T08:00:00+07:00")
PRODUCER, BUYER = "Kelompok tani Karangsari (contoh)", "Supermarket Surabaya (contoh)"
KILOGRAMS = 50
#: so many orders for each second of measuring, and at most
ORDERS_A_SECOND, MOST_ORDERS = 6, 200


@dataclass
class Desk:
    """One desk of the hub that settles orders one after another, asking through HTTP."""

    client: httpx.AsyncClient
    database: Database
    keys: demo.Keys
    #: SQL statements since the desk was opened
    statements: int = 0

    def count(self, *_: object) -> None:
        """Count a statement."""
        self.statements += 1

    async def ask(self, method: str, path: str, who: str | None = None, **body: Any) -> Any:
        """Return what the hub answers to one of its parties, to itself where nobody is named."""
        headers = {"Authorization": f"Bearer {who or self.keys.hub}"}
        answer = await self.client.request(method, f"/v1{path}", headers=headers, json=body or None)
        answer.raise_for_status()
        return answer.json()

    async def open_book(self, orders: int) -> None:
        """Clear one stock against as many needs as orders are wanted: each is one match, later one order."""
        half = {"commodity": "melon", "unit": "kg"}
        stock = {"grade": "A", "quantity": orders * KILOGRAMS, "price_idr": 8_000}
        need = {"min_grade": "A", "quantity": KILOGRAMS, "max_price_idr": 10_000}
        await self.ask("POST", "/listings", self.keys.producers[PRODUCER], **half, **stock)
        await self.ask("POST", "/demands/batch", self.keys.buyers[BUYER], items=[half | need] * orders)
        await self.ask("POST", "/clearing-runs", commodities=["melon"])

    async def matches(self) -> list[dict[str, Any]]:
        """Return what is proposed."""
        answer = await self.ask("GET", f"/matches?status=proposed&commodity=melon&limit={MOST_ORDERS}")
        found: list[dict[str, Any]] = answer["items"]
        return found

    async def settle(self, match: dict[str, Any]) -> None:
        """Bring one match to its end: confirmed twice, carried, received, billed, paid by and to everybody."""
        await self.ask("POST", f"/matches/{match['id']}/confirm", self.keys.producers[PRODUCER])
        await self.ask("POST", f"/matches/{match['id']}/confirm", self.keys.buyers[BUYER])
        order = (await self.ask("GET", "/orders?limit=1"))["items"][0]
        (line,) = order["lines"]
        grams = line["quantity"] * 1000
        loads = [{"order_line_id": line["id"], "quantity": line["quantity"]}]
        shipment = await self.ask("POST", "/shipments", departure_id=order["departure_id"], lines=loads)
        path = f"/shipments/{shipment['id']}"
        weights = [{"order_line_id": line["id"], "net_weight_g": grams}]
        await self.ask("POST", f"{path}/dispatch", weights=weights, crates_out=4)
        await self.ask("POST", f"{path}/arrive")
        received = {"order_id": order["id"], "net_weight_g": grams, "crates_back": 4}
        await self.ask("POST", f"{path}/receipts", self.keys.buyers[BUYER], **received)
        await bill_due(self.database, NOW, fee_permille=5)
        bill = await self.ask("GET", f"/orders/{order['id']}/settlement")
        await self.ask("POST", "/payments", orders=[order["id"]], amount_idr=bill["open_idr"])
        for payee in bill["payees"]:
            if payee["kind"] != "hub_fee":
                out = {"direction": "out", "account": payee["account"], "orders": [order["id"]]}
                await self.ask("POST", "/payments", **out, amount_idr=payee["open_idr"])

    async def settled(self) -> int:
        """Return how many orders of the book are settled."""
        answer = await self.ask("GET", f"/orders?status=settled&commodity=melon&limit={MOST_ORDERS}")
        return len(answer["items"])


def measure(*, seconds: float) -> list[dict[str, object]]:
    """Return one row: orders a second of the hub and of plain SQL, and what one order takes.

    1. A book is cleared; its database is copied twice.
    2. On the first copy the orders are settled while every row is recorded, by transaction.
    3. On the second they are settled again, timed.
    4. On the original what was recorded is written again by plain SQL, timed.
    """
    orders = max(5, min(MOST_ORDERS, round(seconds * ORDERS_A_SECOND)))
    with fresh_database() as (url, _):
        return [asyncio.run(_measure(url, orders))]


async def _measure(url: str, orders: int) -> dict[str, object]:
    keys = await _load(url, orders)
    copies = [await _copy(url, name) for name in ("recording", "timed")]
    await recorded.begin_recording(copies[0])
    await _settle_all(copies[0], keys)
    transactions = await recorded.recording(copies[0])
    took, statements, settled = await _settle_all(copies[1], keys)
    began = time.perf_counter()
    await recorded.write_again(url, transactions)
    floor = time.perf_counter() - began
    async with _desk(url, keys) as desk:
        again = await desk.settled()
    if not again == settled == orders:
        raise RuntimeError(f"of {orders} orders the hub settled {settled}, plain SQL {again}")
    return {
        "orders": orders,
        "orders_s": orders / took,
        "floor_orders_s": orders / floor,
        "ratio": floor / took,
        "ms_an_order": took / orders * 1000,
        "transactions": len(transactions) / orders,
        "rows": sum(write.count for writes in transactions for write in writes) / orders,
        "statements": statements / orders,
    }


async def _load(url: str, orders: int) -> demo.Keys:
    """Load the reference data, the parties of the opening scenario, and a cleared book."""
    database = Database(url, pool_size=1)
    await database.retried(lambda session: demo.load_reference(session, now=NOW))
    keys = await database.retried(lambda session: demo.load_scenario(session, environment="bench", now=NOW))
    await database.dispose()
    assert keys is not None  # noqa: S101 - the database is new
    async with _desk(url, keys) as desk:
        await desk.open_book(orders)
    return keys


async def _copy(url: str, name: str) -> str:
    connection = await recorded.connect(make_url(url).set(database="postgres").render_as_string())
    original = make_url(url)
    await connection.execute(f'CREATE DATABASE {name} TEMPLATE "{original.database}"')
    await connection.close()
    return original.set(database=name).render_as_string()


@asynccontextmanager
async def _desk(url: str, keys: demo.Keys) -> AsyncIterator[Desk]:
    settings = Settings(database_url=url, requests_per_minute=10**9)
    app = create_app(settings, clock=FixedClock(NOW))
    database = app.state.hub.database
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub") as client:
        desk = Desk(client, database, keys)
        event.listen(database.engine.sync_engine, "before_cursor_execute", desk.count)
        yield desk
    await database.dispose()


async def _settle_all(url: str, keys: demo.Keys) -> tuple[float, int, int]:
    """Settle everything that is proposed; return the seconds and statements that it took, and how many are settled."""
    async with _desk(url, keys) as desk:
        matches = await desk.matches()
        before, began = desk.statements, time.perf_counter()
        for match in matches:
            await desk.settle(match)
        took, statements = time.perf_counter() - began, desk.statements - before
        return took, statements, await desk.settled()
