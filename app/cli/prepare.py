"""Bringing a database to where the hub can work on it: migrations, reference data, the opening scenario."""

import asyncio
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries as catalog
from app.cli import clearing
from app.cli.context import clock_of, hub_of, running_database, settings_of
from app.cli.output import OUTPUT, complain, step
from app.config import Settings
from app.demo import service as demo
from app.kit import migrations
from app.kit.db import Database
from app.kit.text import Text

KEYS_FILE = "demo-keys.json"
LAST_WEEK = Text(
    "perdagangan minggu lalu: hub orders, hub shipments, hub settle, hub statements",
    "last week's trade: hub orders, hub shipments, hub settle, hub statements",
)


def migrate() -> None:
    """Bring the database to this program's version."""
    with running_database(settings_of()) as url:
        migrate_database(url)


def check_migrations() -> None:
    """Fail unless the migrations make exactly the tables that the models describe."""
    with running_database(settings_of()) as url:
        migrations.check(url)


def migrate_database(url: str) -> None:
    """Run the migrations that are missing, and say how long it took."""
    with step(Text("basis data dimutakhirkan", "database migrated")):
        migrations.migrate(url)


def prepare(settings: Settings, url: str, *, with_demo: bool) -> bool:
    """Load the reference data; with `with_demo` and nobody registered also the scenario, cleared and printed.

    Returns whether the scenario was loaded.
    """
    result = asyncio.run(load(settings, url, with_demo=with_demo))
    if result is not None:
        result.show(explain=False, as_json=OUTPUT.asked_json)
        complain(LAST_WEEK)
    return result is not None


async def load(settings: Settings, url: str, *, with_demo: bool) -> clearing.Result | None:
    """Load the reference data, perhaps the scenario; return the scenario's run, if it was loaded."""
    database = Database(url, pool_size=2)
    now = clock_of(settings).now()
    try:
        with step(Text("data acuan dimuat", "reference data loaded")):
            await database.retried(lambda session: demo.load_reference(session, now=now))
        if not with_demo or not await database.retried(lambda session: _load(session, settings, now)):
            return None
        with step(Text("skenario contoh dicocokkan", "opening scenario cleared")):
            run = await demo.clear_scenario(database, now=now)
        async with database.reader() as session:
            return await clearing.result_of(session, run, await hub_of(session), await catalog.reference(session))
    finally:
        await database.dispose()


async def _load(session: AsyncSession, settings: Settings, now: datetime) -> bool:
    """Load the scenario where nobody is registered, its keys in a file before it is committed: they are shown once.

    Returns whether it waits to be cleared: it was loaded now, or by a start that ended before its clearing did.
    """
    keys = await demo.load_scenario(session, environment=settings.environment, now=now)
    if keys is None:
        return await demo.awaits_clearing(session)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    keys.write(settings.data_dir / KEYS_FILE)
    return True
