"""Lists: keyset paging by (sort key, id) with an opaque cursor that fits only the list it came from."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, String, collate, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.kit.problems import BadRequest, FieldError
from app.kit.text import Text

Item = TypeVar("Item")


class Listed(BaseModel, Generic[Item]):
    """One page of a list; `next` is the address of the page after it."""

    items: list[Item]
    next: str | None = None


class InvalidCursor(BadRequest):
    """400: the cursor was not made by this list."""

    code = "invalid_cursor"
    title = Text(
        "Cursor tidak cocok dengan daftar ini. Mulai lagi tanpa cursor.",
        "The cursor does not fit this list. Start again without it.",
    )


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that a list may be sorted by."""

    column: Any
    #: reads the column's value back from a cursor's text
    parse: Callable[[str], Any]


def instant(text: str) -> datetime:
    """Read an instant back from a cursor."""
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    """Read a day back from a cursor."""
    return date.fromisoformat(text)


FileFormat = Literal["json", "csv", "xlsx"]
Dialect = Literal["plain", "excel-id"]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of which list is asked for."""

    path: str
    #: the query without limit and cursor, in order
    query: tuple[tuple[str, str], ...]
    limit: int
    cursor: str | None
    #: ties a cursor to list, filters, sort and caller
    fingerprint: str
    #: a page as JSON, or the whole list as a file
    file_format: FileFormat = "json"
    dialect: Dialect = "plain"

    def after(self, following: str) -> "PageRequest":
        """Return the page that the address `following` names."""
        return replace(self, cursor=parse_qs(urlsplit(following).query)["cursor"][0])

    def next_url(self, cursor: str | None) -> str | None:
        """Return the address of the page after this one."""
        if cursor is None:
            return None
        return f"{self.path}?{urlencode([*self.query, ('limit', self.limit), ('cursor', cursor)])}"


async def page_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200, description="rows a page; a file holds all")] = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="opaque, from `next`")] = None,
    file_format: Annotated[
        FileFormat, Query(alias="format", description="a page, or the whole list as a file")
    ] = "json",
    dialect: Annotated[Dialect, Query(description="of CSV; excel-id: semicolons")] = "plain",
) -> AsyncIterator[PageRequest]:
    """Read limit, cursor and format, and what the cursor must fit. Raises Busy (503) where many files are made."""
    query = tuple(pair for pair in request.query_params.multi_items() if pair[0] not in ("limit", "cursor"))
    identity = repr((request.url.path, query, request.headers.get("authorization")))
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()[:12]
    page = PageRequest(request.url.path, query, limit, cursor, fingerprint, file_format, dialect)
    if file_format == "json":
        yield page
    else:
        with request.app.state.hub.files.one():
            yield page


Page = Annotated[PageRequest, Depends(page_request, scope="function")]


def sort_key(sort: str, allowed: Mapping[str, SortKey]) -> tuple[SortKey, bool]:
    """Return the sort key that `sort` names and whether it descends. Raises BadRequest (400) for others."""
    name = sort.removeprefix("-")
    if name not in allowed:
        names = ", ".join(sorted(allowed))
        detail = Text(f"Urutkan menurut: {names}.", f"Sort by one of: {names}.")
        raise BadRequest(detail, errors=[FieldError("sort", "unknown_sort", detail)])
    return allowed[name], sort.startswith("-")


async def fetch_page(
    session: AsyncSession,
    statement: Select[Any],
    page: PageRequest,
    *,
    key: SortKey,
    descending: bool,
    tie: InstrumentedAttribute[Any],
    parse_tie: Callable[[str], Any] = UUID,
) -> tuple[list[Any], str | None]:
    """Run `statement` for one page, sorted by (key, tie). Returns its rows and the next page's address or None.

    The statement must select the entity or row whose attributes the two columns are. Raises InvalidCursor (400).
    """
    columns = tuple_(_sortable(key.column), tie)
    if page.cursor is not None:
        after = tuple_(*_decode(page, key, parse_tie))
        statement = statement.where(columns < after if descending else columns > after)
    sorted_by = _sortable(key.column)
    order = (sorted_by.desc(), tie.desc()) if descending else (sorted_by.asc(), tie.asc())
    result = await session.execute(statement.order_by(*order).limit(page.limit + 1))
    rows = list(result.scalars() if len(statement.column_descriptions) == 1 else result.all())
    if len(rows) <= page.limit:
        return rows, None
    last = rows[page.limit - 1]
    return rows[: page.limit], page.next_url(_encode(page, last, key, tie))


def _sortable(column: Any) -> ColumnElement[Any]:
    """Text sorts by its bytes on every database, whatever locale it was made with."""
    return collate(column, "C") if isinstance(column.type, String) else column


def _encode(page: PageRequest, last: Any, key: SortKey, tie: Any) -> str:
    values = [getattr(last, key.column.key), getattr(last, tie.key)]
    return _cursor(page, *(value.isoformat() if isinstance(value, date) else str(value) for value in values))


def _cursor(page: PageRequest, *texts: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([page.fingerprint, *texts]).encode()).decode().rstrip("=")


def _decode(page: PageRequest, key: SortKey, parse_tie: Callable[[str], Any]) -> tuple[Any, Any]:
    cursor = page.cursor or ""
    try:
        fingerprint, value, tie = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if fingerprint == page.fingerprint:
            return key.parse(value), parse_tie(tie)
    except (ValueError, TypeError, RecursionError):
        pass
    raise InvalidCursor


def slice_page(items: Sequence[Item], page: PageRequest) -> tuple[Sequence[Item], str | None]:
    """Return one page of a list that was computed, and the next page's address or None. Raises InvalidCursor (400)."""
    start = 0
    if page.cursor is not None:
        start, _ = _decode(page, SortKey(None, int), str)
        if start < 0:
            raise InvalidCursor
    end = start + page.limit
    following = page.next_url(_cursor(page, str(end), "")) if end < len(items) else None
    return items[start:end], following
