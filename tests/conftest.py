"""Real PostgreSQL for every test that needs it: migrated once into a template, copied, rolled back.

Without DATABASE_URL the tests start an embedded server with fsync off; with it they use that server, whose user must be
allowed to create databases.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from app.config import Settings
from app.demo import service as demo
from app.kit.clock import FixedClock
from app.kit.db import Database, asyncpg_url
from app.kit.migrations import migrate
from app.kit.operations import broken_invariants
from app.kit.postgres import EmbeddedPostgres
from app.main import create_app, make_hub
from app.webhooks.courier import Courier
from tests.webhooks.receivers import somewhere_outside

#: the instant at which every test begins: Tuesday morning in Blitar
NOW = datetime.fromisoformat("2026-11-24T08:00:00+07:00")


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server on which tests make and drop databases."""

    admin_url: str
    #: tells apart the databases of processes that test side by side on one server
    suffix: str = os.environ.get("PYTEST_XDIST_WORKER", "")

    def url(self, name: str) -> str:
        return make_url(self.admin_url).set(database=name + self.suffix).render_as_string(hide_password=False)

    async def execute(self, *statements: str) -> None:
        engine = create_async_engine(asyncpg_url(self.admin_url), isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    async def drop(self, name: str) -> None:
        """Drop a database and whoever is still connected to it.

        WITH (FORCE) would fail where autovacuum happens to be at work: only a superuser may end its process, while
        a plain DROP DATABASE asks it to leave, and waits.
        """
        ours = f"datname = '{name}{self.suffix}' AND usename = current_user"
        await self.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}",  # noqa: S608 - a test's own name
            f"DROP DATABASE IF EXISTS {name}{self.suffix}",
        )

    async def create(self, name: str, template: str | None = None) -> str:
        """Make a database anew, as a copy of another or empty."""
        source = "template0" if template is None else f"{template}{self.suffix}"
        await self.drop(name)
        await self.execute(f"CREATE DATABASE {name}{self.suffix} ENCODING 'UTF8' TEMPLATE {source}")
        return self.url(name)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server for the session."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield Cluster(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres.start(folder, settings={"fsync": "off", "synchronous_commit": "off"}) as server:
            yield Cluster(server.url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_template(cluster: Cluster) -> str:
    """A migrated database without rows."""
    name = "hub_test_empty"
    migrate(asyncio.run(cluster.create(name)))
    return name


@pytest_asyncio.fixture(scope="session")
async def reference_template(cluster: Cluster, empty_template: str) -> str:
    """A database with the reference data and its departures."""
    url = await cluster.create("hub_test_reference", empty_template)
    database = Database(url, pool_size=1)
    await database.retried(lambda session: demo.load_reference(session, now=NOW))
    await database.dispose()
    return "hub_test_reference"


@dataclass(frozen=True)
class Scenario:
    """A database with the opening scenario, cleared once."""

    template: str
    keys: demo.Keys


@pytest_asyncio.fixture(scope="session")
async def scenario_template(cluster: Cluster, reference_template: str) -> Scenario:
    """The opening scenario, loaded and cleared at NOW."""
    url = await cluster.create("hub_test_scenario", reference_template)
    database = Database(url, pool_size=2)
    keys = await database.retried(
        lambda session: demo.load_scenario(session, environment="test", now=NOW, with_last_week=False)
    )
    assert keys is not None
    await demo.clear_scenario(database, now=NOW)
    await database.dispose()
    return Scenario("hub_test_scenario", keys)


@pytest_asyncio.fixture(scope="session")
async def week_template(cluster: Cluster, reference_template: str) -> Scenario:
    """The opening scenario with last week's trade, loaded and cleared at NOW."""
    database = Database(await cluster.create("hub_test_week", reference_template), pool_size=2)
    keys = await database.retried(lambda session: demo.load_scenario(session, environment="test", now=NOW))
    assert keys is not None
    await demo.clear_scenario(database, now=NOW)
    await database.dispose()
    return Scenario("hub_test_week", keys)


@pytest_asyncio.fixture(scope="session")
async def agreed_template(cluster: Cluster, week_template: Scenario) -> tuple[str, Mapping[str, Sequence[str]]]:
    """That, gone on until there is a row of every kind; the ids of these rows."""
    from tests.agreed import go_on

    url = await cluster.create("hub_test_agreed", week_template.template)
    async with api_on(url, keys=week_template.keys) as client:
        return "hub_test_agreed", await go_on(client)


class RolledBack(Database):
    """A database whose sessions all live in one outer transaction, which the test rolls back."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.engine = connection.engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        from app.kit.db import translated

        async with (
            translated(),
            AsyncSession(
                self._connection, join_transaction_mode="create_savepoint", expire_on_commit=False, autoflush=False
            ) as session,
            session.begin(),
        ):
            yield session

    snapshot = transaction
    reader = transaction

    async def retried(self, work: Any) -> Any:
        async with self.transaction() as session:
            return await work(session)

    async def dispose(self) -> None:
        pass


class Api(httpx.AsyncClient):
    """An HTTP client of one application, with its database and clock at hand."""

    app: Any
    database: Database
    clock: FixedClock
    keys: demo.Keys
    #: ids by the name of their place in addresses: see tests/agreed.py
    known: Mapping[str, Sequence[str]]

    def as_(self, key: str, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}", **headers}

    async def walk(self, path: str, key: str | None = None) -> list[dict[str, Any]]:
        """Walk a list to its end."""
        found: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            page = await self.get(following, headers=self.as_(key) if key else {})
            assert page.status_code == 200, page.text
            found += page.json()["items"]
            following = page.json()["next"]
        return found


def settings_for(url: str, **changes: Any) -> Settings:
    # a stream ends with what there is: httpx hears an application without a socket only once it has ended
    generous = {"requests_per_minute": 1_000_000, "stream_seconds": 0}
    return Settings(database_url=url, environment="test", **{**generous, **changes})


#: applications that no test uses at the moment
IDLE_APPS: list[FastAPI] = []


@asynccontextmanager
async def api_on(
    url: str, database: Database | None = None, keys: demo.Keys | None = None, **changes: Any
) -> AsyncIterator[Api]:
    """An application on a database, asked without a socket."""
    clock = FixedClock(NOW)
    hub = make_hub(settings_for(url, **changes), clock=clock)
    own = hub.database
    # Built once: FastAPI's routers remember every application that includes them, some megabytes each.
    app = IDLE_APPS.pop() if IDLE_APPS else create_app(settings_for(url))
    app.state.hub = hub
    if database is not None:
        app.state.hub.database = database
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with Api(transport=transport, base_url="http://hub") as client:
        client.app, client.database, client.clock = app, app.state.hub.database, clock
        if keys is not None:
            client.keys = keys
        yield client
    IDLE_APPS.append(app)
    await own.dispose()


async def until(happened: Callable[[], Awaitable[object]]) -> None:
    """Wait for what another task or process does; a minute is as good as never."""
    async with asyncio.timeout(60):
        while not await happened():  # noqa: ASYNC110 - what happens elsewhere sets no event here
            await asyncio.sleep(0.02)


async def _assert_invariants(database: Database) -> None:
    async with database.reader() as session:
        broken = {name: count for name, count in (await broken_invariants(session)).items() if count}
    assert not broken, f"invariants broken: {broken}"


@asynccontextmanager
async def rolled_back(url: str, keys: demo.Keys | None = None) -> AsyncIterator[Api]:
    engine = create_async_engine(asyncpg_url(url))
    async with engine.connect() as connection:
        outer = await connection.begin()
        numbers = (await connection.execute(text("SELECT sequencename, last_value FROM pg_sequences"))).all()
        async with api_on(url, RolledBack(connection), keys) as client:
            yield client
            await _assert_invariants(client.database)
        await outer.rollback()
        # what a sequence gave out does not come back by itself, and copies of this database would go on from there
        for name, last in numbers:
            again = {"name": name, "last": last or 1, "given": last is not None}
            await connection.execute(text("SELECT setval(CAST(:name AS text)::regclass, :last, :given)"), again)
    await engine.dispose()


@pytest_asyncio.fixture
async def api(cluster: Cluster, reference_template: str) -> AsyncIterator[Api]:
    """An application over the reference data; what a test writes is rolled back, invariants are asked after it."""
    async with rolled_back(cluster.url(reference_template)) as client:
        yield client


@pytest_asyncio.fixture
async def opening(api: Api) -> Api:
    """The opening scenario before it is cleared."""
    keys = await api.database.retried(
        lambda session: demo.load_scenario(session, environment="test", now=NOW, with_last_week=False)
    )
    assert keys is not None
    api.keys = keys
    return api


@pytest_asyncio.fixture
async def scenario(cluster: Cluster, scenario_template: Scenario) -> AsyncIterator[Api]:
    """An application over the cleared opening scenario; what a test writes is rolled back."""
    async with rolled_back(cluster.url(scenario_template.template), scenario_template.keys) as client:
        yield client


@pytest_asyncio.fixture
async def agreed(cluster: Cluster, week_template: Scenario, agreed_template: Any) -> AsyncIterator[Api]:
    """An application over the scenario with a row of every kind, told by `known`; what a test writes is rolled back."""
    name, known = agreed_template
    async with rolled_back(cluster.url(name), week_template.keys) as client:
        client.known, client.app.state.hub.courier = known, Courier(resolve=somewhere_outside)
        yield client


@pytest_asyncio.fixture
async def committed(cluster: Cluster, scenario_template: Scenario) -> AsyncIterator[Api]:
    """An application over a copy of the cleared opening scenario, for tests that need true commits."""
    name = "hub_test_committed"
    url = await cluster.create(name, scenario_template.template)
    async with api_on(url, keys=scenario_template.keys) as client:
        yield client
        await _assert_invariants(client.database)
    await cluster.drop(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, so that `-m "not db"` is the engine, rules and architecture."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("db")
