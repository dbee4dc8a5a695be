"""Files to upload: good ones, and forty-odd that mean no good."""

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook

HEADINGS = ["Nomor", "Komoditas", "Kualitas", "Jumlah", "Satuan", "Harga"]
EGGS = ["KP-1", "Telur ayam ras", "II", 20, "peti-15", 397500]
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(rows: Iterable[Sequence[Any]], sheet: str = "Stok") -> bytes:
    """A workbook with one sheet of these rows."""
    book = Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def comma_separated(rows: Iterable[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue().encode(encoding)


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def changed(**parts: bytes) -> bytes:
    """A good workbook with some parts replaced or added; `sheet` stands for the first sheet."""
    named = {SHEET if name == "sheet" else name: content for name, content in parts.items()}
    return zipped({**parts_of(xlsx([HEADINGS, EGGS])), **named})


def sheet_xml(body: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'.encode()


def cell(address: str, text: str = "x") -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER_XML = "".join(cell(f"{letter}1", name) for letter, name in zip("ABCDEF", HEADINGS, strict=True))


def table(body: str, before: str = "") -> bytes:
    """A workbook with our header, and rows as XML below it."""
    return changed(sheet=sheet_xml(f'<row r="1">{HEADER_XML}</row>{body}', before))


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def with_false_size(content: bytes, name: str, size: int) -> bytes:
    """Let the directory say another size than a part has."""
    file = bytearray(content)
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(name.encode()))
    struct.pack_into("<I", file, place + 24, size)
    return bytes(file)


def overlapping(copies: int) -> bytes:
    """Many parts of the directory that all lead to the same bytes: a megabyte unzips to gigabytes."""
    kernel = zlib.compress(b"0" * 50_000_000, 9)[2:-4]
    name = b"xl/worksheets/sheet1.xml"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 0, 0, len(kernel), 50_000_000, len(name), 0) + name
    directory = b"".join(
        struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 0, 0, len(kernel), 50_000_000, 8, 0, 0, 0, 0, 0, 0
        )
        + f"{number:08}".encode()
        for number in range(copies)
    )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, copies, copies, len(directory), len(local) + len(kernel), 0)
    return local + kernel + directory + end


def many_strings(count: int = 20_000) -> bytes:
    """One long text, shown by ten times `count` cells: a small file, and gigabytes of texts."""
    parts = parts_of(xlsx([HEADINGS, EGGS]))
    rows = "".join(
        row(number, *(f'<c r="{letter}{number}" t="s"><v>0</v></c>' for letter in "ABCDEFGHIJ"))
        for number in range(2, count + 2)
    )
    shared = f'<sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>{"x" * 32_000}</t></si></sst>'.encode()
    return zipped({**parts, SHEET: sheet_xml(rows), "xl/sharedStrings.xml": shared})


LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>'
)
REACHING = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000
GOOD = xlsx([HEADINGS, EGGS])
ROWS_50_001 = [["", "beras", "medium", 1, "ton", 12000]] * 50_001


def zipped_twice() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for _ in range(2):
            for name, content in parts_of(GOOD).items():
                archive.writestr(name, content)
    return file.getvalue()


def encrypted() -> bytes:
    """Every part marked as encrypted, in its own header and in the directory."""
    file = bytearray(GOOD)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = file.find(mark)
        while place >= 0:
            file[place + offset] |= 1
            place = file.find(mark, place + 4)
    return bytes(file)


def many_rows() -> bytes:
    return table("".join(row(number, cell(f"A{number}")) for number in range(2, 50_060)))


def without_sheet() -> bytes:
    return zipped({name: part for name, part in parts_of(GOOD).items() if name != SHEET})


def hidden() -> bytes:
    book = Workbook()
    book.active.append(["catatan"])
    other = book.create_sheet("rahasia")
    other.append(HEADINGS)
    other.append(EGGS)
    other.sheet_state = "hidden"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


