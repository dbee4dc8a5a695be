"""Rows as files that people open in a spreadsheet: nothing in them runs."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

#: with these a cell begins that a spreadsheet takes for a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: what a workbook, being XML, has no word for
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
MEDIA_TYPES = {"csv": CSV, "xlsx": XLSX}
DAY_FORMAT = "dd/mm/yyyy"
#: digits of a number that spreadsheets keep
LARGEST_NUMBER = 10**15
#: bytes of a file that are kept in memory; the rest goes to disk
IN_MEMORY = 1024 * 1024


def neutral(value: object) -> object:
    """Return a cell that is no formula: a text that looks like one gets an apostrophe before it."""
    if not isinstance(value, str):
        return value
    written = UNWRITABLE.sub("", value)
    return f"'{written}" if len(written) > 1 and written.startswith(FORMULA) else written


def as_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, semicolons: bool) -> str:
    """Write rows as CSV with a header; what looks like a formula is neutralised."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";" if semicolons else ",", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([neutral(row[column]) for column in columns])
    return file.getvalue()


class CsvFile:
    """A CSV file in the making, which grows on disk."""

    def __init__(self, header: Sequence[str], *, semicolons: bool = False) -> None:
        """Begin with the header; with semicolons comes the mark by which Excel knows UTF-8."""
        self._file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - who sends it closes it
        self._text = io.TextIOWrapper(self._file, "utf-8-sig" if semicolons else "utf-8", newline="")
        self._writer = csv.writer(self._text, delimiter=";" if semicolons else ",", lineterminator="\r\n")
        self._writer.writerow(header)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""
        self._writer.writerows([_plain(cell) for cell in row] for row in rows)

    def finish(self) -> IO[bytes]:
        """Return the file."""
        self._text.detach()
        return self._file


def _plain(cell: object) -> object:
    return str(cell).lower() if isinstance(cell, bool) else neutral(cell)


class XlsxFile:
    """A workbook of one sheet in the making."""

    def __init__(self, header: Sequence[str]) -> None:
        """Begin with the header, which stays in sight."""
        self._header, self._rows = header, list[Sequence[Any]]()

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""
        self._rows += rows

    def finish(self) -> IO[bytes]:
        """Return the file."""
        # begun and saved at once: half a workbook would leave its parts on disk
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Data")
        sheet.freeze_panes = "A2"
        sheet.append([_dressed(sheet, name, font=Font(bold=True)) for name in self._header])
        for row in self._rows:
            sheet.append([_cell(sheet, value) for value in row])
        file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - who sends it closes it
        book.save(file)
        return file


def _cell(sheet: Any, value: object) -> object:
    if isinstance(value, date):
        return _dressed(sheet, value, number_format=DAY_FORMAT)
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return str(value)
    return neutral(value)


def _dressed(sheet: Any, value: object, **dress: object) -> Any:
    cell = WriteOnlyCell(sheet, value)
    for name, one in dress.items():
        setattr(cell, name, one)
    return cell
