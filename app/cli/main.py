"""The command line `hub`: everything an operator does at a terminal."""

import sys
from typing import Annotated, Literal

import typer
from sqlalchemy.exc import DBAPIError

from app.cli import book, clearing, demo, doctor, requests, serve
from app.cli.output import OUTPUT, complain
from app.kit.postgres import PostgresError
from app.kit.problems import Problem

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Blitar hub: supply in, demand in, cleared. Exit codes: 0 done, 1 failed, 2 usage, 3 some rows refused, "
    "4 not allowed, 5 conflict.",
)
for command in (
    serve.run,
    serve.migrate,
    demo.demo,
    doctor.doctor,
    clearing.clear,
    clearing.replay,
    book.listings,
    book.demands,
    book.matches,
    requests.api,
):
    app.command()(command)
app.command("check-migrations", hidden=True)(serve.check_migrations)

#: HTTP status of a problem -> exit code; others are 1
EXIT_CODES = {401: 4, 403: 4, 409: 5, 412: 5}


@app.callback()
def options(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on a terminal too")] = False,
    lang: Annotated[Literal["id", "en"], typer.Option(help="language of headings and messages")] = "id",
) -> None:
    """Read what all commands share."""
    OUTPUT.language = lang
    OUTPUT.as_json = as_json or not sys.stdout.isatty()


def main() -> None:
    """Run the command line: a planned refusal becomes one line and an exit code, never a traceback."""
    try:
        app()
    except Problem as problem:
        document = problem.document(language=OUTPUT.language, request_id=None)
        complain(document["detail"], *(f"{error['pointer']}: {error['detail']}" for error in document["errors"]))
        raise SystemExit(EXIT_CODES.get(problem.status, 1)) from None
    except PostgresError as error:
        complain(str(error))
        raise SystemExit(1) from None
    except (DBAPIError, ConnectionError) as error:
        complain(f"the database does not answer: {error}".splitlines()[0], "next: check DATABASE_URL, or unset it")
        raise SystemExit(1) from None
    except (ValueError, OSError) as error:
        complain(str(error))
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
