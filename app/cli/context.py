"""What commands share: settings, and a running database."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from app.config import Settings
from app.kit.clock import Clock, FixedClock, SystemClock
from app.kit.postgres import EmbeddedPostgres


def settings_of() -> Settings:
    """Return the settings that the environment describes."""
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
