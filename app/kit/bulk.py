"""Inserting many rows at once.

The rows travel as one JSON document, which PostgreSQL reads by the types of the table: the statement stays the same for
any number of them. A statement with a parameter for each value takes three times as long for a thousand rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import LargeBinary, Select, column, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Base

#: rows up to which a statement made before is quicker than one JSON document
FEW = 20
#: rows of one statement: their document stays far below what PostgreSQL takes
MANY = 10_000


async def write_many(session: AsyncSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, any number of them; all name the same columns."""
    if len(rows) <= FEW:
        if rows:
            await session.execute(insert(model), rows)
        return
    for start in range(0, len(rows), MANY):
        await session.execute(insert_many(model, rows[start : start + MANY]))


def insert_many(model: type[Base], rows: Sequence[Mapping[str, Any]]) -> Insert:
    """Return the INSERT of rows; all of them name the same columns, the others take their defaults."""
    table = model.__mapper__.local_table
    defaults = {one.name: one.default.arg for one in table.columns if one.default is not None and one.default.is_scalar}
    names = list({**defaults, **rows[0]})
    binary = [one.name for one in table.columns if isinstance(one.type, LargeBinary) and one.name in rows[0]]
    written = ({name: f"\\x{row[name].hex()}" for name in binary} for row in rows)
    document = to_json([{**defaults, **row, **bytes_} for row, bytes_ in zip(rows, written, strict=True)]).decode()
    source = text(f"jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb)) AS source").bindparams(rows=document)
    chosen: Select[*tuple[Any, ...]] = select(*(column(name) for name in names)).select_from(source)
    return insert(model).from_select(names, chosen)
