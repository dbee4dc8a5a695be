"""Lists as files: every page of a list in one CSV or XLSX file, which is whole before its first byte is sent.

The rows are those of the JSON list, flattened: what is nested stands in columns of its own (`entered_unit`), a thing of
several `lines` takes a row for each of them (`line_grade`), and what is nested deeper stands there as JSON.
"""

import asyncio
import functools
import inspect
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from types import NoneType, UnionType
from typing import IO, Any, Union, get_args, get_origin

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from app.kit.paging import Listed, PageRequest
from app.kit.problems import BadRequest, Busy
from app.kit.spreadsheet import MEDIA_TYPES, CsvFile, TableFile
from app.kit.text import Text

#: rows that a file may have; a workbook takes longer to write, and to open
MOST_ROWS = {"csv": 50_000, "xlsx": 10_000}
#: rows that are read at once
READ_ROWS = 1000
#: bytes that are sent at once
CHUNK = 256 * 1024
#: what is spread over rows, and how the columns of one are called
LINES, LINE = "lines", "line"

Endpoint = Callable[..., Coroutine[Any, Any, Any]]


class TooManyRows(BadRequest):
    """400: the list has more rows than a file may have."""

    code = "too_many_rows"
    title = Text(
        "Terlalu banyak baris untuk satu berkas. Persempit dengan saringan.",
        "Too many rows for a file. Narrow it with filters.",
    )


class Room:
    """How many files a process makes at a time; who comes when it is full is asked to come again."""

    def __init__(self, most: int = 4) -> None:
        """Make room for `most` files."""
        self._free = most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold the place of one file. Raises Busy (503) where none is free."""
        if not self._free:
            raise Busy
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: what it is called, and where in an item, or in a line of it, its value stands."""

    name: str
    path: tuple[str, ...]
    of_line: bool
    is_day: bool


def columns_of(shape: type[BaseModel]) -> list[Column]:
    """Return the columns of a list of `shape`."""
    return list(_columns(shape, (), of_line=False))


def _columns(shape: type[BaseModel], path: tuple[str, ...], *, of_line: bool) -> Iterator[Column]:
    for name, field in shape.model_fields.items():
        inside = (*path, field.serialization_alias or name)
        spread = inside == (LINES,) and get_origin(field.annotation) is list
        (kind,) = get_args(field.annotation) if spread else _but_none(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _columns(kind, () if spread else inside, of_line=spread or of_line)
        else:
            told = "_".join((LINE, *inside) if of_line else inside)
            yield Column(told, inside, of_line, kind is date)


def _but_none(annotation: Any) -> tuple[Any]:
    """Return the kind of a field that may be null, or of one that may not."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    is_union = get_origin(annotation) in (Union, UnionType)
    return (kinds[0],) if is_union and len(kinds) == 1 else (annotation,)


def rows_of(item: BaseModel, columns: Sequence[Column]) -> Iterator[list[Any]]:
    """Yield the rows of an item: one, or one for each of its lines."""
    told = item.model_dump(mode="json", by_alias=True)
    lines = told.get(LINES) if any(column.of_line for column in columns) else None
    for line in lines or [{}]:
        yield [_cell(line if column.of_line else told, column) for column in columns]


def _cell(told: Mapping[str, Any], column: Column) -> Any:
    value: Any = told
    for name in column.path:
        value = value.get(name) if value is not None else None
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else None
    return date.fromisoformat(value) if column.is_day and value is not None else value


def with_files(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint of a list, which answers with a file where its page asks for one; others as they are."""
    shape = _shape_of(endpoint)
    if shape is None:
        return endpoint

    @functools.wraps(endpoint)
    async def listed(**given: Any) -> Any:
        page = given["page"]
        return await endpoint(**given) if page.file_format == "json" else await _file(endpoint, shape, given, page)

    return listed


def _shape_of(endpoint: Endpoint) -> type[BaseModel] | None:
    signature = inspect.signature(endpoint)
    answer = signature.return_annotation
    is_list = isinstance(answer, type) and issubclass(answer, Listed) and "page" in signature.parameters
    return get_args(answer.model_fields["items"].annotation)[0] if is_list else None


async def _file(endpoint: Endpoint, shape: type[BaseModel], given: Mapping[str, Any], page: PageRequest) -> Response:
    columns = columns_of(shape)
    header = [column.name for column in columns]
    file = _begun(header, page)
    rows = 0
    async for items in _pages(endpoint, given, page):
        written = [row for item in items for row in rows_of(item, columns)]
        rows += len(written)
        if rows > MOST_ROWS[page.file_format]:
            raise TooManyRows
        # away from the loop, which others are waiting for
        await asyncio.to_thread(file.write, written)
    content = await asyncio.to_thread(file.finish)
    name = page.path.rpartition("/")[2]
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{page.file_format}"',
        "Content-Length": str(content.seek(0, 2)),
        "Cache-Control": "private, no-cache",
    }
    content.seek(0)
    return StreamingResponse(_sent(content), media_type=MEDIA_TYPES[page.file_format], headers=headers)


def _begun(header: Sequence[str], page: PageRequest) -> TableFile:
    if page.file_format == "csv":
        return CsvFile(header, semicolons=page.dialect == "excel-id")
    from app.kit.workbook import XlsxFile  # noqa: PLC0415 - takes a tenth of a start, and few ask for a workbook

    return XlsxFile(header)


def _sent(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while chunk := content.read(CHUNK):
            yield chunk


async def _pages(endpoint: Endpoint, given: Mapping[str, Any], page: PageRequest) -> AsyncIterator[Sequence[BaseModel]]:
    page = replace(page, limit=READ_ROWS, cursor=None)
    while True:
        listed: Listed[BaseModel] = await endpoint(**{**given, "page": page})
        yield listed.items
        if listed.next is None:
            return
        page = page.after(listed.next)