#: name -> a file, and the reason or code with which it is refused
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # what it is
    "nothing": (lambda: b"", "empty"),
    "blanks": (lambda: b" \r\n\t ", "empty"),
    "a byte order mark": (lambda: b"\xef\xbb\xbf", "empty"),
    "zeros": (lambda: b"\0" * 5000, "empty_or_format"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"\1" * 500, "format"),
    "a photo": (lambda: b"\xff\xd8\xff\xe0" + b"\1" * 500, "format"),
    "a PDF": (lambda: b"%PDF-1.7\n1 0 obj", "format"),
    "a web page": (lambda: b"<html><table><tr><td>Komoditas</td></tr></table></html>", "format"),
    "JSON": (lambda: b'{"items": []}', "format"),
    "old Excel": (lambda: LOCKED, "old_or_locked"),
    "UTF-16": (lambda: comma_separated([HEADINGS, EGGS], encoding="utf-16"), "encoding"),
    "UTF-16 without its mark": (lambda: comma_separated([HEADINGS, EGGS], encoding="utf-16-le"), "format"),
    "no text of any encoding": (lambda: b"Komoditas,Jumlah\n\x81\x8d\x8f,1", "encoding"),
    "a NUL": (lambda: b"Komoditas,Jumlah\nberas\0,1", "format"),
    # zips
    "a zip that is no workbook": (lambda: zipped({"a.txt": b"a"}), "format"),
    "an empty zip": (lambda: b"PK\x03\x04" + b"\0" * 100, "damaged"),
    "half a workbook": (lambda: GOOD[: len(GOOD) // 2], "damaged"),
    "a workbook with its end torn off": (lambda: GOOD[:-10], "damaged"),
    "a workbook with a bit turned": (lambda: GOOD.replace(b"\x00", b"\x01", 40), "damaged"),
    "a part twice": (zipped_twice, "damaged"),
    "an encrypted part": (encrypted, "damaged"),
    "a macro": (lambda: changed(**{"xl/vbaProject.bin": b"\xd0\xcf"}), "macros"),
    "a zip bomb": (lambda: changed(sheet=sheet_xml(" " * 90_000_000)), "too_much"),
    "a bomb in a picture": (lambda: changed(**{"xl/media/image1.png": b"\0" * 90_000_000}), "too_much"),
    "parts that overlap": (lambda: overlapping(400), "too_much_or_format"),
    "a thousand parts": (lambda: changed(**{f"xl/media/{n}.png": b"" for n in range(1000)}), "too_much"),
    "a directory of megabytes": (lambda: changed(**{f"xl/{'x' * 200}/{n}": b"" for n in range(9000)}), "too_much"),
    "a size that is a lie": (lambda: with_false_size(changed(sheet=sheet_xml("x" * 5_000_000)), SHEET, 100), "damaged"),
    # sheets
    "a cell far away": (
        lambda: changed(sheet=sheet_xml(HEADER_XML + f'<row r="2">{cell("XFD2")}</row>')),
        "too_many_columns",
    ),
    "a row far away": (
        lambda: changed(sheet=sheet_xml(HEADER_XML + f'<row r="1048576">{cell("A1048576")}</row>')),
        "too_many_rows",
    ),
    "101 columns": (lambda: xlsx([[*HEADINGS, *range(95)]]), "too_many_columns"),
    "50,001 rows": (many_rows, "too_many_rows"),
    "millions of cells in few rows": (
        lambda: changed(sheet=sheet_xml(HEADER_XML + "<row>" + "<c/>" * 1_100_000 + "</row>")),
        "too_much",
    ),
    "a text shown by 200,000 cells": (many_strings, "too_much"),
    "a billion laughs": (
        lambda: changed(sheet=sheet_xml(HEADER_XML + f'<row r="2">{cell("A2", "&e;")}</row>', LAUGHS)),
        "refused",
    ),
    "an entity that reads a file": (
        lambda: changed(sheet=sheet_xml(HEADER_XML + f'<row r="2">{cell("A2", "&a;")}</row>', REACHING)),
        "refused",
    ),
    "XML that does not end": (lambda: changed(sheet=sheet_xml("<row><c>" * 10_000)[:-30]), "refused"),
    "no sheet at all": (
        lambda: zipped({name: part for name, part in parts_of(GOOD).items() if name != SHEET}),
        "refused",
    ),
    "a cell of 6,000 characters": (lambda: xlsx([HEADINGS, [*EGGS, "x" * 6000]]), "long_cell"),
    "a hidden sheet only": (hidden, "no_header"),
    # CSV
    "CSV of 50,001 rows": (lambda: comma_separated([HEADINGS, *ROWS_50_001, *[["x"]] * 60]), "too_many_rows"),
    "CSV of 101 columns": (lambda: comma_separated([HEADINGS, ["x"] * 101]), "too_many_columns"),
    "CSV with an open quotation mark": (lambda: b'Komoditas,Jumlah\n"' + b"beras,1\n" * 2000, "long_cell"),
    "CSV of one endless line": (lambda: b"x" * 1_000_000, "long_cell"),
    "CSV of separators": (lambda: b";" * 1_000_000, "too_many_columns"),
    "CSV of a million separators in rows": (lambda: (b";" * 99 + b"\n") * 10_001, "too_much"),
    # tables of something else
    "another table": (lambda: comma_separated([["nama", "umur"], ["Sri", 40]]), "no_header"),
    "a header alone": (lambda: comma_separated([HEADINGS]), "no_rows"),
    "a header without a price": (lambda: comma_separated([HEADINGS[:-1], EGGS[:-1]]), "missing_columns"),
    "two prices": (lambda: comma_separated([[*HEADINGS, "Harga jual"], [*EGGS, 1]]), "repeated_column"),
}
