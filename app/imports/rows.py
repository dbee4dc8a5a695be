"""From the cells of a sheet to what would be posted: each row alone, each wrong cell named."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.imports import cells
from app.imports.cells import Cell
from app.imports.columns import HEADINGS, Header, address
from app.imports.errors import CellRefused
from app.imports.words import Words, delivery, normal
from app.kit.problems import Problem
from app.kit.text import Text

#: the example row of a template says so where people write their own number
EXAMPLE = "contoh"
PAPERS = ("nkv", "halal", "psat")
#: characters of a refused cell that are told back
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a cell, or with the row as a whole."""

    #: from 1, as spreadsheets count
    row: int
    #: such as C5; None where no column is to blame
    cell: str | None
    field: str | None
    value: str | None
    code: str
    detail: Text
    suggestion: Text | None = None


@dataclass(slots=True)
class Row:
    """One row of a sheet, read."""

    #: its place among the rows of the sheet, from 0
    place: int
    #: what would be posted, in the shape of the HTTP API
    item: dict[str, Any]
    #: tells the same row again; the second of two equal rows is another
    fingerprint: bytes
    wrong: list[Wrong] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it is read: its rows, its header, and what words are read against."""

    rows: Sequence[Sequence[Cell]]
    header: Header
    words: Words

    def read(self) -> list[Row]:
        """Return the rows below the header, without empty ones, sums and the template's example."""
        seen: Counter[str] = Counter()
        numbers: dict[tuple[str, str], int] = {}
        found = []
        for place in range(self.header.row + 1, len(self.rows)):
            written = self._written(place)
            number = cells.plain(written.get("external_ref", "")).strip()
            if not written or number.casefold() == EXAMPLE or _is_sum(written):
                continue
            row = self._row(place, written, seen)
            first = numbers.setdefault((cells.plain(written.get("organization", "")), number), place)
            if number and first != place:
                row.wrong.append(self.wrong(place, "external_ref", "external_ref_taken", _repeats(first)))
            found.append(row)
        return found

    def cell_of(self, place: int, name: str | None) -> str | None:
        """Return the address of a field's cell in a row."""
        column = self.header.places.get(name or "")
        return None if column is None else address(column, place)

    def _written(self, place: int) -> dict[str, Cell]:
        row = self.rows[place]
        known = {name: row[column] for name, column in self.header.places.items() if column < len(row)}
        return {name: cells.restored(cell) for name, cell in known.items() if not cells.is_empty(cell)}

    def _row(self, place: int, written: Mapping[str, Cell], seen: Counter[str]) -> Row:
        reading = _Reading(self, place, {**self.header.units, **written})
        item = reading.item()
        identity = json.dumps({name: cells.plain(cell) for name, cell in sorted(written.items())})
        seen[identity] += 1
        fingerprint = hashlib.sha256(f"{identity}{seen[identity]}".encode()).digest()
        return Row(place, item, fingerprint, reading.wrong)

    def wrong_fields(self, row: Row, problem: Problem) -> list[Wrong]:
        """Return what is wrong with a row: the cells that could not be read, and what a problem says about the rest."""
        written = self._written(row.place)
        told = list(row.wrong)
        for error in problem.errors:
            name = error.pointer.rpartition("/")[2]
            # what is written, or stands in a heading, but could not be read is told already
            if error.code != "missing" or name not in {**self.header.units, **written}:
                told.append(self.wrong(row.place, name, error.code, _in_headings(error.detail)))
        return told or [self.wrong(row.place, None, problem.code, problem.detail or problem.title)]

    def wrong(self, place: int, name: str | None, code: str, detail: Text, suggestion: Text | None = None) -> Wrong:
        """Return what is wrong with a field of a row."""
        cell = self._written(place).get(name or "")
        shown = None if cell is None else str(cell)[:SHOWN]
        return Wrong(place + 1, self.cell_of(place, name), name or None, shown, code, detail, suggestion)


