"""Reading and changing one row by its key and version."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.problems import NotFound, StaleVersion

Row = TypeVar("Row")


async def find(session: AsyncSession, model: type[Row], key: object) -> Row:
    """Return the row with this key. Raises NotFound (404)."""
    row = await session.get(model, key)
    if row is None:
        raise NotFound
    return row


async def lock(session: AsyncSession, model: type[Row], key: object) -> Row:
    """Return the row with this key, locked until the transaction ends. Raises NotFound (404)."""
    row = await session.get(model, key, with_for_update={"of": model}, populate_existing=True)
    if row is None:
        raise NotFound
    return row


async def change(session: AsyncSession, row: Any, *, version: int, changes: Mapping[str, object]) -> None:
    """Set fields of a locked row that was read at `version`, and count the version up. Raises StaleVersion (412)."""
    if row.version != version:
        raise StaleVersion
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    await session.flush()


async def hold(session: AsyncSession, kind: str, keys: Iterable[object], *, alone: bool = True) -> None:
    """Hold what the keys stand for until the transaction ends, alone or shared, always in the same order.

    For what has no row yet, or whose rows are locked in the middle of other work: everybody who takes part holds first.
    """
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    for key in sorted({str(key) for key in keys}):
        await session.execute(select(lock(func.hashtextextended(f"{kind}:{key}", 0))))


def reference_rows(path: Path) -> list[dict[str, str | None]]:
    """Return the rows of a reference file (CSV with a header); empty cells are None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
