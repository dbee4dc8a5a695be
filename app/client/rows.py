"""A list of the hub as one iterable: pages are fetched as they are needed."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

Row = TypeVar("Row")


class Rows(Generic[Row]):
    """The rows of a list. Each iteration asks the hub anew; nothing is fetched before the first row is wanted."""

    def __init__(self, fetch: Callable[[str], Mapping[str, Any]], address: str, shape: type[Row]) -> None:
        """Read pages by `fetch` from `address` on, rows of `shape`."""
        self._fetch, self._address, self._shape = fetch, address, shape

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows, page by page. Raises HubProblem, HubUnreachable."""
        reader = TypeAdapter(self._shape)
        address: str | None = self._address
        while address is not None:
            page = self._fetch(address)
            yield from map(reader.validate_python, page["items"])
            address = page.get("next")

    def first(self) -> Row | None:
        """Return the first row, or None where there is none."""
        return next(iter(self), None)

    def to_polars(self) -> "pl.DataFrame":
        """Return all rows as a Polars data frame; nested fields are structs and lists. Needs `polars`."""
        library = _library("polars")
        types = {int: library.Int64, float: library.Float64, str: library.String, bool: library.Boolean}
        types |= {date: library.Date, datetime: library.Datetime("us", "UTC"), UUID: library.String}
        columns = self._columns()
        return library.DataFrame(  # type: ignore[no-any-return]  # it is loaded when it is wanted
            [library.Series(name, values, types.get(kind), strict=False) for name, kind, values in columns]
        )

    def to_arrow(self) -> "pa.Table":
        """Return all rows as an Arrow table; nested fields are structs and lists. Needs `pyarrow`."""
        library = _library("pyarrow")
        types = {int: library.int64(), float: library.float64(), str: library.string(), bool: library.bool_()}
        types |= {date: library.date32(), datetime: library.timestamp("us", "UTC"), UUID: library.string()}
        return library.table({name: library.array(values, types.get(kind)) for name, kind, values in self._columns()})

    def _columns(self) -> list[tuple[str, Any, list[Any]]]:
        """Return name, Python type and values of each column; a list without rows keeps the columns of its shape."""
        rows = [_plain(row) for row in self]
        if isinstance(self._shape, type) and issubclass(self._shape, BaseModel):
            kinds = {name: _kind(field.annotation) for name, field in self._shape.model_fields.items()}
        else:
            kinds = dict.fromkeys(rows[0] if rows else ())
        return [(name, kind, [row[name] for row in rows]) for name, kind in kinds.items()]


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{name} is not installed: pip install {name}, or blitar-hub[frames]") from error


def _kind(annotation: Any) -> Any:
    """Return the type behind `X` or `X | None`; words of a Literal or an Enum are texts, the rest is left open."""
    (one, *more) = [kind for kind in getattr(annotation, "__args__", (annotation,)) if kind is not type(None)]
    if isinstance(one, str) or (isinstance(one, type) and issubclass(one, Enum)):
        return str
    return None if more or hasattr(annotation, "__origin__") else one


def _plain(value: Any) -> Any:
    """Return a row as data frames take it: ids are texts."""
    match value:
        case BaseModel():
            return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        case UUID():
            return str(value)
        case Enum():
            return value.value
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case _:
            return value
