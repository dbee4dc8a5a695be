"""The command line `hub`: everything an operator does at a terminal."""

from collections.abc import Sequence
from typing import Annotated, Literal

import asyncpg
import typer
from sqlalchemy.exc import DBAPIError

from app.cli import (
    book,
    clearing,
    demo,
    doctor,
    events,
    money,
    orders,
    prepare,
    receive,
    register,
    replay,
    requests,
    serve,
    sheets,
    shipments,
)
from app.cli.output import OUTPUT, complain
from app.kit.db import sqlstate
from app.kit.postgres import PostgresError
from app.kit.problems import Problem
from app.kit.text import Text

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Blitar hub: supply in, demand in, cleared. Exit codes: 0 done, 1 failed, 2 usage, 3 some rows refused, "
    "4 not allowed, 5 conflict.",
)
for command in (
    serve.run,
    prepare.migrate,
    demo.demo,
    register.register,
    doctor.doctor,
    clearing.clear,
    replay.replay,
    book.listings,
    book.demands,
    book.matches,
    money.settle,
    money.statements,
    requests.api,
):
    app.command()(command)
app.add_typer(orders.orders, name="orders")
app.add_typer(shipments.shipments, name="shipments")
app.add_typer(receive.receive, name="receive")
app.add_typer(events.events, name="events")
app.add_typer(events.webhook, name="webhook")
app.command("import")(sheets.take_in)
app.command("export")(sheets.give_out)
app.command("check-migrations", hidden=True)(prepare.check_migrations)

UNDEFINED_TABLE = "42P01"
CHECK_ADDRESS = Text(
    "periksa DATABASE_URL, atau kosongkan supaya PostgreSQL bawaan dipakai; `hub doctor` memeriksa semuanya",
    "check DATABASE_URL, or unset it to use the embedded PostgreSQL; `hub doctor` looks at everything",
)


@app.callback()
def options(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on a terminal too")] = False,
    lang: Annotated[Literal["id", "en"], typer.Option(help="language of headings and messages")] = "id",
) -> None:
    """Read what all commands share."""
    OUTPUT.language = lang
    OUTPUT.asked_json = as_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: what can be foreseen becomes one line and an exit code, never a traceback."""
    try:
        app(arguments)
    except Problem as problem:
        raise SystemExit(_tell_problem(problem)) from None
    except PostgresError as error:
        complain(Text(str(error), str(error)))
        raise SystemExit(1) from None
    except (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        _tell_trouble(error)
        raise SystemExit(1) from None


def _tell_problem(problem: Problem) -> int:
    """Say what was refused, each wrong field by its name; return the exit code."""
    if isinstance(problem.__cause__, OSError):
        _tell_trouble(problem.__cause__)
        return 1
    said = problem.detail or problem.title
    complain(said)
    for error in (error for error in problem.errors if error.detail != said):
        complain(Text(f"{error.pointer}: {error.detail.id}", f"{error.pointer}: {error.detail.en}"))
    return requests.exit_code(problem.status)


def _tell_trouble(error: Exception) -> None:
    """Say which of a file or the database is in the way, and what helps."""
    if isinstance(error, OSError) and error.filename is not None:
        complain(
            Text(
                f"tidak bisa memakai {error.filename}: {error.strerror}",
                f"cannot use {error.filename}: {error.strerror}",
            ),
            Text("beri hak tulis, atau pilih folder lain dengan HUB_DATA_DIR", "make it writable, or set HUB_DATA_DIR"),
        )
    elif isinstance(error, DBAPIError) and sqlstate(error) == UNDEFINED_TABLE:
        complain(
            Text("basis data ini belum disiapkan.", "this database is not prepared."),
            Text("hub migrate, atau hub run", "hub migrate, or hub run"),
        )
    elif isinstance(error, DBAPIError | asyncpg.PostgresError):
        reason = getattr(error, "orig", None) or error
        told = str(reason.__cause__ or reason).partition("\n")[0]
        complain(Text(f"basis data menolak: {told}", f"the database refuses: {told}"), CHECK_ADDRESS)
    else:
        told = str(error) or type(error).__name__
        complain(Text(f"basis data tidak menjawab: {told}", f"the database does not answer: {told}"), CHECK_ADDRESS)


if __name__ == "__main__":
    main()
