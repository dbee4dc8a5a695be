"""Rows as files that people open in a spreadsheet: nothing in them runs."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: with these a cell begins that a spreadsheet takes for a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


def neutral(value: object) -> object:
    """Return a cell that is no formula: a text that looks like one gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, semicolons: bool) -> str:
    """Write rows as CSV with a header; what looks like a formula is neutralised."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if semicolons else ",", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([neutral(row[column]) for column in columns])
    return file.getvalue()
