"""How people write numbers, money and days in a spreadsheet, and what they mean by it.

A cell is what a spreadsheet holds: a text, a number, true or false, a day, or nothing.
"""

import re
from datetime import date, timedelta
from decimal import Decimal

from app.imports.errors import CellRefused
from app.kit.spreadsheet import neutral
from app.kit.text import Text

Cell = str | int | float | bool | date | None
#: what people write where there is nothing to write
NOTHING = frozenset({"", "-", "--", "\u2013", "\u2014", "n/a", "tidak ada"})
#: the day before Excel's first, moved by the 29 February 1900 that Excel believes in
EXCEL_EPOCH = date(1899, 12, 30)
#: serials of 2000-01-01 and of 2199-12-31
FIRST_SERIAL, LAST_SERIAL = 36_526, 109_573

#: 1.250 and 12.500.000,50: points group, a comma begins the decimals
_GROUPED = re.compile(r"([1-9]\d{0,2}(?:\.\d{3})+)(?:,(\d+))?", re.ASCII)
#: 1250, 2,5 and 2.5
_PLAIN = re.compile(r"(\d+)(?:[.,](\d+))?", re.ASCII)
#: 1,250,000 and 26,500.00: written as in English
_ENGLISH = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_RUPIAH = re.compile(r"^(?:rp|idr)\.?\s*", re.IGNORECASE)
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[/.\- ]\s*(\d{1,2}|[a-z]{3,9})\s*[/.\- ]\s*(\d{4})", re.ASCII | re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?", re.ASCII)
#: by their first three letters, Indonesian and English
MONTHS = {
    **{name: place for place, name in enumerate("jan feb mar apr mei jun jul agu sep okt nov des".split(), 1)},
    "may": 5,
    "aug": 8,
    "agt": 8,
    "ags": 8,
    "oct": 10,
    "dec": 12,
    "nop": 11,
}


def is_empty(cell: Cell) -> bool:
    """Tell whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and cell.strip().casefold() in NOTHING)


def restored(cell: Cell) -> Cell:
    """Return a cell as it was before a file of ours neutralised it: with errors it goes out and comes back."""
    return cell[1:] if isinstance(cell, str) and cell.startswith("'") and neutral(cell[1:]) == cell else cell


def plain(cell: Cell) -> str:
    """Return what a cell says, whatever it is: the same for 20 and 20.0."""
    return f"{_decimal(cell):f}" if isinstance(cell, float) else str(cell)


def text(cell: Cell) -> str:
    """Return a cell as one text. Refuses what a spreadsheet would take for a formula."""
    if isinstance(cell, str):
        written = cell.strip()
        if written.startswith(("=", "@")):
            raise CellRefused(
                "formula",
                Text("Tampak seperti rumus.", "This looks like a formula."),
                Text("Tulis hasilnya saja.", "Write its result only."),
            )
        return written
    if isinstance(cell, bool):
        return "ya" if cell else "tidak"
    return plain(cell)


def number(cell: Cell) -> Decimal:
    """Return a number: a text as Indonesians write it (1.250 is 1250, 2,5 has a decimal), a numeric cell as it is."""
    if isinstance(cell, bool | date):
        raise CellRefused("number", Text("Isinya bukan angka.", "This is no number."))
    if isinstance(cell, int | float):
        return _decimal(cell)
    written = text(cell).replace("\u00a0", " ")
    if grouped := _GROUPED.fullmatch(written):
        return Decimal(f"{grouped[1].replace('.', '')}.{grouped[2] or 0}")
    if ungrouped := _PLAIN.fullmatch(written):
        return Decimal(f"{ungrouped[1]}.{ungrouped[2] or 0}")
    if _ENGLISH.fullmatch(written):
        detail = Text(
            "Titik memisahkan ribuan, koma memisahkan desimal.", "A point groups thousands, a comma begins decimals."
        )
        raise CellRefused("number", detail, _meant(written.translate(str.maketrans(",.", ".,"))))
    raise CellRefused(
        "number", Text("Tulis angka saja.", "Write a number."), Text("Contoh: 1.250 atau 2,5", "Such as 1.250 or 2,5")
    )


def money(cell: Cell) -> int:
    """Return whole rupiah: 26500, 26.500, Rp 26.500 and Rp 26.500,- are the same."""
    if isinstance(cell, str):
        cell = _RUPIAH.sub("", cell.strip(), count=1).removesuffix(",-").removesuffix(".-").strip()
    amount = number(cell)
    if amount != amount.to_integral_value():
        detail = Text("Harga harus rupiah bulat.", "A price is whole rupiah.")
        thousandfold = amount * 1000
        # 26,500 in a text, or 26.500 typed into a spreadsheet that reads English
        as_meant = amount < 1000 and thousandfold == thousandfold.to_integral_value()  # noqa: PLR2004 - one group
        raise CellRefused("money", detail, _meant(_with_points(int(thousandfold))) if as_meant else None)
    return int(amount)


def whole(cell: Cell) -> int:
    """Return a whole number."""
    amount = number(cell)
    if amount != amount.to_integral_value():
        raise CellRefused("whole", Text("Harus bilangan bulat.", "It must be a whole number."))
    return int(amount)


def day(cell: Cell) -> date:
    """Return a day: dd/mm/yyyy, 1 Desember 2026, 2026-12-01, a date cell, or the serial number of one."""
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _serial(cell)
    written = text(cell)
    if written.isdecimal() and len(written) == len(str(LAST_SERIAL)) - 1:
        return _serial(int(written))
    try:
        if first := _DAY_FIRST.fullmatch(written):
            return date(int(first[3]), _month(first[2]), int(first[1]))
        if last := _YEAR_FIRST.fullmatch(written):
            return date(int(last[1]), int(last[2]), int(last[3]))
    except (ValueError, KeyError):
        pass
    raise _no_day()


def _serial(number_of_day: float) -> date:
    if not FIRST_SERIAL <= number_of_day <= LAST_SERIAL:
        raise _no_day()
    return EXCEL_EPOCH + timedelta(days=int(number_of_day))


def _month(written: str) -> int:
    return int(written) if written.isdecimal() else MONTHS[written.casefold()[:3]]


def _no_day() -> CellRefused:
    return CellRefused(
        "day",
        Text("Tanggal tidak terbaca.", "This is no day."),
        Text("Tulis hari/bulan/tahun, misalnya 01/12/2026.", "Write day/month/year, such as 01/12/2026."),
    )


def _decimal(value: float) -> Decimal:
    """Return a numeric cell as people see it: spreadsheets keep fifteen digits."""
    return Decimal(f"{value:.15g}")


def _with_points(amount: int) -> str:
    return f"{amount:,}".replace(",", ".")


def _meant(written: str) -> Text:
    return Text(f"Maksudnya {written}?", f"Did you mean {written}?")
