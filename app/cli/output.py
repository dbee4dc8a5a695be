"""How commands speak: results on stdout as a table or as JSON, everything else on stderr."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from app.kit.clock import monotonic
from app.kit.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


@dataclass
class Output:
    """What the options of this call ask for."""

    language: str = "id"
    as_json: bool = False


OUTPUT = Output()


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the field that it shows, and whether it is a number."""

    heading: Text
    field: str
    number: bool = False
    wide: bool = False


def complain(*lines: str) -> None:
    """Say what went wrong, and what helps."""
    for line in lines:
        errors.print(f"hub: {line}", markup=False, soft_wrap=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell on stderr how long a step of starting took."""
    started = monotonic()
    yield
    errors.print(f"hub: {name:<24} {monotonic() - started:6.2f} s", markup=False)


def show(items: Sequence[BaseModel], columns: Sequence[Column], title: str | None = None) -> None:
    """Print rows as JSON, or on a terminal as a table."""
    rows = [item.model_dump(mode="json") for item in items]
    if OUTPUT.as_json:
        print_json(rows)
    else:
        console.print(table(rows, columns, title))


def print_json(value: Any) -> None:
    """Print a value as JSON, for another program."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201 - the result itself


def table(rows: Iterable[dict[str, Any]], columns: Sequence[Column], title: str | None = None) -> Table:
    """Return rows as a table that fits 80 columns."""
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in columns:
        drawn.add_column(
            column.heading.read(OUTPUT.language),
            justify="right" if column.number else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=None if column.wide else len(column.heading.id),
            ratio=None,
        )
    for row in rows:
        drawn.add_row(*(cell(row[column.field]) for column in columns))
    return drawn


def cell(value: Any) -> str:
    """Return a value as people in Blitar write it."""
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return grouped(value)
    return str(value).removesuffix(" (contoh)")


def grouped(number: int) -> str:
    """Write a whole number as Indonesians do: 26.500."""
    return f"{number:,}".replace(",", ".")
