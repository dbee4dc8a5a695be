"""`hub demo`: the opening scenario."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import text

from app.cli.context import clock_of, running_database, settings_of
from app.cli.output import complain, step
from app.cli.serve import prepare
from app.kit import migrations
from app.kit.db import Database


def demo(
    *,
    reset: Annotated[bool, typer.Option("--reset", help="throw everything away first")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --reset: also in the database of DATABASE_URL")] = False,
) -> None:
    """Load the opening scenario into an empty database, or with --reset anew."""
    settings = settings_of()
    if reset and settings.database_url is not None and not yes:
        complain("DATABASE_URL is set: --reset would empty that database.", "next: add --yes if that is what you want")
        raise typer.Exit(4)
    with running_database(settings) as ready:
        assert ready.database_url is not None  # noqa: S101 - what running_database promises
        if reset:
            with step("emptied"):
                asyncio.run(_empty(ready.database_url))
        with step("migrated"):
            migrations.migrate(ready.database_url)
        if not asyncio.run(prepare(ready, clock_of(ready), with_demo=True)):
            complain("somebody is registered already; nothing was loaded.", "next: hub demo --reset")
            raise typer.Exit(5)


async def _empty(url: str) -> None:
    database = Database(url, pool_size=1)
    async with database.transaction() as session:
        # the schemas go as a whole: append-only tables refuse to be emptied
        await session.execute(text("DROP SCHEMA IF EXISTS invariants, public CASCADE"))
        await session.execute(text("CREATE SCHEMA public"))
    await database.dispose()
