"""The command line `hub`: everything an operator does at a terminal."""

import typer

from app.cli import serve

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Blitar hub: supply in, demand in, cleared.")
app.command("run")(serve.run)
app.command("migrate")(serve.migrate)
app.command("check-migrations", hidden=True)(serve.check_migrations)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
