"""Every row that a program writes, recorded by transaction, and written again without the program.

The floor under any service: the same rows into the same tables with the same keys and checks, one statement for the
rows of one table that follow each other, one transaction for each of the program's.
"""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import asyncpg
from sqlalchemy import make_url

_RECORD = """
CREATE TABLE public.recorded (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx text, op text, tab text, line jsonb
);
CREATE FUNCTION record_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.recorded (tx, op, tab, line)
    VALUES (pg_current_xact_id()::text, TG_OP, TG_TABLE_NAME, to_jsonb(NEW));
    RETURN NULL;
END $$;
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'recorded'"
_COLUMNS = """
SELECT attribute.attname AS name, attribute.attnum = ANY(key.indkey) AS is_key
  FROM pg_attribute attribute JOIN pg_index key ON key.indrelid = attribute.attrelid AND key.indisprimary
 WHERE attribute.attrelid = $1::regclass AND attribute.attnum > 0 AND NOT attribute.attisdropped
"""


@dataclass(frozen=True)
class Write:
    """Rows of one table, written by one statement."""

    statement: str
    #: JSON array
    rows: str
    count: int


async def connect(url: str) -> Any:
    """Return a bare connection to a database."""
    parsed = make_url(url)
    return await asyncpg.connect(
        host=parsed.query.get("host", parsed.host), port=parsed.port, user=parsed.username, database=parsed.database
    )


async def begin_recording(url: str) -> None:
    """Let a database record what is inserted and updated from now on."""
    connection = await connect(url)
    await connection.execute(_RECORD)
    for row in await connection.fetch(_TABLES):
        await connection.execute(
            f'CREATE TRIGGER recorded AFTER INSERT OR UPDATE ON "{row["tablename"]}"'
            " FOR EACH ROW EXECUTE FUNCTION record_row()"
        )
    await connection.close()


async def recording(url: str) -> list[list[Write]]:
    """Return what was recorded: the transactions in order, each as its writes in order."""
    connection = await connect(url)
    rows = await connection.fetch("SELECT tx, op, tab, line FROM recorded ORDER BY n")
    statements = {}
    for op, table in {(row["op"], row["tab"]) for row in rows}:
        columns = await connection.fetch(_COLUMNS, table)
        statements[op, table] = _insert(table) if op == "INSERT" else _update(table, columns)
    await connection.close()
    return [
        [
            Write(statements[key], f"[{','.join(lines)}]", len(lines))
            for key, writes in groupby(own, lambda row: (row["op"], row["tab"]))
            for lines in _apart([row["line"] for row in writes])
        ]
        for _, own in groupby(rows, lambda row: row["tx"])
    ]


def _insert(table: str) -> str:
    return f'INSERT INTO "{table}" SELECT * FROM jsonb_populate_recordset(NULL::"{table}", $1)'


def _update(table: str, columns: list[Any]) -> str:
    keys = [row["name"] for row in columns if row["is_key"]]
    rest = [row["name"] for row in columns if not row["is_key"]]
    names, values = (", ".join(f"{prefix}{name}" for name in rest) for prefix in ("", "new."))
    same = " AND ".join(f"own.{name} = new.{name}" for name in keys)
    rows = f'jsonb_populate_recordset(NULL::"{table}", $1) AS new'
    return f'UPDATE "{table}" AS own SET ({names}) = ROW({values}) FROM {rows} WHERE {same}'


def _apart(lines: list[str]) -> list[list[str]]:
    """Return runs in which no row comes twice: one statement updates a row once."""
    runs: list[list[str]] = [[]]
    seen: set[str] = set()
    for line in lines:
        key = str(json.loads(line).get("id", line))
        if key in seen:
            runs.append([])
            seen.clear()
        seen.add(key)
        runs[-1].append(line)
    return runs


async def write_again(url: str, transactions: list[list[Write]]) -> None:
    """Write what was recorded into another copy of the database as it was when recording began."""
    connection = await connect(url)
    for writes in transactions:
        async with connection.transaction():
            for write in writes:
                done = await connection.execute(write.statement, write.rows)
                assert int(done.split()[-1]) == write.count, (write, done)  # noqa: S101 - else the floor is too low
    await connection.close()
