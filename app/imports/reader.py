"""The child process that parses a file: `python -m app.imports.reader`, bytes in, JSON out.

It takes its limits before it sees the file, and has nothing worth stealing: no settings, no database, no network use.
What a workbook does to the parser ends with this process.
"""

import csv
import io
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from app.imports import gate
from app.imports.gate import Refused

#: bytes of address space; 50,000 rows of 20 columns take a third of it
MEMORY = 768 * 1024 * 1024
#: seconds of processor time
CPU_SECONDS = 20
#: visible sheets that are looked at
MOST_SHEETS = 5


def main() -> None:
    """Answer {"sheets": [{"name", "delimiter", "rows"}]} or {"refused": reason}."""
    take_limits()
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer = {"sheets": list(sheets(content))}
    except Refused as refused:
        answer = {"refused": str(refused)}
    except MemoryError:
        answer = {"refused": "too_much"}
    json.dump(answer, sys.stdout, default=_encode, separators=(",", ":"))


def take_limits() -> None:
    """Bound what this process may use, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def sheets(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the sheets of a file that pass the gate: name and rows of cells. Raises Refused."""
    if gate.kind_of(content) == "csv":
        delimiter, rows = csv_rows(content)
        yield {"name": None, "delimiter": delimiter, "rows": rows}
        return
    gate.check_directory(content)
    gate.check_sheets(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        visible = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        for name in visible[:MOST_SHEETS]:
            cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if any(len(cell) > gate.LONGEST_CELL for row in cells for cell in row if isinstance(cell, str)):
                raise Refused("long_cell")
            yield {"name": name, "delimiter": None, "rows": cells}
    except PasswordError as error:
        raise Refused("old_or_locked") from error
    except (CalamineError, OSError, ValueError) as error:
        raise Refused("damaged") from error


def csv_rows(content: bytes) -> tuple[str, list[list[str]]]:
    """Return delimiter and rows of a CSV file: comma, semicolon or tab; UTF-8, or as old Excel writes it.

    Raises Refused.
    """
    text = _decoded(content)
    csv.field_size_limit(gate.LONGEST_CELL)
    rows: list[list[str]] = []
    cells = 0
    try:
        header = next(line for line in io.StringIO(text, newline=None) if line.strip())[: gate.LONGEST_CELL]
        delimiter = max(";\t,", key=lambda mark: len(next(csv.reader([header], delimiter=mark), ())))
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(row) > gate.MOST_COLUMNS:
                raise Refused("too_many_columns")
            rows.append(row)
            cells += len(row)
            if len(rows) > gate.MOST_ROWS + gate.SPARE_ROWS:
                raise Refused("too_many_rows")
            if cells > gate.MOST_CELLS:
                raise Refused("too_much")
    except csv.Error as error:
        raise Refused("long_cell") from error
    return delimiter, rows


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.strip():
            return text
        raise Refused("empty")
    raise Refused("encoding")


def _encode(cell: object) -> object:
    """Return a cell that JSON has no word for: days as {"day": ...}, times as text."""
    if isinstance(cell, date):
        return {"day": (cell.date() if isinstance(cell, datetime) else cell).isoformat()}
    return str(cell)


if __name__ == "__main__":
    main()
