"""A live server on a copy of the opening scenario, and clients of it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select, table
from sqlalchemy.ext.asyncio import create_async_engine

from app.client import Hub
from app.demo.service import Keys
from app.kit.db import asyncpg_url
from tests.conftest import Cluster, Scenario
from tests.live.test_concurrency import live_server


@dataclass(frozen=True)
class Live:
    """A running hub: its address, its database, the keys of its parties."""

    base: str
    url: str
    keys: Keys

    def client(self, key: str | None = None, **options: Any) -> Hub:
        return Hub(self.base, key=key, **{"sleep": lambda _seconds: None, **options})

    def count(self, name: str) -> int:
        async def counted() -> int:
            engine = create_async_engine(asyncpg_url(self.url))
            async with engine.connect() as connection:
                found = await connection.scalar(select(func.count()).select_from(table(name)))
            await engine.dispose()
            return found or 0

        return asyncio.run(counted())


@pytest.fixture(scope="module")
def live(cluster: Cluster, scenario_template: Scenario) -> Iterator[Live]:
    """A server in a process of its own, on a real socket."""
    name = "hub_test_client"
    url = asyncio.run(cluster.create(name, scenario_template.template))
    with live_server(url, protected=True) as base:
        yield Live(base, url, scenario_template.keys)
    asyncio.run(cluster.drop(name))


@pytest.fixture
def seller(live: Live) -> Iterator[Hub]:
    """The client of a producer."""
    with live.client(next(iter(live.keys.producers.values()))) as client:
        yield client


@pytest.fixture
def desk(live: Live) -> Iterator[Hub]:
    """The client of the hub."""
    with live.client(live.keys.hub) as client:
        yield client
