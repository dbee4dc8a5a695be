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
    #: gives way where the terminal is narrow
    wide: bool = False
    #: is written over several lines rather than cut
    wraps: bool = False


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


def table(
    rows: Iterable[dict[str, Any]], columns: Sequence[Column], title: str | None = None, *, by: str | None = None
) -> Table:
    """Return rows as a table that fits 80 columns: figures stay whole, names give way. `by`: a field to group by."""
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    lines = [(row, [cell(row[column.field]) for column in columns]) for row in rows]
    headings = [column.heading.read(OUTPUT.language) for column in columns]
    widths = [max([len(headings[i]), *(len(cells[i]) for _, cells in lines)]) for i in range(len(columns))]
    # every column is followed by its padding and the box's divider
    figures = sum(width + 2 for width, column in zip(widths, columns, strict=True) if not column.wide)
    names = sum(column.wide for column in columns)
    room = max(12, (console.width - 2 - figures) // names - 2) if names else None
    for heading, widest, column in zip(headings, widths, columns, strict=True):
        drawn.add_column(
            heading,
            justify="right" if column.number else "left",
            no_wrap=not column.wraps,
            min_width=12 if column.wide or column.wraps else widest,
            max_width=room if column.wide else None,
        )
    group = None
    for row, cells in lines:
        if by is not None and row[by] != group:
            group = row[by]
            drawn.add_section()
            drawn.add_row(f"[bold]{group}[/bold]")
        drawn.add_row(*cells)
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
