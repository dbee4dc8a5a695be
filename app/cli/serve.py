"""`hub run`: PostgreSQL, migrations, reference data, the opening scenario, worker and server."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from uvicorn.supervisors import Multiprocess

from app.cli.beside import worker_process
from app.cli.context import running_database, settings_of
from app.cli.output import OUTPUT, complain, console, errors, read, step
from app.cli.prepare import KEYS_FILE, migrate_database, prepare
from app.kit.text import Text


def run(
    *,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="server processes", min=1, max=64)] = 1,
    with_demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="the opening scenario (default: in the embedded database)")
    ] = None,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="the worker beside the server")] = True,
) -> None:
    """Start everything and serve until Ctrl-C."""
    settings = settings_of()
    embedded = settings.database_url is None
    wants_demo = embedded if with_demo is None else with_demo
    with _until_stopped(), ExitStack() as stack:
        listening = stack.enter_context(_listening(host, port))
        with step(Text("PostgreSQL bawaan menyala", "embedded PostgreSQL up")) if embedded else nullcontext():
            url = stack.enter_context(running_database(settings))
        migrate_database(url)
        prepare(settings, url, with_demo=wants_demo)
        os.environ["DATABASE_URL"] = url
        if with_worker:
            stack.enter_context(worker_process())
        _tell_addresses(listening, settings.data_dir / KEYS_FILE if wants_demo else None)
        _serve(listening, workers)


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that all that was started is stopped; then say so: that is no failure."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
    errors.print(read(Text("hub: semua sudah berhenti.", "hub: everything is stopped.")))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _listening(host: str, port: int) -> socket.socket:
    """Listen at once: a taken port is told before anything starts, and early requests wait instead of failing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        # create_server adds the address to the reason, a name that does not resolve has a number of its own
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        complain(
            Text(f"tidak bisa memakai {host}:{port}: {reason}", f"cannot listen on {host}:{port}: {reason}"),
            Text("pilih port lain, misalnya --port 8001", "choose another port, such as --port 8001"),
        )
        raise typer.Exit(1) from None


def _tell_addresses(listening: socket.socket, keys: Path | None) -> None:
    host, port = listening.getsockname()[:2]
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [
        (Text("halaman", "pages"), f"{base}/"),
        (Text("API", "API"), f"{base}/docs"),
        (Text("ringkasan", "summary"), f"{base}/v1/dashboard/summary"),
        (Text("kesehatan", "health"), f"{base}/readyz"),
    ]
    if keys is not None and keys.exists():
        lines.append((Text("kunci", "keys"), str(keys)))
    told = errors if OUTPUT.asked_json else console
    for name, place in lines:
        told.print(f"  {read(name):<12}{place}", markup=False, soft_wrap=True)
    errors.print(read(Text("hub: siap. Ctrl-C menghentikan semuanya.", "hub: ready. Ctrl-C stops everything.")))


def _serve(listening: socket.socket, workers: int) -> None:
    config = uvicorn.Config(
        "app.main:from_environment",
        factory=True,
        workers=workers,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    if workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise typer.Exit(1)
