"""The whole opening scenario, with what was traded last week."""

from collections.abc import AsyncIterator

import pytest_asyncio

from app.demo import service as demo
from app.kit.db import Database
from tests.conftest import NOW, Api, Cluster, Scenario, rolled_back


@pytest_asyncio.fixture(scope="session")
async def week_template(cluster: Cluster, reference_template: str) -> Scenario:
    """The opening scenario with last week's trade, loaded and cleared at NOW."""
    database = Database(await cluster.create("hub_test_week", reference_template), pool_size=2)
    keys = await database.retried(lambda session: demo.load_scenario(session, environment="test", now=NOW))
    assert keys is not None
    await demo.clear_scenario(database, now=NOW)
    await database.dispose()
    return Scenario("hub_test_week", keys)


@pytest_asyncio.fixture
async def week(cluster: Cluster, week_template: Scenario) -> AsyncIterator[Api]:
    """An application over it; what a test writes is rolled back."""
    async with rolled_back(cluster.url(week_template.template), week_template.keys) as client:
        yield client
