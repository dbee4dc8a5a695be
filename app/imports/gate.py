"""What is measured of a file before anything parses it: what it is, and how much it would become.

A spreadsheet is a zip: a small one may hold terabytes, or name a cell so far away that a table up to it fills the
memory. Standard library only, since the child process begins with it.
"""

import io
import re
import struct
import zipfile
from typing import IO

#: bytes that the parts of a workbook may have together when unzipped
MOST_BYTES = 100 * 1024 * 1024
#: unzipped bytes for each zipped one, where a part is larger than 1 MiB; real sheets have 5 to 30
MOST_RATIO = 100
RATIO_COUNTS_FROM = 1024 * 1024
#: parts of a workbook; real ones have a dozen for each sheet
MOST_PARTS = 500
MOST_DIRECTORY_BYTES = 256 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 100
MOST_CELLS = 1_000_000
#: rows beside the data: titles and header
SPARE_ROWS = 50
LONGEST_CELL = 5_000

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br=[\"'](\d+)")
_ROW_START = re.compile(rb"<(?:\w+:)?row\b")
_CELL_START = re.compile(rb"<(?:\w+:)?c[\s/>]")
_COLUMN = re.compile(rb"\br=[\"']([A-Z]+)\d")
#: bytes read at once, and carried over so that no tag is cut in two
CHUNK, OVERLAP = 1024 * 1024, 256


class Refused(Exception):
    """The file is refused; the argument is one of the reasons of `errors.REASONS`."""


def kind_of(content: bytes) -> str:
    """Return "xlsx" or "csv" by what the bytes are, whatever the file is called. Raises Refused."""
    if not content.strip():
        raise Refused("empty")
    if content.startswith(OLE):
        raise Refused("old_or_locked")
    if content.startswith(ZIP):
        return "xlsx"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("encoding")
    if b"\x00" in content or content.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{", b"<")):
        raise Refused("format")
    return "csv"


def check_directory(content: bytes) -> None:
    """Refuse a workbook by what its directory says: parts, unzipped bytes, ratio, macros. Nothing is unzipped.

    Raises Refused.
    """
    _check_size_of_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as error:
        raise Refused("damaged") from error
    names = [part.filename.casefold() for part in parts]
    if any("vbaproject" in name for name in names):
        raise Refused("macros")
    if len(set(names)) != len(names) or any(part.flag_bits & 1 for part in parts):
        raise Refused("damaged")
    if "xl/workbook.xml" not in names:
        raise Refused("format")
    too_many = len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES
    if too_many or any(_swells(part) for part in parts):
        raise Refused("too_much")


def _check_size_of_directory(content: bytes) -> None:
    """Refuse a directory that would take long to read (APPNOTE 4.3.16: its size stands in the last record)."""
    last = content.rfind(b"PK\x05\x06")
    if last < 0 or len(content) < last + 16:
        raise Refused("damaged")
    if struct.unpack_from("<I", content, last + 12)[0] > MOST_DIRECTORY_BYTES:
        raise Refused("too_much")


def _swells(part: zipfile.ZipInfo) -> bool:
    return part.file_size > RATIO_COUNTS_FROM and part.file_size > MOST_RATIO * max(part.compress_size, 1)


def check_sheets(content: bytes) -> None:
    """Refuse a workbook by the rows, columns and cells that its sheets name: unzipped once in passing, kept nowhere.

    Raises Refused.
    """
    cells = unzipped = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.infolist():
                with archive.open(part) as file:
                    if _SHEET.fullmatch(part.filename):
                        cells += _measure(file)
                    # read to the end, so that a size that the directory denies, or a wrong sum, is found out
                    while chunk := file.read(CHUNK):
                        unzipped += len(chunk)
                if cells > MOST_CELLS or unzipped > MOST_BYTES:
                    raise Refused("too_much")
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, OSError, NotImplementedError, struct.error) as error:  # type: ignore[attr-defined]
        raise Refused("damaged") from error


def _measure(file: IO[bytes]) -> int:
    """Return how many cells a sheet has. Raises Refused when it has too many rows, columns or cells."""
    rows = cells = 0
    carried = b""
    while chunk := file.read(CHUNK):
        window = carried + chunk
        rows += len(_ROW_START.findall(chunk))
        cells += len(_CELL_START.findall(chunk))
        last = max(map(int, _ROW.findall(window)), default=0)
        if max(rows, last) > MOST_ROWS + SPARE_ROWS:
            raise Refused("too_many_rows")
        if any(_place(name) > MOST_COLUMNS for name in set(_COLUMN.findall(window))):
            raise Refused("too_many_columns")
        if cells > MOST_CELLS:
            raise Refused("too_much")
        carried = window[-OVERLAP:]
    return cells


def _place(letters: bytes) -> int:
    """Return the place of a column, A is 1."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place
