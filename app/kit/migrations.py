"""Bringing a database to the version of this program."""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic import command

ROOT = Path(__file__).resolve().parent.parent.parent


def migrate(database_url: str) -> None:
    """Run all migrations that the database has not seen. Starts its own event loop."""
    command.upgrade(Config(ROOT / "alembic.ini", attributes={"database_url": database_url}), "head")


@cache
def head_revision() -> str | None:
    """Return the revision that this program needs."""
    return ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()


def check(database_url: str) -> None:
    """Migrate, then raise alembic's error unless the models describe exactly what the migrations made."""
    migrate(database_url)
    command.check(Config(ROOT / "alembic.ini", attributes={"database_url": database_url}))
