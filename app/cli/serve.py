"""Starting the hub: PostgreSQL, migrations, reference data, the opening scenario, worker and server."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn

from app.cli import tables
from app.cli.context import clock_of, running_database, settings_of
from app.config import Settings
from app.demo import service as demo
from app.kit import migrations
from app.kit.clock import Clock
from app.kit.db import Database

KEYS_FILE = "demo-keys.json"


def run(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", min=1, max=65535)] = 8000,
    with_demo: Annotated[
        bool | None,
        typer.Option("--demo/--no-demo", help="load the opening scenario (default: into the embedded database)"),
    ] = None,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="run the worker beside the server")] = True,
) -> None:
    """Start everything and serve until Ctrl-C."""
    settings = settings_of()
    wants_demo = settings.database_url is None if with_demo is None else with_demo
    with running_database(settings) as ready:
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        migrations.migrate(ready.database_url)
        asyncio.run(prepare(ready, clock_of(ready), with_demo=wants_demo))
        os.environ["DATABASE_URL"] = ready.database_url
        tables.urls(f"http://{host}:{port}", ready.data_dir / KEYS_FILE if wants_demo else None)
        with worker_process() if with_worker else _nothing():
            uvicorn.run(
                "app.main:from_environment",
                factory=True,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=10,
            )


async def prepare(settings: Settings, clock: Clock, *, with_demo: bool) -> None:
    """Load reference data, and the opening scenario where nobody is registered; clear it and print the matches."""
    assert settings.database_url is not None  # noqa: S101 - what running_database promises
    database = Database(settings.database_url, pool_size=2)
    now = clock.now()
    await database.retried(lambda session: demo.load_reference(session, now=now))
    if with_demo:
        keys = await database.retried(
            lambda session: demo.load_scenario(session, environment=settings.environment, now=now)
        )
        if keys is not None:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
            keys.write(settings.data_dir / KEYS_FILE)
            run = await demo.clear_scenario(database, now=now)
            async with database.reader() as session:
                await tables.matches_of_run(session, run)
    await database.dispose()


@contextmanager
def worker_process() -> Iterator[None]:
    """Run the worker as a process of its own; it stops with the server."""
    process = subprocess.Popen([sys.executable, "-m", "app.worker"])
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def migrate() -> None:
    """Bring the database to this program's version."""
    with running_database(settings_of()) as ready:
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        migrations.migrate(ready.database_url)


def check_migrations() -> None:
    """Fail unless the migrations make exactly the tables that the models describe."""
    with running_database(settings_of()) as ready:
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        migrations.check(ready.database_url)
