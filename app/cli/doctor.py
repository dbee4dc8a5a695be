"""`hub doctor`: is everything there, and if not, what helps."""

import asyncio
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import typer
from sqlalchemy import text

from app.cli.context import clock_of, running_database, settings_of
from app.cli.output import OUTPUT, console, print_json
from app.cli.serve import KEYS_FILE
from app.config import Settings
from app.kit.db import Database
from app.kit.migrations import head_revision
from app.kit.operations import broken_invariants
from app.kit.postgres import PostgresError

OLDEST_PYTHON, OLDEST_POSTGRES = (3, 11), 150000
#: departures are kept 35 days ahead; fewer than this says that no worker runs
AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    #: what helps, where it is not ok
    next_step: str = ""


def doctor() -> None:
    """Look at everything that the hub needs; exit 1 when something is wrong."""
    settings = settings_of()
    findings = [*_machine(settings)]
    try:
        with running_database(settings) as ready:
            findings += asyncio.run(_database(ready))
    except (PostgresError, OSError) as error:
        findings.append(Finding("database", ok=False, found=str(error), next_step="see the message"))
    if OUTPUT.as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "ok     " if finding.ok else "PROBLEM"
            console.print(f"{mark} {finding.what:<12} {finding.found}", markup=False, soft_wrap=True)
            if not finding.ok:
                console.print(f"        next: {finding.next_step}", markup=False, soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _machine(settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= OLDEST_PYTHON, version, "install Python 3.11 or later")
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    yield Finding("data folder", os.access(folder, os.W_OK), str(settings.data_dir), f"make {folder} writable")
    keys = settings.data_dir / KEYS_FILE
    if keys.exists():
        private = not keys.stat().st_mode & 0o077
        yield Finding("demo keys", private, f"{keys}, mode {keys.stat().st_mode & 0o777:o}", f"chmod 600 {keys}")


async def _database(settings: Settings) -> list[Finding]:
    assert settings.database_url is not None  # noqa: S101 - what running_database promises
    database = Database(settings.database_url, pool_size=1)
    try:
        async with database.reader() as session:
            number = int(await session.scalar(text("SHOW server_version_num")) or 0)
            findings = [Finding("postgresql", number >= OLDEST_POSTGRES, str(number), "use PostgreSQL 15 or later")]
            known = await session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
            revision = await session.scalar(text("SELECT version_num FROM alembic_version")) if known else None
            findings.append(Finding("migrations", revision == head_revision(), str(revision), "hub migrate"))
            if revision != head_revision():
                return findings
            last = await session.scalar(text("SELECT max(departs_on) FROM departures"))
            ahead = last is not None and last >= clock_of(settings).now().date() + AHEAD
            findings.append(Finding("departures", ahead, f"until {last}", "start the worker: python -m app.worker"))
            broken = {name: count for name, count in (await broken_invariants(session)).items() if count}
            findings.append(Finding("invariants", not broken, str(broken or "all hold"), "stop trading; ask for help"))
            return findings
    finally:
        await database.dispose()
