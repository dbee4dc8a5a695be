"""The real hub under the model: asked through HTTP, read row by row, as it was before with every example."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import text

from app.kit.db import Database
from app.kit.operations import broken_invariants
from app.kit.principal import Role
from app.outbox.events import WORKER
from app.parties import service as parties
from app.settlement.due import bill_due, give_back
from app.shipments.due import finish_receipts
from app.worker import close_due
from tests.conftest import NOW, Api
from tests.lifecycle.goods import Goods, Party, Way
from tests.lifecycle.money import Account, Money

HUB = "35.72"
#: (role, region, rupiah per kilogram from the gate to the hub)
PEOPLE = (
    ("producer", "35.72", 0),
    ("producer", "35.05", 60),
    ("producer", "35.05", 60),
    ("buyer", "32.76", 0),
    ("buyer", "35.78", 0),
)
#: a departure carries this much here, so that some are full
CAPACITY_KG = 2500

T = TypeVar("T")


async def furnish(database: Database) -> tuple[str, list[Party]]:
    """Register the parties and make the vehicles small; return the hub's key and the parties."""
    async with database.transaction() as session:
        await session.execute(text("UPDATE departures SET capacity_kg = :kg"), {"kg": CAPACITY_KG})

        async def join(role: str, region: str, number: int) -> tuple[str, str]:
            values = {"name": f"{role} {number}", "role": Role(role), "kind": "x", "region": region}
            values |= {"place": None, "contact": None, "telephone": None}
            one = await parties.register(session, hub=HUB, values=values, now=NOW, actor=WORKER)
            _, key = await parties.create_key(session, organization=one, label=None, environment="test", now=NOW)
            return str(one.id), key

        _, hub = await join("hub", HUB, 0)
        people = []
        for number, (role, region, collection) in enumerate(PEOPLE, 1):
            people.append(Party(*await join(role, region, number), region, collection))
    return hub, people


WAYS = """
SELECT d.id::text, l.id::text AS lane, l.destination, d.departs_on, d.arrives_on, d.closes_on, l.freight_idr_per_kg,
       d.capacity_kg
  FROM departures d JOIN lanes l ON l.id = d.lane_id ORDER BY d.departs_on, l.code
"""
ACCOUNTS = "SELECT kind, coalesce(organization_id::text, lane_id::text, region), id::text FROM accounts"
#: what is compared after every step
TOLD = {
    "postings": " UNION ALL ".join(
        f"""SELECT id::text, status, quantity - proposed_quantity - ordered_quantity - withdrawn_quantity,
                   proposed_quantity, ordered_quantity, withdrawn_quantity FROM {table}"""  # noqa: S608 - own names
        for table in ("listings", "demands")
    ),
    "matches": """SELECT id::text, status, quantity, producer_price_idr, collection_idr, freight_idr, scarcity_idr
                    FROM matches""",
    "lines": """SELECT l.id::text, o.id::text, o.status, l.listing_id::text, l.quantity, l.loaded_quantity,
                       l.received_quantity, l.producer_price_idr, l.collection_idr, l.freight_idr, l.scarcity_idr
                  FROM order_lines l JOIN orders o ON o.id = l.order_id""",
    "booked": "SELECT id::text, booked_g FROM departures WHERE booked_g > 0",
    "shipments": "SELECT id::text, status FROM shipments",
    "payable": "SELECT receipt_id::text, order_line_id::text, payable_g FROM receipt_lines",
    "accounts": ACCOUNTS,
    "owed": """SELECT account_id::text, order_id::text, sum(amount)::bigint FROM (
                   SELECT debit_id AS account_id, order_id, amount_idr AS amount FROM transfers
                   UNION ALL SELECT credit_id, order_id, -amount_idr FROM transfers) moved
                GROUP BY account_id, order_id HAVING sum(amount) <> 0""",
    "shared": "SELECT order_id::text, account_id::text, sum(amount_idr)::bigint FROM shares GROUP BY 1, 2",
}

Key = TypeVar("Key")
Other = TypeVar("Other")


def above_nothing(sums: Mapping[Key, Mapping[Other, int]]) -> dict[tuple[Key, Other], int]:
    """The sums that are not 0, by both keys."""
    return {(key, other): amount for key, by_other in sums.items() for other, amount in by_other.items() if amount}


