"""The whole opening scenario, with what was traded last week."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import Api, Cluster, Scenario, rolled_back


@pytest_asyncio.fixture
async def week(cluster: Cluster, week_template: Scenario) -> AsyncIterator[Api]:
    """An application over it; what a test writes is rolled back."""
    async with rolled_back(cluster.url(week_template.template), week_template.keys) as client:
        yield client
