"""`hub demo`: the opening scenario."""

import asyncio
from typing import Annotated

import typer
from sqlalchemy import text

from app.cli.context import running_database, settings_of
from app.cli.output import complain, step
from app.cli.prepare import migrate_database, prepare
from app.kit.db import Database
from app.kit.text import Text


def demo(
    *,
    reset: Annotated[bool, typer.Option("--reset", help="throw everything away first")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --reset: also in the database of DATABASE_URL")] = False,
) -> None:
    """Load the opening scenario into an empty database, or with --reset anew."""
    settings = settings_of()
    if reset and settings.database_url is not None and not yes:
        complain(
            Text(
                "DATABASE_URL terisi: --reset akan mengosongkan basis data itu.",
                "DATABASE_URL is set: --reset would empty that database.",
            ),
            Text("tambahkan --yes kalau memang itu maksudnya", "add --yes if that is what you want"),
        )
        raise typer.Exit(4)
    with running_database(settings) as url:
        if reset:
            with step(Text("basis data dikosongkan", "database emptied")):
                asyncio.run(_empty(url))
        migrate_database(url)
        if not prepare(settings, url, with_demo=True):
            complain(
                Text(
                    "sudah ada pihak yang terdaftar; tidak ada yang dimuat.",
                    "somebody is registered already; nothing was loaded.",
                ),
                Text("hub demo --reset membuang semuanya lebih dulu", "hub demo --reset throws everything away first"),
            )
            raise typer.Exit(5)


async def _empty(url: str) -> None:
    database = Database(url, pool_size=1)
    try:
        async with database.transaction() as session:
            # the schemas go as a whole: append-only tables refuse to be emptied
            await session.execute(text("DROP SCHEMA IF EXISTS invariants, public CASCADE"))
            await session.execute(text("CREATE SCHEMA public"))
    finally:
        await database.dispose()
