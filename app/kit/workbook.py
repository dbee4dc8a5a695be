"""Rows as XLSX workbooks. Apart from CSV, since openpyxl takes long to load and few ask for a workbook."""

from collections.abc import Iterable, Sequence
from datetime import date
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from app.kit.spreadsheet import IN_MEMORY, neutral

DAY_FORMAT = "dd/mm/yyyy"
#: digits of a number that spreadsheets keep
LARGEST_NUMBER = 10**15


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
        sheet.append([dressed(sheet, name, font=Font(bold=True)) for name in self._header])
        for row in self._rows:
            sheet.append([_cell(sheet, value) for value in row])
        file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - who sends it closes it
        book.save(file)
        return file


def _cell(sheet: Any, value: object) -> object:
    if isinstance(value, date):
        return dressed(sheet, value, number_format=DAY_FORMAT)
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        return str(value)
    return neutral(value)


def dressed(sheet: Any, value: object, **dress: object) -> Any:
    """Return a cell of a sheet that is written row by row, with what it wears: font, fill, number_format."""
    cell = WriteOnlyCell(sheet, value)
    for name, one in dress.items():
        setattr(cell, name, one)
    return cell
