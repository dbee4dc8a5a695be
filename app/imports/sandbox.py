"""Parsing in a process of its own: what a hostile file costs, it costs there, and no longer than a minute."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.config import CHECKOUT
from app.imports.cells import Cell
from app.imports.errors import UnreadableFile

#: seconds until the child is ended, whatever it does
PATIENCE = 60.0
#: knows this program and what is installed, and neither the working directory nor its caller's environment
CHILD = (sys.executable, "-s", "-P", "-m", "app.imports.reader")


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet as parsed."""

    #: None for a CSV file
    name: str | None
    #: None for a workbook
    delimiter: str | None
    rows: Sequence[Sequence[Cell]]


async def parse(content: bytes) -> list[Table]:
    """Return the visible sheets of a file. Raises UnreadableFile (422) with what is wrong with it."""
    child = await asyncio.create_subprocess_exec(
        *CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": str(CHECKOUT)},
    )
    try:
        said, _ = await asyncio.wait_for(child.communicate(content), PATIENCE)
    except TimeoutError:
        said = b""
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if child.returncode != 0:
        # it ran into its limits, or into a bug of the parser: either way the file is to blame
        raise UnreadableFile("too_much")
    answer = await asyncio.to_thread(json.loads, said, object_hook=_cell)
    if "refused" in answer:
        raise UnreadableFile(answer["refused"])
    return [Table(**sheet) for sheet in answer["sheets"]]


def _cell(value: dict[str, Any]) -> Any:
    return date.fromisoformat(value["day"]) if "day" in value else value
