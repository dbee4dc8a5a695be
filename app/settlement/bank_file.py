"""Reading a bank statement: CSV as banks here write it, in Indonesian or English, one booking a row.

What is hostile or not understood is refused whole, by row and column: half a statement would look like a whole one.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.kit.problems import FieldError, Invalid
from app.kit.text import Text

MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 2000, 30, 500
MOST_RUPIAH = 10**15

#: heading as banks write it -> what it holds
HEADINGS: Mapping[str, str] = {
    **dict.fromkeys(("tanggal", "tgl", "date", "tanggal transaksi", "transaction date", "posting date"), "day"),
    **dict.fromkeys(
        ("keterangan", "uraian", "deskripsi", "berita", "description", "remarks", "details"), "description"
    ),
    **dict.fromkeys(("jumlah", "nominal", "mutasi", "amount"), "amount"),
    **dict.fromkeys(("kredit", "credit", "masuk", "cr"), "credit"),
    **dict.fromkeys(("debit", "debet", "keluar", "db"), "debit"),
}
_DAYS = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"),
    re.compile(r"(?P<d>\d\d?)[/.-](?P<m>\d\d?)[/.-](?P<y>\d{4})"),
)
#: 1.250.000,00 or 1,250,000.00 or 1250000; Rp before, CR or DB behind
_AMOUNT = re.compile(
    r"(?P<sign>[-+]?)\s*(?:Rp\.?|IDR)?\s*(?P<sign2>-?)\s*"
    r"(?P<whole>\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+|\d+)(?:[.,]0{1,2})?\s*(?P<side>CR|DB|K|D)?",
    re.IGNORECASE | re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Booking:
    """One row."""

    #: row of the file, its heading is 1
    number: int
    day: date
    description: str
    #: above 0 came in, below 0 went out
    amount_idr: int


def refused(row: int, column: str | None, code: str, detail: Text) -> Invalid:
    """Return the refusal of a file, naming row and column."""
    pointer = f"/{row}" if column is None else f"/{row}/{column}"
    return Invalid(detail, errors=[FieldError(pointer, code, detail)])


def read(content: bytes) -> list[Booking]:
    """Return the bookings of a CSV file. Raises Invalid (422) naming the row, its number in the file, and column."""
    table = _rows(_text(content))
    heading, columns = next(((number, found) for number, row in table if (found := _columns(row))), (0, {}))
    if not columns:
        raise refused(
            1,
            None,
            "headings",
            Text(
                "Kolom tidak dikenal: perlu tanggal, keterangan, dan jumlah atau kredit dan debit.",
                "Headings not understood: tanggal, keterangan, and jumlah or kredit and debit are needed.",
            ),
        )
    bookings = [_booking(number, row, columns) for number, row in table if number > heading and any(row)]
    if not bookings:
        raise refused(heading, None, "empty", Text("Tidak ada transaksi.", "There is no booking."))
    return bookings


def _text(content: bytes) -> str:
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise refused(1, None, "not_csv", Text("Simpan sebagai CSV, bukan Excel.", "Save it as CSV, not as Excel."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise refused(row, None, "encoding", Text("Simpan sebagai UTF-8.", "Save it as UTF-8.")) from None
    if _CONTROL.search(text):
        row = text[: _CONTROL.search(text).start()].count("\n") + 1  # type: ignore[union-attr]  # it was found
        raise refused(row, None, "forbidden_character", Text("Memuat karakter terlarang.", "A forbidden character."))
    return text


def _rows(text: str) -> list[tuple[int, list[str]]]:
    semicolons = text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolons else ",", strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            _check_size(len(rows) + 1, cells)
            rows.append((len(rows) + 1, [cell.strip() for cell in cells]))
    except csv.Error:
        raise refused(len(rows) + 1, None, "csv", Text("Bukan CSV yang utuh.", "It is not whole CSV.")) from None
    return rows


def _check_size(number: int, cells: Sequence[str]) -> None:
    if number > MOST_ROWS + 1:
        raise refused(number, None, "too_long", Text(f"Maksimal {MOST_ROWS} baris.", f"At most {MOST_ROWS} rows."))
    if len(cells) > MOST_COLUMNS:
        detail = Text(f"Maksimal {MOST_COLUMNS} kolom.", f"At most {MOST_COLUMNS} columns.")
        raise refused(number, None, "too_wide", detail)
    if any(len(cell) > MOST_CHARACTERS for cell in cells):
        detail = Text(f"Maksimal {MOST_CHARACTERS} karakter.", f"At most {MOST_CHARACTERS} characters.")
        raise refused(number, None, "string_too_long", detail)


def _columns(row: Sequence[str]) -> dict[str, int]:
    """Return where a heading holds what, or nothing where it is no heading."""
    found: dict[str, int] = {}
    for place, cell in enumerate(row):
        name = HEADINGS.get(cell.lower().strip("'\" "))
        if name is not None:
            found.setdefault(name, place)
    whole = {"day", "description"} <= set(found) and ("amount" in found or {"credit", "debit"} <= set(found))
    return found if whole else {}


def _booking(number: int, row: Sequence[str], columns: Mapping[str, int]) -> Booking:
    cells = {name: row[place] if place < len(row) else "" for name, place in columns.items()}
    if cells["description"].startswith(("=", "+", "-", "@")) or any(cell.startswith(("=", "@")) for cell in row):
        raise refused(number, None, "formula", Text("Sel berisi rumus.", "A cell holds a formula."))
    return Booking(number, _day(number, cells["day"]), " ".join(cells["description"].split()), _signed(number, cells))


def _day(number: int, cell: str) -> date:
    for shape in _DAYS:
        if match := shape.fullmatch(cell):
            try:
                day = date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                break
            if 2000 <= day.year <= 2199:  # noqa: PLR2004 - as everywhere
                return day
    raise refused(number, "day", "day", Text("Tulis tanggal sebagai dd/mm/yyyy.", "Write the day as dd/mm/yyyy."))


def _signed(number: int, cells: Mapping[str, str]) -> int:
    if "amount" in cells:
        amount = _amount(number, "amount", cells["amount"])
    else:
        amount = _amount(number, "credit", cells["credit"] or "0") - abs(
            _amount(number, "debit", cells["debit"] or "0")
        )
    if not 0 < abs(amount) <= MOST_RUPIAH:
        raise refused(number, "amount", "amount", Text("Jumlah harus bukan 0.", "The amount must not be 0."))
    return amount


def _amount(number: int, column: str, cell: str) -> int:
    match = _AMOUNT.fullmatch(cell)
    if match is None or len(match["whole"]) > 20:  # noqa: PLR2004 - with its points, 10^15 has 20 characters
        raise refused(
            number,
            column,
            "amount",
            Text("Tulis rupiah bulat, misalnya 1.250.000.", "Write whole rupiah, as 1.250.000."),
        )
    amount = int(match["whole"].replace(".", "").replace(",", ""))
    side = (match["side"] or "").upper()
    negative = "-" in (match["sign"], match["sign2"]) or side in ("DB", "D")
    return -amount if negative else amount
