"""How commands speak: results on stdout as a table or as JSON, everything else on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from app.kit.clock import monotonic
from app.kit.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

#: blanks between two columns of a table
GAP = 2
#: characters that a name keeps as long as sentences can give way, and that every column keeps
COMFORT, LEAST = 20, 8


@dataclass
class Output:
    """What the options of this call ask for."""

    language: str = "id"
    #: `--json` was given
    asked_json: bool = False

    @property
    def as_json(self) -> bool:
        """Whether the result is for another program: asked for, or because nobody looks at it."""
        return self.asked_json or not sys.stdout.isatty()


OUTPUT = Output()


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, the field that it shows, and whether it is a number."""

    heading: Text
    field: str
    number: bool = False
    #: is shortened where the terminal is narrow
    wide: bool = False
    #: is written over several lines where the terminal is narrow
    wraps: bool = False


def read(text: Text) -> str:
    """Return a sentence in the language of this call."""
    return text.read(OUTPUT.language)


def complain(what: Text, next_step: Text | None = None) -> None:
    """Say what went wrong, and what helps."""
    errors.print(f"hub: {read(what)}", markup=False, soft_wrap=True)
    if next_step is not None:
        label = read(Text("langkah berikut", "next step"))
        errors.print(f"hub: {label}: {read(next_step)}", markup=False, soft_wrap=True)


@contextmanager
def step(name: Text) -> Iterator[None]:
    """Show on stderr that a step is being done, then how long it took."""
    started = monotonic()
    with errors.status(read(name)):
        yield
    errors.print(f"hub: {read(name):<30} {monotonic() - started:6.2f} s", markup=False)


def print_json(value: Any) -> None:
    """Print a value as JSON, for another program."""
    print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)  # noqa: T201 - the result itself


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, by: str) -> None:
    """Print rows in groups that have the same field `by`: figures stay whole, names give way to a narrow terminal."""
    if not rows:
        console.print(read(Text("(tidak ada)", "(none)")))
        return
    texts = [[cell(row[column.field]) for column in columns] for row in rows]
    widths = _fitting(columns, texts, console.width)
    console.print(_table(columns, widths, [], heading=True))
    for group, lines in groupby(zip(rows, texts, strict=True), key=lambda line: line[0][by]):
        console.print(f"\n[bold]{group}[/bold]")
        console.print(_table(columns, widths, [cells for _, cells in lines], heading=False))
    console.print()


def _fitting(columns: Sequence[Column], texts: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return a width for each column: names give way to their comfort, then the widest of names and sentences."""
    lines = [[read(column.heading) for column in columns], *texts]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    while sum(widths) + GAP * (len(widths) - 1) > room:
        names = [place for place, column in enumerate(columns) if column.wide and widths[place] > COMFORT]
        sentences = [place for place, column in enumerate(columns) if column.wide or column.wraps]
        widest = max(names or sentences, key=widths.__getitem__)
        if widths[widest] <= LEAST:
            break
        widths[widest] -= 1
    return widths


def _table(columns: Sequence[Column], widths: Sequence[int], texts: Sequence[Sequence[str]], *, heading: bool) -> Table:
    drawn = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=heading, header_style="dim")
    for column, width in zip(columns, widths, strict=True):
        drawn.add_column(
            read(column.heading), justify="right" if column.number else "left", width=width, no_wrap=not column.wraps
        )
    for cells in texts:
        shown = zip(columns, cells, widths, strict=True)
        drawn.add_row(*(shortened(text, width) if column.wide else text for column, text, width in shown))
    return drawn


def cell(value: Any) -> str:
    """Return a value as people in Blitar write it."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return grouped(value)
    if isinstance(value, date):
        return f"{value:%d/%m}"
    return str(value).removesuffix(" (contoh)")


def grouped(number: int) -> str:
    """Write a whole number as Indonesians do: 26.500."""
    return f"{number:,}".replace(",", ".")


def shortened(name: str, width: int) -> str:
    """Leave out the middle of a name: it begins with what somebody is and ends with where."""
    if len(name) <= width:
        return name
    return f"{name[: (width - 1) // 2]}…{name[-(width // 2) :]}"
