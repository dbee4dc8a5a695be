"""`hub import`, `hub export`: spreadsheets into a running hub, and lists out of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.named import only
from app.cli.output import OUTPUT, Column, complain, errors, print_json, print_table, read
from app.cli.requests import NEXT_STEPS, SOME_REFUSED, Key, Url, exit_code, key_or_demo, no_answer
from app.client import Hub, HubProblem, HubUnreachable
from app.imports.schemas import ImportAnswer, Kind
from app.jobs.schemas import JobAnswer
from app.kit.text import Text
from app.parties.schemas import OrganizationAnswer

ERROR_COLUMNS = (
    Column(Text("sel", "cell"), "cell"),
    Column(Text("isi", "value"), "value", wide=True),
    Column(Text("salah", "wrong"), "detail", wraps=True),
    Column(Text("saran", "suggestion"), "suggestion", wraps=True),
)
ROLES = {"listings": "producer", "demands": "buyer"}

File = Annotated[Path, typer.Argument(help=".xlsx or .csv")]


def take_in(
    kind: Annotated[Kind, typer.Argument(help="what the rows become")],
    file: File,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would come of it, post nothing")] = False,
    party: Annotated[
        str | None, typer.Option("--for", help="a part of the name of whom the hub posts rows for that name nobody")
    ] = None,
    template: Annotated[bool, typer.Option("--template", help="write the workbook to fill in to FILE")] = False,
    url: Url = "http://127.0.0.1:8000",
    key: Key = None,
) -> None:
    """Post the rows of a spreadsheet; refused ones come back in FILE-kesalahan, to be mended and sent again."""
    with asked(url, key) as hub:
        if template:
            _save(file, hub.export(f"imports/templates/{kind}.xlsx"))
            return
        content = _content(file)
        with _bar() as progress:
            done = hub.import_file(
                kind,
                content,
                filename=file.name,
                dry_run=dry_run,
                organization=_party(hub, party, kind) if party else None,
                on_progress=progress,
            )
        mended = file.with_stem(f"{file.stem}-kesalahan")
        if done.workbook_url:
            _save(mended, hub.export(done.workbook_url.removeprefix("/v1/")))
    _tell(done, mended)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None


def _party(hub: Hub, name: str, kind: Kind) -> UUID:
    parties = hub.rows("/v1/organizations", OrganizationAnswer, role=ROLES[kind])
    return only({one.name: one.id for one in parties if name.lower() in one.name.lower()}, name, hint="--for")


@contextmanager
def _bar() -> Iterator[Any]:
    """Show on stderr how many rows are done."""
    columns = (TextColumn("hub: {task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True) as shown:
        task = shown.add_task(read(Text("baris", "rows")), total=None)

        def heard(job: JobAnswer) -> None:
            shown.update(task, completed=job.progress.done, total=job.progress.total or None)

        yield heard


def _tell(done: ImportAnswer, mended: Path) -> None:
    result = done.result
    assert result is not None, "its job is done"  # noqa: S101 - how an import ends
    if OUTPUT.as_json:
        print_json(done.model_dump(mode="json"))
    elif result.errors:
        rows = [one.model_dump() | {"group": f"{done.filename} · {result.sheet or 'csv'}"} for one in result.errors]
        print_table(rows, ERROR_COLUMNS, by="group")
    figures = f"{result.accepted} / {result.known} / {result.refused}"
    complain(
        Text(f"{figures} baris masuk / sudah ada / ditolak", f"{figures} rows accepted / known / refused"),
        Text(f"perbaiki {mended} dan kirim lagi", f"mend {mended} and send it again") if done.workbook_url else None,
    )
    if result.refused:
        raise typer.Exit(SOME_REFUSED)


def give_out(
    what: Annotated[str, typer.Argument(help="a list, such as listings, orders, lanes, dashboard/flows")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=".csv or .xlsx; default: CSV to stdout")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="a filter of the list, such as status=open; may be repeated")
    ] = None,
    excel_id: Annotated[bool, typer.Option("--excel-id", help="CSV with semicolons, as Excel reads it here")] = False,
    url: Url = "http://127.0.0.1:8000",
    key: Key = None,
) -> None:
    """Write a list of a running hub to a file, all its rows."""
    ending = output.suffix.removeprefix(".").lower() if output else "csv"
    if ending not in ("csv", "xlsx"):
        raise typer.BadParameter(".csv, .xlsx", param_hint="--output")
    filters: dict[str, Any] = {"format": ending} | ({"dialect": "excel-id"} if excel_id else {})
    for one in where or ():
        name, is_filter, value = one.partition("=")
        if not is_filter:
            raise typer.BadParameter("name=value", param_hint="--where")
        filters.setdefault(name, []).append(value)
    with asked(url, key) as hub:
        content = hub.export(what, **filters)
    if output is None:
        sys.stdout.write(content.decode())
    else:
        _save(output, content)


def _save(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    errors.print(f"hub: {file}", markup=False, soft_wrap=True)


@contextmanager
def asked(url: str, key: str | None) -> Iterator[Hub]:
    """Yield the client of a running hub; what it refuses, and silence, end the command with a line and a code."""
    try:
        with Hub(url, key=key_or_demo(key), language="en" if OUTPUT.language == "en" else "id", timeout=120) as hub:
            yield hub
    except HubProblem as problem:
        complain(Text(problem.detail, problem.detail), NEXT_STEPS.get(problem.status))
        for error in problem.errors:
            if error.detail != problem.detail:
                complain(Text(f"{error.pointer}: {error.detail}", f"{error.pointer}: {error.detail}"))
        raise typer.Exit(exit_code(problem.status)) from None
    except HubUnreachable as error:
        raise no_answer(url, error) from None
