"""`./dev bench api | clearing | engine | imports | lifecycle | pages | webhooks [--json]`: measured in one run."""

import argparse
import json
import sys

from benchmarks import api, clearing, engine, imports, lifecycle, pages, webhooks

CASES = {
    "api": api.measure,
    "clearing": clearing.measure,
    "engine": engine.measure,
    "imports": imports.measure,
    "lifecycle": lifecycle.measure,
    "pages": pages.measure,
    "webhooks": webhooks.measure,
}


def main() -> int:
    """Run one case and print its rows as a table, or as JSON."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument("--seconds", type=float, default=5, help="time for each measurement")
    parser.add_argument(
        "--write", metavar="MACHINE", help="engine: put the table, and this machine, into docs/engine.md"
    )
    arguments = parser.parse_args()
    rows = CASES[arguments.case](seconds=arguments.seconds)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    if arguments.case == "engine":
        rows = engine.summary(rows)
        if arguments.write:
            engine.write_table(rows, arguments.write)
    print_table(rows)
    return 0


def print_table(rows: list[dict[str, object]]) -> None:
    """Print rows with aligned columns."""
    names = list(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[place]) for line in cells)) for place, name in enumerate(names)]
    for line in (names, *cells):
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