class _Reading:
    """The reading of one row: cells one after the other, since a grade or unit depends on the commodity."""

    def __init__(self, sheet: Sheet, place: int, written: Mapping[str, Cell]) -> None:
        self._sheet, self._place, self._written = sheet, place, written
        self.wrong: list[Wrong] = []

    def item(self) -> dict[str, Any]:
        """Return the row in the shape of the HTTP API; a cell that cannot be read is in `wrong` instead."""
        item: dict[str, Any] = {}
        words = self._sheet.words
        if words.organizations is not None:
            self._put(item, "organization", lambda cell: words.organization(cells.text(cell)))
        self._put_goods(item)
        self._put(item, "region", lambda cell: words.region(_region_text(cell)))
        self._put(item, "delivery", lambda cell: delivery(cells.text(cell)))
        for name in ("quantity", "min_quantity"):
            self._put(item, name, cells.number)
        for name in ("price_idr", "max_price_idr"):
            self._put(item, name, cells.money)
        self._put(item, "min_remaining_shelf_life_days", cells.whole)
        for name in (*_DAYS, "price_valid_until"):
            self._put(item, name, cells.day)
        for name in ("external_ref", "note"):
            self._put(item, name, cells.text)
        papers: dict[str, Any] = {}
        for name in PAPERS:
            self._put(papers, name, cells.text)
        return item | ({"papers": papers} if papers else {})

    def _put_goods(self, item: dict[str, Any]) -> None:
        words = self._sheet.words
        own: dict[str, Decimal] = {}
        self._put(own, "unit_base_quantity", cells.number)
        self._put(item, "commodity", lambda cell: words.commodity(cells.text(cell)))
        if "commodity" not in item:
            # nothing can be said about the grade and unit of an unknown commodity
            return
        commodity, weight = item["commodity"], own.get("unit_base_quantity")
        for name in ("grade", "min_grade"):
            self._put(item, name, lambda cell: words.grade(cells.text(cell), commodity))
        unit: dict[str, tuple[str, Decimal | None]] = {}
        for name in ("unit", "price_unit"):
            self._put(unit, name, lambda cell: words.unit(cells.text(cell), commodity, weight))
        item |= {name: code for name, (code, _) in unit.items()}
        if "unit" in unit and unit["unit"][1] is not None:
            item["unit_base_quantity"] = unit["unit"][1]

    def _put(self, into: dict[str, Any], name: str, read: Callable[[Cell], Any]) -> None:
        if name not in self._written:
            return
        try:
            into[name] = read(self._written[name])
        except CellRefused as refused:
            self.wrong.append(self._sheet.wrong(self._place, name, refused.code, refused.detail, refused.suggestion))


_DAYS = ("available_from", "available_until", "best_before", "best_before_chilled", "deliver_from", "deliver_by")


#: what stands beside a sum
SUMS = frozenset({"total", "jumlah", "subtotal", "sub total", "grand total", "jumlah total", "total jumlah"})


def _is_sum(written: Mapping[str, Cell]) -> bool:
    """Tell whether a row adds up those above it: it says so, and names no goods."""
    said = {name: normal(cell) for name, cell in written.items() if isinstance(cell, str)}
    return said.get("commodity", "total") in SUMS and any(words in SUMS for words in said.values())


def _in_headings(detail: Text) -> Text:
    """Return a sentence with headings in place of the names that fields have in the HTTP API."""
    told = {language: getattr(detail, language) for language in ("id", "en")}
    for name in (name for name in HEADINGS if "_" in name):
        told = {language: re.sub(rf"\b{name}\b", HEADINGS[name], said) for language, said in told.items()}
    return Text(told["id"], told["en"])


def _repeats(place: int) -> Text:
    return Text(f"Nomor ini sudah dipakai di baris {place + 1}.", f"Row {place + 1} has this number already.")


def _region_text(cell: Cell) -> str:
    """Return a region's code as text: a spreadsheet makes the number 35.1 of 35.10."""
    return f"{cell:05.2f}" if isinstance(cell, float) else cells.text(cell)
