"""Starting the hub: PostgreSQL, migrations, reference data, the opening scenario, worker and server."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from app.catalog import queries as catalog
from app.cli import clearing
from app.cli.context import clock_of, running_database, settings_of
from app.cli.output import complain, console, step
from app.config import Settings
from app.demo import service as demo
from app.kit import migrations
from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.principal import Principal, Role
from app.parties import queries as parties

KEYS_FILE = "demo-keys.json"


def run(
    *,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="server processes", min=1, max=64)] = 1,
    with_demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="the opening scenario (default: in the embedded database)")
    ] = None,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="the worker beside the server")] = True,
) -> None:
    """Start everything and serve until Ctrl-C."""
    settings = settings_of()
    _require_free(host, port)
    signal.signal(signal.SIGTERM, _interrupt)
    wants_demo = settings.database_url is None if with_demo is None else with_demo
    with ExitStack() as stack:
        with step("PostgreSQL"):
            ready = stack.enter_context(running_database(settings))
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        with step("migrated"):
            migrations.migrate(ready.database_url)
        asyncio.run(prepare(ready, clock_of(ready), with_demo=wants_demo))
        os.environ["DATABASE_URL"] = ready.database_url
        if with_worker:
            stack.enter_context(worker_process())
        _tell_addresses(f"http://{host}:{port}", ready, with_demo=wants_demo)
        uvicorn.run(
            "app.main:from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Let SIGTERM unwind like Ctrl-C, so that all that was started is stopped."""
    raise KeyboardInterrupt


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            complain(f"cannot listen on {host}:{port}: {error.strerror}", "next: choose another with --port")
            raise typer.Exit(1) from None


def _tell_addresses(base: str, settings: Settings, *, with_demo: bool) -> None:
    lines = [f"API        {base}/docs", f"dashboard  {base}/v1/dashboard/summary", f"health     {base}/readyz"]
    if with_demo:
        lines.append(f"keys       {settings.data_dir / KEYS_FILE}")
    for line in lines:
        console.print(f"  {line}", markup=False, soft_wrap=True)


async def prepare(settings: Settings, clock: Clock, *, with_demo: bool) -> bool:
    """Load reference data, and where nobody is registered the opening scenario; clear it and print the matches.

    Returns whether the scenario was loaded.
    """
    assert settings.database_url is not None  # noqa: S101 - what running_database promises
    database = Database(settings.database_url, pool_size=2)
    now = clock.now()
    try:
        with step("reference data"):
            await database.retried(lambda session: demo.load_reference(session, now=now))
        if not with_demo:
            return False
        environment = settings.environment
        keys = await database.retried(lambda session: demo.load_scenario(session, environment=environment, now=now))
        if keys is None:
            return False
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        keys.write(settings.data_dir / KEYS_FILE)
        with step("scenario cleared"):
            run = await demo.clear_scenario(database, now=now)
        async with database.reader() as session:
            hub = await parties.hub_organization(session)
            principal = Principal(hub.id, Role.HUB, hub.region, hub.hub)
            result = await clearing.result_of(session, run, principal, await catalog.reference(session))
        result.print(explain=False)
        return True
    finally:
        await database.dispose()


@contextmanager
def worker_process() -> Iterator[None]:
    """Run the worker as a process of its own: started again if it dies, stopped with the server."""
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep_running() -> None:
        while not stopping.is_set():
            running[:] = [subprocess.Popen([sys.executable, "-m", "app.worker"])]
            running[0].wait()
            if not stopping.wait(1):
                complain("the worker ended; it is started again")

    keeper = threading.Thread(target=keep_running, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
        keeper.join(timeout=15)


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
