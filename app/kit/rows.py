"""Reading and changing one row by its key and version."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

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


def reference_rows(path: Path) -> list[dict[str, str | None]]:
    """Return the rows of a reference file (CSV with a header); empty cells are None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
