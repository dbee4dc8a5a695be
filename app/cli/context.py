"""What commands share: settings, a running database, and the hub as who acts."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn, TypeVar

import typer
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncSession

from app.catalog import queries as catalog
from app.catalog.rules import Reference
from app.cli.output import complain
from app.config import Settings
from app.kit.clock import Clock, FixedClock, SystemClock
from app.kit.db import Database, asyncpg_url
from app.kit.postgres import EmbeddedPostgres
from app.kit.principal import Principal, Role
from app.kit.problems import NotFound
from app.kit.text import Text
from app.parties import queries as parties

T = TypeVar("T")


class NoHub(NotFound):
    """404: nobody is registered who could act."""

    code = "no_hub"
    title = Text(
        "Belum ada hub terdaftar di basis data ini. Daftarkan dengan `hub register`, atau muat contoh: `hub demo`.",
        "No hub is registered in this database. `hub register` registers one, `hub demo` loads the examples.",
    )


def settings_of() -> Settings:
    """Return the settings that the environment describes; a variable that cannot be read ends the command."""
    try:
        settings = Settings.from_environment(os.environ)
    except ValueError as error:
        _refuse(str(error))
    if settings.database_url is not None and not _names_postgresql(settings.database_url):
        _refuse("DATABASE_URL: postgresql://user@host/name")
    return settings


def _names_postgresql(url: str) -> bool:
    try:
        return asyncpg_url(url).drivername == "postgresql+asyncpg"
    except (ArgumentError, ValueError):
        return False


def _refuse(reason: str) -> NoReturn:
    complain(
        Text("pengaturan tidak terbaca.", "a setting cannot be read."),
        Text(f"perbaiki variabel itu: {reason}", f"mend that variable: {reason}"),
    )
    raise typer.Exit(1)


def clock_of(settings: Settings) -> Clock:
    """Return the clock that the settings ask for."""
    return FixedClock(settings.clock_at) if settings.clock_at else SystemClock()


@contextmanager
def running_database(settings: Settings) -> Iterator[str]:
    """Yield the address of a running database: the one given, or the embedded one, shared or started."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres.start(settings.data_dir / "postgres") as server:
        yield server.url


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


async def hub_of(session: AsyncSession) -> Principal:
    """Return the hub as who acts. Raises NoHub (404)."""
    try:
        hub = await parties.hub_organization(session)
    except NotFound:
        raise NoHub from None
    return Principal(hub.id, Role.HUB, hub.region, hub.hub)


def as_hub(work: Callable[[Acting], Awaitable[T]]) -> T:
    """Run a command's work in the name of the hub. Raises NoHub (404)."""
    settings = settings_of()

    async def acting(url: str) -> T:
        database = Database(url, pool_size=3)
        try:
            async with database.reader() as session:
                principal, reference = await hub_of(session), await catalog.reference(session)
            return await work(Acting(database, clock_of(settings).now(), principal, reference))
        finally:
            await database.dispose()

    with running_database(settings) as url:
        return asyncio.run(acting(url))


def changing(work: Callable[[Acting, AsyncSession], Awaitable[T]]) -> T:
    """Run what a command changes in the name of the hub, in one transaction. Raises NoHub (404)."""
    return as_hub(lambda acting: acting.database.retried(partial(work, acting)))


def reading(work: Callable[[Acting, AsyncSession], Awaitable[T]]) -> T:
    """Run what a command reads in the name of the hub. Raises NoHub (404)."""

    async def read(acting: Acting) -> T:
        async with acting.database.reader() as session:
            return await work(acting, session)

    return as_hub(read)
