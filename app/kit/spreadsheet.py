"""Rows as files that people open in a spreadsheet: nothing in them runs."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

#: with these a cell begins that a spreadsheet takes for a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: what a workbook, being XML, has no word for
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
MEDIA_TYPES = {"csv": CSV, "xlsx": XLSX}
#: bytes of a file that are kept in memory; the rest goes to disk
IN_MEMORY = 1024 * 1024


def neutral(value: object) -> object:
    """Return a cell that is no formula: a text that looks like one gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    written = UNWRITABLE.sub("", value)
    return f"'{written}" if len(written) > 1 and written.startswith(FORMULA) else written


class TableFile(Protocol):
    """A file of rows in the making."""

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""

    def finish(self) -> IO[bytes]:
        """Return the file."""


class CsvFile:
    """A CSV file in the making, which grows on disk."""

    def __init__(self, header: Sequence[str], *, semicolons: bool = False) -> None:
        """Begin with the header; semicolons come with decimal commas and the mark by which Excel knows UTF-8."""
        self._semicolons = semicolons
        self._file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - who sends it closes it
        self._text = io.TextIOWrapper(self._file, "utf-8-sig" if semicolons else "utf-8", newline="")
        self._writer = csv.writer(self._text, delimiter=";" if semicolons else ",", lineterminator="\r\n")
        self._writer.writerow(header)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""
        self._writer.writerows([self._plain(cell) for cell in row] for row in rows)

    def finish(self) -> IO[bytes]:
        """Return the file."""
        self._text.detach()
        return self._file

    def _plain(self, cell: object) -> object:
        if isinstance(cell, float) and self._semicolons:
            return str(cell).replace(".", ",")
        return str(cell).lower() if isinstance(cell, bool) else neutral(cell)
