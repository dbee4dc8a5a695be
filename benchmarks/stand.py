"""A stand to measure on: an embedded PostgreSQL as `./dev run` starts it, the opening scenario, one server process."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.cli.prepare import load
from app.config import Settings
from app.kit.migrations import migrate
from app.kit.postgres import EmbeddedPostgres
from app.kit.postgres.account import Account
from app.kit.postgres.programs import find_programs


@dataclass(frozen=True)
class Stand:
    """A running server and its database."""

    database_url: str
    port: int
    keys: Any
    process: subprocess.Popen[bytes]
    #: folder of PostgreSQL's programs
    programs: Path

    @property
    def base(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    def key_of(self, who: str) -> str:
        """Return the key of the hub (`hub`) or of a party of the scenario by its name."""
        parties = {"hub": self.keys["hub"], **self.keys["producers"], **self.keys["buyers"]}
        return str(parties[who])

    def pgbench(self, script: str, *, clients: int, seconds: float) -> float:
        """Return transactions a second of a prepared pgbench script over the same socket."""
        folder = self.database_url.partition("host=")[2]
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            command = [str(self.programs / "pgbench"), "-n", "-M", "prepared", "-f", file.name]
            options = [
                "-c",
                str(clients),
                "-j",
                "1",
                "-T",
                str(max(1, round(seconds))),
                "-h",
                folder,
                "-U",
                "hub",
                "hub",
            ]
            done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
        match = re.search(r"tps = ([\d.]+)", done.stdout)
        if match is None:
            raise RuntimeError(done.stdout + done.stderr)
        return float(match[1])

    def peak_mb(self) -> float:
        """Return the most memory that the server process has held, MB (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]


@contextmanager
def fresh_database() -> Iterator[tuple[str, Path]]:
    """Start a PostgreSQL with a migrated database; yields its address and a folder, which go away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres.start(folder / "postgres") as server:
            migrate(server.url)
            yield server.url, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_stand(clock_at: datetime | None = None) -> Iterator[Stand]:
    """Start a stand in a temporary folder, its clock standing at `clock_at`; everything goes away afterwards."""
    with fresh_database() as (url, folder):
        settings = Settings(database_url=url, data_dir=folder, clock_at=clock_at)
        asyncio.run(load(settings, url, with_demo=True))
        keys = json.loads((folder / "demo-keys.json").read_text())
        with _server(url, clock_at) as (port, process):
            programs = find_programs(Account.for_folder(folder))
            yield Stand(url, port, keys, process, programs)


@contextmanager
def _server(database_url: str, clock_at: datetime | None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database_url, "HUB_REQUESTS_PER_MINUTE": "100000000"}
    if clock_at:
        environment["HUB_CLOCK_AT"] = clock_at.isoformat()
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:from_environment", "--port", str(port)]
    process = subprocess.Popen([*command, "--no-access-log"], env=environment, stderr=subprocess.DEVNULL)
    try:
        for _attempt in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port, process
    finally:
        process.terminate()
        process.wait()
