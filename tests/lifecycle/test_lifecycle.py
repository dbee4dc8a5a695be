"""Whatever is traded, carried, disputed and paid, in whatever order: hub and model say the same after every step.

HUB_LIFECYCLE_EXAMPLES is the number of markets; set, it draws other markets in each run.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.ext.asyncio import create_async_engine

from app.allocations.service import Move
from app.kit.db import Database, asyncpg_url
from app.orders import service as orders
from app.settlement import ledger
from app.settlement import rules as settlement_rules
from app.settlement.rules import spend
from app.shipments import standing
from app.shipments.rules import payable_g
from tests.conftest import Cluster, RolledBack, api_on
from tests.lifecycle.lifecycle import Lifecycle
from tests.lifecycle.market import Market, furnish

EXAMPLES = os.environ.get("HUB_LIFECYCLE_EXAMPLES")
#: what few markets come to, and what enough of them do
OFTEN = {"order cancelled", "order delivered", "order settled", "match confirmed", "shipments done", "payments done"}
SELDOM = {
    *(
        "payments refused",
        "an order over several shipments",
        "several orders in a shipment",
        "one payment for several orders",
        "set-off",
    ),
    *("accept done", "match declined", "match lapsed", "dispute upheld", "dispute rejected", "dispute split"),
}
ENOUGH = 60


@pytest.fixture(scope="module")
def market(cluster: Cluster, reference_template: str) -> Iterator[Market]:
    """A hub with five parties and small vehicles, on a loop of its own: hypothesis is synchronous."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def open_hub() -> Market:
            url = await cluster.create("hub_test_lifecycle", reference_template)
            database = Database(url, pool_size=1)
            hub, people = await furnish(database)
            await database.dispose()
            engine = create_async_engine(asyncpg_url(url))
            stack.push_async_callback(engine.dispose)
            connection = await stack.enter_async_context(engine.connect())
            api = await stack.enter_async_context(api_on(url, RolledBack(connection)))
            return Market(api, connection, runner, hub, people)

        yield runner.run(open_hub())
        runner.run(stack.aclose())
        runner.run(cluster.drop("hub_test_lifecycle"))


def live_through(market: Market, *, examples: int) -> Counter[str]:
    """Let the machine live through markets; return what it came to."""
    reached: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Lifecycle(market, reached),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            derandomize=EXAMPLES is None,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return reached


def test_hub_and_model_say_the_same_after_every_step(market: Market) -> None:
    examples = int(EXAMPLES or 8)
    reached = live_through(market, examples=examples)
    assert reached.keys() >= (OFTEN | SELDOM if examples >= ENOUGH else OFTEN), reached


def keep_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is cancelled leaves its departure booked."""
    returns = orders._returns

    async def without_room(*args: Any) -> list[Move]:
        return [replace(move, booked_g=0) for move in await returns(*args)]

    monkeypatch.setattr(orders, "_returns", without_room)


def drop_half_rupiahs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bills round down."""
    monkeypatch.setattr(settlement_rules, "cost", lambda grams, price, unit: grams * price // unit)


def share_equally(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment reaches those first who come first: no view of the database sees it."""
    monkeypatch.setattr(ledger, "split", lambda amount, dues: spend(amount, list(dues.items()))[0])


def forget_the_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss within the tolerance is the seller's: no view of the database sees it."""
    strict = {"tolerance_percent": 0}
    monkeypatch.setattr(standing, "payable_g", lambda **facts: payable_g(**(facts | strict)))


@pytest.mark.parametrize("seed_bug", [keep_the_room, drop_half_rupiahs, share_equally, forget_the_tolerance])
def test_a_seeded_bug_is_found(market: Market, monkeypatch: pytest.MonkeyPatch, seed_bug: Any) -> None:
    """The control."""
    seed_bug(monkeypatch)
    with pytest.raises(AssertionError):
        live_through(market, examples=ENOUGH)
