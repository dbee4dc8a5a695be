"""Files that the hub gives back: the template to fill in, and an uploaded table with its errors beside it."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.catalog.rules import Reference
from app.imports.cells import Cell
from app.imports.columns import ERROR_HEADING, FIELDS, Field, Header, address
from app.imports.rows import Wrong
from app.imports.sandbox import Table
from app.kit.spreadsheet import neutral
from app.kit.workbook import DAY_FORMAT, dressed

SHEETS = {"listings": "Stok", "demands": "Kebutuhan"}
#: the sheet of choices, hidden
CHOICES = "Pilihan"
#: rows of the template with dropdowns
FILLED_ROWS = 2000
HEADING = PatternFill("solid", fgColor="FFDDE8D5")
REFUSED = PatternFill("solid", fgColor="FFF8D7D0")


def with_errors(table: Table, header: Header, wrong: Sequence[Wrong]) -> bytes:
    """Return a table as it was uploaded, with a last column that says what is wrong, in the format it came in."""
    told: dict[int, list[Wrong]] = defaultdict(list)
    for one in wrong:
        told[one.row - 1].append(one)
    if table.delimiter is not None:
        return _csv_with_errors(table, header, told)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.name)
    place = _error_place(table, header)
    for row, cells in enumerate(_lines(table, header, told, place)):
        red = {one.cell for one in told.get(row, ())}
        sheet.append([_cell(sheet, cell, red=address(column, row) in red) for column, cell in enumerate(cells)])
    return _saved(book)


def _csv_with_errors(table: Table, header: Header, told: Mapping[int, Sequence[Wrong]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=table.delimiter or ",", lineterminator="\r\n")
    for cells in _lines(table, header, told, _error_place(table, header)):
        writer.writerow([neutral(cell) for cell in cells])
    # with the mark by which Excel knows UTF-8
    return file.getvalue().encode("utf-8-sig")


def _error_place(table: Table, header: Header) -> int:
    """Return the column of errors: that of an earlier round, or the first one free."""
    heading = table.rows[header.row]
    if ERROR_HEADING in heading:
        return heading.index(ERROR_HEADING)
    return max(map(len, table.rows))


def _lines(table: Table, header: Header, told: Mapping[int, Sequence[Wrong]], place: int) -> Iterable[list[Cell]]:
    for row, cells in enumerate(table.rows):
        line = [*cells, *[None] * (place + 1 - len(cells))]
        line[place] = ERROR_HEADING if row == header.row else _sentence(told.get(row, ()))
        yield line


def _sentence(wrong: Iterable[Wrong]) -> str | None:
    said = []
    for one in wrong:
        where = f"{one.cell}: " if one.cell else f"{one.field}: " if one.field else ""
        help_ = f" {one.suggestion.id}" if one.suggestion else ""
        said.append(f"{where}{one.detail.id}{help_}")
    return "; ".join(said) or None


def _cell(sheet: Any, value: Cell, *, red: bool) -> Any:
    """Return a value as openpyxl writes it; one that is dressed needs a cell of its own, which takes longer."""
    dress = {"number_format": DAY_FORMAT} if isinstance(value, date) else {}
    filled = {"fill": REFUSED} if red else {}
    return dressed(sheet, neutral(value), **dress, **filled) if dress or filled else neutral(value)


def template(kind: str, reference: Reference, organizations: Sequence[str] | None) -> bytes:
    """Return the workbook to fill in: dropdowns from the reference data, one example row.

    `organizations` are the names that the hub may act for; None where the caller is no hub.
    """
    fields = [field for field in FIELDS[kind] if organizations is not None or not field.hub_only]
    book = Workbook()
    sheet = book.active
    sheet.title = SHEETS[kind]
    lists = _Choices(book, reference, organizations or ())
    sheet.append([field.heading for field in fields])
    sheet.append([_example(field, reference) for field in fields])
    places = {field.name: get_column_letter(place) for place, field in enumerate(fields, 1)}
    for place, field in enumerate(fields, 1):
        _dress(sheet, place, field)
        formula = lists.formula(field.name, places)
        if formula is not None:
            _drop_down(sheet, places[field.name], formula)
    sheet.freeze_panes = "A2"
    return _saved(book)


def _example(field: Field, reference: Reference) -> Cell:
    """Return what the example row says: eggs, which every catalogue of the hub has, or the first commodity."""
    commodities = reference.commodities
    eggs = commodities.get("telur-ayam-ras") or next(iter(commodities.values()))
    package = next((code for code, facts in eggs.units.items() if not facts.fixed), eggs.base_unit)
    said: dict[str, Cell] = {
        "commodity": eggs.name,
        "grade": next(iter(eggs.grades)),
        "min_grade": next(iter(eggs.grades)),
        "unit": package,
        "note": "Baris contoh ini dilewati; hapus atau biarkan.",
    }
    return said.get(field.name, field.example)


def _dress(sheet: Any, place: int, field: Field) -> None:
    letter = get_column_letter(place)
    head, example = sheet.cell(1, place), sheet.cell(2, place)
    head.font, head.fill = Font(bold=True), HEADING
    head.alignment = Alignment(wrap_text=True, vertical="top")
    example.font = Font(italic=True, color="FF808080")
    sheet.column_dimensions[letter].width = max(12, len(field.heading) + 2)
    if field.name.endswith(("_from", "_until", "_by")) or field.name.startswith("best_before"):
        for row in range(2, FILLED_ROWS + 1):
            sheet.cell(row, place).number_format = DAY_FORMAT


def _drop_down(sheet: Any, letter: str, formula: str) -> None:
    validation = DataValidation(type="list", formula1=formula, allow_blank=True)
    # other words are read too: kw, sak, Kab. Blitar
    validation.showErrorMessage = False
    validation.add(f"{letter}2:{letter}{FILLED_ROWS}")
    sheet.add_data_validation(validation)


class _Choices:
    """The hidden sheet of choices: a column for each list; grades and units stand beside their commodity."""

    def __init__(self, book: Workbook, reference: Reference, organizations: Sequence[str]) -> None:
        self._sheet = book.create_sheet(CHOICES)
        self._sheet.sheet_state = "hidden"
        goods = sorted(reference.commodities.values(), key=lambda facts: facts.name)
        gathered = sorted(region.name for region in reference.regions.values() if region.hub)
        everywhere = sorted(region.name for region in reference.regions.values())
        self._write("A", [facts.name for facts in goods])
        self._write("B", gathered)
        self._write("C", everywhere)
        self._write("D", sorted(organizations))
        for first, second, of in (("E", "F", "grades"), ("G", "H", "units")):
            pairs = [(facts.name, code) for facts in goods for code in getattr(facts, of)]
            self._write(first, [name for name, _ in pairs])
            self._write(second, [code for _, code in pairs])
        self._lengths = {"A": len(goods), "B": len(gathered), "C": len(everywhere), "D": len(organizations)}

    def _write(self, letter: str, values: Iterable[str]) -> None:
        for row, value in enumerate(values, 1):
            self._sheet[f"{letter}{row}"] = neutral(value)

    def formula(self, field: str, places: Mapping[str, str]) -> str | None:
        """Return the list that a field chooses from, None where it is written freely."""
        simple = {"commodity": "A", "organization": "D", "region": "B" if "grade" in places else "C"}
        if field in simple and self._lengths[simple[field]]:
            letter = simple[field]
            return f"{CHOICES}!${letter}$1:${letter}${self._lengths[letter]}"
        if field == "delivery":
            return '"franco,loco"'
        beside = {"grade": ("E", "F"), "min_grade": ("E", "F"), "unit": ("G", "H"), "price_unit": ("G", "H")}
        if field not in beside:
            return None
        # those of the commodity in the same row: its pairs stand together
        names, codes = beside[field]
        chosen = f"${places['commodity']}2"
        column = f"{CHOICES}!${names}:${names}"
        return f"OFFSET({CHOICES}!${codes}$1,MATCH({chosen},{column},0)-1,0,COUNTIF({column},{chosen}),1)"


def _saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
