"""What commands share: settings, a running database, and the hub as who acts."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from app.catalog import queries as catalog
from app.catalog.rules import Reference
from app.config import Settings
from app.kit.clock import Clock, FixedClock, SystemClock
from app.kit.db import Database
from app.kit.postgres import EmbeddedPostgres
from app.kit.principal import Principal, Role
from app.parties import queries as parties

T = TypeVar("T")


def settings_of() -> Settings:
    """Return the settings that the environment describes. Raises ValueError naming a variable that cannot be read."""
    return Settings.from_environment(os.environ)


def clock_of(settings: Settings) -> Clock:
    """Return the clock that the settings ask for."""
    return FixedClock(settings.clock_at) if settings.clock_at else SystemClock()


@contextmanager
def running_database(settings: Settings) -> Iterator[Settings]:
    """Yield settings that name a running database: the one given, or the embedded one, shared or started."""
    if settings.database_url is not None:
        yield settings
        return
    with EmbeddedPostgres.start(settings.data_dir / "postgres") as server:
        yield replace(settings, database_url=server.url)


@dataclass(frozen=True)
class Acting:
    """A command at work, in the name of the hub."""

    database: Database
    now: datetime
    principal: Principal
    reference: Reference

    @property
    def timezone(self) -> str:
        """The hub's time zone."""
        return self.reference.regions[self.principal.region].timezone


def as_hub(work: Callable[[Acting], Awaitable[T]]) -> T:
    """Run a command's work in the name of the hub. Raises NotFound (404) where no hub is registered."""
    settings = settings_of()

    async def acting(url: str) -> T:
        database = Database(url, pool_size=3)
        try:
            async with database.reader() as session:
                hub = await parties.hub_organization(session)
                reference = await catalog.reference(session)
            principal = Principal(hub.id, Role.HUB, hub.region, hub.hub)
            return await work(Acting(database, clock_of(settings).now(), principal, reference))
        finally:
            await database.dispose()

    with running_database(settings) as ready:
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        return asyncio.run(acting(ready.database_url))