@dataclass
class Market:
    """One hub for all examples; what an example writes is rolled back."""

    api: Api
    connection: Any
    runner: asyncio.Runner
    hub: str
    people: list[Party]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def begin(self) -> None:
        async def begin() -> None:
            await self.connection.begin()

        self.api.clock.at = NOW
        self.run(begin())

    def forget(self) -> None:
        self.run(self.connection.rollback())

    def hours_pass(self, hours: float) -> None:
        self.api.clock.at += timedelta(hours=hours)

    def ask(self, method: str, path: str, *, key: str | None = None, version: int | None = None, **body: Any) -> Any:
        headers = self.api.as_(key or self.hub, **({} if version is None else {"If-Match": f'"{version}"'}))
        sent = {"json": body} if method != "GET" else {}
        return self.run(self.api.request(method, f"/v1{path}", headers=headers, **sent))

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def work(self, fee_permille: int) -> None:
        """One round of the worker, seldom work included."""

        async def round_() -> None:
            database, now = self.api.database, self.api.clock.now()
            await close_due(database, now)
            await finish_receipts(database, now)
            await bill_due(database, now, fee_permille=fee_permille)
            await give_back(database, now)

        self.run(round_())

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async def read() -> list[tuple[Any, ...]]:
            async with self.api.database.reader() as session:
                return [tuple(row) for row in await session.execute(text(statement), values)]

        return self.run(read())

    def ways(self) -> dict[str, Way]:
        return {row[0]: Way(*row[:7], capacity_g=row[7] * 1000) for row in self.rows(WAYS)}

    def accounts(self) -> dict[Account, str]:
        return {(kind, whose): key for kind, whose, key in self.rows(ACCOUNTS)}

    def compare(self, goods: Goods, money: Money) -> None:
        """Assert that rows and model say the same, and that no invariant view has a row."""
        told, broken = self.run(self._told())
        accounts = {key: (kind, whose) for kind, whose, key in told["accounts"]}
        assert {row[0]: row[1:] for row in told["postings"]} == {
            key: goods.state(posting) for key, posting in goods.postings.items()
        }
        assert {row[0]: row[1:] for row in told["matches"]} == {
            match.id: (match.status, match.quantity, *astuple(match.prices)) for match in goods.matches.values()
        }
        assert {row[0]: row[1:] for row in told["lines"]} == {
            line.id: (
                *(order.id, order.status, line.listing.id, line.quantity, line.loaded, line.received),
                *astuple(line.prices),
            )
            for order in goods.orders.values()
            for line in order.lines
        }
        assert dict(told["booked"]) == goods.booked()
        assert dict(told["shipments"]) == {one.id: one.status for one in goods.shipments.values()}
        assert {(receipt, line): grams for receipt, line, grams in told["payable"]} == {
            (receipt.id, line): grams for receipt in goods.receipts.values() for line, grams in receipt.payable.items()
        }
        assert {(accounts[key], order): amount for key, order, amount in told["owed"]} == above_nothing(money.owed)
        assert {(order, accounts[key]): amount for order, key, amount in told["shared"]} == above_nothing(money.shared)
        assert not any(broken.values()), broken

    async def _told(self) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, int]]:
        async with self.api.database.reader() as session:
            told = {name: [tuple(row) for row in await session.execute(text(query))] for name, query in TOLD.items()}
            return told, await broken_invariants(session)

    def compare_answers(self, goods: Goods, money: Money) -> None:
        """Assert that what the parties are told is what the model says."""
        accounts = self.accounts()
        for order in goods.orders.values():
            told = self.get(f"/orders/{order.id}/settlement")
            owes = money.owed["buyer", order.demand.party.id][order.id]
            billed = money.billed(order)
            found = (told["status"], told["value_idr"], told["billed_idr"], told["received_idr"], told["open_idr"])
            assert found == (order.status, order.value, billed, billed - owes, owes), order.number
            dues = {payee["account"]: (payee["due_idr"], payee["shared_idr"]) for payee in told["payees"]}
            assert {key: sums for key, sums in dues.items() if any(sums)} == {
                accounts[account]: (due, money.shared[order.id][account])
                for account, due in money.dues[order.id].items()
                if due
            }
        closing = {one["account"]: one["closing_idr"] for one in self.get("/statements?limit=200")["items"]}
        totals = {account: sum(owes.values()) for account, owes in money.owed.items()}
        assert {key: amount for key, amount in closing.items() if amount} == {
            accounts[account]: amount for account, amount in totals.items() if amount
        }
